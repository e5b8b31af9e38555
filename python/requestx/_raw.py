"""
`Response.raw`: the body as a file, in the shape that users of urllib3's response know.

It reads from a whole body or from a `Stream`; what was read can be asked for, what was not is still on the wire.
"""

from __future__ import annotations

import io
from typing import Any, Iterator

from ._core import PIECE, CoreError, Reply
from .exceptions import RequestException, from_core
from .structures import CaseInsensitiveDict

#: Read at once even where less is asked for: crossing the boundary costs more than reading.
AHEAD = 1 << 16


class HeaderDict(CaseInsensitiveDict[str]):
    """
    Response headers: repeated fields are joined with a comma, and are there one by one in `getlist`.

    Args:
        fields: names and values in turn, as the server sent them.
    """

    def __init__(self, fields: list[str] = []) -> None:  # noqa: B006, it is only read
        super().__init__()
        self._fields = fields
        store = self._store
        names = iter(fields)
        for name, value in zip(names, names):
            key = name.lower()
            there = store.get(key)
            store[key] = (name, value) if there is None else (there[0], f"{there[1]}, {value}")

    def getlist(self, name: str, default: Any = ()) -> list[str]:
        """
        The values of every field with this name, in order; `default` if there is none.
        """
        name = name.lower()
        found = [value for key, value in zip(self._fields[::2], self._fields[1::2]) if key.lower() == name]
        return found or list(default)

    get_all = getheaders = getlist


def parse_head(head: bytes) -> HeaderDict:
    """
    The headers in a reply's head.
    """
    return HeaderDict(head.decode("latin-1").split("\n") if head else [])


class _Message:
    """
    What `http.cookiejar` and others ask of an http.client response.
    """

    def __init__(self, headers: HeaderDict) -> None:
        self.msg = self.headers = headers

    def isclosed(self) -> bool:
        """
        Always: there is no socket to be had here.
        """
        return True

    def close(self) -> None:
        """
        Nothing to do.
        """


