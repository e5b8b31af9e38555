"""
Reading a Python ``ssl.SSLContext``: what it is set to, in the core's options.

The core has a TLS of its own and cannot use the object, so its settings are read and set again there: certificates it
trusts, versions, ciphers, flags.
What cannot be read back is an error that says what to use instead; nothing is left out in silence.

Whether a client certificate was loaded cannot be asked.
But an SSLContext can also be lent to a server's connection, which then answers a greeting only if there is a
certificate to answer with: `has_certificate` lets a client greet such a server in memory.

Two things a context cannot tell and nobody can hear: its ALPN protocols, which the core chooses by itself, and
certificates in folders, since OpenSSL reads those when they are needed (`trusts_platform`).

And two changes are not noticed once a request was made with it, since asking for them costs more than a request: other
ciphers (`state_of`; to list them takes 100 µs), and a certificate that is loaded then (600 µs).
"""

from __future__ import annotations

import ssl
import warnings
from typing import Any, Iterator

Choices = Iterator["tuple[str, Any]"]

# OpenSSL's X509_V_FLAG_*: those the core knows, by its numbers, and those that ask for lists of revoked certificates.
_STRICT, _PARTIAL_CHAIN, _CRL = 0x20, 0x80000, 0x4 | 0x8
_LEGACY_SERVER_CONNECT = 0x4
_VERSIONS = (
    ("TLSv1", 10, getattr(ssl, "OP_NO_TLSv1", 0)),
    ("TLSv1_1", 11, getattr(ssl, "OP_NO_TLSv1_1", 0)),
    ("TLSv1_2", 12, getattr(ssl, "OP_NO_TLSv1_2", 0)),
    ("TLSv1_3", 13, getattr(ssl, "OP_NO_TLSv1_3", 0)),
)


def unwrap(context: Any) -> ssl.SSLContext:
    """
    The ssl.SSLContext in what was given: itself, or the one inside (truststore's has one).

    Raises:
        TypeError: there is none.
    """
    inner = getattr(context, "_ctx", context)
    if not isinstance(inner, ssl.SSLContext):
        raise TypeError(
            f"ssl_context is to be an ssl.SSLContext, and a {type(context).__module__}.{type(context).__qualname__} "
            "cannot be read: use verify= and cert="
        )
    return inner


def numbers_of(context: ssl.SSLContext) -> Choices:
    """
    The options whose values are numbers.

    Raises:
        ValueError: a setting that the core cannot have, with what to use instead.
    """
    if has_certificate(context):
        raise ValueError(
            "the SSLContext has a client certificate, and its key cannot be read back: "
            "pass cert=(certificate, key, password) with the request or set it as Session.cert, "
            "and leave load_cert_chain out"
        )
    if context.verify_flags & _CRL:
        raise ValueError(
            "the SSLContext checks revocation lists, and those cannot be read back: clear its verify_flags"
        )
    lowest, highest = _versions(context)
    if lowest is not None:
        yield ("DANGER_TLS_MIN_VERSION" if lowest < 12 else "TLS_MIN_VERSION"), lowest
    if highest is not None:
        yield "TLS_MAX_VERSION", highest
    flags = context.verify_flags
    wanted = (1 if flags & _STRICT else 0) | (2 if flags & _PARTIAL_CHAIN else 0)
    if wanted != 2:  # the core's own default
        yield "TLS_VERIFY_FLAGS", wanted
    if context.options & _LEGACY_SERVER_CONNECT:
        yield "DANGER_LEGACY_RENEGOTIATION", 1
    if context.options & ssl.OP_NO_TICKET:
        yield "TLS_RESUME", 0


def texts_of(context: ssl.SSLContext) -> Choices:
    """
    The options whose values are bytes, but for the certificates.
    """
    ciphers = context.get_ciphers()
    level = getattr(context, "security_level", None)
    plain = _plain()
    named = [cipher["name"] for cipher in ciphers if cipher["protocol"] != "TLSv1.3"]
    if named != plain[0] or level != plain[2]:
        yield "CIPHERS", ":".join([*named, *([f"@SECLEVEL={level}"] if level is not None else [])])
    suites = [cipher["name"] for cipher in ciphers if cipher["protocol"] == "TLSv1.3"]
    if suites and suites != plain[1]:
        yield "CIPHERSUITES", ":".join(suites)
    keylog = getattr(context, "keylog_filename", None)
    if keylog:
        yield "TLS_KEYLOG_FILE", keylog


def certificates_of(context: ssl.SSLContext, as_pem: bool = False) -> bytes:
    """
    The certificates it trusts, one after the other: in DER, or in PEM to follow others.
    """
    each = context.get_ca_certs(binary_form=True)
    return b"".join(b"\n" + ssl.DER_cert_to_PEM_cert(der).encode("ascii") for der in each) if as_pem else b"".join(each)


def state_of(context: ssl.SSLContext) -> Any:
    """
    What changes when the context is changed, cheap enough to be asked for each request.
    """
    loaded = context.cert_store_stats()
    return (
        id(context),
        tuple(loaded.values()),
        context.verify_flags,
        context.options,
        context.minimum_version,
        context.maximum_version,
        getattr(context, "security_level", None),
        getattr(context, "keylog_filename", None),
    )


def has_certificate(context: ssl.SSLContext) -> bool:
    """
    Whether `load_cert_chain` was called on it.
    """
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    asking.check_hostname = False
    asking.verify_mode = ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(back, there)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).wrap_bio(there, back, server_side=True)
    server.context = context
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    try:
        server.do_handshake()
    except ssl.SSLWantReadError:
        return True  # it has answered, with its certificate
    except ssl.SSLError:
        return False
    return True


def _versions(context: ssl.SSLContext) -> tuple[int | None, int | None]:
    """
    The lowest and the highest version where the context names one; older code forbids versions one by one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        lowest, highest = context.minimum_version, context.maximum_version
    number = {getattr(ssl.TLSVersion, name): number for name, number, _ in _VERSIONS}
    least, most = number.get(lowest), number.get(highest)
    allowed = [
        number
        for _, number, forbidden in _VERSIONS
        if not context.options & forbidden and (least or 0) <= number <= (most or 99)
    ]
    if not allowed:
        raise ValueError("the SSLContext allows no version of TLS")
    if least is None and allowed[0] >= 12:
        least = allowed[0]
    if allowed[-1] < 13:
        most = allowed[-1]
    return least, most


_PLAIN: list[Any] = []


def _plain() -> Any:
    """
    Ciphers, suites and security level of a context that nobody has changed.
    """
    if not _PLAIN:
        context = ssl.create_default_context()
        ciphers = context.get_ciphers()
        _PLAIN.append(
            (
                [cipher["name"] for cipher in ciphers if cipher["protocol"] != "TLSv1.3"],
                [cipher["name"] for cipher in ciphers if cipher["protocol"] == "TLSv1.3"],
                getattr(context, "security_level", None),
            )
        )
    return _PLAIN[0]
