"""
From the completion queue to the event loop.

What is finished makes the queue's descriptor readable; the loop watches it and dispatches the queue on the loop's own
thread, and that resolves the futures. No thread of the library ever needs the interpreter.
Each loop has one `Wake`, kept by the loop: it goes when the loop goes, and takes along what was under way.

What a loop does in its own way is in `_wake_asyncio` and `_wake_trio`: how it watches, what its futures are, and how a
body is fed while the answer is awaited.
"""

from __future__ import annotations

import sys
import weakref
from functools import partial
from typing import Any, Callable, Coroutine

from . import _core
from ._core import Busy, CoreError
from ._loops import in_trio

_next_token = _core.next_token
_modules = sys.modules


class Wake:
    """
    The futures of one event loop that wait for the core.
    """

    def __init__(self) -> None:
        #: By token: the future, the room of an upload or None, and the client or None.
        self._waiting: dict[int, tuple[Any, Any, _core.Client | None]] = {}
        self._queue = _core.Queue(weakref.ref(self))

    def _create_future(self) -> Any:
        """
        A future of this loop's: it is awaited, and has `done`, `set_result` and `set_exception`.
        """
        raise NotImplementedError

    def _create_room(self) -> Any:
        """
        A flag that is awaited: it has `set`, `clear` and `wait`.
        """
        raise NotImplementedError

    async def _await_while(self, future: Any, feed: Callable[[], Coroutine[Any, Any, None]]) -> Any:
        """
        Await the future while a task of its own feeds; raise what that raised, if it was before the answer.
        """
        raise NotImplementedError

    def is_of_this_loop(self) -> bool:
        """
        Whether its loop is the one that is running.
        """
        raise NotImplementedError

    def failed(self, error: BaseException) -> None:
        """
        Report what could not be raised, for there was C in between.
        """
        raise NotImplementedError

    def launch(self, client: _core.Client, shot: _core.Shot) -> tuple[int, Any]:
        """
        Send a request that is ready. Whoever does not await the future to its end has to `give_up`.

        Returns:
            A token, and the future of the answer.
        """
        token = _next_token()
        future = self._create_future()
        self._waiting[token] = (future, None, client)
        try:
            client.submit_shot(self._queue.handle, token, shot)
        except BaseException:
            del self._waiting[token]
            raise
        return token, future

    def give_up(self, token: int) -> None:
        """
        Break off what nobody awaits any more; its connection is closed.
        """
        waiting = self._waiting.pop(token, None)
        if waiting is not None and waiting[2] is not None:
            waiting[2].cancel(token)

    async def send(
        self,
        client: _core.Client,
        choices: _core.Options,
        head: bytes,
        fields: int,
        body: Any,
        stream: bool,
    ) -> Any:
        """
        Send, and await the answer. Cancelling this closes the connection. Arguments as for `Client.wait`.
        """
        token = _next_token()
        future = self._create_future()
        self._waiting[token] = (future, None, client)
        try:
            client.submit(self._queue.handle, token, choices, head, fields, body, None, stream)
            return await future
        finally:
            future = None  # it holds the error, whose traceback leads back here
            self.give_up(token)

    async def send_upload(
        self,
        client: _core.Client,
        choices: _core.Options,
        head: bytes,
        fields: int,
        chunks: Any,
        length: int | None,
        stream: bool,
    ) -> Any:
        """
        The same for a body in chunks, an async iterator: each is pushed when there is room for it.
        """
        token = _next_token()
        future, room = self._create_future(), self._create_room()
        upload = _core.Upload(None, length)
        self._waiting[token] = (future, room, client)
        try:
            client.submit(self._queue.handle, token, choices, head, fields, b"", upload, stream)
            return await self._await_while(future, partial(_feed, upload, chunks, room, length))
        finally:
            future = None  # as in `send`
            self.give_up(token)

    def ask(self, submit: Callable[[int], None]) -> Any:
        """
        Begin something of an upgraded connection in the background, with a token that `submit` is called with.

        Returns:
            The future of what comes of it. It comes in any case, so there is nothing to give up.
        """
        token = _next_token()
        future = self._create_future()
        self._waiting[token] = (future, None, None)
        try:
            submit(token)
        except BaseException:
            del self._waiting[token]
            raise
        return future

    async def again(self, future: Any) -> Any:
        """
        Await a future that is left as it is when this is cancelled, to be awaited again.
        """
        raise NotImplementedError

    async def read(self, stream: _core.Stream, how: int) -> Any:
        """
        Await the next piece of a body, for the stream to `show`; b"" is the end. Cancelling this closes the stream.

        Raises:
            CoreError: it ended early, or could not be decoded.
            Busy: somebody else is reading.
        """
        token = _next_token()
        future = self._create_future()
        self._waiting[token] = (future, None, None)
        try:
            stream.submit_read(token, how)
            return await future
        except (CoreError, Busy):
            raise
        except BaseException:
            stream.close()
            raise
        finally:
            future = None  # as in `send`
            self.give_up(token)

    def receive(self, token: int, outcome: Any) -> None:
        """
        Resolve the future of `token`; called by the queue's dispatch, on the loop's thread.
        """
        if outcome is None:
            self.has_room(token)
            return
        waiting = self._waiting.pop(token, None)
        if waiting is None or waiting[0].done():
            return  # given up; a response that nobody takes closes itself
        if type(outcome) is CoreError:
            waiting[0].set_exception(outcome)
        else:
            waiting[0].set_result(outcome)

    def awaits(self, token: int) -> bool:
        """
        Whether something with this token is awaited still.
        """
        return token in self._waiting

    def lost(self, token: int, error: Exception) -> None:
        """
        What came with `token` could not be handed over: whoever awaits it is told, and nobody waits for ever.
        """
        future, _, client = self._waiting.pop(token, (None, None, None))
        if client is not None:
            client.cancel(token)
        if future is None or future.done():
            self.failed(error)
        else:
            future.set_exception(error)

    def has_room(self, token: int) -> None:
        """
        The upload of `token` can be pushed to.
        """
        waiting = self._waiting.get(token)
        if waiting is not None and waiting[1] is not None:
            waiting[1].set()

    def abandon(self) -> None:
        """
        Give up all that waits: its loop is closed.
        """
        for token in list(self._waiting):
            self.give_up(token)

    def __del__(self) -> None:
        self.abandon()


