"""
Where connections may go, how names become addresses, how many there may be, and how little may come over them: an
adapter's settings, as the core's options.

Each is an attribute of `HTTPAdapter` under the name it has here, checked when it is set.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from .certs import Trust

#: The settings, and what they are where nobody says anything.
DEFAULTS: Mapping[str, Any] = {
    "allow_addresses": None,
    "deny_addresses": None,
    "trust_proxy": False,
    "resolve": None,
    "resolver": None,
    "dns_cache": 60,
    "unix_socket": None,
    "min_throughput": None,
    "max_connections": None,
    "pool_timeout": None,
    "max_head_bytes": 256 * 1024,
    "proxy_verify": None,
    "proxy_cert": None,
}

#: What a path may be.
PATHS = (str, bytes, os.PathLike)

#: A URL whose host is the percent-encoded path of a Unix socket, as requests-unixsocket spells it.
UNIX = "http+unix://"


def options_of(settings: Mapping[str, Any]) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, Any], ...]]:
    """
    The core's options for these settings: those whose values are numbers, and those whose values are text.

    Raises:
        ValueError, TypeError: a setting that can mean nothing.
    """
    numbers: list[tuple[str, int]] = []
    texts: list[tuple[str, Any]] = []
    for name in ("allow_addresses", "deny_addresses"):
        value = settings.get(name)
        if value is not None:
            listed = ",".join(several(name, value))
            if listed:
                texts.append((name.upper(), listed))
            elif name == "allow_addresses":
                raise ValueError("allow_addresses allows nothing: None is for everything")
    if settings.get("trust_proxy", False) not in (True, False):  # "no" would open what it seems to close
        raise ValueError(f"trust_proxy is True or False, not {settings['trust_proxy']!r}")
    if settings.get("trust_proxy"):
        numbers.append(("TRUST_PROXY", 1))
    life = settings.get("dns_cache", DEFAULTS["dns_cache"])
    if life != DEFAULTS["dns_cache"]:
        numbers.append(("DNS_CACHE_NS", _nanoseconds("dns_cache", life)))
    if settings.get("resolver") is not None and not callable(settings["resolver"]):
        raise TypeError(f"resolver is called with host and port, and {settings['resolver']!r} cannot be")
    if settings.get("pool_timeout") is not None:
        numbers.append(("QUEUE_TIMEOUT_NS", _nanoseconds("pool_timeout", settings["pool_timeout"]) or 1))
    longest = settings.get("max_head_bytes", DEFAULTS["max_head_bytes"])
    if longest != DEFAULTS["max_head_bytes"]:
        numbers.append(("MAX_HEAD_BYTES", _counted("max_head_bytes", longest, 1024, 1 << 24)))
    if settings.get("max_connections") is not None:  # which is for the client, and not for a request
        _counted("max_connections", settings["max_connections"], 1, 1 << 31)
    if settings.get("min_throughput") is not None:
        numbers += _pace(settings["min_throughput"])
    resolve = settings.get("resolve") or {}
    if not isinstance(resolve, Mapping) or not all(isinstance(place, str) for place in resolve):
        raise TypeError(f"resolve is a mapping of hosts to addresses, not {resolve!r}")
    texts += [("RESOLVE", resolve_entry(place, addresses)) for place, addresses in resolve.items()]
    path = settings.get("unix_socket")
    if path and not isinstance(path, PATHS):
        raise TypeError(f"unix_socket is the path of a socket, not {path!r}")
    if path:
        if b"\0" in os.fsencode(path):
            raise ValueError(f"unix_socket is the path of a socket, which {path!r} cannot be")
        texts.append(("UNIX_SOCKET", path))
    proxy_verify, proxy_cert = settings.get("proxy_verify"), settings.get("proxy_cert")
    if proxy_verify is not None and not isinstance(proxy_verify, (bool, *PATHS, Trust)):
        raise TypeError(f"proxy_verify is what verify may be, or None for the same, not {proxy_verify!r}")
    if proxy_cert is not None and not isinstance(proxy_cert, (*PATHS, tuple, list)):
        raise TypeError(f"proxy_cert is what cert may be, not {proxy_cert!r}")
    return tuple(numbers), tuple(texts)


def several(name: str, value: Any) -> list[str]:
    """
    Addresses or networks as texts: of one text with commas, of one object of `ipaddress`, or of several of either.

    Args:
        name: of the setting, for the exception.
        value: what was given.

    Raises:
        TypeError: it is none of these.
    """
    items: Any = value.split(",") if isinstance(value, str) else [value] if _is_address(value) else value
    try:
        texts = [each if isinstance(each, str) or _is_address(each) else None for each in items]
    except TypeError:
        texts = [None]
    if None in texts:
        raise TypeError(f"{name} is a text or several, or of ipaddress, and not {value!r}")
    return [text for text in (str(each).strip() for each in texts) if text]


def _is_address(value: Any) -> bool:
    return hasattr(value, "max_prefixlen")  # a network of ipaddress is an iterable, too, of all it has


def _nanoseconds(name: str, seconds: Any) -> int:
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not 0 <= seconds < 1 << 33:
        raise ValueError(f"{name} is a number of seconds from 0 on, not {seconds!r}")
    return int(seconds * 1e9)


def _counted(name: str, number: Any, least: int, most: int) -> int:
    if type(number) is not int or not least <= number <= most:
        raise ValueError(f"{name} is a whole number from {least} to {most}, not {number!r}")
    return number


def _pace(given: Any) -> list[tuple[str, int]]:
    try:
        size, seconds = given
        whole = isinstance(size, int) and 0 < size < 1 << 63
        if not whole or not isinstance(seconds, (int, float)) or not 0 < seconds < 1 << 33:
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError(
            f"min_throughput is a pair, of bytes and of the seconds of waiting that they may take, not {given!r}"
        ) from None
    return [("LOW_SPEED_BYTES", size), ("LOW_SPEED_NS", int(seconds * 1e9) or 1)]


def resolve_entry(place: str, addresses: Any) -> str:
    """
    An entry of RQX_OPT_RESOLVE: "host", "host:port", or an IPv6 address in brackets or without a port, and addresses.
    """
    host, colon, port = place.rpartition(":")
    if not colon or place.endswith("]") or (":" in host and not host.endswith("]")):
        host, port = place, "*"
    if ":" in host and host[:1] != "[":
        host = f"[{host}]"
    return f"{host}:{port}:{','.join(several('resolve', addresses))}"


def through_socket(url: str) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """
    The URL and the options for one that begins with `UNIX`.

    Raises:
        ValueError: it names no socket.
    """
    rest = url[len(UNIX) :]
    end = min(at for at in (*map(rest.find, "/?#"), len(rest)) if at >= 0)
    path = unquote(rest[:end])
    if not path or "\0" in path:
        raise ValueError(f"{url!r} names no socket: its path comes first, percent-encoded")
    return f"http://localhost{rest[end:]}", (("UNIX_SOCKET", path),)
