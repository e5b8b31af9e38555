"""
The loops that calls are awaited in: asyncio's (uvloop's are among them) and trio's runs.

What each does in its own way has one vocabulary, here and in `_loops_trio`: a pause, a worker thread, a lock, and the
way back from a worker thread. The queue's side of it is in `_wake_asyncio` and `_wake_trio`.
Neither library is imported before the program has done so.
"""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING, Any, Callable, Coroutine

if TYPE_CHECKING:
    from concurrent.futures import Future

_modules = sys.modules


class Late(Exception):
    """
    What was awaited did not come in time, and was cancelled.
    """


def in_trio() -> bool:
    """
    Whether a trio task runs here.

    trio says so itself, in the place that sniffio has for it. So where trio is a guest of asyncio's loop each task is
    known for what it is.
    """
    return "trio" in _modules and _modules["sniffio"].thread_local.name == "trio"


def here() -> Any:
    """
    The loop that runs in this thread: an `Asyncio` or a `Trio` (`_loops_trio`); None if there is none.
    """
    if in_trio():
        from ._loops_trio import Trio

        return Trio()
    events = _modules.get("asyncio.events")
    loop = None if events is None else events._get_running_loop()
    return None if loop is None else Asyncio(loop)


def running() -> Any:
    """
    The same where there has to be one.

    Raises:
        RuntimeError: there is none.
    """
    loop = here()
    if loop is None:
        raise RuntimeError("no running event loop: neither asyncio's nor trio's")
    return loop


class Asyncio:
    """
    A running loop of asyncio's.

    Args:
        loop: the loop.
    """

    __slots__ = ("identity",)

    def __init__(self, loop: Any) -> None:
        #: One for each loop; it can be held weakly.
        self.identity = loop

    def is_running(self) -> bool:
        """
        Whether it still runs.
        """
        return self.identity.is_running()  # type: ignore[no-any-return]

    async def sleep(self, seconds: float) -> None:
        """
        Wait.
        """
        import asyncio

        await asyncio.sleep(seconds)

    async def within(self, seconds: float, work: Coroutine[Any, Any, Any]) -> Any:
        """
        Await `work` for so long at most.

        Raises:
            Late: it took longer.
        """
        import asyncio

        began = monotonic()
        try:
            return await asyncio.wait_for(work, seconds)
        except asyncio.TimeoutError as error:
            if monotonic() - began < seconds:  # it is of the work's own
                raise
            raise Late from error

    async def in_thread(self, function: Callable[[], Any], own: bool) -> Any:
        """
        Await what a worker thread does; when that is cancelled, nobody waits for the thread.

        Args:
            function: what it does.
            own: a new thread, not one of the few that all share.
        """
        from concurrent.futures import ThreadPoolExecutor

        if not own:
            return await self.identity.run_in_executor(None, function)
        executor = ThreadPoolExecutor(1)
        try:
            return await self.identity.run_in_executor(executor, function)
        finally:
            executor.shutdown(wait=False)

    def lock(self) -> Any:
        """
        A new lock for tasks.
        """
        import asyncio

        return asyncio.Lock()

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        """
        Have the loop run a coroutine; called in another thread.
        """
        import asyncio

        return asyncio.run_coroutine_threadsafe(coroutine, self.identity)
