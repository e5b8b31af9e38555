"""
Progress: an adapter's `progress` is told how far a body has come, on its way out and in.

It is called with the PreparedRequest, "send" or "read", the bytes so far and the bytes in all, or None where nobody
said how many; on the way in they are counted as they come, coded.
What is told stands here, once; who tells is whoever moves the bytes: the adapter and `_raw`.
"""

from __future__ import annotations

from typing import Any, AsyncIterator, Callable, Iterator

Progress = Callable[[Any, str, int, "int | None"], Any]


def sending(pieces: Iterator[Any], progress: Progress, request: Any, total: int | None) -> Iterator[Any]:
    """
    The pieces of a request's body, each told as it is taken; the socket may be a window behind.
    """
    done = 0
    for piece in pieces:
        done += _size(piece)
        progress(request, "send", done, total)
        yield piece


async def sending_in_background(
    pieces: AsyncIterator[Any], progress: Progress, request: Any, total: int | None
) -> AsyncIterator[Any]:
    """
    The same, awaited.
    """
    done = 0
    try:
        async for piece in pieces:
            done += _size(piece)
            progress(request, "send", done, total)
            yield piece
    finally:
        await pieces.aclose()  # type: ignore[attr-defined]


def sent(progress: Progress, request: Any, body: Any) -> None:
    """
    A body that was sent at once.
    """
    if body:
        progress(request, "send", len(body), len(body))


def received(progress: Progress, request: Any, fields: Any, body: bytes) -> None:
    """
    A body that came whole.
    """
    length = length_of(fields)
    size = len(body) if length is None or not body else length
    progress(request, "read", size, size)


def length_of(fields: Any) -> int | None:
    """
    The length of a body that a head announces, if it does.
    """
    if "chunked" in fields.get("transfer-encoding", "").lower():
        return None
    # The same number twice is that number (RFC 9110, 8.6).
    length, *more = {each.strip() for each in fields.get("content-length", "").split(",")}
    return int(length) if length.isascii() and length.isdigit() and not more else None


def _size(piece: Any) -> int:
    return len(piece.encode("utf-8")) if isinstance(piece, str) else memoryview(piece).nbytes
