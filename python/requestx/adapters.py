"""
Adapters: what stands between a session and the wire.

`HTTPAdapter` turns a PreparedRequest and requests' settings into what the core takes, and its answer into a Response.
`send` always blocks; `_asend` is its private twin for the awaiting driver, and what they share is written once.
A subclass that overrides `send` is obeyed in both worlds.
"""

from __future__ import annotations

import os
import weakref
from operator import index
from typing import TYPE_CHECKING, Any, Callable

from . import _core, _explain, _names, _network, _pools, _progress, _proxy, _ready, _settings, _urlopen, _way
from ._choices import AUTHORITIES, tls_settings
from ._core import CoreError, Reply
from ._drive import adrive, drive
from ._environ import select_proxy
from ._head import head_of
from ._ops import call, caller_of_thread
from ._raw import RawResponse, parse_head
from ._retry import Budget, retry_class
from ._settings import DEFAULT_DECODED_BYTES, DEFAULT_DECODED_RATIO
from ._tries import is_single, retrying
from ._uploads import body_in_background, body_of, is_small
from ._url import origin
from .auth import _basic_auth_str
from .certs import PLATFORM, where
from .exceptions import InvalidURL, RequestException, name_request, told
from .models import Response, answered

DEFAULT_POOLBLOCK = False
DEFAULT_POOLSIZE = 10
DEFAULT_RETRIES = 0
DEFAULT_POOL_TIMEOUT = None

#: As many connections as nobody has.
_MOST = (1 << 31) - 1

# Imported now: when it is needed there may be no descriptor to read it by.
_explain.explain  # noqa: B018


if TYPE_CHECKING:
    from . import _types as _t
    from .models import PreparedRequest
else:

    def __getattr__(name: str) -> Any:
        # Asked for each time: the class is another once the program has imported urllib3.
        return retry_class() if name == "Retry" else _names.find(__name__, name)


class BaseAdapter:
    """
    What every adapter can do.
    """

    def __init__(self) -> None:
        super().__init__()

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: _t.TimeoutType = None,
        verify: _t.VerifyType = True,
        cert: _t.CertType = None,
        proxies: _t.ProxiesType | None = None,
    ) -> Response:
        """
        Send a PreparedRequest; returns a Response.
        """
        raise NotImplementedError

    def close(self) -> None:
        """
        Free what it holds.
        """
        raise NotImplementedError


