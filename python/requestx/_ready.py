"""
A request that is sent again and again as it is.

Most calls of a session differ in nothing but the moment. Then all that comes before the wire is done once: the head is
one text, the core has parsed its URL and options, and only the answer is new. `Session._ready_for` decides when that
is so; this is the op of the flow that sends it, blocking or awaited, and the PreparedRequest and most of the Response
are made when somebody looks.

Everything here is on the way of every such call, so it does without what is not needed by all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _core
from ._core import CoreError
from ._drive import adrive
from ._head import head_of
from ._prepare import sketch
from ._way import Way
from .exceptions import told
from .models import Response

if TYPE_CHECKING:
    from .adapters import HTTPAdapter

_new = object.__new__


class Ready:
    """
    A request without a body that was prepared once and is sent as it is, as often as its session stays the same.

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
        head, _ = head_of(self, self.url)
        method, url, *fields = head.split(b"\n")
        names = iter(fields)
        self.client = self.adapter._client
        options = self.adapter._state.options(self.adapter, Way(self.url), *self.settings)
        self.shot = _core.Shot(method, url, zip(names, names), options)

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
                raise told(error, self.request()) from error
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
        wake: Any = None
        token = 0
        try:
            wake = running_wake()
            token, future = wake.launch(self.client, self.shot)
            reply = await future
        except CoreError as error:
            future = None  # it holds the error, whose traceback leads back here
            if error.kind != _core.FORKED:
                raise told(error, self.request()) from error
            self._reload()
            return await self.ago(rest, session, allowed)
        except BaseException:
            if token:
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


def running_wake() -> Any:
    """
    The running loop's Wake.

    It is asked for with each call, and programs that never await do without its module: so the first call puts the
    real one in the place of this.
    """
    from ._wake import wake_of

    globals()["running_wake"] = wake_of
    return wake_of()
