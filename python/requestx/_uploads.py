"""
Request bodies in chunks, for the core to push: from memory, files and iterables, blocking or awaited.
"""

from __future__ import annotations

from typing import Any, AsyncIterator, Iterator

from .exceptions import InvalidHeader

CHUNK = 1 << 18

_END = object()


def length_of(request: Any) -> int | None:
    """
    The length that the request's head promises; None if the body is chunked.
    """
    length = request.headers.get("Content-Length")
    if length is None:
        return None
    try:
        return int(length)
    except ValueError:
        raise InvalidHeader(f"Content-Length is no number: {length!r}", request=request) from None


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
        return _slices(memoryview(body))
    if hasattr(body, "read"):
        return _reads(body)
    if hasattr(body, "__iter__"):
        return iter(body)
    if hasattr(body, "__aiter__"):
        raise TypeError("an async iterable as body can only be sent by a call that is awaited")
    raise TypeError(f"a body of type {type(body).__name__} cannot be sent")


def _slices(view: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(view), CHUNK):
        yield view[start : start + CHUNK]


def _reads(file: Any) -> Iterator[Any]:
    while True:
        chunk = file.read(CHUNK)
        if not chunk:
            return
        yield chunk


async def chunks_in_background(request: Any) -> AsyncIterator[Any]:
    """
    The body's chunks for a call that is awaited: a file or generator, which may block, is read in a worker thread.
    """
    body = request.body
    if hasattr(body, "__aiter__"):
        async for chunk in body:
            yield chunk
        return
    pieces = chunks(request)
    if isinstance(body, (str, bytes, bytearray, memoryview)):
        for piece in pieces:
            yield piece
        return
    import asyncio

    loop = asyncio.get_running_loop()
    while True:
        piece = await loop.run_in_executor(None, next, pieces, _END)
        if piece is _END:
            return
        yield piece