class HTTPAdapter(BaseAdapter):
    """
    Sends http and https requests through the core.

    Subclasses change what they like: `init_poolmanager` with urllib3's keywords, `cert_verify`, `add_headers`...
    One that overrides `get_connection_with_tls_context` to give a pool of its own has that pool's `urlopen` called.

    Args:
        pool_connections: hosts that idle connections are kept for, without limit by default.
        pool_maxsize: idle connections kept for one host, 128 by default; with `pool_block`, all its connections.
        max_retries: tries after the first, for requests that could not be sent or got no answer; or a `Retry`, ours or
            urllib3's, which may also try again for some statuses and wait between tries.
        pool_block: wait for a free connection instead of opening one more.
        http2: True for HTTP/2 where an https server offers it, False for HTTP/1.1 alone, "only" for HTTP/2 alone, also
            over http (by prior knowledge).
        max_decoded_bytes: how long a body that is kept whole may be once its Content-Encoding is undone; None for no
            limit.
        max_decoded_ratio: how many bytes it may have then for each that came, beyond 64 MiB; None for no limit.
        retry_budget: retries that all requests of the adapter have in stock; each takes one, and five answers that are
            taken bring one back. Where none is left the last answer, or error, is told. None for no limit.
        progress: called with the PreparedRequest, "send" or "read", the bytes of the body so far, and in all or None;
            on the thread that waits for it, or that of the event loop, so it has to be quick. It is not pickled.
        allow_addresses: addresses that may be connected to: "public" for the Internet's, addresses and networks as in
            "10.0.0.0/8", one text or several; None for all. Looked at once a name was resolved, for each connection.
        deny_addresses: addresses and networks that may not, whatever is allowed.
        trust_proxy: with the two above, let a proxy be told names; what it resolves them to is not seen.
        resolve: addresses of hosts, in the place of what the system says: {"host": "10.0.0.1", "host:443": [...]}, and
            "*" for all.
        resolver: called with host and port; gives an address or several, or None to leave it to the system. It may be
            `async def` where calls are awaited.
        dns_cache: seconds for which a name's addresses are used again; 0 to look them up for each connection.
        unix_socket: path of a socket of this machine, which every host is reached by.
        min_throughput: a pair of bytes and seconds: so much of a body has to pass, either way, within so much time in
            which the server is waited for; less is a `Timeout`. None for no such limit.
        max_connections: connections in all, idle ones included; None for no limit. See `pool_block` for one host's.
        pool_timeout: seconds to wait for a free connection, where their number is limited; None for ever.
        max_head_bytes: how long the head of an answer may be, 1024 to 16777216.
        proxy_verify: as `verify`, for the certificate of an https proxy; as the request's if None.
        proxy_cert: as `cert`, to be shown to an https proxy.
    """

    __attrs__: list[str] = [
        "max_retries",
        "config",
        "_pool_connections",
        "_pool_maxsize",
        "_pool_block",
        "http2",
        "max_decoded_bytes",
        "max_decoded_ratio",
        "retry_budget",
        *_network.DEFAULTS,
    ]

    http2: Any = True
    max_decoded_bytes: int | None = DEFAULT_DECODED_BYTES
    max_decoded_ratio: int | None = DEFAULT_DECODED_RATIO
    retry_budget: int | None = None
    progress: _progress.Progress | None = None
    allow_addresses: Any = None
    deny_addresses: Any = None
    trust_proxy: bool = False
    resolve: Any = None
    resolver: Any = None
    dns_cache: float = 60
    unix_socket: Any = None
    min_throughput: Any = None
    max_connections: int | None = None
    pool_timeout: float | None = None
    max_head_bytes: int = 256 * 1024
    proxy_verify: Any = None
    proxy_cert: Any = None
    poolmanager: Any
    _client: _core.Client
    _budget: Budget = Budget(None)
    #: Whether somebody has the object that `max_retries` is, and may change it.
    _retries_shown: bool = True
    #: Another object after each change.
    _state: _settings.Settings

    def __init__(
        self,
        pool_connections: int = DEFAULT_POOLSIZE,
        pool_maxsize: int = DEFAULT_POOLSIZE,
        max_retries: Any = DEFAULT_RETRIES,
        pool_block: bool = DEFAULT_POOLBLOCK,
        *,
        http2: Any = True,
        max_decoded_bytes: int | None = DEFAULT_DECODED_BYTES,
        max_decoded_ratio: int | None = DEFAULT_DECODED_RATIO,
        retry_budget: int | None = None,
        progress: _progress.Progress | None = None,
        allow_addresses: Any = None,
        deny_addresses: Any = None,
        trust_proxy: bool = False,
        resolve: Any = None,
        resolver: Any = None,
        dns_cache: float = 60,
        unix_socket: Any = None,
        min_throughput: Any = None,
        max_connections: int | None = None,
        pool_timeout: float | None = None,
        max_head_bytes: int = 256 * 1024,
        proxy_verify: _t.VerifyType | None = None,
        proxy_cert: _t.CertType = None,
    ) -> None:
        retry = retry_class()
        _settings.check("max_retries", max_retries)
        given = max_retries != DEFAULT_RETRIES
        self.max_retries = retry.from_int(max_retries) if given else retry(0, read=False)
        self._retries_shown = given
        self.config: dict[str, Any] = {}
        self.proxy_manager: dict[str, Any] = {}
        super().__init__()
        self._pool_connections = pool_connections
        self._pool_maxsize = pool_maxsize
        self._pool_block = pool_block
        settings = {
            "http2": http2,
            "max_decoded_bytes": max_decoded_bytes,
            "max_decoded_ratio": max_decoded_ratio,
            "retry_budget": retry_budget,
            "progress": progress,
            "allow_addresses": allow_addresses,
            "deny_addresses": deny_addresses,
            "trust_proxy": trust_proxy,
            "resolve": resolve,
            "resolver": resolver,
            "dns_cache": dns_cache,
            "unix_socket": unix_socket,
            "min_throughput": min_throughput,
            "max_connections": max_connections,
            "pool_timeout": pool_timeout,
            "max_head_bytes": max_head_bytes,
            "proxy_verify": proxy_verify,
            "proxy_cert": proxy_cert,
        }
        for name, value in settings.items():
            if value is not getattr(type(self), name):  # else it is the class's, and need not be checked
                setattr(self, name, value)
        self.init_poolmanager(pool_connections, pool_maxsize, block=pool_block)
        self._start()

    def __setattr__(self, name: str, value: Any) -> None:
        _settings.check(name, value)
        object.__setattr__(self, name, value)
        if name == "retry_budget":
            self.__dict__["_budget"] = Budget(value)
        if name == "poolmanager" and isinstance(value, _pools.PoolManager):
            value._adapter = weakref.proxy(self)
        self._changed()
        if name in ("poolmanager", "max_connections") and "_client" in self.__dict__:
            self._start()

    @property
    def max_retries(self) -> Any:
        """
        When requests are tried again, a `Retry`.

        Whoever has it may change it in place, so from then on it is looked at for each request.
        """
        if "max_retries" not in self.__dict__:
            raise AttributeError("max_retries was not set yet: HTTPAdapter.__init__ was not called")
        if not self._retries_shown:
            self._retries_shown = True
        return self.__dict__["max_retries"]

    @max_retries.setter
    def max_retries(self, retries: Any) -> None:
        self.__dict__["max_retries"] = retries
        self._retries_shown = True

    def _changed(self) -> None:
        """
        Forget what was made of the settings; sessions forget what they keep ready for it.
        """
        self.__dict__["_state"] = _settings.Settings()

    def _pools_changed(self) -> None:
        """
        The same where it is a setting of the pools, of which some are the client's.
        """
        self._changed()
        self._start()

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = DEFAULT_POOLBLOCK, **pool_kwargs: Any
    ) -> None:
        """
        For subclasses: the limits on connections, and settings for all of them by the names of urllib3's pools.

        Args:
            connections: as `pool_connections`.
            maxsize: as `pool_maxsize`.
            block: as `pool_block`.
            **pool_kwargs: ssl_context, assert_hostname, source_address, and so on.

        Raises:
            TypeError: one that is not known, with what to do instead.
        """
        self._pool_connections = connections
        self._pool_maxsize = maxsize
        self._pool_block = block
        self.poolmanager = _pools.PoolManager(num_pools=connections, maxsize=maxsize, block=block, **pool_kwargs)
        self.__dict__.pop("_client", None)
        self._start()

    def _start(self) -> None:
        """
        Have a client with the limits on connections that are asked for.
        """
        limits = self._limits()
        if "_client" in self.__dict__ and limits == self.__dict__["_client_limits"]:
            return
        # Now, not in the first request: an import under way in another thread would hang a child that is forked then.
        where()
        self.__dict__["_client_limits"] = limits
        self._client = _core.Client(lambda: _core.options(limits))

    def _limits(self) -> tuple[tuple[str, int], ...]:
        """
        The options of a client: what the adapter's pools are told, else what the adapter itself is.
        """
        manager = self.__dict__.get("poolmanager")
        told, hosts = getattr(manager, "connection_pool_kw", None), getattr(manager, "num_pools", None)
        if not isinstance(told, dict) or not hasattr(hosts, "__index__"):  # a stand-in, as in tests, says nothing
            told, hosts = {}, self._pool_connections
        size, block = told.get("maxsize", self._pool_maxsize), told.get("block", self._pool_block)
        hosts = _nearest("pool_connections", hosts)
        size = _nearest("pool_maxsize", size) or _MOST  # as the queue of urllib3's pools, whose 0 is no limit
        # The defaults are requests', and low; who asks for a number gets it.
        limits = [] if size == DEFAULT_POOLSIZE else [("MAX_IDLE_PER_HOST", size)]
        if hosts != DEFAULT_POOLSIZE:
            limits.append(("MAX_IDLE_HOSTS", hosts))
        if block:
            limits.append(("MAX_CONNECTIONS_PER_HOST", size))
        if self.max_connections is not None:
            limits.append(("MAX_CONNECTIONS", self.max_connections))
        return tuple(limits)

    def __getstate__(self) -> dict[str, Any]:
        own = self.__dict__
        return {name: own[name] if name in own else getattr(self, name, None) for name in self.__attrs__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.proxy_manager = {}
        self.config = {}
        for name, value in state.items():
            setattr(self, name, value)
        if is_single(self.__dict__.get("max_retries")):
            self.max_retries = retry_class()(0, read=False)  # its own, which nobody else has
            self._retries_shown = False
        self.init_poolmanager(self._pool_connections, self._pool_maxsize, block=self._pool_block)
        self._start()

    def __repr__(self) -> str:
        stats = self._client.stats()
        idle, opened, flying = stats["idle_connections"], stats["open_connections"], stats["in_flight"]
        return f"<{type(self).__name__}, {opened} connections, {idle} idle, {flying} requests in flight>"

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: _t.TimeoutType = None,
        verify: _t.VerifyType = True,
        cert: _t.CertType = None,
        proxies: _t.ProxiesType | None = None,
    ) -> Response:
        """
        Send a PreparedRequest and wait for the response.

        Args:
            request: the PreparedRequest.
            stream: return with the head; the body is read when it is asked for.
            timeout: seconds for connecting and between bytes, a pair of the two, or `TimeLimits`; None for ever.
            verify: False not to verify the server's certificate; a path of CA certificates to trust those alone;
                `certs.PLATFORM` to trust those whom this system trusts.
            cert: path of a client certificate with its key, or a pair of paths, or these and the key's password.
            proxies: by scheme; see `select_proxy`.

        Raises:
            ConnectionError, Timeout, SSLError, ...: what went wrong, and in which phase.
        """
        caller = caller_of_thread()
        if caller is not None:
            return caller.wait(self._asend(request, stream, timeout, verify, cert, proxies))  # type: ignore[no-any-return]
        try:
            retries = self._retries()
            if not is_single(retries):
                settings = (stream, timeout, verify, cert, proxies)
                return drive(retrying(self, retries, request, settings))  # type: ignore[no-any-return]
            return self._send(request, stream, timeout, verify, cert, proxies)
        except RequestException as error:
            name_request(error, request)
            raise

    async def _asend(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: _t.TimeoutType = None,
        verify: _t.VerifyType = True,
        cert: _t.CertType = None,
        proxies: _t.ProxiesType | None = None,
    ) -> Response:
        """
        The awaited twin of `send`.
        """
        try:
            retries = self._retries()
            if not is_single(retries):
                settings = (stream, timeout, verify, cert, proxies)
                return await adrive(retrying(self, retries, request, settings))  # type: ignore[no-any-return]
            return await self._asend_once(request, stream, timeout, verify, cert, proxies)
        except RequestException as error:
            name_request(error, request)
            raise

    def _send(self, request: Any, stream: bool, timeout: Any, verify: Any, cert: Any, proxies: Any) -> Response:
        """
        One try.
        """
        way = self._find_way(request, stream, timeout, verify, cert, proxies)
        if way.pool is not None:
            return _urlopen.by_theirs(self, way, request, timeout)  # type: ignore[no-any-return]
        stream = stream or self._builds()  # which may look at the body as it came
        return _answer(self, request, self._exchange(way, request, stream, timeout, verify, cert))

    def _exchange(self, way: _way.Way, request: Any, stream: bool, timeout: Any, verify: Any, cert: Any) -> Reply:
        """
        The core's answer to a request whose way is known.
        """
        if self.resolver is not None and not self.unix_socket:
            timeout = self._state.resolver(self).find(way, request, timeout)
        head, fields = head_of(request, way.url)
        options = self._state.options(self, way, timeout, verify, cert)
        body, upload = body_of(request, self.progress)
        try:
            try:
                reply = self._client.wait(options, head, fields, body, upload, stream)
            except CoreError as error:
                if error.kind != _core.FORKED:
                    raise
                self._revive()
                options = self._state.options(self, way, timeout, verify, cert)
                # Nothing was taken of the chunks: a parent's handle is refused before anything is sent.
                body, upload = body_of(request, self.progress)
                reply = self._client.wait(options, head, fields, body, upload, stream)
        except CoreError as error:
            self._lost(way, error)
            raise told(error, request) from error
        if upload is None and self.progress is not None:
            _progress.sent(self.progress, request, body)
        return reply

    async def _asend_once(
        self, request: Any, stream: bool, timeout: Any, verify: Any, cert: Any, proxies: Any
    ) -> Response:
        """
        The awaited twin of `_send`. What users wrote may block: it runs in a worker thread.
        """
        if self._is_custom():
            way = await call(self._find_way, request, stream, timeout, verify, cert, proxies)
            if way.pool is not None:
                return await call(_urlopen.by_theirs, self, way, request, timeout)  # type: ignore[no-any-return]
        else:
            way = self._find_way(request, stream, timeout, verify, cert, proxies)
        if self.resolver is not None and not self.unix_socket:
            timeout = await self._state.resolver(self).afind(way, request, timeout)
        head, fields = head_of(request, way.url)
        stream = stream or self._builds()  # which may look at the body as it came
        body = request.body
        try:
            wake, again = _ready.running_wake(), False
            while True:
                options = self._state.options(self, way, timeout, verify, cert)
                try:
                    if is_small(body):
                        reply = await wake.send(self._client, options, head, fields, body or b"", stream)
                    else:
                        pieces, length = body_in_background(request, self.progress)
                        reply = await wake.send_upload(self._client, options, head, fields, pieces, length, stream)
                    break
                except CoreError as error:
                    if again or error.kind != _core.FORKED:
                        raise
                    again = True
                    self._revive()
        except CoreError as error:
            self._lost(way, error)
            raise told(error, request) from error
        if self.progress is not None and body is not None and is_small(body):
            _progress.sent(self.progress, request, body)
        if self._builds():
            return await call(_answer, self, request, reply)  # type: ignore[no-any-return]
        return _answer(self, request, reply)

    def _lost(self, way: _way.Way, error: CoreError) -> None:
        # What the resolver said is asked for again where it led nowhere.
        if way.place is not None and error.phase in _core.BEFORE_CONNECTED:
            self._state.resolver(self).lost(way)

    def _asend_if_own(self) -> Callable[..., Any] | None:
        """
        The awaited twin, unless a subclass or an instance has a `send` of its own.
        """
        own = getattr(self.send, "__func__", None) is HTTPAdapter.send
        return self._asend if own else None

    def _revive(self) -> None:
        self._state.forget()
        self._client.revive()

    def _retries(self) -> Any:
        """
        The adapter's retries, or those among the keywords of its pools where it has none.
        """
        retries = self.__dict__["max_retries"] if "max_retries" in self.__dict__ else self.max_retries
        return self._state.beneath(self).get("retries", retries) if is_single(retries) else retries

    def _is_simple(self) -> bool:
        """
        Whether its requests may be kept ready: sent once each, and no user has a say in it.
        """
        known = self._state.beneath(self) or type(self.poolmanager) is not _pools.PoolManager
        known = known or self.resolver is not None or self.progress is not None
        own = self._builds() or self._is_custom() or "send" in self.__dict__
        own = own or type(self).max_retries is not _MAX_RETRIES
        return not (known or own or self._retries_shown)

    def _builds(self) -> bool:
        """
        Whether a user has a say in what is made of an answer.
        """
        return type(self).build_response is not _BUILD_RESPONSE or "build_response" in self.__dict__

    def _is_custom(self) -> bool:
        """
        Whether a user has a say in where or how a request is sent.
        """
        cls, own = type(self), self.__dict__
        return not (
            cls.get_connection_with_tls_context is _GET_CONNECTION
            and cls.build_connection_pool_key_attributes is _BUILD_KEY
            and cls.cert_verify is _CERT_VERIFY
            and cls.request_url is _REQUEST_URL
            and cls.proxy_manager_for is _PROXY_MANAGER_FOR
            and cls.add_headers is _ADD_HEADERS
            and own.keys().isdisjoint(_OVERRIDABLE)
            and not own.get("proxy_manager")
            and (type(own.get("poolmanager")) is _pools.PoolManager or _pools.owns(own.get("poolmanager")))
        )

    def _find_way(self, request: Any, stream: Any, timeout: Any, verify: Any, cert: Any, proxies: Any) -> _way.Way:
        find = _way.by_pool if self._is_custom() else _way.direct
        return find(self, request, stream, timeout, verify, cert, proxies)

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """
        For subclasses: scheme, host and port of a request, and the settings of its pool that `verify` and `cert` name.
        """
        scheme, host, port = origin(request.url)
        settings: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED" if verify is not False else "CERT_NONE"}
        if isinstance(verify, _network.PATHS):
            path = os.fsdecode(verify)
            settings["ca_cert_dir" if os.path.isdir(path) else "ca_certs"] = path
        elif verify is PLATFORM:
            settings["ca_platform"] = True
        if isinstance(cert, (tuple, list)) and len(cert) >= 2:
            settings.update(zip(("cert_file", "key_file", "key_password"), cert))
        elif cert is not None:
            settings["cert_file"] = cert
        return {"scheme": scheme, "host": host, "port": port}, settings

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> _pools.ConnectionPool:
        """
        For subclasses: the pool that a request is sent by.

        Returns:
            A `ConnectionPool`; an override may give any object with urllib3's `urlopen`.

        Raises:
            InvalidURL: the request's URL has no host.
        """
        proxy = select_proxy(request.url, proxies)
        try:
            host, settings = self.build_connection_pool_key_attributes(request, verify, cert)
        except ValueError as error:
            raise InvalidURL(error, request=request) from error
        manager = self.proxy_manager_for(_proxy.with_scheme(proxy)) if proxy else self._manager()
        if not isinstance(manager, _pools.PoolManager):
            settings.pop("ca_platform", None)  # urllib3's trust those whom the system trusts where they are told nobody
        return manager.connection_from_host(**host, pool_kwargs=settings)  # type: ignore[no-any-return]

    def get_connection(self, url: str, proxies: Any = None) -> _pools.ConnectionPool:
        """
        Deprecated: `get_connection_with_tls_context` knows what is verified.
        """
        import warnings

        warnings.warn(
            "`get_connection` has been deprecated in favor of `get_connection_with_tls_context`.",
            DeprecationWarning,
            stacklevel=2,
        )
        proxy = select_proxy(url, proxies)
        manager = self.proxy_manager_for(_proxy.with_scheme(proxy)) if proxy else self._manager()
        return manager.connection_from_url(url)  # type: ignore[no-any-return]

    def _manager(self) -> Any:
        """
        The manager of direct connections; the keywords of urllib3's own are taken over into one of ours.
        """
        manager = self.poolmanager
        if isinstance(manager, _pools.PoolManager) or not _pools.owns(manager):
            return manager
        ours = _pools.PoolManager(**manager.connection_pool_kw)
        ours._adapter = self
        return ours

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """
        For subclasses: the manager of connections through a proxy, the same for the same proxy.

        Args:
            proxy: its URL.
            **proxy_kwargs: settings, by the names of urllib3's pools.

        Raises:
            TypeError: one that is not known, or the adapter's alone.
        """
        manager = self.proxy_manager.get(proxy)
        if manager is None:
            for name in ("num_pools", "maxsize", "block", "retries"):
                if name in proxy_kwargs:
                    raise TypeError(f"{name!r} is for all connections of an adapter: give it to HTTPAdapter")
            manager = self.proxy_manager[proxy] = _pools.ProxyManager(
                _proxy.through(self, proxy),
                num_pools=self._pool_connections,
                **{**self.poolmanager.connection_pool_kw, **proxy_kwargs},
            )
            manager._adapter = weakref.proxy(self)
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """
        For subclasses: tell a pool what is verified, and who we are.

        Args:
            conn: the pool.
            url: where the request goes.
            verify: as of `send`.
            cert: as of `send`.

        Raises:
            OSError: a file is not there.
        """
        ours = isinstance(conn, _pools.ConnectionPool)
        own = {name: getattr(conn, name, None) for name in AUTHORITIES if ours or name != "ca_platform"}
        secure = url.lower().startswith("https")
        found = tls_settings(verify if secure else False, cert, own)
        conn.cert_reqs = found["cert_reqs"]
        for name in own:
            setattr(conn, name, found.get(name) if found["cert_reqs"] != "CERT_NONE" else None)
        if cert:
            conn.cert_file, conn.key_file = found["cert_file"], found["key_file"]
            if "key_password" in found:
                conn.key_password = found["key_password"]

    def _open(self, *arguments: Any) -> RawResponse:
        return _urlopen.by_ours(self, *arguments)

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        """
        A Response around an object shaped like urllib3's response.

        A subclass that overrides it is called for every answer.

        Args:
            req: the PreparedRequest.
            resp: with `status`, `headers`, `reason`, `read`.
        """
        from ._text import get_encoding_from_headers
        from .cookies import extract_cookies_to_jar
        from .structures import CaseInsensitiveDict

        response = Response()
        unknown: Any = None
        response.status_code = getattr(resp, "status", unknown)
        response.headers = CaseInsensitiveDict(getattr(resp, "headers", {}))
        response.encoding = get_encoding_from_headers(response.headers)
        response.raw = resp
        response.reason = getattr(resp, "reason", unknown)
        response.url = req.url.decode("utf-8") if isinstance(req.url, bytes) else req.url
        extract_cookies_to_jar(response.cookies, req, resp)
        response.request = req
        response.connection = self
        return response

    def close(self) -> None:
        """
        Close the idle connections. Responses that are being read can be read to their end.
        """
        self.poolmanager.clear()
        for manager in self.proxy_manager.values():
            manager.clear()
        self._close_idle()

    def _close_idle(self) -> None:
        self._client.close_idle()

    def add_headers(self, request: PreparedRequest, **kwargs: Any) -> None:
        """
        For subclasses: change a request before it is sent. Does nothing here.
        """

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """
        What an http or https proxy is told: the credentials of its URL. For subclasses to add to.

        The fields go into CONNECT, or into the request that the proxy forwards, and never to a server behind a tunnel.

        Args:
            proxy: the proxy's URL.
        """
        found = _proxy.credentials(proxy)
        return {} if found is None else {"Proxy-Authorization": _basic_auth_str(*found)}

    def request_url(self, request: PreparedRequest, proxies: _t.ProxiesType | None) -> str:
        """
        What the request line names: path and query, or the whole URL where a proxy forwards the request.
        """
        return _way.target_of(request, proxies)  # type: ignore[no-any-return]


