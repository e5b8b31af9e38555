"""
Redirects: where to, by which method, and what must not come along. Decisions only; `_flow` carries them out.

Credentials stay with the origin they were given for.
Custom headers are forwarded, as requests and curl forward them (CVE-2024-28849).
"""

from __future__ import annotations

from typing import Any, Mapping
from urllib.parse import urljoin

from ._url import DEFAULT_PORTS, origin, prepare, requote_uri, split
from .exceptions import InvalidSchema, InvalidURL

_SOCKET = "http+unix"
REDIRECT_STATI = (301, 302, 303, 307, 308)
PERMANENT_STATI = (301, 308)
DEFAULT_REDIRECT_LIMIT = 30
#: What a Location may have; longer lines are none that requests reads.
LONGEST = 65536

# What describes a body, and goes when the body goes.
BODY_HEADERS = ("Content-Length", "Content-Type", "Transfer-Encoding")


def is_redirect(status: int, headers: Mapping[str, str]) -> bool:
    """
    Whether a response sends the client elsewhere: a status of redirection that says where.
    """
    return status in REDIRECT_STATI and "location" in headers


def is_permanent_redirect(status: int, headers: Mapping[str, str]) -> bool:
    """
    Whether it does so for good.
    """
    return status in PERMANENT_STATI and "location" in headers


def location(headers: Mapping[str, str]) -> str:
    """
    The Location header as text; if it is empty, requests follows nothing.

    Header bytes were read as latin-1, and servers write UTF-8; what is not UTF-8 stays as it was read.
    """
    value = headers["location"]
    if value.isascii():
        return value
    try:
        return value.encode("latin1").decode("utf8")
    except UnicodeError:
        return value


def target(url: str | None, location: str) -> str:
    """
    The URL that a redirect leads to.

    Args:
        url: the URL that was answered; a response made by hand may have none.
        location: the Location header, see `location`.

    Returns:
        The URL, prepared (but see `_slash_as_it_came`); it inherits the fragment of `url` unless it has its own.

    Raises:
        InvalidURL: it is no URL, or longer than `LONGEST`.
        InvalidSchema: it leads from elsewhere to a socket of this machine.
    """
    if len(location) > LONGEST:
        raise InvalidURL(f"{url!r} redirects by a Location of {len(location)} bytes, where {LONGEST} are the most")
    base = split(url or "")
    if base.scheme == _SOCKET and not split(location).scheme and not location.startswith("//"):
        start = f"{base.scheme}://{base.authority}"
        return start + urljoin((url or "")[len(start) :] or "/", requote_uri(location))
    if base.scheme != _SOCKET and split(location).scheme == _SOCKET:
        raise InvalidSchema(f"{url!r} redirects to {location!r}: nobody but the caller names a socket of this machine")
    if location.startswith("//"):
        location = f"{base.scheme}:{location}"
    if base.fragment and not location.partition("#")[2]:
        location = f"{location.rstrip('#')}#{base.fragment}"
    # An absolute one is prepared as it came: quoting it first would move the end of ``http://A\\@B/``'s host.
    if ":" in location and split(location).scheme and split(location).authority:
        return _slash_as_it_came(prepare(location), location)
    return prepare(urljoin(url or "", requote_uri(location)))


def _slash_as_it_came(prepared: str, location: str) -> str:
    """
    A prepared URL without the slash that stands for no path, where the server wrote none: people compare
    `response.url` with what it wrote, and it is the same place.
    """
    parts = split(prepared)
    if split(location).path or parts.path != "/":
        return prepared
    end = len(f"{parts.scheme}://{parts.authority}")
    return prepared[:end] + prepared[end + 1 :]


def method(status: int, method: str) -> str:
    """
    The method by which a redirect is followed.

    303 asks for GET; 302, and 301 after a POST, are followed by GET because browsers do; HEAD stays HEAD.
    """
    if status in (302, 303) and method != "HEAD":
        return "GET"
    if status == 301 and method == "POST":
        return "GET"
    return method


def keeps_body(status: int) -> bool:
    """
    Whether the body is sent again.
    """
    return status in (307, 308)


def same_origin(old_url: str, new_url: str) -> bool:
    """
    Whether scheme, host and port agree; a default port is the same written or not.
    """
    return origin(old_url) == origin(new_url)


def same_host(old_url: str, new_url: str) -> bool:
    """
    Whether the hosts agree, and nothing that was secured goes out in the open: cookies know no ports.
    """
    old, new = origin(old_url), origin(new_url)
    return old[1] == new[1] and not (old[0] == "https" and new[0] == "http")


def should_strip_auth(old_url: str, new_url: str) -> bool:
    """
    Whether Authorization must not follow from one URL to the other.

    It may follow to the same origin, and from http on port 80 to https on port 443 of the same host.
    """
    old, new = origin(old_url), origin(new_url)
    if old == new:
        return False
    upgrade = old[0] == "http" and new[0] == "https" and old[2] == 80 and new[2] == 443
    return old[1] != new[1] or not upgrade


def strip_headers(headers: Any, old_url: str, new_url: str, status: int) -> None:
    """
    Take from a copied request's headers what must not follow a redirect.

    The Cookie header always goes: it is made anew from the jars, for the new URL.
    Authorization is the session's `rebuild_auth` to take away, which users override.

    Args:
        headers: a case-insensitive mapping, changed in place.
        old_url: the URL that was answered.
        new_url: the URL that comes next.
        status: the redirect's status.
    """
    if not keeps_body(status):
        for name in BODY_HEADERS:
            headers.pop(name, None)
    headers.pop("Cookie", None)
    if not same_origin(old_url, new_url):
        # What belongs to a proxy is added anew where that proxy is used (CVE-2014-1830, CVE-2023-32681).
        headers.pop("Proxy-Authorization", None)


__all__ = [
    "BODY_HEADERS",
    "DEFAULT_PORTS",
    "DEFAULT_REDIRECT_LIMIT",
    "REDIRECT_STATI",
    "is_permanent_redirect",
    "is_redirect",
    "keeps_body",
    "location",
    "method",
    "same_origin",
    "should_strip_auth",
    "strip_headers",
    "target",
]
