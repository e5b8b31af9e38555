"""
The two drivers of a flow, and the only place where sync or awaitable is decided.

A flow is a generator that yields ops (`_ops.py`). `drive` performs them in a plain loop, `adrive` in an awaiting one;
`run` picks: in a running event loop the caller gets an `Awaitable`, else the result.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Coroutine
from typing import Any, Generator

_get_running_loop: Any = None

Flow = Generator[Any, Any, Any]


def run(flow: Flow) -> Any:
    """
    The flow's result, or in a running event loop an `Awaitable` of it.
    """
    if (_get_running_loop or _find_asyncio)() is None:
        return drive(flow)
    return Awaitable(flow)


def _find_asyncio() -> Any:
    """
    The running loop; who has not imported asyncio runs none, and need not pay for it.
    """
    global _get_running_loop
    if "asyncio.events" not in sys.modules:
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
    resume, value = flow.send, None
    try:
        while True:
            op = resume(value)
            try:
                value = op.perform()
                resume = flow.send
            except BaseException as error:
                value, resume = error, flow.throw  # type: ignore[assignment]
    except StopIteration as stop:
        return stop.value


async def adrive(flow: Flow) -> Any:
    """
    Perform a flow's ops one after the other, awaiting each.
    """
    resume, value = flow.send, None
    try:
        while True:
            op = resume(value)
            try:
                value = await op.aperform()
                resume = flow.send
            except BaseException as error:
                value, resume = error, flow.throw  # type: ignore[assignment]
    except StopIteration as stop:
        return stop.value


class NotAwaited(AttributeError):
    """
    A response's attribute was asked of a call that nobody has awaited.
    """


class Awaitable(Coroutine):  # type: ignore[type-arg]
    """
    A call in a running event loop: await it, or enter it with ``async with``. Nothing is sent before that.

    It is a `Coroutine`, so that `asyncio.create_task`, `gather` and `wait_for` take it.
    """

    __slots__ = ("__weakref__", "_coroutine", "_flow", "_response")

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._coroutine: Any = None
        self._response: Any = None

    def _start(self) -> Any:
        if self._coroutine is None:
            self._coroutine = adrive(self._flow)
        return self._coroutine

    def send(self, value: Any) -> Any:
        """
        Resume, as a coroutine's `send`.
        """
        return self._start().send(value)

    def throw(self, *error: Any) -> Any:
        """
        Raise inside, as a coroutine's `throw`.
        """
        return self._start().throw(*error)

    def close(self) -> None:
        """
        Give the call up.
        """
        self._start().close()
        self._flow.close()

    def __await__(self) -> Any:
        if self._coroutine is not None:
            raise RuntimeError("cannot reuse an already awaited call of requestx")
        return self._start().__await__()

    async def __aenter__(self) -> Any:
        self._response = await self
        return self._response

    async def __aexit__(self, *error: Any) -> None:
        close = getattr(self._response, "aclose", None)
        if close is not None:
            await close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("cr_await", "cr_frame", "cr_running", "cr_code", "gi_yieldfrom"):
            raise AttributeError(name)
        raise NotAwaited(f"this call was not awaited yet: write `(await ...).{name}`, or await it first")

    def __repr__(self) -> str:
        state = "not awaited" if self._coroutine is None else "awaited"
        return f"<requestx call, {state}>"

    def __del__(self) -> None:
        if self._coroutine is None and not sys.is_finalizing():
            self._flow.close()
            warnings.warn(
                "a call of requestx was never awaited: nothing was sent", RuntimeWarning, stacklevel=2, source=self
            )
