"""
The connection of a response whose server has switched protocols: bytes both ways, blocking and awaited.

It is a raw file in both directions, as a socket's `makefile` would be: what reads files, an `io.BufferedReader` for
example, makes lines of it or exactly so many bytes. The awaited twins have the same names with an ``a`` before.

The rule for what is broken off: a read loses nothing, so it may have a time limit and be tried again. Nobody knows how
much of a write the peer has, so a write that is given up closes the connection.
"""

from __future__ import annotations

import io
from functools import partial
from typing import Any, Awaitable, Callable

from . import _loops
from ._core import PIECE, CoreError
from ._core import Upgraded as _Connection
from ._ops import call
from .exceptions import RequestException, SendTimeout, told


class Upgraded(io.RawIOBase):
    """
    A connection after HTTP, as `Response.upgrade` gives it.

    One thread or task may read while another writes. The limit on reading that the request had is how long each read
    waits. It is closed with its response, by `close`, or when nobody has it any more.

    Args:
        connection: the core's.
        request: for exceptions.
        adapter: whose client it is, which is needed for as long as the connection.
    """

    def __init__(self, connection: _Connection, request: Any, adapter: Any) -> None:
        self._connection = connection
        self._request = request
        self._adapter = adapter
        #: What came and was not asked for yet, from `_at` on.
        self._kept = b""
        self._at = 0
        #: The future of what was asked for and has not been given, and whether somebody waits for it.
        self._asked: Any = None
        self._awaited = False
        self._line: Any = None

    def __repr__(self) -> str:
        url = getattr(self._request, "url", None)
        return f"<upgraded connection to {url}, {'closed' if self.closed else 'open'}>"

    @property
    def closed(self) -> bool:
        """
        Whether it was closed here.
        """
        return self._connection.closed

    def readable(self) -> bool:
        """
        Always.
        """
        return True

    def writable(self) -> bool:
        """
        Always.
        """
        return True

    def read(self, size: int = -1) -> bytes:
        """
        What comes next, at most `size` bytes, waiting for it; all until the end without a number. b"" is the end.

        Raises:
            ReadTimeout: nothing came in time; it can be read on.
            ConnectionError: it broke, or was closed.
        """
        return super().read(size) or b""

    def readinto(self, buffer: Any) -> int:
        """
        Read what comes next into a writable buffer, waiting for it; how many bytes, 0 at the end.

        Raises:
            ReadTimeout: nothing came in time; it can be read on.
            ConnectionError: it broke, or was closed.
        """
        view = memoryview(buffer).cast("B")
        if not len(view):
            return 0
        piece = self._take(len(view))
        if piece:
            view[: len(piece)] = piece
            return len(piece)
        if self._asked is not None:
            raise RuntimeError("an awaited read that was given up is still under way: await the next one")
        try:
            return self._connection.read_into(view, self._keep)
        except CoreError as error:
            raise self._told(error) from error

    async def aread(self, size: int = -1) -> bytes:
        """
        Await what comes next, at most `size` bytes; all until the end without a number. b"" is the end.

        When it is cancelled nothing is lost: the next one goes on.

        Raises:
            ReadTimeout: nothing came in time; it can be read on.
            ConnectionError: it broke, or was closed.
            RuntimeError: another task reads.
        """
        if size >= 0:
            return await self._anext(size) if size else b""
        pieces = [await self._anext(PIECE)]
        while pieces[-1]:
            pieces.append(await self._anext(PIECE))
        return b"".join(pieces)

    def write(self, data: Any) -> int:
        """
        Send all of it, as `sendall` of a socket; how many bytes that were.

        Raises:
            SendTimeout: the peer took nothing for too long; the connection is closed.
            ConnectionError: it broke, or was closed.
        """
        view = memoryview(data).cast("B")
        try:
            self._connection.write(view)
        except CoreError as error:
            raise self._ended(self._told(error)) from error
        return len(view)

    async def awrite(self, data: Any) -> int:
        """
        The awaited twin of `write`. Cancelled on the way, it closes the connection.
        """
        view = memoryview(data).cast("B")
        if self._is_of_this_loop():
            await self._in_line(self._asend, view)
        else:
            await self._or_close(call(self.write, view))
        return len(view)

    def shutdown(self) -> None:
        """
        Tell the peer that no more will be sent; reading goes on.
        """
        try:
            self._connection.shutdown()
        except CoreError as error:
            raise self._ended(self._told(error)) from error

    async def ashutdown(self) -> None:
        """
        The awaited twin of `shutdown`.
        """
        if self._is_of_this_loop():
            await self._in_line(self._ado, self._connection.submit_shutdown)
        else:
            await self._or_close(call(self.shutdown))

    def close(self) -> None:
        """
        Close it. Who waits for it gets a ConnectionError.
        """
        self._kept, self._at = b"", 0
        self._connection.close()

    async def aclose(self) -> None:
        """
        The same, awaited; it never blocks.
        """
        self.close()

    async def __aenter__(self) -> Upgraded:
        return self

    async def __aexit__(self, *error: Any) -> None:
        self.close()

    def __del__(self) -> None:
        pass  # the core's closes itself; io.IOBase would call close()

    def _is_of_this_loop(self) -> bool:
        lane = self._connection.lane
        return lane is not None and lane.is_of_this_loop()

    def _take(self, size: int) -> bytes:
        piece = self._kept[self._at : self._at + size]
        self._at += len(piece)
        if self._at == len(self._kept):
            self._kept, self._at = b"", 0
        return piece

    def _keep(self, piece: bytes) -> None:
        self._kept, self._at = piece, 0

    async def _anext(self, size: int) -> bytes:
        if self._kept:
            return self._take(size)
        if self._awaited:
            raise RuntimeError("another task reads from this connection")
        self._awaited = True
        try:
            if not self._is_of_this_loop():
                # A connection of the blocking world, or of another loop: a thread waits for it.
                return await self._or_close(call(self.read, size))  # type: ignore[no-any-return]
            self._kept = await self._next_piece(self._connection.lane)
        except CoreError as error:
            raise self._told(error) from error
        finally:
            self._awaited = False
        return self._take(size)

    async def _next_piece(self, lane: Any) -> bytes:
        if self._asked is None:
            self._asked = lane.ask(self._connection.submit_read)
        try:
            piece = bytes(await lane.again(self._asked))
        except CoreError:
            self._asked = None
            raise
        self._asked = None
        return piece

    async def _in_line(self, send: Callable[[Any], Awaitable[None]], what: Any) -> None:
        """
        Await what sends something, when nobody else does.
        """
        if self._line is None:
            self._line = _loops.running().lock()
        async with self._line:  # who is cancelled here has sent nothing
            await self._or_close(send(what))

    async def _asend(self, view: Any) -> None:
        at = self._connection.write_now(view)  # most often that is all
        while at < len(view):
            await self._ado(partial(self._connection.submit_write, view[at : at + PIECE]))
            at += PIECE

    async def _ado(self, submit: Callable[[int], None]) -> None:
        await self._connection.lane.ask(submit)

    async def _or_close(self, work: Awaitable[Any]) -> Any:
        """
        Await what cannot be given up halfway.
        """
        try:
            return await work
        except CoreError as error:
            raise self._ended(self._told(error)) from error
        except RequestException:
            raise
        except BaseException:
            self.close()
            raise

    def _told(self, error: CoreError) -> RequestException:
        return told(error, self._request, dressed=False)  # there is no pool that could say it

    def _ended(self, error: RequestException) -> RequestException:
        if isinstance(error, SendTimeout):
            self.close()  # as the core has
        return error
