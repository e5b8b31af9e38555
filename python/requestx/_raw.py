"""
`Response.raw`: the body as a file, in the shape that users of urllib3's response know.

It reads from a whole body or from a `Stream`; what was read can be asked for, what was not is still on the wire.
"""

from __future__ import annotations

import io
import sys
from functools import lru_cache
from typing import Any, Iterator

from ._core import PIECE, CoreError, Reply
from ._fields import HTTPHeaderDict
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


def parse_head(reply: Any) -> HeaderDict:
    """
    The headers of a reply.

    HTTP/2 has names in lower case alone; code that makes a plain dict of them looks for the usual spelling.
    """
    fields = reply.head.decode("latin-1").split("\n") if reply.head else []
    if reply.version == 20:
        fields[::2] = map(_usual, fields[::2])
    return HeaderDict(fields)


_UNUSUAL = {
    name.lower(): name
    for name in (
        "Content-MD5 DNT ETag Expect-CT NEL SourceMap TE WWW-Authenticate X-DNS-Prefetch-Control X-Request-ID "
        "X-UA-Compatible X-XSS-Protection"
    ).split()
}


@lru_cache(maxsize=512)
def _usual(name: str) -> str:
    return _UNUSUAL.get(name) or name.title()


class _Message:
    """
    What `http.cookiejar` and others ask of an http.client response.

    Args:
        raw: the response it was.
    """

    def __init__(self, raw: RawResponse) -> None:
        self._raw = raw
        #: The fields, repeated ones one by one in `get_all`.
        self.msg = self.headers = raw.headers
        self.status = self.code = raw.status
        self.reason = raw.reason
        self.version = raw.version
        self.chunked = raw.chunked

    def getheader(self, name: str, default: Any = None) -> Any:
        """
        One header.
        """
        return self.msg.get(name, default)

    def getheaders(self) -> list[tuple[str, str]]:
        """
        The fields as pairs.
        """
        return self.msg.items()  # type: ignore[no-any-return]

    @property
    def fp(self) -> Any:
        """
        What the body is read from; None when it has been.
        """
        return None if self._raw.closed else self._raw._fp

    def isclosed(self) -> bool:
        """
        Whether the body was read to its end.
        """
        return self._raw.closed

    def close(self) -> None:
        """
        Close the response.
        """
        self._raw.close()


class _Body:
    """
    The body as it came on the wire: what `raw._fp` is, and what libraries wrap to hear what is read.
    """

    def __init__(self, raw: RawResponse) -> None:
        self._raw = raw

    def read(self, amt: int | None = None) -> bytes:
        """
        `amt` bytes, or all that is left, coded as they came.
        """
        out = bytearray()
        while amt is None or len(out) < amt:
            piece = self._raw._pulled(PIECE if amt is None else amt - len(out), True)
            if not piece:
                break
            out += piece
        return bytes(out)

    _safe_read = read1 = read

    @property
    def closed(self) -> bool:
        """
        Whether nothing is left.
        """
        return self._raw._ended or (self._raw._stream is None and self._raw._told >= len(self._raw._whole or b""))

    def isclosed(self) -> bool:
        """
        As `closed`.
        """
        return self.closed

    def close(self) -> None:
        """
        Give up what is left.
        """
        self._raw._end()

    def flush(self) -> None:
        """
        Nothing.
        """

    @property
    def fp(self) -> Any:
        """
        None at the end; until then a way to the socket, `fp.raw._sock`.
        """
        return None if self.closed else _Below(self._raw)


class _Below:
    def __init__(self, raw: RawResponse) -> None:
        self.raw = self
        self._sock = raw._connection.sock


