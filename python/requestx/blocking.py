"""
requests' API that always blocks, also in a running event loop: for notebooks, and for sync libraries under a loop.
"""

from __future__ import annotations

from typing import Any

from . import sessions
from ._drive import block_on_op, drive
from ._verbs import verbs
from .api import call


class Session(sessions.Session):
    """
    A Session whose calls always block.
    """

    _run = staticmethod(drive)
    _go = staticmethod(block_on_op)


def request(method: Any, url: Any, **kwargs: Any) -> Any:
    """
    Send a request and wait for the Response; see `Session.request` for the arguments.
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
