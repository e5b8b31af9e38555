"""
Adapters: what stands between a session and the wire.

`HTTPAdapter` turns a PreparedRequest and requests' settings into what the core takes, and its answer into a Response.
`send` always blocks; `_asend` is its private twin for the awaiting driver, and what they share is written once.
A subclass that overrides `send` is obeyed in both worlds.
"""

from __future__ import annotations

import os
from time import perf_counter
from typing import TYPE_CHECKING, Any, Callable

from . import _core, _explain, _names, _proxy
from ._core import CoreError, Reply
from ._environ import select_proxy
from ._limits import nanoseconds
from ._prepare import sketch
from ._raw import RawResponse, parse_head
from ._uploads import chunks, chunks_in_background, length_of
from ._url import wire_url
from .auth import _basic_auth_str
from .certs import where
from .exceptions import InvalidHeader, InvalidProxyURL, InvalidSchema, from_core
from .models import Response

DEFAULT_POOLBLOCK = False
DEFAULT_POOLSIZE = 10
DEFAULT_RETRIES = 0
DEFAULT_POOL_TIMEOUT = None

#: Bodies up to this size are handed to the core at once; larger ones are pushed, so that they are not copied whole.
AT_ONCE = 1 << 20

_new = object.__new__
_wake_of: Any = None
_NO_BODY = b""
# Whose request without a body says so (RFC 9110, 8.6).
_EXPECT_A_BODY = frozenset(("POST", "PUT", "PATCH"))
# Imported now: when it is needed there may be no descriptor to read it by.
_explain.explain  # noqa: B018


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        return _names.find(__name__, name)


