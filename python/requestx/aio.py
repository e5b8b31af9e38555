"""
requests' API that always gives an awaitable, also where no event loop is running yet.
"""

from __future__ import annotations

from typing import Any

from . import sessions
from ._drive import await_flow, await_op
from ._verbs import verbs
from .api import call


class Session(sessions.Session):
    """
    A Session whose calls are always awaited.
    """

    _run = staticmethod(await_flow)
    _go = staticmethod(await_op)


def request(method: Any, url: Any, **kwargs: Any) -> Any:
    """
    An awaitable that sends a request and gives the Response; see `Session.request` for the arguments.
    """
    return call(Session, method, url, kwargs)


def _request(method: Any, url: Any, **kwargs: Any) -> Any:
    return request(method, url, **kwargs)  # looked up at each call, as in `api`


def session() -> Session:
    """
    A new Session; for old code.
    """
    return Session()


get, options, head, post, put, patch, delete = verbs(_request)

__all__ = ["Session", "delete", "get", "head", "options", "patch", "post", "put", "request", "session"]
