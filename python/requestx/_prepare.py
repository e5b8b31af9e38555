"""
Request, what the caller asks for, and PreparedRequest, what is sent.

A PreparedRequest is made for every call, so it does as little as it can.
An attribute that was not set is the class's, hooks and cookies come into being when somebody looks at them
(`__getattr__`), and `sketch` makes one from parts that are already prepared.
Whoever only wants to know whether there are cookies or hooks asks `__dict__`.
"""

from __future__ import annotations

from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any, Iterable, Mapping

from . import _url
from ._body import encode_body, encode_files, encode_json, is_stream, measure, super_len, tell
from ._internal_utils import check_header_validity, is_field, to_native_string
from ._ops import Call
from .auth import HTTPBasicAuth
from .cookies import RequestsCookieJar, _copy_cookie_jar, cookiejar_from_dict, get_cookie_header
from .hooks import default_hooks
from .structures import CaseInsensitiveDict

if TYPE_CHECKING:
    from . import _types as _t

_NOT_YET: Any = None


class RequestHooksMixin:
    """
    What Request and PreparedRequest do with hooks.
    """

    hooks: dict[str, list[_t.HookType]]

    def register_hook(self, event: str, hook: Iterable[_t.HookType] | _t.HookType) -> None:
        """
        Add a hook, or the callable ones of several.

        Raises:
            ValueError: there is no such event.
        """
        if event not in self.hooks:
            raise ValueError(f'Unsupported event specified, with event name "{event}"')
        if callable(hook):
            self.hooks[event].append(hook)
        elif hasattr(hook, "__iter__"):
            self.hooks[event].extend(one for one in hook if callable(one))

    def deregister_hook(self, event: str, hook: _t.HookType) -> bool:
        """
        Remove a hook; False if it is not there.
        """
        try:
            self.hooks[event].remove(hook)
        except ValueError:
            return False
        return True


class RequestEncodingMixin:
    """
    What a PreparedRequest encodes.
    """

    url: str

    @property
    def path_url(self) -> str:
        """
        The path and query: what the request line names.
        """
        return _url.path_url(self.url or "")

    @staticmethod
    def _encode_params(data: Any) -> Any:
        return _url.encode_params(data)

    @staticmethod
    def _encode_files(files: Any, data: Any) -> tuple[Any, str]:
        return encode_files(files, data)


class Request(RequestHooksMixin):
    """
    A request as the caller describes it; `prepare` makes it one that can be sent.

    Args:
        method: the method.
        url: the URL, str or bytes.
        headers: mapping of names to values.
        files: files for a multipart form.
        data: pairs, mapping, str, bytes, file or iterable: the body.
        params: what is added to the URL's query.
        auth: (user, password) or a callable.
        cookies: dict or CookieJar.
        hooks: event to hook or hooks.
        json: what the body is, as JSON, if there is neither data nor files.
    """

    def __init__(
        self,
        method: str | None = None,
        url: _t.UriType | None = None,
        headers: _t.HeadersType = None,
        files: _t.FilesType = None,
        data: _t.DataType = None,
        params: _t.ParamsType = None,
        auth: _t.AuthType = None,
        cookies: _t.CookiesType = None,
        hooks: _t.HooksInputType | None = None,
        json: _t.JsonType = None,
    ) -> None:
        self.hooks: dict[str, list[_t.HookType]] = default_hooks()
        for event, hook in dict(hooks or {}).items():
            self.register_hook(event=event, hook=hook)
        self.method: str | None = method
        self.url: _t.UriType | None = url
        self.headers: Mapping[str, str | bytes | None] = {} if headers is None else headers
        self.files: _t.FilesType = [] if files is None else files
        self.data: _t.DataType = [] if data is None else data
        self.json: _t.JsonType = json
        self.params: _t.ParamsType = {} if params is None else params
        self.auth: _t.AuthType = auth
        self.cookies: _t.CookiesType = cookies

    def __repr__(self) -> str:
        return f"<Request [{self.method}]>"

    def prepare(self) -> PreparedRequest:
        """
        The PreparedRequest, without a session's settings.
        """
        prepared = PreparedRequest()
        prepared.prepare(
            method=self.method,
            url=self.url,
            headers=self.headers,
            files=self.files,
            data=self.data,
            json=self.json,
            params=self.params,
            auth=self.auth,
            cookies=self.cookies,
            hooks=self.hooks,
        )
        return prepared


