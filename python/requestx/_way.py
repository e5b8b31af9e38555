"""
Where a request goes: the URL that is asked for, the proxy between, and the pool of a user's that it is sent by.

There are two ways to find out, and an adapter that nobody changed takes the short one (`direct`). A subclass that
overrides what requests lets it override, or a `poolmanager` of another kind, is asked step by step as requests asks it
(`by_pool`): for a pool, what that verifies, what the request line names, and for further headers.
What comes out is the same kind of thing, so whatever sends it need not know which way it was.
"""

from __future__ import annotations

from typing import Any

from . import _network, _pools, _proxy
from ._environ import select_proxy
from ._url import origin, wire_url
from .exceptions import AddressNotAllowed, InvalidURL


class Way:
    """
    Where a request goes.

    Args:
        url: as the core takes it.
        proxy: the one it goes through, or None.
        settings: of its pool, where a user had a say in them.
        pool: an object with `urlopen` that a user brought; `url` is then what that takes.
        texts: further options of the core's, which say where it leads.
    """

    __slots__ = ("place", "pool", "proxy", "settings", "texts", "url")

    def __init__(
        self, url: Any, proxy: Any = None, settings: Any = None, pool: Any = None, texts: tuple[Any, ...] = ()
    ) -> None:
        #: What a resolver was asked for.
        self.place: Any = None
        self.texts = texts
        self.url = url
        self.proxy = proxy
        self.settings = settings
        self.pool = pool


def direct(adapter: Any, request: Any, stream: Any, timeout: Any, verify: Any, cert: Any, proxies: Any) -> Way:
    """
    The way of an adapter that nobody changed.
    """
    if request.url[: len(_network.UNIX)].lower() == _network.UNIX:
        return _through_socket(adapter, request)
    proxy = _proxy.via(adapter, request.url, proxies) if proxies else None
    adapter.add_headers(request, stream=stream, timeout=timeout, verify=verify, cert=cert, proxies=proxies)
    return Way(request.url, proxy)


def _through_socket(adapter: Any, request: Any) -> Way:
    try:
        url, texts = _network.through_socket(request.url)
    except ValueError as error:
        raise InvalidURL(error, request=request) from error
    if adapter.allow_addresses is not None or adapter.deny_addresses is not None:
        raise AddressNotAllowed(f"{request.url}: a socket of this machine is no address", request=request)
    adapter.add_headers(request)
    return Way(url, texts=texts)


def by_pool(adapter: Any, request: Any, stream: Any, timeout: Any, verify: Any, cert: Any, proxies: Any) -> Way:
    """
    The way of an adapter that a user has a say in: whatever may be overridden is called.
    """
    pool = adapter.get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
    adapter.cert_verify(pool, request.url, verify, cert)
    target = adapter.request_url(request, proxies)
    adapter.add_headers(request, stream=stream, timeout=timeout, verify=verify, cert=cert, proxies=proxies)
    if not isinstance(pool, _pools.ConnectionPool):
        return Way(target, pool=pool)
    plain = target == target_of(request, proxies)
    if plain and origin(request.url) == (pool.scheme, pool.host, pool.port):
        url = request.url
    else:
        url = pool.base() + (request.path_url if plain else target) if plain or target[:1] == "/" else target
    return Way(url, pool.via, pool.settings())


def target_of(request: Any, proxies: Any) -> Any:
    """
    What the request line names: path and query, or the whole URL where a proxy forwards the request.
    """
    proxy = select_proxy(request.url, proxies)
    if proxy and request.url[:5].lower() != "https" and not _proxy.is_socks(proxy):
        return wire_url(request.url)
    return request.path_url
