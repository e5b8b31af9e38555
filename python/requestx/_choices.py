"""
From requests' settings to the core's options: time-outs, and all that urllib3's pools call TLS.

What `verify=` and `cert=` say is written as the pool's settings that they stand for (`tls_settings`), and an adapter's
own are merged beneath; so there is one translation, whoever set what (`choose`).
The results are pairs of an option's name, ``RQX_OPT_`` left out, and its value.

As in requests, `verify` decides whether certificates are checked: an SSLContext that would accept everything does not
make a request that verifies accept it. The certificates of an SSLContext are trusted beside those of `verify`.
"""

from __future__ import annotations

import os
import re
from typing import Any, Iterable, Mapping

from ._limits import nanoseconds
from ._network import PATHS
from .certs import PLATFORM, where

#: Of a pool's settings, those that say whom it trusts.
AUTHORITIES = ("ca_certs", "ca_cert_dir", "ca_cert_data", "ca_platform")


def tls_settings(verify: Any, cert: Any, beneath: Mapping[str, Any]) -> dict[str, Any]:
    """
    The settings of a pool for a request.

    Args:
        verify: True, False, a path of CA certificates, or `certs.PLATFORM`.
        cert: a path, or a pair of certificate and key, or a triple with the key's password.
        beneath: the adapter's own, by urllib3's names.

    Raises:
        OSError: a file is not there.
        TypeError: `verify` or `cert` is no such thing.
        ValueError: there is a key, and no certificate.
    """
    merged = dict(beneath)
    if verify is None or verify:
        named = verify is not None and verify is not True
        own = [name for name in AUTHORITIES if merged.get(name)]
        if named or not own:
            for name in own:
                del merged[name]
        if verify is PLATFORM:
            merged["ca_platform"] = True
        elif named or not own:
            bundle = _bundle(verify if named else where())
            merged["ca_cert_dir" if os.path.isdir(bundle) else "ca_certs"] = bundle
        merged["cert_reqs"] = "CERT_REQUIRED"
    else:
        merged["cert_reqs"] = "CERT_NONE"
    certificate, key, password = _identity(cert)
    if certificate:
        merged["cert_file"] = _existing("certificate file", certificate)
        merged["key_file"] = _existing("key file", key) if key else None
        if password is not None:
            merged["key_password"] = password
    return merged


def _bundle(verify: Any) -> str:
    if not isinstance(verify, PATHS):
        raise TypeError(
            f"verify is True, False, a path of CA certificates or certs.PLATFORM, and not {type(verify).__name__}; "
            "an SSLContext is given to an adapter: HTTPAdapter.init_poolmanager(..., ssl_context=...)"
        )
    path = os.fsdecode(os.fspath(verify))
    if not os.path.exists(path):
        raise OSError(f"Could not find a suitable TLS CA certificate bundle, invalid path: {path}")
    return path


def _identity(cert: Any) -> tuple[Any, Any, Any]:
    if not cert or isinstance(cert, PATHS):
        return cert, None, None
    if not isinstance(cert, (tuple, list)) or len(cert) not in (2, 3):
        raise TypeError(
            "cert is the path of a certificate, or a pair of it and its key, or these and the key's password, "
            f"and not {type(cert).__name__}" + (f" of {len(cert)}" if isinstance(cert, (tuple, list)) else "")
        )
    certificate, key, *more = cert
    if key and not certificate:
        raise ValueError(f"cert names the key {key!r}, and no certificate that it belongs to")
    return certificate, key, more[0] if more else None


def _existing(what: str, path: Any) -> str:
    name: str = os.fsdecode(path)
    if not os.path.exists(name):
        raise OSError(f"Could not find the TLS {what}, invalid path: {name}")
    return name


def choose(timeout: Any, settings: Mapping[str, Any], secure: bool) -> tuple[Any, Any]:
    """
    The core's options: those whose values are numbers, and those whose values are text or bytes.

    Args:
        timeout: of the request; that of the settings if None.
        settings: of the pool, by urllib3's names.
        secure: the connection is one over TLS.

    Raises:
        ValueError, TypeError: what the core cannot do, and what to use instead.
    """
    numbers: list[tuple[str, int]] = []
    texts: list[tuple[str, Any]] = []
    connect, read, total = nanoseconds(settings.get("timeout") if timeout is None else timeout)
    if connect is not None:
        numbers.append(("ESTABLISH_TIMEOUT_NS", connect))
    if read is not None:
        numbers += [("SEND_TIMEOUT_NS", read), ("AWAIT_TIMEOUT_NS", read), ("READ_TIMEOUT_NS", read)]
    if total is not None:
        numbers.append(("TOTAL_TIMEOUT_NS", total))
    if settings.get("source_address"):
        texts.append(("LOCAL_ADDRESS", _local_address(settings["source_address"])))
    if settings.get("socket_options"):
        texts.append(("SOCKET_OPTIONS", _socket_options(settings["socket_options"])))
    if secure:
        _choose_tls(settings, numbers, texts)
    return tuple(numbers), tuple(texts)