class PreparedRequest(RequestEncodingMixin, RequestHooksMixin):
    """
    A request as it is sent: method, url, headers and body are exactly what goes out.

    Make one by `Request.prepare` or `Session.prepare_request`; it may be changed until it is sent.
    """

    # None until they are prepared, which no checker need know: who has a prepared one would be asked at each use.
    method: str = _NOT_YET
    url: str = _NOT_YET
    headers: CaseInsensitiveDict[Any] = _NOT_YET
    body: _t.BodyType = None
    _body_position: Any = None
    #: Set before `prepare`: the session's encoder for `json=`.
    _json_dumps: Any = None
    _cookies: Any

    def __getattr__(self, name: str) -> Any:
        if name == "hooks":
            value: Any = default_hooks()
        elif name == "_cookies":
            # As in requests, None before a request is prepared, a jar after it.
            value = RequestsCookieJar() if self.url is not None else None
        else:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        if value is not None:
            self.__dict__[name] = value
        return value

    def prepare(
        self,
        method: str | None = None,
        url: _t.UriType | None = None,
        headers: _t.HeadersType = None,
        files: _t.FilesType = None,
        data: _t.DataType = None,
        params: _t.ParamsType = None,
        auth: _t.AuthType = None,
        cookies: _t.CookiesType = None,
        hooks: _t.HooksInputType | None = None,
        json: _t.JsonType = None,
    ) -> None:
        """
        Prepare everything; the arguments are those of `Request`.
        """
        self.prepare_method(method)
        self.prepare_url(url, params)
        self.prepare_headers(headers)
        self.prepare_cookies(cookies)
        self.prepare_body(data, files, json)
        # Auth signs what is there, so it comes after all of that; it may add hooks, and the caller's come last.
        self.prepare_auth(auth, url)
        self.prepare_hooks(hooks)

    def __repr__(self) -> str:
        return f"<PreparedRequest [{self.method}]>"

    def copy(self) -> PreparedRequest:
        """
        A copy with headers and cookies of its own; body and hooks are shared.
        """
        new = PreparedRequest()
        state, mine = new.__dict__, self.__dict__
        for name in ("method", "url", "body", "hooks", "_body_position", "_json_dumps", "_digest_given", "_reader"):
            if name in mine:
                state[name] = mine[name]
        if self.headers is not None:
            state["headers"] = self.headers.copy()
        if mine.get("_cookies") is not None:
            state["_cookies"] = _copy_cookie_jar(mine["_cookies"])
        return new

    def prepare_method(self, method: str | None) -> None:
        """
        The method, in upper case.
        """
        self.method = _NOT_YET if method is None else to_native_string(method.upper())

    def prepare_url(self, url: _t.UriType | None, params: _t.ParamsType) -> None:
        """
        The URL; see `_url.prepare`.
        """
        self.url = _url.prepare(url, params, self._encode_params)

    def prepare_headers(self, headers: _t.HeadersType) -> None:
        """
        The headers, each checked.

        Raises:
            InvalidHeader: one of them cannot be sent.
        """
        self.headers = CaseInsensitiveDict()
        if headers:
            store = self.headers._store
            for name, value in headers.items():
                if type(name) is not str or type(value) is not str or not is_field(name, value):
                    check_header_validity((name, value))
                    name = to_native_string(name)
                store[name.lower()] = (name, value)

    def prepare_body(self, data: _t.DataType, files: _t.FilesType, json: _t.JsonType = None) -> None:
        """
        The body, and the headers that describe it.

        Raises:
            InvalidJSONError: `json` has no JSON.
            NotImplementedError: `data` is a stream and there are files too.
        """
        if is_stream(data):
            self._prepare_stream(data, files)
            return
        if not data and not files and json is not None:
            body, content_type = encode_json(json, self._json_dumps, self), "application/json"
        else:
            body, content_type = encode_body(data, files, self)  # type: ignore[assignment]
        self._body_position = tell(body) if files else None
        self.prepare_content_length(body)
        if content_type and "content-type" not in self.headers:
            self.headers["Content-Type"] = content_type
        self.body = body

    def _prepare_stream(self, data: Any, files: Any) -> None:
        length, self._body_position = measure(data)
        if files:
            raise NotImplementedError("Streamed bodies and files are mutually exclusive.")
        if length:
            self.headers["Content-Length"] = str(length)
        elif "Content-Length" not in self.headers:
            # Who gives a length for a generator means it: both headers would be two framings of one body.
            self.headers["Transfer-Encoding"] = "chunked"
        self.body = data

    def prepare_content_length(self, body: _t.BodyType) -> None:
        """
        Content-Length for a body whose length is known, and "0" without one where the method may have one.
        """
        if body is not None:
            length = super_len(body)
            if length:
                self.headers["Content-Length"] = str(length)
        elif self.method not in ("GET", "HEAD") and self.headers.get("Content-Length") is None:
            self.headers["Content-Length"] = "0"

    def prepare_auth(self, auth: _t.AuthType, url: _t.UriType | None = "") -> None:
        """
        Have the request authenticated: by `auth`, or by the user and password in its URL.
        """
        handler = self.auth_handler(auth)
        if handler is not None:
            self.take_auth(Call(handler, self).perform())

    def auth_handler(self, auth: Any) -> Any:
        """
        The callable that authenticates this request, or None; the flow calls it where it may be awaited.
        """
        if auth is None:
            found = _url.get_auth_from_url(self.url)
            auth = found if any(found) else None
        if not auth:
            return None
        return HTTPBasicAuth(*auth) if isinstance(auth, tuple) and len(auth) == 2 else auth

    def take_auth(self, request: Any) -> None:
        """
        Take over the request that an auth callable returned; it may have changed the body.
        """
        if request is not self:
            self.__dict__.update(request.__dict__)
        self.prepare_content_length(self.body)

    def prepare_cookies(self, cookies: _t.CookiesType) -> None:
        """
        The Cookie header, from a jar or dict; one that is already there stays.
        """
        if isinstance(cookies, CookieJar):
            self._cookies = cookies
        elif cookies:
            self._cookies = cookiejar_from_dict(cookies)
        else:
            return
        header = get_cookie_header(self._cookies, self)
        if header is not None:
            self.headers["Cookie"] = header

    def prepare_hooks(self, hooks: _t.HooksInputType | None) -> None:
        """
        Register the hooks.
        """
        for event, hook in (hooks or {}).items():
            if hook or event != "response":
                self.register_hook(event, hook)


# Ours, whatever somebody puts in the place of it.
_PREPARE, _PREPARE_AUTH = PreparedRequest.prepare, PreparedRequest.prepare_auth
_OWN = {name: value for name, value in vars(PreparedRequest).items() if name.startswith("prepare")}


def is_own() -> bool:
    """
    Whether nobody has put another in the place of a method of PreparedRequest that prepares.
    """
    return all(getattr(PreparedRequest, name) is ours for name, ours in _OWN.items())


def prepares_by_itself() -> bool:
    """
    Whether somebody has put another in the place of `PreparedRequest.prepare`, which the flow does without.
    """
    return PreparedRequest.prepare is not _PREPARE


def signs_by_itself() -> bool:
    """
    The same of `prepare_auth`.
    """
    return PreparedRequest.prepare_auth is not _PREPARE_AUTH


def sketch(method: str, url: str, headers: CaseInsensitiveDict[Any]) -> PreparedRequest:
    """
    A PreparedRequest without body, auth, cookies or hooks, from parts that are prepared already.

    Args:
        method: in upper case.
        url: prepared.
        headers: checked; the request's own from now on.
    """
    new = PreparedRequest.__new__(PreparedRequest)
    new.method = method
    new.url = url
    new.headers = headers
    return new
