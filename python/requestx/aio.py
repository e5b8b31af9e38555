"""
requests' API that always gives an awaitable, also where no event loop is running yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import sessions
from ._drive import Awaitable, await_flow, await_op
from ._verbs import verbs
from .api import call

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from . import _types as _t

    class _Session(_t.SessionOf[Awaitable], sessions.Session):  # type: ignore[misc]
        """
        A checker would have neither in the place of the other.
        """

else:
    _Session = sessions.Session


class Session(_Session):
    """
    A Session whose calls are always awaited.
    """

    _run: Any = staticmethod(await_flow)
    _go: Any = staticmethod(await_op)


def request(method: str, url: _t.UriType, **kwargs: Unpack[_t.RequestKwargs]) -> Awaitable:
    """
    An awaitable that sends a request and gives the Response; see `Session.request` for the arguments.
    """
    made: Awaitable = call(Session, method, url, kwargs)
    return made


def _request(method: str, url: _t.UriType, **kwargs: Any) -> Awaitable:
    return request(method, url, **kwargs)  # looked up at each call, as in `api`


def session() -> Session:
    """
    A new Session; for old code.
    """
    return Session()


get, options, head, post, put, patch, delete = verbs(_request)

__all__ = ["Session", "delete", "get", "head", "options", "patch", "post", "put", "request", "session"]
