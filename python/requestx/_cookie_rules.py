"""
Which cookies no jar should take from a response, whatever its policy says.
"""

from __future__ import annotations

import re
from http import cookiejar as cookielib
from http.cookiejar import Cookie
from typing import Any

from ._core import is_public_suffix

# What a browser takes at most, about: a server cannot make later requests too big to be answered (CVE-2022-32205).
LONGEST = 4096
MOST_PER_RESPONSE = 100
MOST_PER_DOMAIN = 200

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]").search
_HUGE = re.compile(r"(;\s*max-age\s*=\s*\"?\s*[-+]?)[0-9_]{10,}", re.IGNORECASE)


def readable(value: str) -> str:
    """
    A Set-Cookie header that the standard library can read.

    A Max-Age too large for a float makes it lose all cookies of the response.
    """
    return _HUGE.sub(r"\g<1>999999999", value)


def is_sound(cookie: Cookie, request: Any) -> bool:
    """
    Whether a cookie may be kept at all: not too long, no control characters, no tail of an IP address as domain, and
    no public suffix such as co.uk (CVE-2014-3620).
    """
    if len(cookie.name) + len(cookie.value or "") > LONGEST:
        return False
    if _CONTROL(cookie.name) or _CONTROL(cookie.value or "") or _CONTROL(cookie.path):
        return False
    if cookie.name[:2] == "__" and not _keeps_its_promise(cookie, request):
        return False
    if not cookie.domain_specified:
        return True
    host = cookielib.request_host(request)  # type: ignore[attr-defined]
    is_name = cookielib.is_HDN(host) and not host.startswith("[")  # type: ignore[attr-defined]
    domain = cookie.domain.lstrip(".")
    return host == domain or bool(is_name and not is_public_suffix(domain))


def _keeps_its_promise(cookie: Cookie, request: Any) -> bool:
    """
    Whether a cookie is what its name says to the server that will get it (RFC 6265bis, 4.1.3).
    """
    name = cookie.name.lower()
    if not name.startswith(("__secure-", "__host-")):
        return True
    if not cookie.secure or request.get_type() not in ("https", "wss"):
        return False
    return name.startswith("__secure-") or (cookie.path == "/" and not cookie.domain_specified)


def overwrites(cookie: Cookie, secure: Cookie) -> bool:
    """
    Whether `cookie` would stand in for a Secure one of its name, whose domain and path it touches.
    """
    if cookie.name != secure.name:
        return False
    mine, theirs = cookie.domain.lstrip("."), secure.domain.lstrip(".")
    if not (mine == theirs or mine.endswith("." + theirs) or theirs.endswith("." + mine)):
        return False
    path = secure.path.rstrip("/")
    return cookie.path.rstrip("/") == path or cookie.path.startswith(path + "/")
