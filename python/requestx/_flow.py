"""
What a session does with a request, written once for both worlds.

Each function here is a generator: it yields ops (`_ops.py`) where something has to be waited for, and a driver
(`_drive.py`) sends the results back. Nothing here waits, and nothing here knows in which world it runs.

The order of a request:

    after     what follows the answer to a request that a session kept ready: mostly nothing
    request   a session's defaults are merged with the call's, the request is prepared, auth signs it
    send      it goes through its adapter; cookies are kept, hooks are called, redirects followed
    follow    one redirect after the other, each a `send` of its own

What costs nothing when it is not there is asked for first: hooks, cookies, auth, a redirect.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Generator

from . import _redirect
from ._body import has_to_be_rewound, rewind
from ._limits import begun
from ._ops import Call, Drain, Read, Send
from ._prepare import signs_by_itself
from .cookies import drop_call_cookies, extract_cookies_to_jar, merge_cookies
from .exceptions import InvalidURL, RequestException, TooManyRedirects, name_request

Flow = Generator[Any, Any, Any]

#: More of a redirect's body than this is not read: closing the connection is cheaper.
DRAIN_LIMIT = 64 * 1024

_REDIRECTS = frozenset(_redirect.REDIRECT_STATI)


def request(session: Any, prepare: Any, settings: dict[str, Any]) -> Flow:
    """
    The whole of a call: prepare and send.

    Args:
        session: the Session.
        prepare: a flow whose result is the PreparedRequest.
        settings: of `send`, those of the call.
    """
    settings["timeout"] = begun(settings["timeout"])
    prepared = yield from prepare
    session._complete(prepared.url, settings)
    if session._overrides("send"):
        return (yield Call(session.send, prepared, **settings))
    return (yield from send(session, prepared, settings))


def after(ready: Any, session: Any, allowed: bool, response: Any) -> Flow | None:
    """
    What follows the answer to a request that was ready: nothing, or the way of all others.

    Args:
        ready: the op that sent the request.
        session: the Session.
        allowed: follow redirects.
        response: its answer.
    """
    if response.__dict__["_settled"]:
        return None
    timeout, verify, cert = ready.settings
    timeout = begun(timeout, lambda: response._reply.timings.total)
    settings = {"stream": False, "timeout": timeout, "verify": verify, "cert": cert, "proxies": {}}
    return settle(session, response.request, response, settings, allowed)


def authenticate(prepared: Any, auth: Any) -> Flow:
    """
    Have a prepared request signed; an auth object of a user's may be awaited.
    """
    if signs_by_itself():
        yield Call(prepared.prepare_auth, auth)
        return
    handler = prepared.auth_handler(auth)
    if handler is None:
        return
    if type(handler).__module__.startswith("requestx."):
        prepared.take_auth(handler(prepared))
    else:
        prepared.take_auth((yield Call(handler, prepared)))


def send(session: Any, prepared: Any, settings: dict[str, Any], follow_redirects: bool = True) -> Flow:
    """
    Send a prepared request, and follow where it leads.

    Args:
        session: the Session; its adapters, cookies and limits.
        prepared: the PreparedRequest.
        settings: stream, timeout, verify, cert, proxies; and allow_redirects. They are the flow's own.
        follow_redirects: False if the caller follows them itself.
    """
    allowed = settings.pop("allow_redirects", True)
    if "timeout" in settings:
        settings["timeout"] = begun(settings["timeout"])
    try:
        response = yield Send(session.get_adapter(url=prepared.url), prepared, settings)
    except RequestException as error:
        name_request(error, prepared)
        raise
    if session.json_loads is not None:
        response._json_loads = session._codec("json_loads")
    if "hooks" in prepared.__dict__:
        response = yield from _call_hooks(prepared, response, settings)
    return (yield from settle(session, prepared, response, settings, allowed, follow_redirects))


def settle(
    session: Any, prepared: Any, response: Any, settings: dict[str, Any], allowed: bool, last: bool = True
) -> Flow:
    """
    What follows an answer: its cookies are kept, its redirect is followed, its body read.

    Args:
        session: the Session.
        prepared: the request that was answered.
        response: the answer.
        settings: it was sent with.
        allowed: follow redirects.
        last: False for an answer on the way, whose caller sees to the rest.
    """
    reply = response.__dict__.get("_reply")
    if reply is None or reply.sets_cookies or response.__dict__.get("history"):
        _keep_cookies(session, prepared, response)
    if not last:
        return response
    if response.status_code in _REDIRECTS:
        if session._overrides("resolve_redirects"):
            response = yield from _follow_theirs(session, response, prepared, settings, allowed)
        elif not allowed:
            response._next = _next_of(session, response, prepared, settings)
        else:
            response = yield from follow(session, response, prepared, settings)
        reply = response.__dict__.get("_reply")
    if not settings.get("stream"):
        if reply is None or reply.stream is not None or not response._taken():
            yield Read(response)
    return response


def closing(session: Any, flow: Flow) -> Flow:
    """
    Run a flow on a session that ends with it.
    """
    try:
        return (yield from flow)
    finally:
        session.close()


def one(op: Any, rest: Any, session: Any, allowed: bool) -> Flow:
    """
    The flow of one op and what `rest` says of its result (see `after`): a flow, or None.
    """
    result = yield op
    following = rest(op, session, allowed, result)
    return result if following is None else (yield from following)


def _call_hooks(prepared: Any, response: Any, settings: dict[str, Any]) -> Flow:
    for hook in prepared.hooks.get("response") or ():
        ours = getattr(hook, "_flow", None)  # of our own auth objects
        if ours is not None:
            changed = yield from ours(hook.__self__, response, settings)
        else:
            changed = yield Call(hook, response, **settings)
        if changed is not None:
            response = changed
    return response


def _keep_cookies(session: Any, prepared: Any, response: Any) -> None:
    for earlier in response.history:
        extract_cookies_to_jar(session.cookies, earlier.request, earlier.raw)
    extract_cookies_to_jar(session.cookies, prepared, response.raw)


def _next_of(session: Any, response: Any, prepared: Any, settings: dict[str, Any]) -> Any:
    """
    The request that would follow, for `Response.next`; None if the server named no place that can be asked.
    """
    target = session.get_redirect_target(response)
    try:
        return _redirected(session, response, prepared, target, dict(settings))[0] if target else None
    except InvalidURL:
        return None


def follow(session: Any, response: Any, prepared: Any, settings: dict[str, Any]) -> Flow:
    """
    Follow redirects to their end; the result is the last response, with the others as its history.

    Raises:
        TooManyRedirects: more than the session allows; the response is the last one.
    """
    history: list[Any] = []
    target = session.get_redirect_target(response)
    while target:
        history.append(response)
        yield from drain(response, settings)
        if len(history) > session.max_redirects:
            if history[1:]:  # as in requests, where the first was to be followed
                response._next = _next_of(session, response, prepared, settings)
            raise TooManyRedirects(f"Exceeded {session.max_redirects} redirects.", response=response)
        prepared, settings = _redirected(session, response, prepared, target, settings)
        if history[1:]:  # as in requests, where the first was to be followed
            response._next = prepared
        if session._overrides("send"):
            response = yield Call(session.send, prepared, allow_redirects=False, **settings)
        else:
            response = yield from send(session, prepared, dict(settings), follow_redirects=False)
        response.history = history[:]
        target = session.get_redirect_target(response)
    return response


def _follow_theirs(session: Any, response: Any, prepared: Any, settings: dict[str, Any], allowed: bool) -> Flow:
    """
    Follow redirects as a user's own `resolve_redirects` does, or ask it for the request that would follow.
    """
    asked = settings if allowed else dict(settings, yield_requests=True)
    most = None if allowed else 1
    found = yield Call(lambda: list(islice(session.resolve_redirects(response, prepared, **asked), most)))
    if not allowed:
        response._next = found[0] if found else None
    elif found:
        *between, last = found
        last.history = [response, *between]
        return last
    return response


def drain(response: Any, settings: dict[str, Any]) -> Flow:
    """
    Read what a redirect's body has, within bounds, so that its connection can be used again.
    """
    reply = response.__dict__.get("_reply")
    if reply is not None and reply.stream is None and response._taken():
        return
    if not hasattr(response.raw, "anext"):  # a user's adapter
        yield Read(response)
    elif settings.get("stream"):
        yield Drain(response, DRAIN_LIMIT)
    else:
        response.close()  # it was read as far as a redirect's body is worth reading


def _redirected(
    session: Any, response: Any, earlier: Any, target: str, settings: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """
    The request that a redirect asks for, and its settings.
    """
    prepared = earlier.copy()
    prepared.url = _redirect.target(response.url, target)
    session.rebuild_method(prepared, response)
    if not _redirect.same_host(earlier.url, prepared.url) and prepared.__dict__.get("_cookies") is not None:
        drop_call_cookies(prepared._cookies, session.cookies)
    _redirect.strip_headers(prepared.headers, earlier.url, prepared.url, response.status_code)
    if not _redirect.keeps_body(response.status_code):
        prepared.body = None
    jar = prepared._cookies
    extract_cookies_to_jar(jar, earlier, response.raw)
    merge_cookies(jar, session.cookies)
    prepared.prepare_cookies(jar)
    settings = dict(settings)
    settings["proxies"] = session.rebuild_proxies(prepared, settings.get("proxies"))
    session.rebuild_auth(prepared, response)
    if has_to_be_rewound(prepared) and (
        "Content-Length" in prepared.headers or "Transfer-Encoding" in prepared.headers
    ):
        rewind(prepared, response)
    return prepared, settings
