"""
The Wake of a loop of asyncio's: a reader of the loop dispatches the queue.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import Any, Callable, Coroutine

from ._loops import in_trio
from ._wake import Wake


class AsyncioWake(Wake):
    """
    The futures of one loop of asyncio's.

    Args:
        loop: a running loop that can watch a descriptor.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        super().__init__()
        try:
            loop.add_reader(self._queue.fd, self._queue.dispatch)
        except NotImplementedError as error:
            raise RuntimeError(
                f"{type(loop).__name__} cannot watch a descriptor, which awaiting requestx needs; "
                "on Windows, run on a SelectorEventLoop"
            ) from error

    def __repr__(self) -> str:
        return f"<Wake of {self._loop()!r}, {len(self._waiting)} waiting>"

    def _create_future(self) -> asyncio.Future[Any]:
        return self._loop().create_future()  # type: ignore[union-attr]  # a Wake is used by its running loop

    def _create_room(self) -> asyncio.Event:
        return asyncio.Event()

    async def _await_while(self, future: Any, feed: Callable[[], Coroutine[Any, Any, None]]) -> Any:
        feeding = asyncio.ensure_future(feed())
        feeding.add_done_callback(_look_at)
        try:
            await asyncio.wait({future, feeding}, return_when=asyncio.FIRST_COMPLETED)
            if not future.done():
                feeding.result()  # raises what the chunks raised
            return await future
        finally:
            if not feeding.done():
                feeding.cancel()
            del future, feeding  # they hold errors, whose tracebacks lead back here

    async def again(self, future: Any) -> Any:
        """
        Await a future that is left as it is when this is cancelled, to be awaited again.
        """
        try:
            await asyncio.wait({future})
        except BaseException:
            future.add_done_callback(_look_at)
            raise
        try:
            return future.result()
        finally:
            del future  # it holds the error, whose traceback leads back here

    def is_of_this_loop(self) -> bool:
        """
        Whether its loop is the one that is running.
        """
        return not in_trio() and self._loop() is asyncio._get_running_loop()

    def failed(self, error: BaseException) -> None:
        """
        Report what could not be raised, for there was C in between.
        """
        loop = self._loop()
        if loop is not None:
            loop.call_exception_handler({"message": "requestx could not hand a response over", "exception": error})


def _look_at(future: asyncio.Future[Any]) -> None:
    """
    What the chunks raised after the answer, or a read that was given up, is not to be reported as forgotten.
    """
    if not future.cancelled():
        future.exception()


_wakes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Wake] = weakref.WeakKeyDictionary()


def wake_of_loop(loop: asyncio.AbstractEventLoop) -> Wake:
    """
    A loop's own Wake.
    """
    wake = _wakes.get(loop)
    if wake is None:
        # A future that waits for ever holds its closed loop, and that its Wake.
        for known in _wakes.keyrefs():  # a list, since other threads have loops of their own
            other = known()
            if other is not None and other.is_closed():
                gone = _wakes.pop(other, None)
                if gone is not None:
                    gone.abandon()
        wake = _wakes[loop] = AsyncioWake(loop)
    return wake