class RawResponse(io.IOBase):
    """
    The body of a response as a file.

    Args:
        reply: the core's answer.
        headers: its headers, parsed.
        request: for exceptions.
    """

    #: Read to the end, it counts as closed; False for a TextIOWrapper, which would not read the end of it then.
    auto_close = True
    enforce_content_length = True
    chunk_left: int | None = None
    msg = None

    def __init__(self, reply: Reply, headers: HeaderDict, request: Any = None) -> None:
        self.status = reply.status
        self.version = reply.version
        self.reason = reply.reason.decode("latin-1")
        self.decode_content = False
        self.retries: Any = None
        self._parsed = headers
        self._reply = reply
        self._request = request
        self._request_url = getattr(request, "url", None)
        self._stream = reply.stream
        self._whole = reply.body
        self._kept_body: bytes | None = None
        self._wrapped: Any = None
        self._decoder: Any = None
        self._told = 0
        self._spare = b""
        self._ended = False
        #: Why nothing more can be read, if the body did not end well.
        self._failed: Exception | None = None
        _join_urllib3()

    def __getattr__(self, name: str) -> Any:
        make = _MADE.get(name)
        if make is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = vars(self)[name] = make(self)
        return value

    @property
    def _fp(self) -> Any:
        return self._wrapped or vars(self).setdefault("_body", _Body(self))

    @_fp.setter
    def _fp(self, wrapped: Any) -> None:
        self._wrapped = wrapped

    @property
    def closed(self) -> bool:
        """
        Whether nothing more can be read: closed, or read to the end.
        """
        if not self.auto_close:
            return bool(self.__dict__.get("_closed"))
        return self._ended or (self._stream is not None and self._stream.closed)

    @property
    def chunked(self) -> bool:
        """
        Whether the body came in chunks.
        """
        return "chunked" in self._parsed.get("transfer-encoding", "").lower()

    @property
    def version_string(self) -> str:
        """
        HTTP/1.1 and the like.
        """
        return {10: "HTTP/1.0", 11: "HTTP/1.1", 20: "HTTP/2", 30: "HTTP/3"}.get(self.version, "HTTP/?")

    @property
    def length_remaining(self) -> int | None:
        """
        Bytes of the body that were not read yet, as they come on the wire; None where nobody said how long it is.
        """
        length = self._parsed.get("content-length", "")
        if not length.isdigit() or self.chunked:
            return None
        return 0 if self._ended else max(0, int(length) - self.tell())

    @property
    def url(self) -> Any:
        """
        Where the request went.
        """
        return self._request_url

    def geturl(self) -> Any:
        """
        Where the request went.
        """
        return self._request_url

    def info(self) -> Any:
        """
        The headers.
        """
        return self.headers

    @property
    def connection(self) -> Any:
        """
        The connection, until the body has been read.
        """
        return None if self._ended else self._connection

    @property
    def data(self) -> bytes:
        """
        The whole body, decoded if `decode_content`; it stays.
        """
        if self._kept_body is None:
            self._kept_body = self.read()
        return self._kept_body

    def json(self) -> Any:
        """
        The body as JSON, in UTF-8.
        """
        import json

        return json.loads(self.data.decode("utf-8"))

    def get_redirect_location(self) -> Any:
        """
        Where the server sends us; None if it does not say, False if it is no redirect.
        """
        if self.status in (301, 302, 303, 307, 308):
            return self._parsed.get("location")
        return False

    def getheaders(self) -> Any:
        """
        The headers.
        """
        return self.headers

    def getheader(self, name: str, default: Any = None) -> Any:
        """
        One header.
        """
        return self._parsed.get(name, default)

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

    def seekable(self) -> bool:
        """
        Never: what was read has gone by.
        """
        return False

    def writable(self) -> bool:
        """
        Never.
        """
        return False

    def flush(self) -> None:
        """
        Nothing.
        """

    def __iter__(self) -> Iterator[bytes]:
        rest = b""
        for piece in self.stream(decode_content=True):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                yield line + b"\n"
        if rest:
            yield rest

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
            cache_content: keep all that is read here for `data`.

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
        body = bytes(out)
        if cache_content and amt is None:
            self._kept_body = body
        return body

    def read1(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:
        """
        What comes next, at most `amt` bytes.
        """
        if amt == 0:
            return b""
        raw = not (self.decode_content if decode_content is None else decode_content)
        return self._next(PIECE if amt is None or amt < 0 else amt, raw)

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

    def read_chunked(self, amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]:
        """
        The pieces of a body that came in chunks.

        Raises:
            ResponseNotChunked: it did not.
        """
        if not self.chunked:
            from ._causes import shape

            raise shape("ResponseNotChunked")("the body did not come in chunks; use stream()")
        return self.stream(amt, decode_content)

    def supports_chunked_reads(self) -> bool:
        """
        Whether `read_chunked` can be used at all.
        """
        return True

    def _update_chunk_length(self) -> None:
        """
        Nothing: the core reads chunks. Here because libraries wrap it.
        """

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
        if self._wrapped is not None:
            return self._through_wrapper(size, raw)
        return self._pulled(size, raw)

    def _through_wrapper(self, size: int, raw: bool) -> bytes:
        """
        The next bytes by way of what somebody put in the place of `_fp`, which wants to see them as they came.
        """
        coding = self._parsed.get("content-encoding", "")
        if raw or not coding:
            return self._wrapped.read(size)  # type: ignore[no-any-return]
        if self._decoder is None:
            from ._coding import decoder_of

            self._decoder = decoder_of(coding)
        while not self._spare:
            piece = self._wrapped.read(max(size, AHEAD))
            self._spare = self._decoder.decode(piece) if piece else self._decoder.flush()
            if not piece:
                break
        piece, self._spare = self._spare[:size], self._spare[size:]
        return piece

    def _pulled(self, size: int, raw: bool) -> bytes:
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
        if self._wrapped is not None:
            from ._ops import call

            return await call(self._next, size, raw)  # type: ignore[no-any-return]
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
        vars(self)["_closed"] = True
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


def _message_of(raw: RawResponse) -> _Message:
    return _Message(raw)


def _headers_of(raw: RawResponse) -> HTTPHeaderDict:
    names = iter(raw._parsed._fields)
    return HTTPHeaderDict(zip(names, names))


def _connection_of(raw: RawResponse) -> Any:
    from ._peer import Connection
    from ._url import origin

    _, host, port = origin(raw._request_url) if isinstance(raw._request_url, str) else ("", None, None)
    return Connection(lambda: raw._reply.peer, host, port)


# What is made when it is asked for, and stays.
_MADE: dict[str, Any] = {
    "headers": _headers_of,
    "_original_response": _message_of,
    "_connection": _connection_of,
}

_joined: Any = None


def _join_urllib3() -> None:
    """
    Once the program has imported urllib3, a `RawResponse` counts as one of its responses.
    """
    global _joined
    theirs = getattr(sys.modules.get("urllib3.response"), "HTTPResponse", None)
    if theirs is not _joined and theirs is not None:
        theirs.register(RawResponse)
        _joined = theirs
