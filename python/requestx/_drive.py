"""
The two drivers of a flow, and the only place where sync or awaitable is decided.

A flow is a generator that yields ops (`_ops.py`). `drive` performs them in a plain loop, `adrive` in an awaiting one;
`run` picks: in a running event loop the caller gets an `Awaitable`, else the result.
"""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Generator

from ._loops import in_trio

if TYPE_CHECKING:
    from .models import Response

_modules = sys.modules
# asyncio's, once it is imported; for trio it is asked whether that is.
_get_running_loop: Any = None

Flow = Generator[Any, Any, Any]


def run(flow: Flow) -> Any:
    """
    The flow's result, or in a running event loop an `Awaitable` of it.
    """
    if (_get_running_loop or _find_asyncio)() is not None or ("trio" in _modules and in_trio()):
        return await_flow(flow)
    return drive(flow)


def go(op: Any, rest: Any, session: Any, allowed: bool) -> Any:
    """
    Perform one op, and after it the flow that `rest` makes of its result; most often there is none.

    Args:
        op: what to perform.
        rest: called with the op, the next two arguments and the op's result; returns a flow or None.
        session: for `rest`.
        allowed: for `rest`.

    Returns:
        The result, or in a running event loop an `Awaitable` of it.
    """
    if (_get_running_loop or _find_asyncio)() is not None or ("trio" in _modules and in_trio()):
        return Awaitable(op.ago(rest, session, allowed))
    return block_on_op(op, rest, session, allowed)


def _find_asyncio() -> Any:
    """
    The running loop; who has not imported asyncio runs none, and need not pay for it.
    """
    global _get_running_loop
    if "asyncio.events" not in _modules:
        return None
    import asyncio

    _get_running_loop = asyncio._get_running_loop
    return _get_running_loop()


def drive(flow: Flow) -> Any:
    """
    Perform a flow's ops one after the other, blocking.

    Returns:
        What the flow returns.

    Raises:
        Exception: what an op raised and the flow did not catch.
    """
    resume: Any = flow.send
    value: Any = None
    try:
        while True:
            op = resume(value)
            try:
                value = op.perform()
                resume = flow.send
            except BaseException as error:
                value, resume = error, flow.throw
    except StopIteration as stop:
        return stop.value
    except RuntimeError as error:
        stopped = _stopped(error, value)
        if stopped is None:
            raise
    finally:
        value = None  # an error's traceback leads back here: in a cycle the two would keep all that the call held
    raise stopped


def _stopped(error: RuntimeError, thrown: Any) -> StopIteration | None:
    """
    The StopIteration of a user's that a generator of ours turned into a RuntimeError (PEP 479), or None.

    A coroutine cannot raise one at all, so where a call is awaited it stays what Python makes of it there.

    Args:
        error: what came out of the flow.
        thrown: what was thrown into it last.
    """
    cause = error.__cause__
    ours = error is not thrown and error.args == ("generator raised StopIteration",)
    return cause if ours and isinstance(cause, StopIteration) else None


async def adrive(flow: Flow) -> Any:
    """
    Perform a flow's ops one after the other, awaiting each.
    """
    resume: Any = flow.send
    value: Any = None
    try:
        while True:
            op = resume(value)
            try:
                value = await op.aperform()
                resume = flow.send
            except BaseException as error:
                value, resume = error, flow.throw
    except StopIteration as stop:
        return stop.value
    finally:
        value = None  # as in `drive`


class NotAwaited(AttributeError):
    """
    A response's attribute was asked of a call that nobody has awaited.
    """


# What the interpreter calls it when it was never awaited.
adrive.__qualname__ = "requestx call"


def await_flow(flow: Flow) -> Awaitable:
    """
    An `Awaitable` of the flow's result, whether a loop is running or not.
    """
    return Awaitable(adrive(flow))


def await_op(op: Any, rest: Any, session: Any, allowed: bool) -> Awaitable:
    """
    The same for one op and what follows it; arguments as for `go`.
    """
    return Awaitable(op.ago(rest, session, allowed))


def block_on_op(op: Any, rest: Any, session: Any, allowed: bool) -> Any:
    """
    Perform one op and what follows it, blocking; arguments as for `go`.
    """
    result = op.perform()
    following = rest(op, session, allowed, result)
    return result if following is None else drive(following)


if TYPE_CHECKING:
    _Coroutine = Coroutine[Any, Any, Response]
else:
    _Coroutine = Coroutine


class Awaitable(_Coroutine):
    """
    A call in a running event loop: await it, or enter it with ``async with``. Nothing is sent before that.

    It is a `Coroutine`, so that `create_task`, `gather` and `wait_for` take it, and trio's nurseries the method. The
    coroutine within sees to the rest: it warns when it was never awaited, and refuses to be awaited twice.
    """

    __slots__ = ("__weakref__", "_coroutine", "_response")

    #: What asyncio calls it, in a task that it shows.
    __name__ = "requestx call"

    _response: Response

    def __init__(self, coroutine: Any) -> None:
        self._coroutine: Any = coroutine

    def send(self, value: Any) -> Any:
        """
        Resume, as a coroutine's `send`.
        """
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        """
        Raise inside, as a coroutine's `throw`.
        """
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """
        Give the call up.
        """
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, Response]:
        waiting: Generator[Any, Any, Response] = self._coroutine.__await__()
        return waiting

    async def __aenter__(self) -> Response:
        self._response = await self._coroutine
        return self._response

    async def __aexit__(self, *error: Any) -> None:
        close = getattr(self._response, "aclose", None)
        if close is not None:
            await close()

    if not TYPE_CHECKING:  # a checker says it before

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__") or name in ("_response", "cr_await", "cr_frame", "cr_running", "cr_code"):
                raise AttributeError(name)
            raise NotAwaited(f"this call was not awaited yet: write `(await ...).{name}`, or await it first")

    def __repr__(self) -> str:
        frame = self._coroutine.cr_frame
        started = frame is None or getattr(self._coroutine, "cr_suspended", frame.f_lasti >= 0)
        return f"<requestx call, {'awaited' if started else 'not awaited'}>"
