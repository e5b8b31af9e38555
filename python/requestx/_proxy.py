"""
From requests' proxies to the core's: which one a request goes through, and what that proxy is told.

The core reads the URL and knows every kind of proxy. Here is what is requests' own: proxies come in a mapping by scheme
and host, one without a scheme is spoken to in http, and what an http or https proxy is told is up to
`HTTPAdapter.proxy_headers`, which users override.

The result goes into the key of the adapter's options, and from there into the key of the pool: other credentials are
another connection.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from ._environ import select_proxy
from ._url import userinfo, with_ascii_host
from .exceptions import InvalidHeader, InvalidProxyURL, InvalidURL

# "http:/proxy" is no name without a scheme; the core says what is wrong with it.
_BROKEN = re.compile(r"(?:https?|socks(?:4a?|5h?)):(?![0-9])", re.IGNORECASE).match
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


class Via(NamedTuple):
    """
    A proxy as the core takes it: its URL, and fields "Name: value" for it alone.
    """

    url: str
    fields: tuple[bytes, ...]

    @property
    def is_secure(self) -> bool:
        """
        Whether there is TLS with the proxy itself.
        """
        return self.url[:6].lower() == "https:"


def via(adapter: Any, url: str, proxies: Any) -> Via | None:
    """
    The proxy that a request to `url` goes through, or None.

    Args:
        adapter: whose `proxy_headers` says what an http or https proxy is told.
        url: where the request goes.
        proxies: by scheme, or scheme and host; see `select_proxy`.
    """
    proxy = select_proxy(url, proxies)
    return through(adapter, proxy) if proxy else None


def through(adapter: Any, proxy: str) -> Via:
    """
    A proxy by its URL; see `via`.
    """
    proxy = _with_ascii_host(with_scheme(proxy))
    if is_socks(proxy):
        return Via(quote(proxy, safe=_ASCII), ())
    headers = adapter.proxy_headers(proxy)
    secret = userinfo(proxy)
    bare = proxy if secret is None else proxy.replace(f"{secret}@", "", 1)
    return Via(quote(bare, safe=_ASCII), tuple(_field(name, value) for name, value in (headers or {}).items()))


def with_scheme(proxy: str) -> str:
    """
    A proxy's URL with its scheme, which is http where none is written.

    Raises:
        InvalidProxyURL: it is no text.
    """
    if not isinstance(proxy, str):
        raise InvalidProxyURL(f"Please check proxy URL. It is to be a str, and not {type(proxy).__name__}")
    proxy = proxy.strip()
    return proxy if "://" in proxy or _BROKEN(proxy) else "http://" + proxy.lstrip("/")


def _with_ascii_host(proxy: str) -> str:
    try:
        return with_ascii_host(proxy)
    except InvalidURL as error:
        raise InvalidProxyURL(f"Please check proxy URL. {error}") from error


def is_socks(proxy: str) -> bool:
    """
    Whether a proxy's URL names one of SOCKS.
    """
    return proxy[:5].lower() == "socks"


def credentials(proxy: str) -> tuple[str, str] | None:
    """
    User and password of a proxy's URL, unescaped; None if it names no user.
    """
    name, _, password = (userinfo(proxy) or "").partition(":")
    return (unquote(name), unquote(password)) if name else None


def _field(name: Any, value: Any) -> bytes:
    try:
        parts = [part if isinstance(part, bytes) else str(part).encode("latin-1") for part in (name, value)]
    except UnicodeEncodeError as error:
        raise InvalidHeader(f"Invalid header for the proxy: {name!r} is sent as latin-1, and {error}") from error
    if b":" in parts[0]:
        raise InvalidHeader(f"Invalid name of a header for the proxy: {name!r}")
    return b": ".join(parts)


__all__ = ["Via", "credentials", "is_socks", "through", "via", "with_scheme"]