#: A pool's settings for TLS with an https proxy, and what each would be called if that were an origin.
_PROXYS = {
    "proxy_ssl_context": "ssl_context",
    "proxy_assert_hostname": "assert_hostname",
    "proxy_assert_fingerprint": "assert_fingerprint",
}


def choose_for_proxy(verify: Any, cert: Any, settings: Mapping[str, Any]) -> tuple[Any, Any]:
    """
    The options for TLS with an https proxy.

    Args:
        verify: as of a request, for the proxy.
        cert: likewise.
        settings: of the pool, by urllib3's names.
    """
    numbers: list[tuple[str, int]] = []
    texts: list[tuple[str, Any]] = []
    own = {name: settings[given] for given, name in _PROXYS.items() if settings.get(given) is not None}
    _choose_tls(tls_settings(verify, cert, own), numbers, texts)
    return tuple(("PROXY_" + name, value) for name, value in numbers), tuple(
        ("PROXY_" + name, value) for name, value in texts
    )


def speaks_of_proxy(settings: Mapping[str, Any]) -> bool:
    """
    Whether a pool's settings have one for TLS with an https proxy.
    """
    return any(settings.get(name) is not None for name in _PROXYS)


def verifies_proxy(settings: Mapping[str, Any]) -> bool:
    """
    Whether a pool of an adapter's own has the certificate of an https proxy checked.
    """
    required, context = settings.get("cert_reqs"), settings.get("proxy_ssl_context")
    if required is None and context is not None:
        required = context.verify_mode  # nobody said otherwise
    return _requirement(required) != 0


def _choose_tls(settings: Mapping[str, Any], numbers: list[tuple[str, int]], texts: list[tuple[str, Any]]) -> None:
    context, required = settings.get("ssl_context"), settings.get("cert_reqs")
    if required is None and context is not None:
        required = context.verify_mode  # nobody said otherwise
    verifies = _requirement(required) != 0
    if not verifies:
        numbers.append(("DANGER_ACCEPT_INVALID_CERTS", 1))
    data = _as_pem_or_der(settings["ca_cert_data"]) if settings.get("ca_cert_data") else b""
    if context is not None:
        from . import _context

        context = _context.unwrap(context)
        numbers += _context.numbers_of(context)
        texts += _context.texts_of(context)
        trusted = _context.certificates_of(context, as_pem=data.lstrip().startswith(b"-----"))
        if trusted:
            data += trusted
        elif verifies:
            numbers.append(("CA_PLATFORM", 1))
    if verifies:
        if settings.get("ca_certs"):
            texts.append(("CA_FILE", os.fsdecode(settings["ca_certs"])))
        if settings.get("ca_platform"):
            numbers.append(("CA_PLATFORM", 1))
            texts.append(("CA_FALLBACK_FILE", where()))
        if settings.get("ca_cert_dir"):
            texts.append(("CA_FOLDER", os.fsdecode(settings["ca_cert_dir"])))
        if data:
            texts.append(("CA_DATA", data))
    numbers += _versions(settings)
    texts += _identity_options(settings)
    _choose_names(settings, numbers, texts)


def _choose_names(settings: Mapping[str, Any], numbers: list[tuple[str, int]], texts: list[tuple[str, Any]]) -> None:
    """
    Whose certificate it has to be: the name that is sent and checked, another that is checked, or one that is known.
    """
    name, pin = settings.get("assert_hostname"), settings.get("assert_fingerprint")
    if settings.get("server_hostname"):
        texts.append(("SERVER_NAME", _host_name("server_hostname", settings["server_hostname"])))
    if pin:
        texts.append(("TLS_PINS", _pin(pin)))
    if name is False or pin:
        numbers.append(("DANGER_ACCEPT_ANY_HOST", 1))
    elif name:
        texts.append(("VERIFY_NAME", _host_name("assert_hostname", name)))


