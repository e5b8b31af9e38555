"""
Adapters: what stands between a session and the wire.

`HTTPAdapter` turns a PreparedRequest and requests' settings into what the core takes, and its answer into a Response.
`send` always blocks; `_asend` is its private twin for the awaiting driver, and what they share is written once.
A subclass that overrides `send` is obeyed in both worlds.
"""

from __future__ import annotations

import os
import sys
import weakref
from typing import TYPE_CHECKING, Any, Callable

from . import _causes, _core, _explain, _names, _network, _pools, _progress, _proxy
from ._choices import choose, tls_settings
from ._core import CoreError, Reply
from ._drive import adrive, drive
from ._environ import select_proxy
from ._internal_utils import to_native_string
from ._limits import TimeLimits
from ._ops import call, caller_of_thread
from ._prepare import sketch
from ._raw import RawResponse, parse_head
from ._retry import retry_class
from ._tries import is_single, retrying
from ._uploads import chunks, chunks_in_background, length_of
from ._url import origin, wire_url
from .auth import _basic_auth_str
from .certs import where
from .exceptions import (
    AddressNotAllowed,
    ConnectionError,
    InvalidHeader,
    InvalidProxyURL,
    InvalidSchema,
    InvalidURL,
    RequestException,
    from_core,
    from_pool,
    name_request,
)
from .models import Response

DEFAULT_POOLBLOCK = False
DEFAULT_POOLSIZE = 10
DEFAULT_RETRIES = 0
DEFAULT_POOL_TIMEOUT = None
DEFAULT_DECODED_BYTES = 4 << 30
DEFAULT_DECODED_RATIO = 256

#: Bodies up to this size are handed to the core at once; larger ones are pushed, so that they are not copied whole.
AT_ONCE = 1 << 20

