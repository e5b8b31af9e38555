"""
Between `http.cookiejar` and our requests and responses: what each looks like to the jar, and the two ways across.

The jar reads requests and responses of `urllib.request`; these classes show it ours as such.
"""

from __future__ import annotations

from http.cookiejar import CookieJar
from typing import Any

from ._internal_utils import to_native_string
from ._url import split


class MockRequest:
    """
    A prepared request as `http.cookiejar` wants to see one; new headers are collected, not set.

    Args:
        request: the PreparedRequest.
    """

    def __init__(self, request: Any) -> None:
        self._r = request
        self._new_headers: dict[str, str] = {}
        parts = split(self._r.url)
        self.type = parts.scheme
        # Not the userinfo: as part of the name it would keep a cookie from its host, and the password in the jar.
        self._host = (parts.authority or "").rpartition("@")[2]

    def get_type(self) -> str:
        """
        The URL's scheme.
        """
        return self.type

    def get_host(self) -> str:
        """
        The URL's host and port.
        """
        return self._host

    def get_origin_req_host(self) -> str:
        """
        The host again: every request stands for itself.
        """
        return self._host

    def get_full_url(self) -> str:
        """
        The URL without user and password, and with the caller's Host header in the place of its host.
        """
        url: str = self._r.url
        host = self._r.headers.get("Host")
        if not host and "@" not in url:
            return url
        authority = split(url).authority or ""
        host = to_native_string(host, encoding="utf-8") if host else self._host
        return url.replace("//" + authority, "//" + host, 1)

    def is_unverifiable(self) -> bool:
        """
        Always true, as nobody looked at the URL before.
        """
        return True

    def has_header(self, name: str) -> bool:
        """
        Whether the request bears such a header, or was given one here.
        """
        return name in self._r.headers or name in self._new_headers

    def get_header(self, name: str, default: str | None = None) -> Any:
        """
        A header's value.
        """
        return self._r.headers.get(name, self._new_headers.get(name, default))

    def add_header(self, key: str, val: str) -> None:
        """
        Not offered: the jar has no business with other headers.
        """
        raise NotImplementedError("Cookie headers should be added with add_unredirected_header()")

    def add_unredirected_header(self, name: str, value: str) -> None:
        """
        Keep a header for `get_new_headers`.
        """
        self._new_headers[name] = value

    def get_new_headers(self) -> dict[str, str]:
        """
        The headers that the jar wants set.
        """
        return self._new_headers

    @property
    def unverifiable(self) -> bool:
        """
        See `is_unverifiable`.
        """
        return self.is_unverifiable()

    @property
    def origin_req_host(self) -> str:
        """
        See `get_origin_req_host`.
        """
        return self.get_origin_req_host()

    @property
    def host(self) -> str:
        """
        See `get_host`.
        """
        return self.get_host()


class MockResponse:
    """
    A response's headers as `http.cookiejar` wants to see them.

    Args:
        headers: an object with `get_all`, such as an `email.message.Message`.
    """

    def __init__(self, headers: Any) -> None:
        self._headers = headers

    def info(self) -> Any:
        """
        The headers.
        """
        return self._headers

    def getheaders(self, name: str) -> Any:
        """
        All values of one header.
        """
        return self._headers.getheaders(name)


class SetCookies:
    """
    Set-Cookie headers as a message has them.
    """

    def __init__(self, values: list[str], others: Any = None) -> None:
        self._values = values
        self._others = others

    def info(self) -> SetCookies:
        return self

    def get_all(self, name: str, default: Any = None) -> Any:
        if name == "Set-Cookie":
            return self._values
        return default if self._others is None else self._others.get_all(name, default)


def store_cookies(jar: CookieJar, request: Any, values: list[str]) -> None:
    """
    Put a response's cookies into `jar`.

    Args:
        jar: any CookieJar.
        request: the PreparedRequest that was answered.
        values: the values of its Set-Cookie headers.
    """
    if values:
        jar.extract_cookies(SetCookies(values), MockRequest(request))  # type: ignore[arg-type]


def extract_cookies_to_jar(jar: CookieJar, request: Any, response: Any) -> None:
    """
    Put a raw response's cookies into `jar`.

    Args:
        jar: any CookieJar.
        request: the PreparedRequest that was answered.
        response: an object shaped like urllib3's, with the message at `_original_response.msg`.
    """
    original = getattr(response, "_original_response", None)
    if original:
        jar.extract_cookies(MockResponse(original.msg), MockRequest(request))  # type: ignore[arg-type]


def get_cookie_header(jar: CookieJar, request: Any) -> str | None:
    """
    The Cookie header that `jar` has for a request, or None; None too if the request bears one already.
    """
    asking = MockRequest(request)
    jar.add_cookie_header(asking)  # type: ignore[arg-type]
    return asking.get_new_headers().get("Cookie")