class BaseAdapter:
    """
    What every adapter can do.
    """

    def __init__(self) -> None:
        super().__init__()

    def send(
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Any:
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

    Args:
        pool_connections: hosts that idle connections are kept for, without limit by default.
        pool_maxsize: idle connections kept for one host, 128 by default; with `pool_block`, all its connections.
        max_retries: 0; others come with the core's retries.
        pool_block: wait for a free connection instead of opening one more.
    """

    __attrs__ = ["max_retries", "config", "_pool_connections", "_pool_maxsize", "_pool_block"]

    def __init__(
        self,
        pool_connections: int = DEFAULT_POOLSIZE,
        pool_maxsize: int = DEFAULT_POOLSIZE,
        max_retries: Any = DEFAULT_RETRIES,
        pool_block: bool = DEFAULT_POOLBLOCK,
    ) -> None:
        if max_retries:
            raise NotImplementedError("max_retries is not supported yet: it has to be 0")
        super().__init__()
        self.max_retries = max_retries
        self.config: dict[str, Any] = {}
        self._pool_connections = pool_connections
        self._pool_maxsize = pool_maxsize
        self._pool_block = pool_block
        self._start()

    def _start(self) -> None:
        # The default is requests', and low; who asks for a number gets it.
        limits = [] if self._pool_maxsize == DEFAULT_POOLSIZE else [("MAX_IDLE_PER_HOST", self._pool_maxsize)]
        if self._pool_connections != DEFAULT_POOLSIZE:
            limits.append(("MAX_IDLE_HOSTS", self._pool_connections))
        if self._pool_block:
            limits.append(("MAX_CONNECTIONS_PER_HOST", self._pool_maxsize))
        numbers = tuple(limits)
        # Now, not in the first request: an import under way in another thread would hang a child that is forked then.
        where()
        self._client = _core.Client(lambda: _core.options(numbers))
        self._choices: dict[Any, _core.Options] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name, None) for name in self.__attrs__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    def __repr__(self) -> str:
        stats = self._client.stats()
        idle, opened, flying = stats["idle_connections"], stats["open_connections"], stats["in_flight"]
        return f"<{type(self).__name__}, {opened} connections, {idle} idle, {flying} requests in flight>"

    def send(
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Response:
        """
        Send a PreparedRequest and wait for the response.

        Args:
            request: the PreparedRequest.
            stream: return with the head; the body is read when it is asked for.
            timeout: seconds for connecting and between bytes, a pair of the two, or `TimeLimits`; None for ever.
            verify: False not to verify the server's certificate; a path of CA certificates to trust those alone.
            cert: path of a client certificate with its key, or a pair of paths.
            proxies: by scheme; see `select_proxy`.

        Raises:
            ConnectionError, Timeout, SSLError, ...: what went wrong, and in which phase.
        """
        proxy = self._before(request, stream, timeout, verify, cert, proxies)
        head, fields = _head_of(request)
        choices = self._options(request.url, timeout, verify, cert, proxy)
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
                reply = self._client.wait(
                    self._options(request.url, timeout, verify, cert, proxy),
                    head,
                    fields,
                    *self._again(request, body, upload),
                    stream,
                )
        except CoreError as error:
            raise _told(error, request) from error
        return _answer(self, request, reply)

    async def _asend(
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Response:
        """
        The awaited twin of `send`.
        """
        proxy = self._before(request, stream, timeout, verify, cert, proxies)
        head, fields = _head_of(request)
        wake = (_wake_of or _load_wake())()
        body = request.body
        try:
            again = False
            while True:
                choices = self._options(request.url, timeout, verify, cert, proxy)
                try:
                    if body is None or (type(body) is bytes and len(body) <= AT_ONCE):
                        reply = await wake.send(self._client, choices, head, fields, body or _NO_BODY, stream)
                    else:
                        pieces, length = chunks_in_background(request), length_of(request)
                        reply = await wake.send_upload(self._client, choices, head, fields, pieces, length, stream)
                    break
                except CoreError as error:
                    if again or error.kind != _core.FORKED:
                        raise
                    self._revive()
                    again = True
        except CoreError as error:
            raise _told(error, request) from error
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
        return _NO_BODY, _core.Upload(chunks(request), length_of(request))

    def _again(self, request: Any, body: bytes, upload: Any) -> tuple[bytes, Any]:
        # Nothing was taken of the chunks: a parent's handle is refused before anything is sent.
        return (body, None) if upload is None else self._upload(request)

    def _revive(self) -> None:
        self._choices.clear()
        self._client.revive()

    def _options(self, url: str, timeout: Any, verify: Any, cert: Any, proxy: Any = None) -> _core.Options:
        # Only TLS has something to verify: a plain request does not fail for want of a bundle.
        secure = url[:5].lower() == "https"
        if not secure and proxy is not None and proxy.is_secure:
            secure, cert = True, None  # which is for origins
        key = (timeout, verify, cert, proxy) if secure else ("plain", timeout, proxy)
        try:
            return self._choices[key]
        except (KeyError, TypeError):
            pass
        choices = _choose(timeout, verify, cert, proxy) if secure else _choose(timeout, proxy=proxy)
        if len(self._choices) > 128:
            self._choices.clear()
        try:
            self._choices[key] = choices
        except TypeError:
            pass  # something without a hash, such as a list
        return choices

    def _before(self, request: Any, stream: Any, timeout: Any, verify: Any, cert: Any, proxies: Any) -> Any:
        """
        What comes before every request: a subclass may add headers. The result is its proxy, or None.
        """
        proxy = _proxy.via(self, request.url, proxies) if proxies else None
        self.add_headers(request, stream=stream, timeout=timeout, verify=verify, cert=cert, proxies=proxies)
        return proxy

    def build_response(self, req: Any, resp: Any) -> Response:
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
        response.status_code = getattr(resp, "status", None)
        response.headers = CaseInsensitiveDict(getattr(resp, "headers", {}))
        response.encoding = get_encoding_from_headers(response.headers)
        response.raw = resp
        response.reason = getattr(resp, "reason", None)
        response.url = req.url.decode("utf-8") if isinstance(req.url, bytes) else req.url
        extract_cookies_to_jar(response.cookies, req, resp)
        response.request = req
        response.connection = self
        return response

    def close(self) -> None:
        """
        Close the idle connections. Responses that are being read can be read to their end.
        """
        self._client.close_idle()

    def add_headers(self, request: Any, **kwargs: Any) -> None:
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

    def request_url(self, request: Any, proxies: Any) -> str:
        """
        What the request line names: path and query, or the whole URL where a proxy forwards the request.
        """
        proxy = select_proxy(request.url, proxies)
        if proxy and request.url[:5].lower() != "https" and not _proxy.is_socks(proxy):
            return wire_url(request.url)
        return request.path_url  # type: ignore[no-any-return]


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

    __slots__ = ("adapter", "client", "headers", "json_loads", "method", "secure", "settings", "shot", "url")

    #: The session's decoder for `Response.json`.
    json_loads: Any

    body = None

    def __init__(
        self, adapter: HTTPAdapter, method: str, url: str, headers: Any, settings: tuple[Any, Any, Any]
    ) -> None:
        self.adapter = adapter
        self.method = method
        self.url = url
        self.secure = url[:5] == "https"
        self.headers = headers
        self.settings = settings
        self._load()

    def _load(self) -> None:
        head, _ = _head_of(self)
        method, url, *fields = head.split(b"\n")
        names = iter(fields)
        self.client = self.adapter._client
        self.shot = _core.Shot(method, url, zip(names, names), self.adapter._options(self.url, *self.settings))

    def request(self) -> Any:
        """
        The PreparedRequest.
        """
        return sketch(self.method, self.url, self.headers.copy())

    def perform(self) -> Response:
        """
        Blocking.
        """
        began = perf_counter()
        try:
            reply = self.client.fire(self.shot)
        except CoreError as error:
            if error.kind != _core.FORKED:
                raise _told(error, self.request()) from error
            self._reload()
            return self.perform()
        return self._response(reply, began)

    def aperform(self) -> Any:
        """
        Awaited.
        """
        return self.ago(_nothing_more, None, False, None)

    async def ago(self, rest: Any, session: Any, allowed: bool, go_on: Any) -> Response:
        """
        Awaited, and after it what `rest` makes of the answer; one coroutine for both.

        Args:
            rest: called with this op, the next two arguments and the response; returns a flow or None.
            session: for `rest`.
            allowed: for `rest`.
            go_on: a coroutine function that performs a flow.
        """
        began = perf_counter()
        wake = (_wake_of or _load_wake())()
        token = 0
        try:
            token, future = wake.launch(self.client, self.shot)
            reply = await future
        except CoreError as error:
            if error.kind != _core.FORKED:
                raise _told(error, self.request()) from error
            self._reload()
            return await self.ago(rest, session, allowed, go_on)
        except BaseException:
            wake.give_up(token)
            raise
        response = self._response(reply, began)
        following = rest(self, session, allowed, response)
        return response if following is None else await go_on(following)

    def _response(self, reply: Any, began: float) -> Response:
        status = reply.status
        response = _new(Response)
        response.__dict__ = {
            "status_code": status,
            "_reply": reply,
            "_ready": self,
            "_seconds": perf_counter() - began,
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
    What gives the running loop's Wake; asyncio is imported by programs that await, and by no others.
    """
    global _wake_of
    from ._wake import wake_of

    _wake_of = wake_of
    return wake_of


def _head_of(request: Any) -> tuple[bytes, int]:
    """
    The request as the core takes it: method, URL and fields joined by newlines, and the number of fields.

    Raises:
        InvalidSchema: the URL is none of http or https.
        InvalidHeader: a name or value cannot be sent.
    """
    url = request.url
    if not isinstance(url, str) or url[:4].lower() != "http":
        raise InvalidSchema(f"No connection adapters were found for {url!r}", request=request)
    headers = request.headers
    parts = [str(request.method), wire_url(url)]
    if request.body is not None or request.method in _EXPECT_A_BODY:
        parts += _framing(request)
    for name, value in headers.items() if headers else ():
        if value is not None:
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


def _framing(request: Any) -> tuple[str, ...]:
    """
    The field that frames the body where nobody has named one: on the way, requests puts it behind Host.
    """
    headers, body = request.headers, request.body
    if "Content-Length" in headers or "Transfer-Encoding" in headers or isinstance(body, (bytes, str)):
        return ()
    return ("Content-Length", "0") if body is None else ("Transfer-Encoding", "chunked")


def _answer(adapter: HTTPAdapter, request: Any, reply: Reply) -> Response:
    if type(adapter).build_response is not HTTPAdapter.build_response:
        return adapter.build_response(request, RawResponse(reply, parse_head(reply.head), request))
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
        request=request,
    )


