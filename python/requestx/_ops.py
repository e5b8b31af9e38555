"""
What a flow may ask for: the few things that differ between the two worlds.

A flow yields an op and is sent its result; `_drive.py` performs it, blocking or awaiting.
The rule: an op says what is wanted, and both ways to do it stand side by side in it, so that neither is forgotten.
"""

from __future__ import annotations

import contextvars
from datetime import timedelta
from functools import partial
from time import perf_counter
from typing import Any, Callable

from . import _loops
from ._retry import pause


class Send:
    """
    Send a prepared request through an adapter; the result is the response.

    Args:
        adapter: with `send`, and if it is ours with `asend`.
        request: the PreparedRequest.
        settings: stream, timeout, verify, cert and proxies.
    """

    __slots__ = ("adapter", "request", "settings")

    def __init__(self, adapter: Any, request: Any, settings: dict[str, Any]) -> None:
        self.adapter = adapter
        self.request = request
        self.settings = settings

    def perform(self) -> Any:
        """
        Blocking: the adapter's own `send`, whoever wrote it.
        """
        began = perf_counter()
        response = self.adapter.send(self.request, **self.settings)
        response.elapsed = timedelta(seconds=perf_counter() - began)
        return response

    async def aperform(self) -> Any:
        """
        Awaited: the private twin of our own `send`; one that a user wrote runs in a worker thread.
        """
        twin = getattr(self.adapter, "_asend_if_own", None)
        send = twin() if twin is not None else None
        began = perf_counter()
        if send is not None:
            response = await send(self.request, **self.settings)
        else:
            response = await call(self.adapter.send, self.request, **self.settings)
        response.elapsed = timedelta(seconds=perf_counter() - began)
        return response


class Drain:
    """
    Read a response's body to its end, or close it where `limit` bytes are not enough.
    """

    __slots__ = ("limit", "response")

    def __init__(self, response: Any, limit: int | None = None) -> None:
        self.response = response
        self.limit = limit

    def perform(self) -> None:
        """
        Blocking.
        """
        self.response._drain(self.limit)

    async def aperform(self) -> None:
        """
        Awaited.
        """
        await self.response._adrain(self.limit)


class Read:
    """
    Read a response's body to its end and keep it.
    """

    __slots__ = ("response",)

    def __init__(self, response: Any) -> None:
        self.response = response

    def perform(self) -> None:
        """
        Blocking.
        """
        self.response.content  # noqa: B018, reading it is the point

    async def aperform(self) -> None:
        """
        Awaited; a body that only blocks is read in a worker thread.
        """
        response = self.response
        if hasattr(response.raw, "anext"):
            await response.aread()
        elif not response._content_consumed:
            await call(lambda: response.content)


class Pause:
    """
    Wait before the next try, as a Retry and the answer to the last one say.

    Args:
        retries: the Retry.
        answer: the last answer, or None.
    """

    __slots__ = ("answer", "retries")

    def __init__(self, retries: Any, answer: Any) -> None:
        self.retries = retries
        self.answer = answer

    def perform(self) -> None:
        """
        Blocking; signals' handlers run meanwhile.
        """
        self.retries.sleep(self.answer) if self.answer is not None else self.retries.sleep()

    async def aperform(self) -> None:
        """
        Awaited; a Retry that waits in a way of its own does it in a worker thread.
        """
        seconds = pause(self.retries, self.answer)
        if seconds is None:
            await call(self.perform)
        elif seconds > 0:
            await _loops.running().sleep(seconds)


class Call:
    """
    Call what a user wrote: a hook, an auth object, an override; the result is what it returns.
    """

    __slots__ = ("arguments", "function", "more")

    def __init__(self, function: Callable[..., Any], *arguments: Any, **more: Any) -> None:
        self.function = function
        self.arguments = arguments
        self.more = more

    def perform(self) -> Any:
        """
        Blocking.

        Raises:
            TypeError: what it returned has to be awaited, and nobody could do that here.
        """
        result = self.function(*self.arguments, **self.more)
        if hasattr(type(result), "__await__"):
            if hasattr(result, "close"):
                result.close()
            raise TypeError(f"{self.function!r} has to be awaited, which it is only where the request is awaited")
        return result

    async def aperform(self) -> Any:
        """
        Awaited: a coroutine function is awaited, another function runs in a worker thread, so that it may block.
        """
        return await call(self.function, *self.arguments, **self.more)


class Caller:
    """
    The call that a worker thread does some work of, for as long as it waits for that.

    What the thread sends it has sent by the call's loop (`wait`), over the connections of that loop: some ways to
    authenticate, NTLM for one, authenticate a connection.
    """

    __slots__ = ("given_up", "loop", "sending")

    def __init__(self, loop: Any) -> None:
        self.loop = loop
        self.sending: Any = None
        self.given_up = False

    def wait(self, coroutine: Any) -> Any:
        """
        Have the loop run a coroutine, and wait for its result in this thread.

        Raises:
            RuntimeError: nobody waits for it any more.
        """
        from concurrent.futures import wait

        self.sending = future = self.loop.start(coroutine)
        if self.given_up:
            future.cancel()
        while not future.done():
            wait([future], timeout=0.5)
            if not future.done() and not self.loop.is_running():
                future.cancel()
        if future.cancelled():
            raise RuntimeError("the call that this request belongs to was cancelled, or its event loop ended")
        return future.result()

    def give_up(self) -> None:
        """
        The call was cancelled, and with it what its thread has sent.
        """
        self.given_up = True
        if self.sending is not None:
            self.sending.cancel()


_caller: contextvars.ContextVar[Caller | None] = contextvars.ContextVar("requestx_caller", default=None)


async def call(function: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """
    Await `function`, or run it in a worker thread with this context; the result is awaited if it has to be.
    """
    import inspect

    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        return await function(*arguments, **more)
    caller = Caller(_loops.running())
    context = contextvars.copy_context()
    context.run(_caller.set, caller)
    try:
        result = await in_thread(partial(context.run, partial(_told, function, *arguments, **more)))
    except BaseException:
        caller.give_up()
        raise
    return await result if inspect.isawaitable(result) else result


def _told(function: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """
    What `function` returns; a StopIteration of its is told as a coroutine tells it, since no future takes one.
    """
    try:
        return function(*arguments, **more)
    except StopIteration as error:
        raise RuntimeError(f"{function!r} raised StopIteration") from error


async def in_thread(work: Callable[[], Any]) -> Any:
    """
    Await what blocks, in a worker thread of the loop.

    Where such a thread waits for this, all others may do the same: then it gets a thread of its own.
    """
    return await _loops.running().in_thread(work, _caller.get() is not None)


def caller_of_thread() -> Caller | None:
    """
    The call that waits for what this worker thread does; None anywhere else.
    """
    caller = _caller.get()
    if caller is None or not caller.loop.is_running() or _loops.here() is not None:
        return None
    return caller