def _nearest(name: str, number: Any) -> int:
    """
    The limit that is nearest to one which requests takes; where `_network` refuses a number it is a setting of ours.
    """
    if not hasattr(number, "__index__"):
        raise TypeError(f"{name} is a whole number, and not {number!r}")
    return max(0, min(index(number), _MOST))


def _answer(adapter: HTTPAdapter, request: Any, reply: Reply) -> Response:
    if adapter.progress is not None and reply.body is not None:
        _progress.received(adapter.progress, request, parse_head(reply), reply.body)
    if adapter._builds():
        raw = RawResponse(reply, parse_head(reply), request)
        raw._answer.progress = adapter.progress
        return adapter.build_response(request, raw)
    return answered(adapter, request, reply)


_OVERRIDABLE = (
    "get_connection_with_tls_context",
    "build_connection_pool_key_attributes",
    "cert_verify",
    "request_url",
    "proxy_manager_for",
    "add_headers",
)
_GET_CONNECTION = HTTPAdapter.get_connection_with_tls_context
_BUILD_KEY = HTTPAdapter.build_connection_pool_key_attributes
_CERT_VERIFY, _REQUEST_URL = HTTPAdapter.cert_verify, HTTPAdapter.request_url
_PROXY_MANAGER_FOR = HTTPAdapter.proxy_manager_for
_ADD_HEADERS, _BUILD_RESPONSE = HTTPAdapter.add_headers, HTTPAdapter.build_response
_MAX_RETRIES = HTTPAdapter.max_retries

#: The names of all that an adapter, and so a Session, is made with.
_made_with = HTTPAdapter.__init__.__code__
KEYWORDS = _made_with.co_varnames[1 : _made_with.co_argcount + _made_with.co_kwonlyargcount]