async def _feed(upload: _core.Upload, chunks: Any, room: Any, length: int | None) -> None:
    """
    Push the chunks one by one; once the window is full, as fast as the socket takes them.

    No more is asked of the chunks than was promised: whoever sends them again wants them where they are.
    """
    await room.wait()
    try:
        async for chunk in chunks:
            done = upload.push(chunk)
            while not done:
                room.clear()
                await room.wait()
                done = upload.push_rest()
            if upload.closed or upload.pushed == length:
                return
        upload.finish()
    finally:
        await chunks.aclose()


# The last one of asyncio's that was asked for, to be had without a dictionary: (weak loop, weak Wake).
_recent: tuple[Any, Any] = (lambda: None, lambda: None)
_get_running_loop: Any = None


def wake_of() -> Wake:
    """
    The running loop's own Wake.

    Raises:
        RuntimeError: no loop runs here, or it cannot watch a descriptor.
    """
    global _recent
    if "trio" in _modules and in_trio():
        return _wake_of_run()
    loop = (_get_running_loop or _load_asyncio())()
    known, recent = _recent
    if known() is loop:
        found = recent()
        if found is not None:
            return found  # type: ignore[no-any-return]
    from ._wake_asyncio import wake_of_loop

    wake = wake_of_loop(loop)
    _recent = (weakref.ref(loop), weakref.ref(wake))
    return wake


def _wake_of_run() -> Wake:
    from ._wake_trio import wake_of_run

    return wake_of_run()


def _load_asyncio() -> Any:
    """
    What gives asyncio's running loop; a program that awaits in trio alone does without.
    """
    global _get_running_loop
    from asyncio import get_running_loop

    _get_running_loop = get_running_loop
    return get_running_loop
