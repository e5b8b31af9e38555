"""
requests' functions: one session for each call.

In a running event loop they return an awaitable; the session then lives as long as the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping

from . import _names, sessions
from ._flow import closing, one
from ._verbs import verbs

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from . import _types as _t
else:

    def __getattr__(name: str) -> Any:
        return _names.find(__name__, name)


#: Ours, whatever somebody puts in its place.
_Session = sessions.Session


def request(method: str, url: _t.UriType, **kwargs: Unpack[_t.RequestKwargs]) -> _t.ResponseOrAwaitable:
    """
    Send a request; see `Session.request` for the arguments.

    Returns:
        The Response; in a running event loop an awaitable of it.
    """
    made: _t.ResponseOrAwaitable = call(sessions.Session, method, url, kwargs)
    return made


def call(session_class: Any, method: str, url: _t.UriType, arguments: Mapping[str, Any]) -> Any:
    """
    One request on a session of its own, which is closed when the response is there.

    Args:
        session_class: whose world it is.
        method: of the request.
        url: of the request.
        arguments: those of `Session.request`.
    """
    session = session_class()
    if not isinstance(session, _Session) or session._overrides("request"):  # put in the place of ours
        with session as theirs:
            return theirs.request(method=method, url=url, **arguments)
    # Its flow is wanted, and nothing else of it: what a user put in the place of `send` runs flows of its own.
    session.__dict__.update(_run=lambda flow: flow, _go=one)
    flow: Any = session.request(method=method, url=url, **arguments)
    del session.__dict__["_run"], session.__dict__["_go"]
    return session._run(closing(session, flow))


def _request(method: str, url: _t.UriType, **kwargs: Any) -> _t.ResponseOrAwaitable:
    return request(method, url, **kwargs)  # looked up at each call: `api.request` is a name that tests patch


get, options, head, post, put, patch, delete = verbs(_request)
