"""
From the completion queue to the event loop.

What is finished makes the queue's descriptor readable; the loop's reader dispatches the queue on the loop's own thread,
and that resolves the futures. No thread of the library ever needs the interpreter.
Each loop has one `Wake`, kept by the loop: it goes when the loop goes, and takes along what was under way.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

from . import _core
from ._core import CoreError

_next_token = _core.next_token


class Wake:
    """
    The futures of one event loop that wait for the core.

    Args:
        loop: a running loop that can watch a descriptor.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._waiting: dict[int, tuple[asyncio.Future[Any], asyncio.Event | None, _core.Client | None]] = {}
        self._queue = _core.Queue(weakref.ref(self))
        try:
            loop.add_reader(self._queue.fd, self._queue.dispatch)
        except NotImplementedError as error:
            raise RuntimeError(
                f"{type(loop).__name__} cannot watch a descriptor, which awaiting requestx needs; "
                "on Windows, run on a SelectorEventLoop"
            ) from error

    def __repr__(self) -> str:
        return f"<Wake of {self._loop()!r}, {len(self._waiting)} waiting>"

    def launch(self, client: _core.Client, shot: _core.Shot) -> tuple[int, asyncio.Future[Any]]:
        """
        Send a request that is ready. Whoever does not await the future to its end has to `give_up`.

        Returns:
            A token, and the future of the answer.
        """
        token = _next_token()
        future = self._loop().create_future()  # type: ignore[union-attr]
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
        token = _core.next_token()
        future = self._create_future()
        self._waiting[token] = (future, None, client)
        try:
            client.submit(self._queue.handle, token, choices, head, fields, body, None, stream)
            return await future
        finally:
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
        token = _core.next_token()
        future, room = self._create_future(), asyncio.Event()
        upload = _core.Upload(None, length)
        self._waiting[token] = (future, room, client)
        feeding = None
        try:
            client.submit(self._queue.handle, token, choices, head, fields, b"", upload, stream)
            feeding = asyncio.ensure_future(_feed(upload, chunks, room, length))
            feeding.add_done_callback(_look_at)
            await asyncio.wait({future, feeding}, return_when=asyncio.FIRST_COMPLETED)
            if not future.done():
                feeding.result()  # raises what the chunks raised
            return await future
        finally:
            if feeding is not None and not feeding.done():
                feeding.cancel()
            self.give_up(token)

    async def read(self, stream: _core.Stream, how: int) -> Any:
        """
        Await the next piece of a body, for the stream to `show`; b"" is the end. Cancelling this closes the stream.
        """
        token = _core.next_token()
        future = self._create_future()
        self._waiting[token] = (future, None, None)
        try:
            stream.submit_read(token, how)
            return await future
        except asyncio.CancelledError:
            stream.close()
            raise
        finally:
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

    def has_room(self, token: int) -> None:
        """
        The upload of `token` can be pushed to.
        """
        waiting = self._waiting.get(token)
        if waiting is not None and waiting[1] is not None:
            waiting[1].set()

    def failed(self, error: BaseException) -> None:
        """
        Report what could not be raised, for there was C in between.
        """
        loop = self._loop()
        if loop is not None:
            loop.call_exception_handler({"message": "requestx could not hand a response over", "exception": error})

    def _create_future(self) -> asyncio.Future[Any]:
        loop = self._loop()
        assert loop is not None, "a Wake is used by its running loop"
        return loop.create_future()

    def is_of_this_loop(self) -> bool:
        """
        Whether its loop is the one that is running.
        """
        return self._loop() is _get_running_loop()

    def abandon(self) -> None:
        """
        Give up all that waits: its loop is closed.
        """
        for token in list(self._waiting):
            self.give_up(token)

    def __del__(self) -> None:
        self.abandon()


async def _feed(upload: _core.Upload, chunks: Any, room: asyncio.Event, length: int | None) -> None:
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


def _look_at(feeding: asyncio.Task[None]) -> None:
    """
    What the chunks raised after the answer is nobody's any more, and not to be reported as forgotten.
    """
    if not feeding.cancelled():
        feeding.exception()


_wakes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Wake] = weakref.WeakKeyDictionary()
# The last one asked for, to be had without the dictionary: (weak loop, weak Wake).
_recent: tuple[Any, Any] = (lambda: None, lambda: None)
_get_running_loop = asyncio.get_running_loop


def wake_of() -> Wake:
    """
    The running loop's own Wake.
    """
    global _recent
    loop = _get_running_loop()
    known, recent = _recent
    if known() is loop:
        found = recent()
        if found is not None:
            return found  # type: ignore[no-any-return]
    wake = _wakes.get(loop)
    if wake is None:
        # A future that waits for ever holds its closed loop, and that its Wake.
        for other in [other for other in _wakes if other.is_closed()]:
            _wakes.pop(other).abandon()
        wake = _wakes[loop] = Wake(loop)
    _recent = (weakref.ref(loop), weakref.ref(wake))
    return wake
