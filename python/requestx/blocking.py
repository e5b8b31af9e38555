"""
requests' API that always blocks, also in a running event loop: for notebooks, and for sync libraries under a loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import sessions
from ._drive import block_on_op, drive
from ._verbs import verbs
from .api import call

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from . import _types as _t
    from .models import Response

    class _Session(_t.SessionOf[Response], sessions.Session):  # type: ignore[misc]
        """
        A checker would have neither in the place of the other.
        """

else:
    _Session = sessions.Session


class Session(_Session):
    """
    A Session whose calls always block.
    """

    _run = staticmethod(drive)
    _go = staticmethod(block_on_op)


def request(method: str, url: _t.UriType, **kwargs: Unpack[_t.RequestKwargs]) -> Response:
    """
    Send a request and wait for the Response; see `Session.request` for the arguments.
    """
    made: Response = call(Session, method, url, kwargs)
    return made


def _request(method: str, url: _t.UriType, **kwargs: Any) -> Response:
    return request(method, url, **kwargs)  # looked up at each call, as in `api`


def session() -> Session:
    """
    A new Session; for old code.
    """
    return Session()


get, options, head, post, put, patch, delete = verbs(_request)

__all__ = ["Session", "delete", "get", "head", "options", "patch", "post", "put", "request", "session"]
