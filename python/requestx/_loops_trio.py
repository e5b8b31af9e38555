"""
A trio run, in the vocabulary of `_loops`.
"""

from __future__ import annotations

import contextvars
from concurrent.futures import Future
from typing import Any, Callable, Coroutine

import outcome
import trio

from ._loops import Late


class Trio:
    """
    The trio run of this thread.
    """

    __slots__ = ("identity",)

    def __init__(self) -> None:
        #: One for each run; it can be held weakly.
        self.identity = trio.lowlevel.current_trio_token()

    def is_running(self) -> bool:
        """
        Whether it still runs.
        """
        try:
            self.identity.run_sync_soon(_nothing, idempotent=True)
        except trio.RunFinishedError:
            return False
        return True

    async def sleep(self, seconds: float) -> None:
        """
        Wait.
        """
        await trio.sleep(seconds)

    async def within(self, seconds: float, work: Coroutine[Any, Any, Any]) -> Any:
        """
        Await `work` for so long at most.

        Raises:
            Late: it took longer.
        """
        with trio.move_on_after(seconds):
            return await work
        raise Late

    async def in_thread(self, function: Callable[[], Any], own: bool) -> Any:
        """
        Await what a worker thread does; when that is cancelled, nobody waits for the thread.

        Args:
            function: what it does.
            own: a new thread, not one of the few that all share.
        """
        # Not by way of trio, which would refuse a coroutine, and keep an exception in a cycle with its traceback.
        box: list[Any] = []

        def work() -> None:
            box.append(outcome.capture(function))

        limiter = trio.CapacityLimiter(1) if own else None
        await trio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=limiter)
        return box.pop().unwrap()

    def lock(self) -> Any:
        """
        A new lock for tasks.
        """
        return trio.Lock()

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        """
        Have the run's system nursery run a coroutine; called in another thread.
        """
        return Errand(self.identity, coroutine)


class Errand(Future):  # type: ignore[type-arg]  # Python 3.8 knows it without
    """
    A coroutine that a trio run runs for another thread.

    Args:
        token: of the run.
        coroutine: what to run.
    """

    def __init__(self, token: trio.lowlevel.TrioToken, coroutine: Coroutine[Any, Any, Any]) -> None:
        super().__init__()
        self._token = token
        self._coroutine = coroutine
        self._scope = trio.CancelScope()
        self._context = contextvars.copy_context()
        self._soon(self._begin)

    def cancel(self) -> bool:
        """
        Cancel the coroutine.
        """
        self._soon(self._scope.cancel)
        return True

    def _soon(self, function: Callable[[], Any]) -> None:
        try:
            self._token.run_sync_soon(function)
        except trio.RunFinishedError:
            self._end()

    def _begin(self) -> None:
        try:
            trio.lowlevel.spawn_system_task(self._run, context=self._context)
        except RuntimeError:  # the run has come to its end
            self._end()

    async def _run(self) -> None:
        try:
            with self._scope:
                self.set_result(await self._coroutine)
        except Exception as error:
            self.set_exception(error)
        finally:
            if not self.done():
                self._end()

    def _end(self) -> None:
        self._coroutine.close()
        super().cancel()


def _nothing() -> None:
    pass
