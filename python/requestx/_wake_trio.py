"""
The Wake of a trio run: a system task waits for the queue's descriptor and dispatches the queue.

trio ends its system tasks when the main task has ended, and others of them may still wait for an answer in a shielded
scope. So ours goes on until nobody does; what nobody waits for is given up then.
"""

from __future__ import annotations

import logging
from typing import Any, Callable, Coroutine, Generator

import outcome
import trio

from . import _core
from ._loops import in_trio
from ._wake import Wake

#: In the place of what a future was asked for, once that has been given.
_TAKEN: Any = object()


class Future:
    """
    What one task of a trio run awaits.
    """

    __slots__ = ("_outcome", "_task")

    def __init__(self) -> None:
        self._outcome: Any = None
        self._task: Any = None

    @property
    def is_awaited(self) -> bool:
        """
        Whether a task waits for it.
        """
        return self._task is not None

    def done(self) -> bool:
        """
        Whether there is a result.
        """
        return self._outcome is not None

    def set_result(self, value: Any) -> None:
        """
        Wake the task with a value.
        """
        self._set(outcome.Value(value))

    def set_exception(self, error: BaseException) -> None:
        """
        Wake the task with an exception.
        """
        self._set(outcome.Error(error))

    def _set(self, result: Any) -> None:
        self._outcome = result
        task, self._task = self._task, None
        if task is not None:
            trio.lowlevel.reschedule(task)

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.wait().__await__()

    async def wait(self) -> Any:
        """
        The result. Whoever is cancelled here has to give up what was asked for.
        """
        if not self.done():
            self._task = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._abort)
        return self._take().unwrap()

    def _take(self) -> Any:
        # It is not held from here on: an error's traceback leads back to whoever awaits this.
        taken, self._outcome = self._outcome, _TAKEN
        return taken

    def _abort(self, raise_cancel: Any) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED


class Room:
    """
    A flag for one task; an event of trio's cannot be cleared.
    """

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = trio.Event()

    def set(self) -> None:
        """
        Let the task go on.
        """
        self._event.set()

    def clear(self) -> None:
        """
        Have the next `wait` wait.
        """
        self._event = trio.Event()

    async def wait(self) -> None:
        """
        Wait until it is set.
        """
        await self._event.wait()


class TrioWake(Wake):
    """
    The futures of one trio run.
    """

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        super().__init__()
        trio.lowlevel.spawn_system_task(self._watch, name="requestx")

    def __repr__(self) -> str:
        return f"<Wake of {self._token!r}, {len(self._waiting)} waiting>"

    def _create_future(self) -> Future:
        return Future()

    def _create_room(self) -> Room:
        return Room()

    def launch(self, client: _core.Client, shot: _core.Shot) -> tuple[int, Any]:
        """
        As of every Wake; but that nothing is sent in a scope that is cancelled already, it is sent when it is awaited.
        """
        token = _core.next_token()
        return token, self._launched(token, client, shot)

    async def _launched(self, token: int, client: _core.Client, shot: _core.Shot) -> Any:
        await trio.lowlevel.checkpoint_if_cancelled()
        future = Future()
        self._waiting[token] = (future, None, client)
        try:
            client.submit_shot(self._queue.handle, token, shot)
            return await future
        finally:
            self.give_up(token)

    async def send(self, *arguments: Any, **more: Any) -> Any:
        """
        As of every Wake.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        return await super().send(*arguments, **more)

    async def send_upload(self, *arguments: Any, **more: Any) -> Any:
        """
        As of every Wake.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        return await super().send_upload(*arguments, **more)

    async def _watch(self) -> None:
        try:
            while True:
                await self._turn()
        finally:
            with trio.CancelScope(shield=True):
                while any(waiting[0].is_awaited for waiting in self._waiting.values()):
                    await self._turn()
            if _wake.get() is self:
                _wake.set(None)
            self.abandon()

    async def _turn(self) -> None:
        await trio.lowlevel.wait_readable(self._queue.fd)
        self._queue.dispatch()

    async def _await_while(self, future: Any, feed: Callable[[], Coroutine[Any, Any, None]]) -> Any:
        async def feed_and_tell() -> None:
            try:
                await feed()
            except trio.Cancelled:
                pass  # it is this task's end, and the other is cancelled as well or has its answer
            except BaseException as error:
                if not future.done():
                    future.set_exception(error)

        # Caught within, so that it comes out as it is, and not in a group.
        async with trio.open_nursery() as nursery:
            nursery.start_soon(feed_and_tell)
            answer = await outcome.acapture(future.wait)
            nursery.cancel_scope.cancel()
        try:
            return answer.unwrap()
        finally:
            del answer  # which holds the error, whose traceback leads back here

    async def again(self, future: Any) -> Any:
        """
        Await a future that is left as it is when this is cancelled, to be awaited again.
        """
        return await future

    def is_of_this_loop(self) -> bool:
        """
        Whether its run is the one that is running.
        """
        return in_trio() and trio.lowlevel.current_trio_token() is self._token

    def failed(self, error: BaseException) -> None:
        """
        Report what could not be raised, for there was C in between.
        """
        logging.getLogger("requestx").error("requestx could not hand a response over", exc_info=error)


_wake: trio.lowlevel.RunVar[Any] = trio.lowlevel.RunVar("requestx", None)


def wake_of_run() -> Wake:
    """
    The running run's own Wake.
    """
    wake: Wake | None = _wake.get()
    if wake is None:
        wake = TrioWake()
        _wake.set(wake)
    return wake
