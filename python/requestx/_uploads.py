"""
Request bodies as the core takes them: small ones whole, others in chunks that it is pushed, from memory, files and
iterables, blocking or awaited.
"""

from __future__ import annotations

import threading
from typing import Any, AsyncIterator, Iterator

from . import _progress
from ._body import is_awaited
from ._core import Upload
from ._multipart import Multipart
from ._ops import in_thread
from .exceptions import InvalidHeader

#: Bodies up to this size are handed to the core at once; larger ones are pushed, so that they are not copied whole.
AT_ONCE = 1 << 20
CHUNK = 1 << 18

_END = object()


def is_small(body: Any) -> bool:
    """
    Whether a body is handed to the core as it is.
    """
    return body is None or (type(body) is bytes and len(body) <= AT_ONCE)


def body_of(request: Any, progress: Any) -> tuple[bytes, Upload | None]:
    """
    The body for a call that blocks: whole, or to be pushed.

    Args:
        request: the PreparedRequest.
        progress: the adapter's, told of what is pushed.
    """
    body = request.body
    if type(body) is str:
        body = body.encode("utf-8")
    if is_small(body):
        return body or b"", None
    pieces, length = chunks(request), length_of(request)
    if progress is not None:
        pieces = _progress.sending(pieces, progress, request, length)
    return b"", Upload(pieces, length)


def body_in_background(request: Any, progress: Any) -> tuple[AsyncIterator[Any], int | None]:
    """
    Pieces and length of a body that is not small, for a call that is awaited.
    """
    pieces, length = chunks_in_background(request), length_of(request)
    if progress is not None:
        pieces = _progress.sending_in_background(pieces, progress, request, length)
    return pieces, length


def length_of(request: Any) -> int | None:
    """
    The length that the request's head promises; None if the body is chunked.
    """
    length = request.headers.get("Content-Length")
    if length is None:
        return None
    try:
        number = int(length)
    except ValueError:
        number = -1
    if not 0 <= number < 1 << 63:
        raise InvalidHeader(f"Content-Length is no number of bytes: {length!r}", request=request)
    return number


def chunks(request: Any) -> Iterator[Any]:
    """
    The body's chunks, bytes-like.

    Raises:
        TypeError: it can only be awaited, or is nothing that can be sent.
    """
    body = request.body
    if isinstance(body, str):
        body = body.encode("utf-8")
    if isinstance(body, (bytes, bytearray, memoryview)):
        view = memoryview(body)
        return _slices(view.cast("B") if view.c_contiguous else memoryview(view.tobytes()))
    if isinstance(body, Multipart):
        body = body.reader()
    if is_awaited(body):
        raise TypeError("an async iterable as body can only be sent by a call that is awaited")
    if hasattr(body, "read"):
        return _reads(body, length_of(request))
    if hasattr(body, "__iter__"):
        return (_piece(chunk) for chunk in body if chunk is not None)
    raise TypeError(f"a body of type {type(body).__name__} cannot be sent")


def _piece(chunk: Any) -> Any:
    if isinstance(chunk, (bytes, str, bytearray, memoryview)):
        return chunk
    try:
        return memoryview(chunk)
    except TypeError:
        raise TypeError(f"a body is sent in pieces of bytes, and not of {type(chunk).__name__}") from None


def _slices(view: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(view), CHUNK):
        yield view[start : start + CHUNK]


def _reads(file: Any, length: int | None) -> Iterator[Any]:
    """
    What a file has, but no more than was promised: a log file may have grown.
    """
    left = CHUNK if length is None else length
    while left > 0:
        chunk = file.read(min(CHUNK, left))
        if not chunk:
            return
        chunk = _piece(chunk)
        if length is not None:
            left -= len(chunk.encode("utf-8")) if isinstance(chunk, str) else memoryview(chunk).nbytes
        yield chunk


class _Background:
    """
    A body that worker threads read, piece by piece.

    An answer may come while one of them reads. Before the body is rewound for the next request it is stopped, or that
    thread would read on from the new position.
    """

    def __init__(self, pieces: Iterator[Any]) -> None:
        self._pieces = pieces
        self._reading = threading.Lock()
        self._stopped = False

    def next(self) -> Any:
        """
        The next piece, or `_END`.
        """
        with self._reading:
            return _END if self._stopped else next(self._pieces, _END)

    def stop(self) -> None:
        """
        Read no more; a read that is under way is waited for.
        """
        self._stopped = True
        with self._reading:
            pass

    def __reduce__(self) -> Any:
        # A pickled request takes no thread along.
        return type(None), ()


def chunks_in_background(request: Any) -> AsyncIterator[Any]:
    """
    The body's chunks for a call that is awaited: a file or generator, which may block, is read in a worker thread.

    Raises:
        TypeError: it is nothing that can be sent.
    """
    body = request.body
    if hasattr(body, "__aiter__"):
        return _awaited(body)
    pieces = chunks(request)
    if isinstance(body, (str, bytes, bytearray, memoryview)):
        return _at_hand(pieces)
    reader = request.__dict__["_reader"] = _Background(pieces)
    return _read_in_thread(reader)


async def _awaited(body: Any) -> AsyncIterator[Any]:
    async for chunk in body:
        if chunk is not None:
            yield _piece(chunk)


async def _at_hand(pieces: Iterator[Any]) -> AsyncIterator[Any]:
    for piece in pieces:
        yield piece


async def _read_in_thread(reader: _Background) -> AsyncIterator[Any]:
    while True:
        piece = await in_thread(reader.next)
        if piece is _END:
            return
        yield piece
