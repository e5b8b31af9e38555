"""
A response's body in pieces and in lines, awaited.

These are no generators: one that is left before its end is for the loop to finish, later and elsewhere, and trio warns
of it. Here nothing is open between two pieces but the response itself.
"""

from __future__ import annotations

from collections import deque
from typing import Any, AsyncIterator, Iterator


class Pieces(AsyncIterator[Any]):
    """
    What is read of a response, piece by piece.

    Args:
        response: with a `raw` that is awaited.
        size: of a piece, at most; None for as they come.
        decoder: an incremental one that makes text of them, or None.
    """

    def __init__(self, response: Any, size: int | None, decoder: Any) -> None:
        self._response = response
        self._size = size
        self._decoder = decoder
        self._ended = False

    async def __anext__(self) -> Any:
        while not self._ended:
            piece = await self._response.raw.apiece(self._size)
            if not piece:
                self._ended = self._response._content_consumed = True
            if self._decoder is not None:
                piece = self._decoder.decode(piece, final=self._ended)
            if piece:
                return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """
        No more pieces; the response stays as it is.
        """
        self._ended = True


class Here(AsyncIterator[Any]):
    """
    What is here already, in the same shape.

    Args:
        pieces: to be given one by one.
    """

    def __init__(self, pieces: Iterator[Any]) -> None:
        self._pieces = pieces

    async def __anext__(self) -> Any:
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """
        No more pieces.
        """
        self._pieces = iter(())


class Lines(AsyncIterator[Any]):
    """
    The lines of what comes in pieces.

    Args:
        pieces: to be awaited one by one.
        cut: takes a piece by `add`, and the end by `end`; both give the lines that are complete.
    """

    def __init__(self, pieces: AsyncIterator[Any], cut: Any) -> None:
        self._pieces = pieces
        self._cut = cut
        self._lines: deque[Any] = deque()
        self._ended = False

    async def __anext__(self) -> Any:
        while not self._lines and not self._ended:
            try:
                self._lines.extend(self._cut.add(await self._pieces.__anext__()))
            except StopAsyncIteration:
                self._ended = True
                self._lines.extend(self._cut.end())
        if not self._lines:
            raise StopAsyncIteration
        return self._lines.popleft()

    async def aclose(self) -> None:
        """
        No more lines.
        """
        self._ended = True
        self._lines.clear()
