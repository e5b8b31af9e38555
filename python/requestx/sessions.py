"""
Session: settings and connections shared by many requests.

What a session does with a request is written in `_flow`; here are the settings, how they are merged with a call's,
and the methods that users override. A session whose class overrides none of them, and a call that asks for nothing
special, take the short way through `_ready_for`, which sends the same request again without preparing it again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, MutableMapping
from datetime import timedelta
from time import perf_counter, time
from typing import TYPE_CHECKING, Any, Callable, Generator

from . import _environ, _flow, _names, _netrc, _redirect
from . import _url as _urls
from ._body import to_key_val_list
from ._core import CoreError
from ._drive import drive, go, run
from ._ops import Call
from ._prepare import PreparedRequest, Request, is_own, prepares_by_itself
from ._ready import Ready
from .adapters import KEYWORDS, HTTPAdapter
from .auth import _basic_auth_str
from .certs import PLATFORM
from .cookies import RequestsCookieJar, cookiejar_from_dict, extract_cookies_to_jar, merge_cookies
from .exceptions import (
    ChunkedEncodingError,
    ContentDecodingError,
    InvalidSchema,
    RequestException,
    TooManyRedirects,
)
from .hooks import default_hooks, dispatch_hook
from .models import DEFAULT_REDIRECT_LIMIT, REDIRECT_STATI, Response
from .status_codes import codes
from .structures import CaseInsensitiveDict
from .utils import (
    DEFAULT_PORTS,
    default_headers,
    get_auth_from_url,
    get_environ_proxies,
    get_netrc_auth,
    requote_uri,
    resolve_proxies,
    rewind_body,
    should_bypass_proxies,
    to_native_string,
)

preferred_clock = perf_counter
_netrc_auth = _netrc.netrc_auth
_is_quiet = _netrc.is_quiet


if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from . import _types as _t
    from .adapters import BaseAdapter
else:

    def __getattr__(name: str) -> Any:
        return _names.find(__name__, name)


def merge_setting(request_setting: Any, session_setting: Any, dict_class: Any = OrderedDict) -> Any:
    """
    A call's setting with the session's beneath it: mappings are merged, and what the call sets to None is left out.
    """
    if session_setting is None:
        return request_setting
    if request_setting is None:
        return session_setting
    if not (isinstance(session_setting, Mapping) and isinstance(request_setting, Mapping)):
        return request_setting
    merged = dict_class(to_key_val_list(session_setting))
    merged.update(to_key_val_list(request_setting))
    for name in [name for name, value in merged.items() if value is None]:
        del merged[name]
    return merged


def merge_hooks(request_hooks: Any, session_hooks: Any, dict_class: Any = OrderedDict) -> Any:
    """
    The hooks of both; those of the call win where it has any.
    """
    if session_hooks is None or session_hooks.get("response") == []:
        return request_hooks
    if request_hooks is None or request_hooks.get("response") == []:
        return session_hooks
    return merge_setting(request_hooks, session_hooks, dict_class)


class SessionRedirectMixin:
    """
    The rules of redirects that users override.
    """

    max_redirects: int
    cookies: RequestsCookieJar
    trust_env: bool

    def get_redirect_target(self, resp: Response) -> str | None:
        """
        Where a response sends us, or None.
        """
        return _redirect.location(resp.headers) if resp.is_redirect else None

    def should_strip_auth(self, old_url: str, new_url: str) -> bool:
        """
        Whether Authorization must not follow from one URL to the other.
        """
        return _redirect.should_strip_auth(old_url, new_url)

    def resolve_redirects(
        self,
        resp: Response,
        req: PreparedRequest,
        stream: bool = False,
        timeout: _t.TimeoutType = None,
        verify: _t.VerifyType = True,
        cert: _t.CertType = None,
        proxies: _t.ProxiesType | None = None,
        yield_requests: bool = False,
        **adapter_kwargs: Any,
    ) -> Generator[Any, None, None]:
        """
        The responses, or with `yield_requests` the requests, that follow a redirect one by one; always blocking.
        """
        settings = dict(adapter_kwargs, stream=stream, timeout=timeout, verify=verify, cert=cert, proxies=proxies)
        history: list[Any] = []
        target = self.get_redirect_target(resp)
        while target:
            history.append(resp)
            try:
                resp.content  # noqa: B018, so that the connection can be used again
            except (ChunkedEncodingError, ContentDecodingError, RuntimeError):
                resp.raw.read(decode_content=False)
            if len(resp.history) >= self.max_redirects:
                raise TooManyRedirects(f"Exceeded {self.max_redirects} redirects.", response=resp)
            resp.close()
            req, settings = _flow._redirected(self, resp, req, target, settings)
            if yield_requests:
                yield req
                return
            resp = self._hop(req, settings)
            resp.history = history[:]
            target = self.get_redirect_target(resp)
            yield resp

    def _hop(self, request: Any, settings: dict[str, Any]) -> Any:
        """
        Send one request of a redirect, blocking.
        """
        return self.send(request, allow_redirects=False, **settings)

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """
        Send a PreparedRequest: what is mixed into does that.
        """
        raise NotImplementedError

    def rebuild_auth(self, prepared_request: PreparedRequest, response: Response) -> None:
        """
        Take credentials away where they must not follow, and look for those that netrc has for the new host.
        """
        headers = prepared_request.headers
        url = prepared_request.url
        if "Authorization" in headers and self.should_strip_auth(response.request.url, url):
            del headers["Authorization"]
        new_auth = get_netrc_auth(url) if self.trust_env else None
        if new_auth is not None:
            prepared_request.prepare_auth(new_auth)

    def rebuild_proxies(self, prepared_request: PreparedRequest, proxies: _t.ProxiesType | None) -> dict[str, Any]:
        """
        The proxies for the next request; a proxy's own credentials are sent to it alone.
        """
        headers = prepared_request.headers
        url = prepared_request.url
        if self.trust_env:
            proxies = _environ.without_environments(url, proxies)
        new_proxies = resolve_proxies(prepared_request, proxies, self.trust_env)
        if "Proxy-Authorization" in headers:
            del headers["Proxy-Authorization"]
        # Over https the proxy gets them when the tunnel is asked for, and over SOCKS when it is greeted.
        proxy = None if url[:5].lower() == "https" else _environ.select_proxy(url, new_proxies)
        if proxy and not proxy[:5].lower() == "socks":
            username, password = get_auth_from_url(proxy)
            if username and password:
                headers["Proxy-Authorization"] = _basic_auth_str(username, password)
        return new_proxies

    def rebuild_method(self, prepared_request: PreparedRequest, response: Response) -> None:
        """
        The method by which a redirect is followed.
        """
        prepared_request.method = _redirect.method(response.status_code, prepared_request.method)


#: Requests that a session keeps ready.
KEPT = 256
#: In the place of an environment that a session does not look at.
_UNASKED: Any = object()

#: Settings that a session has from its class until it is given one.
_OF_THE_CLASS = frozenset(("timeout", "json_loads", "json_dumps"))

# What a user may override and the short way would pass over.
_OVERRIDABLE = (
    "prepare_request",
    "merge_environment_settings",
    "send",
    "request",
    "rebuild_auth",
    "resolve_redirects",
    "get_adapter",
)


class Session(SessionRedirectMixin):
    """
    Settings and connections for many requests.

    In a running event loop every method that sends returns an awaitable; `async with` closes the session.
    `requestx.blocking.Session` always blocks, `requestx.aio.Session` always awaits.
    A session may be shared by threads and event loops.

    Args:
        timeout, json_loads, json_dumps: set on it, as assigning them does; what is left out is the class's.
        **transport: given to the adapter that it begins with, as in `Session(http2=False)`; see `HTTPAdapter`.

    Raises:
        TypeError: one that `HTTPAdapter` does not know.
    """

    __attrs__: list[str] = [
        "headers",
        "cookies",
        "auth",
        "proxies",
        "hooks",
        "params",
        "verify",
        "cert",
        "adapters",
        "stream",
        "trust_env",
        "max_redirects",
        "timeout",
        "json_loads",
        "json_dumps",
    ]

    #: For calls that give none: seconds, a pair (connect, read), or `TimeLimits`; as in requests, none at first.
    timeout: _t.TimeoutType = None
    #: Decodes the text of a response in the place of `json.loads`.
    json_loads: Callable[..., Any] | None = None
    #: Encodes `json=` in the place of `json.dumps`; returns str or bytes.
    json_dumps: Callable[[Any], str | bytes] | None = None

    #: How flows are run; the blocking and the awaitable subclass have their own.
    _run: Callable[[Any], _t.ResponseOrAwaitable] = staticmethod(run)
    #: The same for a request that is ready, and what may follow it.
    _go: Callable[[Any, Any, Any, bool], _t.ResponseOrAwaitable] = staticmethod(go)
    _kept: dict[Any, _Kept]

    def __init__(
        self,
        *,
        timeout: _t.TimeoutType = None,
        json_loads: Callable[..., Any] | None = None,
        json_dumps: Callable[[Any], str | bytes] | None = None,
        **transport: Any,
    ) -> None:
        for name, value in (("timeout", timeout), ("json_loads", json_loads), ("json_dumps", json_dumps)):
            if value is not None:
                if name != "timeout" and not callable(value):
                    raise TypeError(f"{name} is called, and {value!r} cannot be")
                setattr(self, name, value)
        for name in transport:
            if name not in KEYWORDS:
                known = ", ".join(("timeout", "json_loads", "json_dumps", *KEYWORDS))
                raise TypeError(f"{type(self).__name__}() has no setting {name!r}: known are {known}")
        #: Sent with every request.
        self.headers: CaseInsensitiveDict[Any] = default_headers()
        #: A pair of user and password, or a callable.
        self.auth: _t.AuthType = None
        #: By scheme, or scheme and host.
        self.proxies: dict[str, str] = {}
        self.hooks: dict[str, list[_t.HookType]] = default_hooks()
        #: Added to every URL's query.
        self.params: MutableMapping[str, Any] = {}
        self.stream = False
        #: False not to verify, a path of CA certificates, or `certs.PLATFORM`.
        self.verify: _t.VerifyType = True
        #: Path of a client certificate, or a pair of certificate and key.
        self.cert: _t.CertType = None
        self.max_redirects = DEFAULT_REDIRECT_LIMIT
        #: Look at the environment for proxies, CA certificates and netrc.
        self.trust_env = True
        self.cookies: RequestsCookieJar = cookiejar_from_dict({})
        self.adapters: OrderedDict[str, BaseAdapter] = OrderedDict()
        adapter = HTTPAdapter(**transport)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: Any) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *args: Any) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        adapters = ", ".join(f"{prefix} {adapter!r}" for prefix, adapter in self.adapters.items())
        return f"<{type(self).__name__}: {adapters}>"

    def _overrides(self, name: str) -> bool:
        return name in self.__dict__ or getattr(type(self), name) is not _OWN[name]

    def _codec(self, name: str) -> Any:
        """
        `json_loads` or `json_dumps`, to be called with what it is to decode or encode.

        A class may name a plain function, as an instance may; a method is only what is written in the class as one.
        """
        found = getattr(self, name)
        function = getattr(found, "__func__", None)
        if function is None or found.__self__ is not self:
            return found
        home, _, own_name = function.__qualname__.rpartition(".")
        return found if own_name == name and home and not home.endswith("<locals>") else function

    def __setattr__(self, name: str, value: Any) -> None:
        # What is kept ready was made of these.
        object.__setattr__(self, name, value)
        self.__dict__["_kept"] = {}

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self.__dict__["_kept"] = {}

    def prepare_request(self, request: Request) -> PreparedRequest:
        """
        The PreparedRequest for a Request, with the session's settings merged in.
        """
        return drive(self._preparing(request))  # type: ignore[no-any-return]

    def _preparing(self, request: Request) -> Any:
        """
        The flow of `prepare_request`: only auth may have to be waited for.
        """
        cookies = request.cookies or {}
        if not hasattr(cookies, "set_cookie"):
            cookies = cookiejar_from_dict(cookies)
        merged = merge_cookies(merge_cookies(RequestsCookieJar(), self.cookies), cookies)
        prepared = PreparedRequest()
        if self.json_dumps is not None:
            prepared._json_dumps = self._codec("json_dumps")
        auth = request.auth
        if prepares_by_itself():
            yield Call(prepared.prepare, **self._arguments(request, auth, merged))
            return prepared
        prepared.prepare_method(request.method)
        prepared.prepare_url(request.url, merge_setting(request.params, self.params))
        if self.trust_env and not auth and not self.auth:
            auth = get_netrc_auth(prepared.url)
        prepared.prepare_headers(merge_setting(request.headers, self.headers, dict_class=CaseInsensitiveDict))
        prepared.prepare_cookies(merged)
        prepared.prepare_body(request.data, request.files, request.json)
        yield from _flow.authenticate(prepared, merge_setting(auth, self.auth))
        prepared.prepare_hooks(merge_hooks(request.hooks, self.hooks))
        return prepared

    def _arguments(self, request: Request, auth: Any, cookies: Any) -> dict[str, Any]:
        """
        What requests gives to `PreparedRequest.prepare`, for one that a user has put in the place of ours.
        """
        if self.trust_env and not auth and not self.auth:
            auth = get_netrc_auth(request.url)
        return {
            "method": request.method.upper() if request.method else None,
            "url": request.url,
            "files": request.files,
            "data": request.data,
            "json": request.json,
            "headers": merge_setting(request.headers, self.headers, dict_class=CaseInsensitiveDict),
            "params": merge_setting(request.params, self.params),
            "auth": merge_setting(auth, self.auth),
            "cookies": cookies,
            "hooks": merge_hooks(request.hooks, self.hooks),
        }

    def request(
        self,
        method: str,
        url: _t.UriType,
        params: _t.ParamsType = None,
        data: _t.DataType = None,
        headers: _t.HeadersType = None,
        cookies: _t.CookiesType = None,
        files: _t.FilesType = None,
        auth: _t.AuthType = None,
        timeout: _t.TimeoutType = None,
        allow_redirects: bool = True,
        proxies: _t.ProxiesType | None = None,
        hooks: _t.HooksInputType | None = None,
        stream: bool | None = None,
        verify: _t.VerifyType | None = None,
        cert: _t.CertType = None,
        json: _t.JsonType = None,
    ) -> _t.ResponseOrAwaitable:
        """
        Prepare a request, send it, and follow redirects.

        Args:
            method: GET, POST, or any other.
            url: the URL.
            params: added to the URL's query: mapping, pairs, str or bytes.
            data: the body: mapping or pairs for a form, str, bytes, file, iterable, or async iterable if awaited.
            headers: for this request, on top of the session's; None takes one away.
            cookies: for this request: dict or CookieJar.
            files: files for a multipart form.
            auth: (user, password) or a callable.
            timeout: seconds for connecting and between bytes, a pair of the two, or `TimeLimits`; the session's where
                it is left out, and none if that is None as well.
            allow_redirects: follow redirects.
            proxies: by scheme.
            hooks: event to hook.
            stream: return with the head; the body is read when it is asked for.
            verify: False not to verify the server's certificate, a path of CA certificates, or `certs.PLATFORM`.
            cert: path of a client certificate, or a pair of certificate and key.
            json: the body, as JSON.

        Returns:
            The Response; in a running event loop an awaitable of it.

        Raises:
            RequestException: what went wrong.
        """
        if not (params or data or headers or cookies or files or auth or hooks or stream or proxies) and json is None:
            key = (method, url, timeout, verify, cert)
            ready = self._ready_for(key, *key)
            if ready is not None:
                return self._go(ready, _flow.after, self, allow_redirects)
        settings = {
            "timeout": self.timeout if timeout is None else timeout,
            "allow_redirects": allow_redirects,
            "stream": stream,
            "verify": verify,
            "cert": cert,
            "proxies": proxies,
        }
        wanted = Request(method.upper(), url, headers, files, data or {}, params or {}, auth, cookies, hooks, json)
        return self._run(_flow.request(self, self._prepare_any(wanted), settings))

    def _ready_for(
        self, key: Any, method: Any, url: Any, timeout: Any = None, verify: Any = None, cert: Any = None
    ) -> Ready | None:
        """
        The request of a call that asks for nothing special, ready to be sent; None if the session asks for more.

        It is kept under `key` for as long as everything it was made of is as it was.
        """
        try:
            kept = self._kept.get(key)
            if kept is not None and kept.holds(self):
                return kept.ready
            if _is_plain(self):
                return self._make_ready(key, method, url, timeout, verify, cert)
        except (RequestException, CoreError, ValueError, TypeError, KeyError, AttributeError, OSError, RuntimeError):
            pass  # something of a user's in the place of ours, or what the long way says where it is awaited
        return None

    def _make_ready(self, key: Any, method: str, url: Any, timeout: Any, verify: Any, cert: Any) -> Ready | None:
        # Whoever changes a setting now puts another dict in the place of this one, and is not kept from being obeyed.
        shelf, version, json_loads = self._kept, self.headers._version, self.json_loads
        prepared_url = _urls.prepare(url)
        if self.auth or self.stream or any(self._overrides(name) for name in _OWN) or not is_own():
            return None
        if any(hasattr(type(self), name) for name in _SETTINGS) or type(self).__setattr__ is not _SETATTR:
            return None  # a setting may be another each time
        if type(url) is not str or "@" in prepared_url or method.upper() not in ("GET", "HEAD"):
            return None
        found: Any = _UNASKED
        if self.trust_env:
            found = _environ.environment()
            if found.proxies or _environ._SYSTEM_PROXIES or _netrc_auth(prepared_url, found):
                return None
        adapters = self.adapters.copy()
        if type(adapters) is not OrderedDict:  # whose comparison would not tell in which order prefixes are tried
            return None
        adapter = self.get_adapter(prepared_url)
        if type(adapter) is not HTTPAdapter or not adapter._is_simple():
            return None
        checked = PreparedRequest()
        checked.prepare_headers(merge_setting({}, self.headers, dict_class=CaseInsensitiveDict))
        settings = self.merge_environment_settings(prepared_url, {}, False, verify, cert)
        limits = (self.timeout if timeout is None else timeout, settings["verify"], settings["cert"])
        ready = Ready(adapter, method.upper(), prepared_url, checked.headers, limits)
        if json_loads is not None:
            ready.json_loads = self._codec("json_loads")
        if len(shelf) >= KEPT:
            shelf.clear()
        shelf[key] = _Kept(ready, version, adapters, found, self.timeout, json_loads)
        return ready

    def _prepare_any(self, wanted: Request) -> Any:
        if self._overrides("prepare_request"):
            return (yield Call(self.prepare_request, wanted))
        return (yield from self._preparing(wanted))

    def _complete(self, url: str, settings: dict[str, Any]) -> None:
        """
        Fill in what a call left open: from the environment and from the session.
        """
        settings.update(
            self.merge_environment_settings(
                url, settings["proxies"] or {}, settings["stream"], settings["verify"], settings["cert"]
            )
        )

    def merge_environment_settings(
        self,
        url: str,
        proxies: _t.ProxiesType | None,
        stream: bool | None,
        verify: _t.VerifyType | None,
        cert: _t.CertType,
    ) -> dict[str, Any]:
        """
        The settings of a call with those of the environment and the session beneath.
        """
        if self.trust_env:
            found = _environ.environment()
            if found.proxies or _environ._SYSTEM_PROXIES or get_environ_proxies is not _GET_ENVIRON_PROXIES:
                no_proxy = proxies.get("no_proxy") if proxies is not None else None
                theirs = get_environ_proxies(url, no_proxy=no_proxy)
                if theirs:
                    proxies = dict(theirs, **(proxies or {}))
            # A session told not to verify is not told otherwise by a variable (requests' oldest open bug).
            if (verify is True or verify is None) and self.verify not in (False, PLATFORM) and found.ca_bundle:
                verify = found.ca_bundle
        return {
            "proxies": merge_setting(proxies, self.proxies) if proxies or self.proxies else {},
            "stream": self.stream if stream is None else stream,
            "verify": self.verify if verify is None else verify,
            "cert": self.cert if cert is None else cert,
        }

    def get(
        self, url: _t.UriType, params: _t.ParamsType = None, **kwargs: Unpack[_t.GetKwargs]
    ) -> _t.ResponseOrAwaitable:
        """
        GET; arguments as `request`.
        """
        if params is None and not kwargs:
            ready = self._ready_for(url, "GET", url)
            if ready is not None:
                return self._go(ready, _flow.after, self, True)
        kwargs.setdefault("allow_redirects", True)
        return self.request("GET", url, params=params, **kwargs)

    def options(self, url: _t.UriType, **kwargs: Unpack[_t.RequestKwargs]) -> _t.ResponseOrAwaitable:
        """
        OPTIONS; arguments as `request`.
        """
        kwargs.setdefault("allow_redirects", True)
        return self.request("OPTIONS", url, **kwargs)

    def head(self, url: _t.UriType, **kwargs: Unpack[_t.RequestKwargs]) -> _t.ResponseOrAwaitable:
        """
        HEAD; arguments as `request`, but redirects are not followed unless asked.
        """
        kwargs.setdefault("allow_redirects", False)
        return self.request("HEAD", url, **kwargs)

    def post(
        self, url: _t.UriType, data: _t.DataType = None, json: _t.JsonType = None, **kwargs: Unpack[_t.PostKwargs]
    ) -> _t.ResponseOrAwaitable:
        """
        POST; arguments as `request`.
        """
        return self.request("POST", url, data=data, json=json, **kwargs)

    def put(self, url: _t.UriType, data: _t.DataType = None, **kwargs: Unpack[_t.DataKwargs]) -> _t.ResponseOrAwaitable:
        """
        PUT; arguments as `request`.
        """
        return self.request("PUT", url, data=data, **kwargs)

    def patch(
        self, url: _t.UriType, data: _t.DataType = None, **kwargs: Unpack[_t.DataKwargs]
    ) -> _t.ResponseOrAwaitable:
        """
        PATCH; arguments as `request`.
        """
        return self.request("PATCH", url, data=data, **kwargs)

    def delete(self, url: _t.UriType, **kwargs: Unpack[_t.RequestKwargs]) -> _t.ResponseOrAwaitable:
        """
        DELETE; arguments as `request`.
        """
        return self.request("DELETE", url, **kwargs)

    def send(self, request: PreparedRequest, **kwargs: Any) -> _t.ResponseOrAwaitable:
        """
        Send a PreparedRequest.

        Args:
            request: the PreparedRequest.
            **kwargs: stream, timeout, verify, cert, proxies, allow_redirects; the session's where they are left out.

        Returns:
            The Response; in a running event loop an awaitable of it.

        Raises:
            ValueError: it is a Request that was not prepared.
        """
        if isinstance(request, Request):
            raise ValueError("You can only send PreparedRequests.")
        kwargs.setdefault("stream", self.stream)
        kwargs.setdefault("verify", self.verify)
        kwargs.setdefault("cert", self.cert)
        if self.timeout is not None and kwargs.get("timeout") is None:
            kwargs["timeout"] = self.timeout
        if "proxies" not in kwargs:
            kwargs["proxies"] = resolve_proxies(request, self.proxies, self.trust_env)
        return self._run(_flow.send(self, request, kwargs))

    def _hop(self, request: Any, settings: dict[str, Any]) -> Any:
        if self._overrides("send"):
            return super()._hop(request, settings)
        return drive(_flow.send(self, request, dict(settings, allow_redirects=False)))

    def get_adapter(self, url: str) -> BaseAdapter:
        """
        The adapter for a URL: the one with the longest prefix of it.

        Raises:
            InvalidSchema: there is none.
        """
        for prefix, adapter in self.adapters.items():
            if url.startswith(prefix) or url.lower().startswith(prefix.lower()):
                return adapter
        raise InvalidSchema(f"No connection adapters were found for {url!r}")

    def mount(self, prefix: str, adapter: BaseAdapter) -> None:
        """
        Use an adapter for the URLs that begin with `prefix`.
        """
        self.adapters[prefix] = adapter
        for shorter in [other for other in self.adapters if len(other) < len(prefix)]:
            self.adapters[shorter] = self.adapters.pop(shorter)
        self.__dict__["_kept"] = {}

    def close(self) -> None:
        """
        Close the idle connections.
        """
        # One of ours serves both schemes, and is closed once.
        for adapter in {id(each): each for each in self.adapters.values()}.values():
            adapter.close()

    async def aclose(self) -> None:
        """
        The same, awaited; it never blocks.
        """
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        own = self.__dict__
        return {name: getattr(self, name, None) for name in self.__attrs__ if name in own or name not in _OF_THE_CLASS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)


_OWN = {name: getattr(Session, name) for name in _OVERRIDABLE}
#: What a session has of its own, unless a class makes a property of it.
_SETTINGS = [name for name in Session.__attrs__ if name not in _OF_THE_CLASS]
_SETATTR = Session.__setattr__
_SEND, _REQUEST, _GET_ADAPTER = Session.send, Session.request, Session.get_adapter
_PREPARE_REQUEST, _MERGE_ENVIRONMENT_SETTINGS = Session.prepare_request, Session.merge_environment_settings
_ADAPTER_SEND, _BUILD_RESPONSE = HTTPAdapter.send, HTTPAdapter.build_response
_ADD_HEADERS, _CERT_VERIFY = HTTPAdapter.add_headers, HTTPAdapter.cert_verify
_GET_CONNECTION = HTTPAdapter.get_connection_with_tls_context
_GET_NETRC_AUTH, _GET_ENVIRON_PROXIES = get_netrc_auth, get_environ_proxies


def _is_plain(session: Any) -> bool:
    """
    Whether no setting adds to a request, and nobody has put a method in the place of ours.
    """
    cls = type(session)
    return not (
        session.params
        or session.proxies
        or session.cookies._cookies
        or session.hooks["response"]
        or cls.send is not _SEND
        or cls.request is not _REQUEST
        or cls.get_adapter is not _GET_ADAPTER
        or cls.prepare_request is not _PREPARE_REQUEST
        or cls.merge_environment_settings is not _MERGE_ENVIRONMENT_SETTINGS
        or HTTPAdapter.send is not _ADAPTER_SEND
        or HTTPAdapter.build_response is not _BUILD_RESPONSE
        or HTTPAdapter.add_headers is not _ADD_HEADERS
        or HTTPAdapter.cert_verify is not _CERT_VERIFY
        or HTTPAdapter.get_connection_with_tls_context is not _GET_CONNECTION
        or get_netrc_auth is not _GET_NETRC_AUTH
        or get_environ_proxies is not _GET_ENVIRON_PROXIES
    )


class _Kept:
    """
    A request that is ready, and what it was made of, apart from the settings whose change empties the shelf.

    Args:
        ready: the request.
        version: of the session's headers.
        adapters: a copy of the session's.
        found: the environment, or `_UNASKED`.
        timeout: the session's, or its class's.
        json_loads: the same.
    """

    __slots__ = ("adapters", "found", "json_loads", "ready", "timeout", "version")

    def __init__(self, ready: Ready, version: int, adapters: Any, found: Any, timeout: Any, json_loads: Any) -> None:
        self.ready = ready
        self.version = version
        self.adapters = adapters
        self.timeout = timeout
        self.json_loads = json_loads
        self.found = None if found is not _UNASKED and _environ.silent_home(ready.secure) is not None else found

    def holds(self, session: Session) -> bool:
        """
        Whether everything is as it was.
        """
        ready, found = self.ready, self.found
        return (
            self.version == session.headers._version
            and self.adapters == session.adapters
            and ready.adapter._state is ready.state
            and self.timeout == session.timeout
            and self.json_loads == session.json_loads
            and _is_plain(session)
            and (found is _UNASKED or _is_quiet(found, ready.url, ready.secure))
        )


def session() -> Session:
    """
    A new Session; for old code.
    """
    return Session()


__all__ = [
    "DEFAULT_PORTS",
    "DEFAULT_REDIRECT_LIMIT",
    "REDIRECT_STATI",
    "HTTPAdapter",
    "PreparedRequest",
    "Request",
    "RequestsCookieJar",
    "Response",
    "Session",
    "SessionRedirectMixin",
    "codes",
    "dispatch_hook",
    "extract_cookies_to_jar",
    "get_auth_from_url",
    "get_environ_proxies",
    "get_netrc_auth",
    "merge_hooks",
    "merge_setting",
    "preferred_clock",
    "requote_uri",
    "rewind_body",
    "session",
    "should_bypass_proxies",
    "time",
    "timedelta",
    "to_native_string",
]