def _host_name(what: str, name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{what} is the name of a host, and not {type(name).__name__}")
    if name.isascii():
        return name
    from ._url import to_ascii

    return to_ascii(name)


def _requirement(given: Any) -> int:
    if given is None:
        return 2
    if isinstance(given, str):
        import ssl

        given = getattr(ssl, given if given.startswith("CERT_") else "CERT_" + given)
    return int(given)


def _identity_options(settings: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    if settings.get("cert_file"):
        yield "CLIENT_CERT_FILE", os.fsdecode(settings["cert_file"])
    if settings.get("key_file"):
        yield "CLIENT_KEY_FILE", os.fsdecode(settings["key_file"])
    password = settings.get("key_password")
    if password is not None:
        yield "CLIENT_KEY_PASSWORD", password.encode("utf-8") if isinstance(password, str) else bytes(password)


def _versions(settings: Mapping[str, Any]) -> Iterable[tuple[str, int]]:
    lowest = highest = None
    if settings.get("ssl_version") is not None:
        lowest = highest = _protocol(settings["ssl_version"])
    if settings.get("ssl_minimum_version") is not None:
        lowest = _bound("ssl_minimum_version", settings["ssl_minimum_version"], _AT_LEAST)
    if settings.get("ssl_maximum_version") is not None:
        highest = _bound("ssl_maximum_version", settings["ssl_maximum_version"], _AT_MOST)
    if lowest is not None:
        yield ("DANGER_TLS_MIN_VERSION" if lowest < 12 else "TLS_MIN_VERSION"), lowest
    if highest is not None:
        yield "TLS_MAX_VERSION", highest


_NUMBERS = {"TLSv1": 10, "TLSv1_1": 11, "TLSv1_2": 12, "TLSv1_3": 13}
#: None leaves it open; what is missing cannot be had.
_AT_LEAST = {**_NUMBERS, "MINIMUM_SUPPORTED": None, "SSLv3": None, "MAXIMUM_SUPPORTED": 13}
_AT_MOST = {**_NUMBERS, "MAXIMUM_SUPPORTED": None}


def _protocol(given: Any) -> int | None:
    """
    The one version that a PROTOCOL_* of ssl's stands for; None for those that leave it open.
    """
    import ssl

    if isinstance(given, str):
        name = given if given.startswith("PROTOCOL_") else "PROTOCOL_" + given
    else:
        # PROTOCOL_TLS has a second, older name, which would hide the one that is known here.
        name = next((each.name for each in ssl._SSLMethod if each == given), str(given))
    if name in ("PROTOCOL_TLS", "PROTOCOL_SSLv23", "PROTOCOL_TLS_CLIENT"):
        return None
    number = _NUMBERS.get(name.replace("PROTOCOL_", ""))
    if number is None:
        raise ValueError(f"ssl_version={given!r} is no version of TLS that can be had: TLSv1_2 and TLSv1_3 are")
    return number


def _bound(what: str, given: Any, numbers: Mapping[str, int | None]) -> int | None:
    import ssl

    try:
        name = (ssl.TLSVersion[given] if isinstance(given, str) else ssl.TLSVersion(given)).name
        return numbers[name]
    except (KeyError, ValueError):
        raise ValueError(f"{what}={given!r} is no version of TLS that can be had: TLSv1_2 and TLSv1_3 are") from None


def _pin(fingerprint: Any) -> str:
    digest = str(fingerprint).replace(":", "").lower()
    kind = {64: "sha256", 40: "sha1"}.get(len(digest))
    if len(digest) == 32:
        raise ValueError(
            "assert_fingerprint by MD5 is refused: anybody can make a certificate with that MD5; use SHA-256"
        )
    if kind is None or not re.fullmatch("[0-9a-f]+", digest):
        raise ValueError(f"assert_fingerprint={fingerprint!r} is no SHA-256 (64 hexadecimal digits) or SHA-1 (40)")
    return f"{kind}/{digest}"


def _as_pem_or_der(data: Any) -> bytes:
    return data.encode("ascii") if isinstance(data, str) else bytes(data)


def _local_address(address: Any) -> str:
    host, port = (address, 0) if isinstance(address, str) else address[:2]
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{int(port)}"


def _socket_options(options: Any) -> str:
    return ";".join(",".join(map(_number, option)) for option in options)


def _number(part: Any) -> str:
    if isinstance(part, (bytes, bytearray)):
        return "x" + bytes(part).hex()
    return str(int(part))