_new = object.__new__
_wake_of: Any = None
_NO_BODY = b""
#: As a field's value, urllib3's SKIP_HEADER says not to send the field.
_SKIP = "@@@SKIP_HEADER@@@"
# Whose request without a body says so (RFC 9110, 8.6).
_EXPECT_A_BODY = frozenset(("POST", "PUT", "PATCH"))
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
        *_network.DEFAULTS,
    ]

    http2: Any = True
    max_decoded_bytes: int | None = DEFAULT_DECODED_BYTES
    max_decoded_ratio: int | None = DEFAULT_DECODED_RATIO
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
    poolmanager: Any
    _client: _core.Client
    _choices: dict[Any, _core.Options]
    #: Another object after each change of the adapter's settings.
    _state: object

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
    ) -> None:
        retry = retry_class()
        self.max_retries: Any = retry(0, read=False) if max_retries == DEFAULT_RETRIES else retry.from_int(max_retries)
        self.config: dict[str, Any] = {}
        self.proxy_manager: dict[str, Any] = {}
        super().__init__()
        self._pool_connections = pool_connections
        self._pool_maxsize = pool_maxsize
        self._pool_block = pool_block
        self.http2 = http2
        self.max_decoded_bytes = max_decoded_bytes
        self.max_decoded_ratio = max_decoded_ratio
        self.progress = progress
        self.allow_addresses = allow_addresses
        self.deny_addresses = deny_addresses
        self.trust_proxy = trust_proxy
        self.resolve = resolve
        self.resolver = resolver
        self.dns_cache = dns_cache
        self.unix_socket = unix_socket
        self.min_throughput = min_throughput
        self.max_connections = max_connections
        self.pool_timeout = pool_timeout
        self.max_head_bytes = max_head_bytes
        self.init_poolmanager(pool_connections, pool_maxsize, block=pool_block)
        self._start()

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "http2" and value not in _HTTP_VERSIONS:
            raise ValueError(f'http2 is True, False or "only", not {value!r}')
        if name in _GROWTH and value is not None and not (type(value) is int and 0 < value < 1 << 63):
            raise ValueError(f"{name} is a whole number from 1 on, or None for no limit, not {value!r}")
        if name in _network.DEFAULTS and value != _network.DEFAULTS[name]:
            _made(((), ()), None, _network.options_of({name: value}))
        object.__setattr__(self, name, value)
        if name == "max_connections" and self.__dict__.pop("_client", None) is not None:
            self._start()
        if name == "poolmanager" and isinstance(value, _pools.PoolManager):
            value._adapter = weakref.proxy(self)
        self._changed()

    def _changed(self) -> None:
        """
        Forget what was made of the settings; sessions forget what they keep ready for it.
        """
        own = self.__dict__
        own["_state"] = object()
        own["_choices"] = {}
        own["_beneath"] = None
        own["_own"] = own["_answers"] = None

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
        if "_client" in self.__dict__:
            return
        # The default is requests', and low; who asks for a number gets it.
        limits = [] if self._pool_maxsize == DEFAULT_POOLSIZE else [("MAX_IDLE_PER_HOST", self._pool_maxsize)]
        if self._pool_connections != DEFAULT_POOLSIZE:
            limits.append(("MAX_IDLE_HOSTS", self._pool_connections))
        if self._pool_block:
            limits.append(("MAX_CONNECTIONS_PER_HOST", self._pool_maxsize))
        if self.max_connections is not None:
            limits.append(("MAX_CONNECTIONS", self.max_connections))
        numbers = tuple(limits)
        # Now, not in the first request: an import under way in another thread would hang a child that is forked then.
        where()
        self._client = _core.Client(lambda: _core.options(numbers))

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name, None) for name in self.__attrs__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.proxy_manager = {}
        self.config = {}
        for name, value in state.items():
            setattr(self, name, value)
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
            verify: False not to verify the server's certificate; a path of CA certificates to trust those alone.
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
        way = self._way(request, stream, timeout, verify, cert, proxies)
        if way.pool is not None:
            return self._urlopen(way, request, timeout)
        if self.resolver is not None:
            self._resolve(way, request)
        head, fields = _head_of(request, way.url)
        choices = self._options(way, timeout, verify, cert)
        stream = stream or self._builds()  # which may look at the body as it came
        body, upload = request.body, None
        if body is None:
            body = _NO_BODY
        elif type(body) is not bytes or len(body) > AT_ONCE:
            body, upload = self._upload(request)
        try:
            try:
                reply = self._client.wait(choices, head, fields, body, upload, stream)
            except CoreError as error:
                if error.kind != _core.FORKED:
                    raise
                self._revive()
                choices = self._options(way, timeout, verify, cert)
                reply = self._client.wait(choices, head, fields, *self._again(request, body, upload), stream)
        except CoreError as error:
            self._lost(way, error)
            raise _told(error, request) from error
        if upload is None and self.progress is not None:
            _progress.sent(self.progress, request, body)
        return _answer(self, request, reply)

    async def _asend_once(
        self, request: Any, stream: bool, timeout: Any, verify: Any, cert: Any, proxies: Any
    ) -> Response:
        """
        The awaited twin of `_send`. What users wrote may block: it runs in a worker thread.
        """
        if self._is_custom():
            way = await call(self._way, request, stream, timeout, verify, cert, proxies)
            if way.pool is not None:
                return await call(self._urlopen, way, request, timeout)  # type: ignore[no-any-return]
        else:
            way = self._way(request, stream, timeout, verify, cert, proxies)
        if self.resolver is not None:
            await self._aresolve(way, request)
        head, fields = _head_of(request, way.url)
        wake = (_wake_of or _load_wake())()
        stream = stream or self._builds()  # which may look at the body as it came
        body = request.body
        try:
            again = False
            while True:
                choices = self._options(way, timeout, verify, cert)
                try:
                    if body is None or (type(body) is bytes and len(body) <= AT_ONCE):
                        reply = await wake.send(self._client, choices, head, fields, body or _NO_BODY, stream)
                    else:
                        pieces, length = chunks_in_background(request), length_of(request)
                        if self.progress is not None:
                            pieces = _progress.sending_in_background(pieces, self.progress, request, length)
                        reply = await wake.send_upload(self._client, choices, head, fields, pieces, length, stream)
                    break
                except CoreError as error:
                    if again or error.kind != _core.FORKED:
                        raise
                    again = True
                    self._revive()
        except CoreError as error:
            self._lost(way, error)
            raise _told(error, request) from error
        if self.progress is not None and type(body) is bytes and len(body) <= AT_ONCE:
            _progress.sent(self.progress, request, body)
        if self._builds():
            return await call(_answer, self, request, reply)  # type: ignore[no-any-return]
        return _answer(self, request, reply)

    def _asend_if_own(self) -> Callable[..., Any] | None:
        """
        The awaited twin, unless a subclass or an instance has a `send` of its own.
        """
        own = getattr(self.send, "__func__", None) is HTTPAdapter.send
        return self._asend if own else None

    def _upload(self, request: Any) -> tuple[bytes, _core.Upload | None]:
        body = request.body
        if type(body) is str:
            encoded = body.encode("utf-8")
            if len(encoded) <= AT_ONCE:
                return encoded, None
        pieces, length = chunks(request), length_of(request)
        if self.progress is not None:
            pieces = _progress.sending(pieces, self.progress, request, length)
        return _NO_BODY, _core.Upload(pieces, length)

    def _again(self, request: Any, body: bytes, upload: Any) -> tuple[bytes, Any]:
        # Nothing was taken of the chunks: a parent's handle is refused before anything is sent.
        return (body, None) if upload is None else self._upload(request)

    def _revive(self) -> None:
        self._choices.clear()
        self._client.revive()

    def _retries(self) -> Any:
        """
        The adapter's retries, or those among the keywords of its pools where it has none.
        """
        retries = self.max_retries
        return self._beneath_all().get("retries", retries) if is_single(retries) else retries

    def _is_simple(self) -> bool:
        """
        Whether its requests may be kept ready: sent once each, and no user has a say in it.
        """
        known = self._beneath_all() or type(self.poolmanager) is not _pools.PoolManager
        known = known or self.resolver is not None or self.progress is not None
        own = self._builds() or self._is_custom() or "send" in self.__dict__
        return not known and not own and is_single(self.max_retries)

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
            and (type(own.get("poolmanager")) is _pools.PoolManager or _pools.owns(own.get("poolmanager")))
        )

    def _way(self, request: Any, stream: Any, timeout: Any, verify: Any, cert: Any, proxies: Any) -> _Way:
        """
        Where a request goes, and what comes before every request: a subclass may add headers, or change the way.
        """
        if not self._is_custom():
            if request.url[: len(_network.UNIX)].lower() == _network.UNIX:
                return self._way_through_socket(request)
            proxy = _proxy.via(self, request.url, proxies) if proxies else None
            self.add_headers(request, stream=stream, timeout=timeout, verify=verify, cert=cert, proxies=proxies)
            return _Way(request.url, proxy)
        pool = self.get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        self.cert_verify(pool, request.url, verify, cert)
        target = self.request_url(request, proxies)
        self.add_headers(request, stream=stream, timeout=timeout, verify=verify, cert=cert, proxies=proxies)
        if not isinstance(pool, _pools.ConnectionPool):
            return _Way(target, pool=pool)
        plain = target == HTTPAdapter.request_url(self, request, proxies)
        if plain and origin(request.url) == (pool.scheme, pool.host, pool.port):
            url = request.url
        else:
            url = pool.base() + (request.path_url if plain else target) if plain or target[:1] == "/" else target
        return _Way(url, pool.via, pool.settings())

    def _way_through_socket(self, request: Any) -> _Way:
        try:
            url, texts = _network.through_socket(request.url)
        except ValueError as error:
            raise InvalidURL(error, request=request) from error
        if self.allow_addresses is not None or self.deny_addresses is not None:
            raise AddressNotAllowed(f"{request.url}: a socket of this machine is no address", request=request)
        self.add_headers(request)
        return _Way(url, texts=texts)

    def _place(self, way: _Way) -> tuple[str, int] | None:
        """
        What the adapter's resolver is asked for: a name that is resolved here, and is not known by other means.
        """
        answers = self.__dict__["_answers"]
        if answers is None:
            answers = self.__dict__["_answers"] = _network.Answers(self.resolver, self.dns_cache)
        told = way.proxy is not None and way.proxy.url[:7].lower() not in ("socks4:", "socks5:")
        way.place = None if way.texts or told or self.unix_socket else answers.place(way.url)
        return way.place  # type: ignore[no-any-return]

    def _resolve(self, way: _Way, request: Any) -> None:
        """
        Have the adapter's resolver say where a name is.

        Raises:
            ConnectionError: it has no address, or an OSError.
            TypeError: it has to be awaited, and the call is none that is.
        """
        place = self._place(way)
        if place is None:
            return
        answers = self.__dict__["_answers"]
        texts = answers.get(place)
        if texts is None:
            try:
                answer = self.resolver(*place)
                if hasattr(answer, "__await__"):
                    getattr(answer, "close", bool)()
                    raise TypeError("a resolver that has to be awaited needs a call that is awaited")
                texts = answers.put(place, answer)
            except OSError as error:
                raise _unresolved(error, request) from error
        way.texts = texts

    async def _aresolve(self, way: _Way, request: Any) -> None:
        """
        The awaited twin of `_resolve`.
        """
        place = self._place(way)
        if place is None:
            return
        answers = self.__dict__["_answers"]
        texts = answers.get(place)
        if texts is None:
            try:
                texts = answers.put(place, await call(self.resolver, *place))
            except OSError as error:
                raise _unresolved(error, request) from error
        way.texts = texts

    def _lost(self, way: _Way, error: CoreError) -> None:
        # What the resolver said is asked for again where it led nowhere.
        answers = self.__dict__["_answers"]
        if way.place is not None and answers is not None and error.phase in _core.BEFORE_CONNECTED:
            answers.forget(way.place)

    def _options(self, way: _Way, timeout: Any, verify: Any, cert: Any) -> _core.Options:
        # Only TLS has something to verify: a plain request does not fail for want of a bundle.
        secure, proxy = way.url[:5].lower() == "https", way.proxy
        if not secure and proxy is not None and proxy.is_secure:
            secure, cert = True, None  # which is for origins
        own = self._own_options()
        if way.texts:
            own = own[0], (*own[1], *way.texts)
        if way.settings is not None:
            if way.settings.get("cert_reqs") in ("CERT_NONE", 0):
                _warn_unverified(way, way.settings)
            return _made(choose(timeout, way.settings, secure), proxy, own)
        beneath = self._beneath_all()
        if verify is False:
            _warn_unverified(way, beneath)
        key: Any = (timeout, verify, cert, proxy) if secure else ("plain", timeout, proxy)
        if way.texts:
            key += way.texts
        if "ssl_context" in beneath:
            key += (_state_of(beneath["ssl_context"]),)
        kept = self._choices
        try:
            return kept[key]
        except (KeyError, TypeError):
            pass
        settings = tls_settings(verify, cert, beneath) if secure else beneath
        choices = _made(choose(timeout, settings, secure), proxy, own)
        if len(kept) > 128:
            kept.clear()
        try:
            kept[key] = choices
        except TypeError:
            pass  # something without a hash, such as a list
        return choices

    def _numbers(self) -> tuple[tuple[str, int], ...]:
        """
        The options that are the adapter's own.
        """
        found = _HTTP_VERSIONS[self.http2]
        for name, (option, default) in _GROWTH.items():
            limit = getattr(self, name)
            if limit != default:
                found += ((option, limit or 0),)
        return found

    def _own_options(self) -> Any:
        """
        The core's options for what was set on the adapter itself.
        """
        found = self.__dict__["_own"]
        if found is None:
            numbers, texts = _network.options_of({name: getattr(self, name) for name in _network.DEFAULTS})
            found = self.__dict__["_own"] = (*self._numbers(), *numbers), texts
        return found

    def _beneath_all(self) -> Any:
        """
        The settings that `init_poolmanager` was given, or that were put there since.
        """
        found = self.__dict__["_beneath"]
        if found is None:
            manager = self.poolmanager
            _pools.check_keywords(manager.connection_pool_kw)
            found = {
                name: value
                for name, value in manager.connection_pool_kw.items()
                if value is not None and name not in ("maxsize", "block")
            }
            if type(manager) is _pools.PoolManager:
                self.__dict__["_beneath"] = found
            else:
                self._choices.clear()  # it does not tell of changes
        return found

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """
        For subclasses: scheme, host and port of a request, and the settings of its pool that `verify` and `cert` name.
        """
        scheme, host, port = origin(request.url)
        settings: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED" if verify is not False else "CERT_NONE"}
        if isinstance(verify, (str, os.PathLike)):
            path = os.fspath(verify)
            settings["ca_cert_dir" if os.path.isdir(path) else "ca_certs"] = path
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
        """
        manager = self.proxy_manager.get(proxy)
        if manager is None:
            self._check_proxy_context(proxy, proxy_kwargs)
            manager = self.proxy_manager[proxy] = _pools.ProxyManager(
                _proxy.through(self, proxy),
                num_pools=self._pool_connections,
                **{**self.poolmanager.connection_pool_kw, **proxy_kwargs},
            )
            manager._adapter = weakref.proxy(self)
        return manager

    def _check_proxy_context(self, proxy: str, keywords: dict[str, Any]) -> None:
        """
        Take `proxy_ssl_context` from the keywords: only an https proxy has a use for it.

        Raises:
            ValueError: it has, and is to be verified in another way than the origin.
        """
        context = keywords.pop("proxy_ssl_context", None)
        origins = keywords.get("ssl_context", self.poolmanager.connection_pool_kw.get("ssl_context"))
        if context is not None and context is not origins and proxy[:6].lower() == "https:":
            raise ValueError(
                "proxy_ssl_context= is another than ssl_context=, and an https proxy is verified as the origin is: "
                "give one for both"
            )

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
        own = {name: getattr(conn, name, None) for name in ("ca_certs", "ca_cert_dir", "ca_cert_data")}
        secure = url.lower().startswith("https")
        found = tls_settings(verify if secure else False, cert, own)
        conn.cert_reqs = found["cert_reqs"]
        for name in own:
            setattr(conn, name, found.get(name) if found["cert_reqs"] != "CERT_NONE" else None)
        if cert:
            conn.cert_file, conn.key_file = found["cert_file"], found["key_file"]
            if "key_password" in found:
                conn.key_password = found["key_password"]

    def _urlopen(self, way: _Way, request: Any, timeout: Any) -> Response:
        """
        Send through a pool that a user brought.

        Raises:
            ValueError: the adapter has settings for connections, and those of this pool are not the adapter's.
        """
        for name, default in _network.DEFAULTS.items():
            if getattr(self, name) != default:
                raise ValueError(f"{name}= says nothing to {way.pool!r}, which connects by itself")
        try:
            response = way.pool.urlopen(
                method=request.method,
                url=way.url,
                body=request.body,
                headers=request.headers,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
                retries=retry_class().from_int(self.max_retries),
                timeout=_their_timeout(timeout),
                chunked=not (request.body is None or "Content-Length" in request.headers),
            )
        except Exception as error:
            told = from_pool(error, request)
            if told is None:
                raise
            raise told from error
        built = self.build_response(request, response)
        built.__dict__["_by_pool"] = True
        return built

    def _open(
        self, pool: _pools.ConnectionPool, method: str, url: str, body: Any, headers: Any, timeout: Any, stream: bool
    ) -> RawResponse:
        """
        What `urlopen` of one of our pools does.
        """
        from ._prepare import PreparedRequest

        request = PreparedRequest()
        whole_url = pool.base() + url if url.startswith("/") else url
        request.prepare(method=method, url=whole_url, headers=headers, data=body)
        head, fields = _head_of(request, request.url)
        choices = self._options(_Way(request.url, pool.via, pool.settings()), timeout, True, None)
        given, upload = (_NO_BODY, None) if request.body is None else self._upload(request)
        try:
            reply = self._client.wait(choices, head, fields, given, upload, stream)
        except CoreError as error:
            raise _told(error, request) from error
        return RawResponse(reply, parse_head(reply), request)

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
        proxy = select_proxy(request.url, proxies)
        if proxy and request.url[:5].lower() != "https" and not _proxy.is_socks(proxy):
            return wire_url(request.url)
        return request.path_url


class Ready:
    """
    A request without a body that was prepared once and is sent as it is, as often as its session stays the same.

    It is an op of the flow (`_ops`); the PreparedRequest that a user may look at is made when somebody does.

    Args:
        adapter: the session's own HTTPAdapter.
        method: in upper case.
        url: prepared.
        headers: checked, and never changed from now on.
        settings: timeout, verify and cert.
    """

    __slots__ = ("adapter", "client", "headers", "json_loads", "method", "secure", "settings", "shot", "state", "url")

    #: The session's decoder for `Response.json`, or None.
    json_loads: Any

    body = None

    def __init__(
        self, adapter: HTTPAdapter, method: str, url: str, headers: Any, settings: tuple[Any, Any, Any]
    ) -> None:
        self.adapter = adapter
        #: The adapter's, which changes with its settings.
        self.state = adapter._state
        self.method = method
        self.url = url
        self.secure = url[:5] == "https"
        self.headers = headers
        self.settings = settings
        self.json_loads = None
        self._load()

    def _load(self) -> None:
        head, _ = _head_of(self, self.url)
        method, url, *fields = head.split(b"\n")
        names = iter(fields)
        self.client = self.adapter._client
        self.shot = _core.Shot(method, url, zip(names, names), self.adapter._options(_Way(self.url), *self.settings))

    def request(self) -> Any:
        """
        The PreparedRequest.
        """
        return sketch(self.method, self.url, self.headers.copy())

    def perform(self) -> Response:
        """
        Blocking.
        """
        try:
            reply = self.client.fire(self.shot)
        except CoreError as error:
            if error.kind != _core.FORKED:
                raise _told(error, self.request()) from error
            self._reload()
            return self.perform()
        return self._response(reply)

    def aperform(self) -> Any:
        """
        Awaited.
        """
        return self.ago(_nothing_more, None, False)

    async def ago(self, rest: Any, session: Any, allowed: bool) -> Response:
        """
        Awaited, and after it what `rest` makes of the answer; one coroutine for both.

        Args:
            rest: called with this op, the next two arguments and the response; returns a flow or None.
            session: for `rest`.
            allowed: for `rest`.
        """
        wake = (_wake_of or _load_wake())()
        token = 0
        try:
            token, future = wake.launch(self.client, self.shot)
            reply = await future
        except CoreError as error:
            if error.kind != _core.FORKED:
                raise _told(error, self.request()) from error
            self._reload()
            return await self.ago(rest, session, allowed)
        except BaseException:
            wake.give_up(token)
            raise
        response = self._response(reply)
        following = rest(self, session, allowed, response)
        return response if following is None else await adrive(following)

    def _response(self, reply: Any) -> Response:
        status = reply.status
        response = _new(Response)
        response.__dict__ = {
            "status_code": status,
            "_reply": reply,
            "_ready": self,
            # Nothing of it asks for more: no redirect, no cookie, no body to be read.
            "_settled": not (300 <= status < 400 or reply.asks_for_more),
        }
        return response

    def _reload(self) -> None:
        self.adapter._revive()
        self._load()


# What the interpreter calls it when it was never awaited.
Ready.ago.__qualname__ = "requestx call"


def _nothing_more(op: Any, session: Any, allowed: bool, response: Response) -> None:
    """
    The rest of a call whose answer is all.
    """


def _load_wake() -> Any:
    """
    What gives the running loop's Wake; programs that never await do without.
    """
    global _wake_of
    from ._wake import wake_of

    _wake_of = wake_of
    return wake_of


def _head_of(request: Any, url: Any) -> tuple[bytes, int]:
    """
    The request as the core takes it: method, URL and fields joined by newlines, and the number of fields.

    Raises:
        InvalidSchema: the URL is none of http or https.
        InvalidHeader: a name or value cannot be sent.
    """
    if not isinstance(url, str) or url[:4].lower() != "http":
        raise InvalidSchema(f"No connection adapters were found for {url!r}", request=request)
    headers = request.headers
    parts = [str(request.method), wire_url(url)]
    if request.body is not None or request.method in _EXPECT_A_BODY:
        parts += _framing(request)
    for name, value in headers.items() if headers else ():
        if value is None or (type(value) is str and value == _SKIP):
            _check_skipped(name, value, request)
            continue
        parts.append(name)
        parts.append(value)
    try:
        try:
            return "\n".join(parts).encode("latin-1"), (len(parts) - 2) // 2
        except TypeError:
            encoded = [part if isinstance(part, bytes) else str(part).encode("latin-1") for part in parts]
            return b"\n".join(encoded), (len(parts) - 2) // 2
    except UnicodeEncodeError as error:
        wrong = error.object[error.start : error.end]
        raise InvalidHeader(
            f"header fields are sent as latin-1, and {wrong!r} is not in it: encode the value yourself", request=request
        ) from error


def _check_skipped(name: Any, value: Any, request: Any) -> None:
    if value is not None and to_native_string(name).lower() not in ("accept-encoding", "user-agent"):
        raise InvalidHeader(f"SKIP_HEADER takes away User-Agent and Accept-Encoding, not {name!r}", request=request)


def _framing(request: Any) -> tuple[str, ...]:
    """
    The field that frames the body where nobody has named one: on the way, requests puts it behind Host.
    """
    headers, body = request.headers, request.body
    if "Content-Length" in headers or "Transfer-Encoding" in headers or isinstance(body, (bytes, str)):
        return ()
    return ("Content-Length", "0") if body is None else ("Transfer-Encoding", "chunked")


def _answer(adapter: HTTPAdapter, request: Any, reply: Reply) -> Response:
    if adapter.progress is not None and reply.body is not None:
        _progress.received(adapter.progress, request, parse_head(reply), reply.body)
    if adapter._builds():
        raw = RawResponse(reply, parse_head(reply), request)
        raw._answer.progress = adapter.progress
        return adapter.build_response(request, raw)
    response = _new(Response)
    response.__dict__ = {
        "status_code": reply.status,
        "url": request.url,
        "request": request,
        "connection": adapter,
        "_reply": reply,
    }
    return response


def _told(error: CoreError, request: Any) -> Exception:
    return from_core(
        error.kind,
        error.phase,
        error.message,
        os_code=error.os_code,
        tls_code=error.tls_code,
        chain=error.chain,
        proxy_status=error.proxy_status,
        request=request,
    )


def _unresolved(error: OSError, request: Any) -> OSError:
    return error if isinstance(error, RequestException) else ConnectionError(error, request=request)


class _Way:
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


# RQX_OPT_HTTP_VERSION for `http2`.
_HTTP_VERSIONS: dict[Any, tuple[tuple[str, int], ...]] = {
    True: (),
    False: (("HTTP_VERSION", 1),),
    "only": (("HTTP_VERSION", 2),),
}

# Limits on what decoding makes: their options, and the core's defaults.
_GROWTH: dict[str, tuple[str, int]] = {
    "max_decoded_bytes": ("MAX_DECODED_BYTES", DEFAULT_DECODED_BYTES),
    "max_decoded_ratio": ("MAX_DECODED_RATIO", DEFAULT_DECODED_RATIO),
}


def _made(choices: Any, proxy: Any, own: Any) -> _core.Options:
    """
    The core's options: of a request, of the proxy it goes through, and of the adapter.

    Raises:
        InvalidProxyURL: the proxy's URL is none.
        ValueError: an adapter's setting that the core refuses.
    """
    numbers, texts = (*own[0], *choices[0]), (*own[1], *choices[1])
    if proxy is not None:
        texts = (*texts, ("PROXY_URL", proxy.url), *(("PROXY_HEADER", field) for field in proxy.fields))
    try:
        return _core.options(numbers, texts)
    except CoreError as error:
        if error.kind == _core.INVALID_ARGUMENT:
            raise ValueError(error.message) from error
        if error.kind not in _core.NO_URL:
            raise _told(error, None) from error
        raise InvalidProxyURL(f"Please check proxy URL. {error.message}") from error


def _warn_unverified(way: _Way, settings: Any) -> None:
    if way.url[:5].lower() != "https" or settings.get("assert_fingerprint"):
        return
    import warnings

    warnings.warn(
        f"Unverified HTTPS request is being made to host {origin(way.url)[1]!r}: whoever answers is believed. "
        "Give verify= the path of a CA certificate, or silence this by requestx.packages.urllib3.disable_warnings().",
        _causes.shape("InsecureRequestWarning"),
        stacklevel=4,
    )


def _state_of(context: Any) -> Any:
    from . import _context

    return _context.state_of(_context.unwrap(context))


def _their_timeout(timeout: Any) -> Any:
    """
    A time-out as urllib3's pools take it.
    """
    loaded = sys.modules.get("urllib3.util.timeout")
    if (
        loaded is None
        or isinstance(timeout, loaded.Timeout)
        or not (isinstance(timeout, tuple) or isinstance(timeout, TimeLimits))
    ):
        return timeout
    connect, read = (timeout.connect, timeout.read) if isinstance(timeout, TimeLimits) else timeout
    return loaded.Timeout(connect=connect, read=read)


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