class RawResponse(io.IOBase):
    """
    The body of a response as a file.

    Args:
        reply: the core's answer.
        headers: its headers, parsed.
        request: for exceptions.
    """

    def __init__(self, reply: Reply, headers: HeaderDict, request: Any = None) -> None:
        self.status = reply.status
        self.version = reply.version
        self.reason = reply.reason.decode("latin-1")
        self.headers = headers
        self.decode_content = False
        self._request = request
        self._request_url = getattr(request, "url", None)
        self._stream = reply.stream
        self._whole = reply.body
        self._told = 0
        self._spare = b""
        self._ended = False
        #: Why nothing more can be read, if the body did not end well.
        self._failed: Exception | None = None

    @property
    def _original_response(self) -> _Message:
        return _Message(self.headers)

    @property
    def closed(self) -> bool:
        """
        Whether nothing more can be read: closed, or read to the end.
        """
        return self._ended or (self._stream is not None and self._stream.closed)

    @property
    def chunked(self) -> bool:
        """
        Whether the body came in chunks.
        """
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    def getheaders(self) -> list[tuple[str, str]]:
        """
        The headers as pairs.
        """
        return list(self.headers.items())

    def getheader(self, name: str, default: Any = None) -> Any:
        """
        One header.
        """
        return self.headers.get(name, default)

    def isclosed(self) -> bool:
        """
        As `closed`.
        """
        return self.closed

    def readable(self) -> bool:
        """
        Always.
        """
        return True

    def tell(self) -> int:
        """
        Bytes of the body that were read, as they came on the wire.
        """
        return self._told if self._stream is None or self._stream.closed else self._stream.raw_bytes()

    def read(self, amt: int | None = None, decode_content: bool | None = None, cache_content: bool = False) -> bytes:
        """
        Read `amt` bytes, or all that is left.

        Args:
            amt: how many at most; less only at the end.
            decode_content: undo the content coding; `self.decode_content` if None.
            cache_content: ignored, as in urllib3 for partial reads.

        Raises:
            RequestException: the body ended early or could not be decoded.
        """
        if amt is not None and amt < 0:
            amt = None
        raw = not (self.decode_content if decode_content is None else decode_content)
        out = bytearray()
        while amt is None or len(out) < amt:
            piece = self._next(PIECE if amt is None else amt - len(out), raw)
            if not piece:
                break
            out += piece
        return bytes(out)

    def readinto(self, buffer: Any) -> int:
        """
        Read into a writable buffer; how many bytes.
        """
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def stream(self, amt: int | None = 65536, decode_content: bool | None = None) -> Iterator[bytes]:
        """
        The body in pieces: of `amt` bytes but for the last; of a chunked body, and for None, as they come.
        """
        raw = not (self.decode_content if decode_content is None else decode_content)
        as_it_comes = amt is None or self.chunked
        while True:
            piece = self._next(amt or PIECE, raw) if as_it_comes else self.read(amt, not raw)
            if not piece:
                return
            yield piece

    async def apiece(self, amt: int | None) -> bytes:
        """
        Await the next piece of `stream`; b"" is the end.
        """
        if amt is None or self.chunked:
            return await self.anext(amt or PIECE)
        piece = await self.anext(amt)
        while piece and len(piece) < amt:
            more = await self.anext(amt - len(piece))
            if not more:
                break
            piece += more
        return piece

    def _next(self, size: int, raw: bool) -> bytes:
        if self._failed is not None:
            raise self._failed
        if self._spare or self._ended or self._stream is None:
            return self._kept(size)
        try:
            read = self._stream.read(max(size, AHEAD), raw) if not self._stream.closed else b""
        except CoreError as error:
            raise self._told_in_full(error) from error
        return self._cut(read, size)

    async def anext(self, size: int, raw: bool = False) -> bytes:
        """
        Await the next bytes of the body, at most `size`; b"" is the end.
        """
        if self._failed is not None:
            raise self._failed
        stream = self._stream
        if self._spare or self._ended or stream is None or stream.closed:
            return self._kept(size)
        if stream.lane is None or not stream.lane.is_of_this_loop():
            # A response of the blocking world, or of another loop: a thread waits for it.
            from ._ops import call

            return await call(self._next, size, raw)  # type: ignore[no-any-return]
        try:
            read: bytes = await stream.lane.read(stream, max(size, AHEAD), raw)
        except CoreError as error:
            raise self._told_in_full(error) from error
        except BaseException:
            self._failed = RequestException("the body was not read to its end: reading it was cancelled")
            raise
        return self._cut(read, size)

    def _kept(self, size: int) -> bytes:
        """
        The next of what is here already.
        """
        if self._ended:
            return b""
        if self._stream is None:
            piece = (self._whole or b"")[self._told : self._told + size]
            self._told += len(piece)
            if not piece:
                self._end()
            return piece
        return self._cut(self._spare, size)

    def _cut(self, read: bytes, size: int) -> bytes:
        """
        As much of what was read as was asked for; the rest is kept.
        """
        if not read:
            self._end()
        if len(read) <= size:
            self._spare = b""
            return read
        self._spare = read[size:]
        return read[:size]

    def _told_in_full(self, error: CoreError) -> Exception:
        """
        The exception for an error of the core; it is raised again for whoever goes on reading.
        """
        self.close()
        self._failed = from_core(
            error.kind,
            error.phase,
            error.message,
            os_code=error.os_code,
            tls_code=error.tls_code,
            chain=error.chain,
            request=self._request,
        )
        return self._failed

    def _end(self) -> None:
        self._told = self.tell()
        self._ended = True
        if self._stream is not None:
            self._stream.close()

    def taken(self) -> None:
        """
        The whole body was taken, not through here: nothing is left to read.
        """
        if not self._ended:
            self._told = len(self._whole or b"")
            self._end()

    def close(self) -> None:
        """
        Give the connection up, or back if the body was read to its end.
        """
        if not self._ended:
            self._end()

    def release_conn(self) -> None:
        """
        As `close`: a connection goes back by itself when its body has been read.
        """
        self.close()

    def drain_conn(self) -> None:
        """
        Read and forget what is left.
        """
        while self._next(PIECE, True):
            pass

    def __del__(self) -> None:
        pass  # the stream closes itself; io.IOBase would call close()
