"""
What an adapter's users know as ``poolmanager``: urllib3's pools by name, settings by content.

The core pools connections by itself, by host and TLS settings.
Nothing here holds one: a `PoolManager` keeps the keyword arguments that ``init_poolmanager`` was given, a
`ConnectionPool` those for one host, and the adapter makes the core's options of them (`_choices`).
So code that passes ``ssl_context=``, sets ``poolmanager.connection_pool_kw``, or changes a pool between
``get_connection_with_tls_context`` and ``cert_verify`` has its say.

A keyword that no pool of urllib3's knows is a TypeError, as there.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from ._body import encode_body, encode_fields, encode_json
from ._causes import Pool, shape
from ._url import DEFAULT_PORTS, origin, path_url

#: What a pool has as attributes, and what lies in its `conn_kw`.
TLS_ATTRIBUTES = (
    "cert_reqs",
    "ca_certs",
    "ca_cert_dir",
    "ca_cert_data",
    "ca_platform",
    "cert_file",
    "key_file",
    "key_password",
    "ssl_version",
    "ssl_minimum_version",
    "ssl_maximum_version",
    "assert_hostname",
    "assert_fingerprint",
)
PROXY_KEYWORDS = ("proxy_ssl_context", "proxy_assert_hostname", "proxy_assert_fingerprint")
CONNECTION_KEYWORDS = ("ssl_context", "server_hostname", "source_address", "socket_options", *PROXY_KEYWORDS)
POOL_KEYWORDS = ("maxsize", "block", "retries", "timeout")
KNOWN = frozenset((*TLS_ATTRIBUTES, *CONNECTION_KEYWORDS, *POOL_KEYWORDS))

_INSTEAD = {
    "num_pools": "pass it to init_poolmanager as `connections`, or to HTTPAdapter as `pool_connections`",
    "headers": "set Session.headers, or add_headers in a subclass of HTTPAdapter",
    "blocksize": "leave it out: the core sizes its own buffers",
    "strict": "leave it out: the core is strict",
    "proxy": "pass proxies= with the request",
}


def check_keywords(keywords: Any) -> None:
    """
    Refuse what cannot be honoured.

    Raises:
        TypeError: no pool knows such a keyword, or the core's do not; the text says what to do instead.
    """
    for name in keywords:
        if name not in KNOWN:
            instead = _INSTEAD.get(name, f"known are {', '.join(sorted(KNOWN))}")
            raise TypeError(f"a connection pool of requestx has no setting {name!r}: {instead}")


class Keywords(dict):  # type: ignore[type-arg]
    """
    A dict that tells its manager of its changes.

    Args:
        manager: told after each, for as long as there is one.
    """

    def __init__(self, manager: PoolManager, *items: Any, **more: Any) -> None:
        super().__init__(*items, **more)
        self._manager = weakref.ref(manager)  # which has these

    def _changed(self) -> None:
        manager = self._manager()
        if manager is not None:
            manager._changed()

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


def _telling(name: str) -> Any:
    plain = getattr(dict, name)

    def method(self: Any, *arguments: Any, **more: Any) -> Any:
        try:
            return plain(self, *arguments, **more)
        finally:
            self._changed()

    method.__name__ = name
    method.__doc__ = plain.__doc__
    return method


for _name in ("__setitem__", "__delitem__", "__ior__", "clear", "pop", "popitem", "setdefault", "update"):
    if hasattr(dict, _name):
        setattr(Keywords, _name, _telling(_name))


class ConnectionPool(Pool):
    """
    The settings for connections to one host.

    Args:
        adapter: whose connections they are.
        scheme: http or https.
        host: its name or address.
        port: its port.
        keywords: settings, by urllib3's names.
        via: the proxy, as `_proxy` has it, or None.
    """

    def __init__(self, adapter: Any, scheme: str, host: str, port: int, keywords: Any, via: Any = None) -> None:
        check_keywords(keywords)
        super().__init__(scheme, host, port)
        self._adapter = adapter
        self.via = via
        self.proxy = Pool(*origin(via.url)) if via is not None else None
        for name in TLS_ATTRIBUTES:
            setattr(self, name, keywords.get(name))
        self.conn_kw: dict[str, Any] = {name: keywords[name] for name in CONNECTION_KEYWORDS if name in keywords}
        self.retries: Any = keywords.get("retries")
        self.timeout: Any = keywords.get("timeout")
        self.block: Any = keywords.get("block", False)

    def __enter__(self) -> ConnectionPool:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def settings(self) -> dict[str, Any]:
        """
        What is set, by urllib3's names.
        """
        found = {name: getattr(self, name) for name in TLS_ATTRIBUTES}
        found.update(self.conn_kw, timeout=self.timeout)
        return {name: value for name, value in found.items() if value is not None}

    def base(self) -> str:
        """
        Scheme, host and port as a URL begins with them.
        """
        host = f"[{self.host}]" if ":" in (self.host or "") else self.host
        port = "" if self.port == DEFAULT_PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    def is_same_host(self, url: str) -> bool:
        """
        Whether a URL, or the path of one, belongs here.
        """
        return url.startswith("/") or origin(url) == (self.scheme, self.host, self.port)

    def urlopen(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        retries: Any = None,
        redirect: bool = True,
        assert_same_host: bool = True,
        timeout: Any = None,
        pool_timeout: Any = None,
        release_conn: Any = None,
        chunked: bool = False,
        body_pos: Any = None,
        preload_content: bool = True,
        decode_content: bool = True,
        enforce_content_length: bool = True,
    ) -> Any:
        """
        Send one request and wait for the answer, as the adapter does with these settings; redirects are not followed.

        Args:
            method: of HTTP.
            url: a path, or a whole URL.
            body: bytes, str, a file or an iterable of bytes.
            headers: of the request.
            retries: a Retry, or how many tries there may be after the first; the pool's own if None.
            redirect: unused here.
            assert_same_host: refuse a URL of another host.
            timeout: as of `HTTPAdapter.send`; the pool's own if None.
            pool_timeout: unused here, see `HTTPAdapter`.
            release_conn: unused here: a connection goes back by itself.
            chunked: unused here: a body without length is sent so.
            body_pos: unused here.
            preload_content: read the body now.
            decode_content: undo its coding when it is read.
            enforce_content_length: unused here: the core does.

        Returns:
            The `RawResponse`.

        Raises:
            HostChangedError: the URL is another host's.
            ClosedPoolError: the adapter is gone.
        """
        if assert_same_host and not self.is_same_host(url):
            raise shape("HostChangedError")(self, url, retries)
        try:
            send = self._adapter._open
        except ReferenceError:
            raise shape("ClosedPoolError")(self, "Pool is closed: its adapter is no more.") from None
        raw = send(self, method, url, body, headers, retries, timeout, not preload_content)
        raw.decode_content = decode_content
        if preload_content:
            raw.data  # noqa: B018, reading it is the point
        return raw

    def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        fields: Any = None,
        headers: Any = None,
        json: Any = None,
        encode_multipart: bool = True,
        **more: Any,
    ) -> Any:
        """
        The same, with a body that is made of `fields` or `json`.

        Args:
            method: of HTTP.
            url: a path, or a whole URL.
            body: as of `urlopen`.
            fields: pairs or a mapping: of the query for GET, HEAD, DELETE and OPTIONS, else of a form.
            headers: of the request.
            json: what the body is, as JSON.
            encode_multipart: the form is multipart/form-data, in which a value may be (file name, content).
            **more: as of `urlopen`.

        Raises:
            TypeError: there is more than one body.
        """
        if sum(given is not None for given in (body, fields, json)) > 1:
            raise TypeError("a request has one body: give body=, fields= or json=")
        content_type = None
        if json is not None:
            body, content_type = encode_json(json), "application/json"
        elif fields is not None and method.upper() in ("GET", "HEAD", "DELETE", "OPTIONS"):
            url += ("&" if "?" in url else "?") + urlencode(fields)
        elif fields is not None:
            body, content_type = encode_fields(fields) if encode_multipart else encode_body(fields)
        headers = dict(headers or {})
        if content_type and "content-type" not in map(str.lower, headers):
            headers["Content-Type"] = content_type
        return self.urlopen(method, url, body=body, headers=headers, **more)

    def close(self) -> None:
        """
        Close the idle connections of the adapter.
        """
        self._adapter._close_idle()


class PoolManager:
    """
    The settings of all pools of an adapter; of none until an adapter has it as its `poolmanager`.

    Args:
        num_pools: hosts that idle connections are kept for.
        headers: None; see Session.headers.
        **connection_pool_kw: settings of each pool, by urllib3's names.

    Raises:
        TypeError: one that is not known.
    """

    proxy: Any = None
    via: Any = None
    _adapter: Any = None

    def __init__(self, num_pools: int = 10, headers: Any = None, **connection_pool_kw: Any) -> None:
        check_keywords(dict(connection_pool_kw, headers=headers) if headers else connection_pool_kw)
        self.num_pools = num_pools
        self.headers: dict[str, str] = {}
        self.pools: OrderedDict[Any, ConnectionPool] = OrderedDict()
        self.connection_pool_kw: dict[str, Any] = connection_pool_kw

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "connection_pool_kw":
            object.__setattr__(self, name, value)
            return
        object.__setattr__(self, name, Keywords(self, value))
        self._changed()

    def _changed(self) -> None:
        if self._adapter is not None:
            with suppress(ReferenceError):  # whoever holds a manager need not hold its adapter
                self._adapter._pools_changed()

    def __enter__(self) -> PoolManager:
        return self

    def __exit__(self, *error: Any) -> None:
        self.clear()

    def clear(self) -> None:
        """
        Close the idle connections.
        """
        self.pools.clear()
        if self._adapter is not None:
            with suppress(ReferenceError):  # while the interpreter ends, weak references go first
                self._adapter._close_idle()

    def connection_from_host(
        self, host: str | None, port: int | None = None, scheme: str | None = "http", pool_kwargs: Any = None
    ) -> ConnectionPool:
        """
        The settings for one host.

        Args:
            host: its name or address.
            port: the scheme's own if None.
            scheme: http or https.
            pool_kwargs: settings on top of those of all pools; None takes one away.

        Raises:
            LocationValueError: there is no host.
        """
        if not host:
            raise shape("LocationValueError")("No host specified.")
        scheme, host = (scheme or "http").lower(), host.lower()
        merged = dict(self.connection_pool_kw)
        for name, value in (pool_kwargs or {}).items():
            if value is None:
                merged.pop(name, None)
            else:
                merged[name] = value
        return self._pool(scheme, host, port or DEFAULT_PORTS.get(scheme, 80), merged)

    def connection_from_context(self, request_context: Any) -> ConnectionPool:
        """
        The same, with scheme, host, port and settings in one mapping.
        """
        context = dict(request_context)
        scheme, host, port = (context.pop(name, None) for name in ("scheme", "host", "port"))
        return self.connection_from_host(host, port, scheme, context)

    def connection_from_url(self, url: str, pool_kwargs: Any = None) -> ConnectionPool:
        """
        The same for a URL's host.
        """
        scheme, host, port = origin(url)
        return self.connection_from_host(host, port, scheme, pool_kwargs)

    def urlopen(self, method: str, url: str, redirect: bool = True, **more: Any) -> Any:
        """
        Send one request to a URL; see `ConnectionPool.urlopen`.
        """
        return self.connection_from_url(url).urlopen(method, path_url(url), redirect=redirect, **more)

    def request(self, method: str, url: str, **more: Any) -> Any:
        """
        Send one request to a URL; see `ConnectionPool.request`.
        """
        return self.connection_from_url(url).request(method, path_url(url), **more)

    def _pool(self, scheme: str, host: str, port: int, keywords: dict[str, Any]) -> ConnectionPool:
        # The pool of a key is the same object each time, as its users expect; a setting of no hash has one of its own.
        key = (scheme, host, port, tuple(sorted((name, _hashable(value)) for name, value in keywords.items())))
        try:
            pool = self.pools.get(key)
        except TypeError:
            return ConnectionPool(self._adapter, scheme, host, port, keywords, self.via)
        if pool is None:
            pool = self.pools[key] = ConnectionPool(self._adapter, scheme, host, port, keywords, self.via)
            while len(self.pools) > self.num_pools:
                self.pools.popitem(last=False)
        return pool


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


class ProxyManager(PoolManager):
    """
    The settings of pools behind a proxy.

    Args:
        via: the proxy, as `_proxy` has it.
        num_pools: as of `PoolManager`.
        **keywords: as of `PoolManager`.
    """

    def __init__(self, via: Any, num_pools: int = 10, **keywords: Any) -> None:
        super().__init__(num_pools, **keywords)
        self.via = via
        self.proxy = Pool(*origin(via.url))
        self.proxy_headers = dict(field.decode("latin-1").split(": ", 1) for field in via.fields)


def owns(manager: Any) -> bool:
    """
    Whether a manager's pools are ours to serve.

    It is so for our own, and for urllib3's own PoolManager, which users put in the place of ours to set its keywords;
    a subclass of that, or one with other pool classes, brings a transport of its own.
    """
    if isinstance(manager, PoolManager):
        return True
    cls = type(manager)
    if cls.__module__ != "urllib3.poolmanager" or cls.__name__ != "PoolManager":
        return False
    classes = getattr(manager, "pool_classes_by_scheme", {}).values()
    return all(pool.__module__ == "urllib3.connectionpool" for pool in classes)


def keywords_of(manager: Any) -> Any:
    """
    The settings of all pools of a manager, ours or urllib3's.
    """
    return manager.connection_pool_kw