_NO_TLS: Any = object()


def _choose(timeout: Any, verify: Any = _NO_TLS, cert: Any = None, proxy: Any = None) -> _core.Options:
    """
    The core's options for requests' settings; without `verify` and `cert` those of a plain connection.

    Raises:
        InvalidProxyURL: the proxy's URL is none.
        InvalidHeader: a field for the proxy cannot be sent.
        ValueError: a time-out that is none.
        OSError: a file that is not there.
    """
    numbers: list[tuple[str, int]] = []
    connect, read, total = nanoseconds(timeout)
    if connect is not None:
        numbers.append(("ESTABLISH_TIMEOUT_NS", connect))
    if read is not None:
        numbers += [("SEND_TIMEOUT_NS", read), ("AWAIT_TIMEOUT_NS", read), ("READ_TIMEOUT_NS", read)]
    if total is not None:
        numbers.append(("TOTAL_TIMEOUT_NS", total))
    paths: list[tuple[str, str | bytes]] = []
    if verify is not _NO_TLS:
        if verify is None or verify:
            bundle = os.fspath(verify) if isinstance(verify, (str, bytes, os.PathLike)) else where()
            bundle = os.fsdecode(bundle)
            if not os.path.exists(bundle):
                raise OSError(f"Could not find a suitable TLS CA certificate bundle, invalid path: {bundle}")
            paths.append(("CA_FOLDER" if os.path.isdir(bundle) else "CA_FILE", bundle))
        else:
            numbers.append(("DANGER_ACCEPT_INVALID_CERTS", 1))
    if cert:
        certificate, key = (cert, None) if isinstance(cert, (str, bytes, os.PathLike)) else cert
        paths.append(("CLIENT_CERT_FILE", _existing("certificate file", certificate)))
        if key:
            paths.append(("CLIENT_KEY_FILE", _existing("key file", key)))
    if proxy is None:
        return _core.options(tuple(numbers), tuple(paths))
    paths += [("PROXY_URL", proxy.url), *(("PROXY_HEADER", field) for field in proxy.fields)]
    try:
        return _core.options(tuple(numbers), tuple(paths))
    except CoreError as error:
        if error.kind not in _core.NO_URL:
            raise _told(error, None) from error
        raise InvalidProxyURL(f"Please check proxy URL. {error.message}") from error


def _existing(what: str, path: Any) -> str:
    name: str = os.fsdecode(path)
    if not os.path.exists(name):
        raise OSError(f"Could not find the TLS {what}, invalid path: {name}")
    return name
