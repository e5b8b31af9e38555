"""
`Response.raw`: the body as a file, in the shape that users of urllib3's response know.

It reads from a whole body or from a `Stream`; what was read can be asked for, what was not is still on the wire.
"""

from __future__ import annotations

import io
import sys
from functools import lru_cache
from typing import Any, Callable, Iterator

from ._core import INCOMPLETE, PIECE, RAW, WHOLE, Busy, CoreError, Reply
from ._fields import HTTPHeaderDict
from ._headers import is_coded
from ._progress import length_of
from ._retry import retry_class
from .exceptions import ContentDecodingError, RequestException, from_core, from_raw
from .structures import CaseInsensitiveDict

#: Read at once even where less is asked for: asking costs more than reading.
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
    return fields_of(reply.head, reply.version == 20)


def fields_of(block: bytes, usual: bool = False) -> HeaderDict:
    """
    The headers in a block of lines; `usual` gives their names the usual spelling.
    """
    fields = block.decode("latin-1").split("\n") if block else []
    if usual:
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


class _Late:
    """
    What has attributes that are made when they are asked for, and stay.
    """

    #: The attributes, and what makes each.
    _made: dict[str, Callable[[Any], Any]]

    #: Whether nothing more can be read.
    closed: Any

    def __getattr__(self, name: str) -> Any:
        make = type(self)._made.get(name)
        if make is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = vars(self)[name] = make(self)
        return value

    def isclosed(self) -> bool:
        """
        As `closed`.
        """
        return self.closed  # type: ignore[no-any-return]

    def flush(self) -> None:
        """
        Nothing.
        """


class _Answer(_Late):
    """
    The answer in the shape of http.client's response: the body as it came on the wire, and the head.

    It is what `raw._fp` is, which libraries wrap to hear what is read, and `raw._original_response`.
    It knows nothing of the RawResponse in front of it, so that one which nobody holds is gone at once.

    Args:
        reply: the core's answer.
        fields: its header fields, parsed.
        request: for exceptions.
    """

    def __init__(self, reply: Reply, fields: HeaderDict, request: Any) -> None:
        self.status = self.code = reply.status
        self.version = reply.version
        self.reason = reply.reason.decode("latin-1")
        self._fields = fields
        self._reply = reply
        self._request = request
        self._stream = reply.stream
        self._whole = reply.body
        self._told = 0
        #: Whether the last bytes were given as they came; None before the first.
        self._undecoded: bool | None = None
        self._ended = False
        #: Why nothing more can be read, if the body did not end well.
        self._failed: Exception | None = None

    #: An adapter's `progress`, which is told of what is read.
    progress: Any = None

    def _tell(self, done: int) -> None:
        self.progress(self._request, "read", done, length_of(self._fields))

    def _telling(self, take: Callable[[Any], Any]) -> Callable[[Any], Any]:
        if self.progress is None:
            return take
        stream: Any = self._stream

        def take_and_tell(view: Any) -> None:
            take(view)
            self._tell(stream.raw_bytes())

        return take_and_tell

    @property
    def msg(self) -> Any:
        """
        The fields; repeated ones are there one by one in `get_all`.
        """
        return self.headers

    @property
    def chunked(self) -> bool:
        """
        Whether the body came in chunks.
        """
        return "chunked" in self._fields.get("transfer-encoding", "").lower()

    @property
    def length(self) -> int | None:
        """
        Bytes that are left, as they come on the wire; None where nobody said how many there are.
        """
        if self.status in (204, 304) or getattr(self._request, "method", None) == "HEAD":
            return 0  # whatever the head says of a body that does not come
        length = length_of(self._fields)
        if length is None:
            return None
        return 0 if self._ended else max(0, length - self.tell())

    def getheader(self, name: str, default: Any = None) -> Any:
        """
        One header.
        """
        return self.headers.get(name, default)

    def getheaders(self) -> list[tuple[str, str]]:
        """
        The fields as pairs.
        """
        return self.headers.items()  # type: ignore[no-any-return]

    def read(self, amt: int | None = None) -> bytes:
        """
        `amt` bytes, or all that is left, coded as they came.
        """
        return _joined_pieces(lambda size: self._next(size, True), amt, self._lost)

    _safe_read = read1 = read

    @property
    def closed(self) -> bool:
        """
        Whether nothing is left.
        """
        if self._stream is None:
            return self._ended or self._told >= len(self._whole or b"")
        return self._ended or self._stream.closed

    def close(self) -> None:
        """
        Give up what is left.
        """
        if not self._ended:
            self._end()

    @property
    def fp(self) -> Any:
        """
        None at the end; until then a way to the socket, `fp.raw._sock`.
        """
        return None if self.closed else _Below(self._connection.sock)

    def tell(self) -> int:
        """
        Bytes that were read, as they came on the wire.
        """
        if self._stream is None or self._stream.closed:
            return self._told
        # What is kept has been decoded, and nobody can tell which bytes it was; or it is what has not been read.
        kept = self._stream.unread() if self._undecoded or "content-encoding" not in self._fields else 0
        return self._stream.raw_bytes() - kept

    def _next(self, size: int, raw: bool) -> bytes:
        if self._failed is not None:
            raise self._failed
        if raw is not self._undecoded:
            self._turn(raw)
        stream = self._stream
        if self._ended or stream is None or stream.closed:
            return self._kept(size)
        given = stream.given
        try:
            piece = stream.read(size, raw) or self._end()
        except CoreError as error:
            raise self._told_in_full(error) from error
        except BaseException:
            if stream.given != given:
                self._lost()
            raise
        if self.progress is not None and piece:
            self._tell(self.tell())
        return piece

    async def _anext(self, size: int, raw: bool) -> bytes:
        if self._failed is not None:
            raise self._failed
        if raw is not self._undecoded:
            self._turn(raw)
        stream = self._stream
        if self._ended or stream is None or stream.closed:
            return self._kept(size)
        piece = stream.peek(size)
        if piece:
            if self.progress is not None:
                self._tell(self.tell())
            return piece
        if not self._is_of_this_loop():
            # A response of the blocking world, or of another loop: a thread waits for it.
            from ._ops import call

            return await call(self._next, size, raw)  # type: ignore[no-any-return]
        piece = stream.peek(size) if await self._ashow(RAW if raw else 0) else self._end()
        if self.progress is not None and piece:
            self._tell(self.tell())
        return piece

    def _turn(self, raw: bool) -> None:
        """
        Go over from one way of reading to the other, which a coded body does not allow: what is kept was read in the
        first way, and what comes cannot be decoded without it.

        Raises:
            RuntimeError: as it came, after a part of it was decoded.
            ContentDecodingError: decoded, after a part of it was read as it came.
        """
        if self._undecoded is not None and not self.closed and is_coded(self._fields.get("content-encoding", "")):
            if raw:
                raise RuntimeError("read(decode_content=False) after read(decode_content=True) would miss bytes")
            if self.length == 0:
                self._end()
                return
            raise ContentDecodingError(
                "the body cannot be decoded: its beginning was read as it came, by read(decode_content=False)",
                request=self._request,
            )
        self._undecoded = raw

    def _is_of_this_loop(self) -> bool:
        lane = self._stream.lane if self._stream is not None else None
        return lane is not None and lane.is_of_this_loop()

    async def _ashow(self, how: int) -> bool:
        """
        Await the next piece and have the stream show it; False at the end.
        """
        stream: Any = self._stream
        try:
            piece = await stream.lane.read(stream, how)
            stream.show(piece)
        except CoreError as error:
            raise self._told_in_full(error) from error
        except Busy:
            raise
        except BaseException:
            self._failed = RequestException("the body was not read to its end: reading it was cancelled")
            raise
        return bool(piece)

    def _read_all(self, take: Callable[[Any], Any]) -> bool:
        """
        Hand all that is left, decoded, to `take`, piece by piece; False if that is not possible here.
        """
        if self._undecoded is not False:
            self._turn(False)
        stream = self._stream
        if self._failed is not None or self._ended or stream is None or stream.closed:
            return False
        try:
            stream.read_all(self._telling(take))
        except CoreError as error:
            raise self._told_in_full(error) from error
        except Busy:
            raise
        except BaseException:
            self._lost()
            raise
        self._end()
        return True

    async def _aread_all(self, take: Callable[[Any], Any]) -> bool:
        """
        The same, awaited.
        """
        if self._undecoded is not False:
            self._turn(False)
        stream = self._stream
        if self._failed is not None or self._ended or stream is None or stream.closed or not self._is_of_this_loop():
            return False
        take, begun = self._telling(take), False
        try:
            while stream.hand_over(take) or await self._ashow(WHOLE):
                begun = True
        except Busy:
            if begun:  # and what was taken is lost
                self._failed = RequestException("the body was not read to its end: somebody else read a part of it")
            raise
        except RequestException:
            raise
        except BaseException:
            self._lost()
            raise
        self._end()
        return True

    def _lost(self) -> None:
        """
        A part of the body was read and went with what was raised then: the rest is not to pass for all of it.
        """
        if self._failed is None:
            self._failed = RequestException("the body was not read to its end: reading it was interrupted")
            self.close()

    def _kept(self, size: int) -> bytes:
        """
        The next of what is here already.
        """
        if self._ended or self._stream is not None:
            return self._end()
        piece = (self._whole or b"")[self._told : self._told + size]
        self._told += len(piece)
        return piece or self._end()

    def _told_in_full(self, error: CoreError) -> Exception:
        """
        The exception for an error of the core; it is raised again for whoever goes on reading.
        """
        read, more = self.tell(), self.length
        self.close()
        message = error.message
        if error.kind == INCOMPLETE and more is not None:
            message = f"{read} bytes read, {more} more expected: {message}"
        told = from_core(
            error.kind,
            error.phase,
            message,
            os_code=error.os_code,
            tls_code=error.tls_code,
            chain=error.chain,
            request=self._request,
        )
        if error.kind == INCOMPLETE:
            early = told.args[0].args[1]
            early.partial, early.expected = read, more
        self._failed = from_raw(told)
        return self._failed

    def _taken(self) -> None:
        """
        The whole body was taken, not through here.
        """
        if not self._ended:
            self._told = len(self._whole or b"")
            self._end()

    def _end(self) -> bytes:
        """
        Nothing is left to read; the result says so.
        """
        if not self._ended:
            self._told = self.tell()
            self._ended = True
            if self._stream is not None:
                self._stream.close()
        return b""


class _Below:
    def __init__(self, sock: Any) -> None:
        self.raw = self
        self._sock = sock


class RawResponse(_Late, io.IOBase):
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
        self._answer = answer = _Answer(reply, headers, request)
        self.status = answer.status
        self.version = answer.version
        self.reason = answer.reason
        self.decode_content = False
        self._parsed = headers
        self._request_url = getattr(request, "url", None)
        self._kept_body: bytes | None = None
        self._wrapped: Any = None
        self._decoder: Any = None
        self._decoded = b""
        _join_urllib3()

    @property
    def _fp(self) -> Any:
        return self._answer if self._wrapped is None else self._wrapped

    @_fp.setter
    def _fp(self, wrapped: Any) -> None:
        self._wrapped = wrapped
        self._decoder, self._decoded = None, b""

    @property
    def closed(self) -> bool:
        """
        Whether nothing more can be read: closed, or read to the end.
        """
        if not self.auto_close:
            return bool(self.__dict__.get("_closed"))
        if self._wrapped is not None:
            return bool(getattr(self._wrapped, "closed", False))
        stream = self._answer._stream
        return self._answer._ended or (stream is not None and stream.closed)

    @property
    def length_remaining(self) -> int | None:
        """
        Bytes of the body that were not read yet, as they come on the wire; None where nobody said how long it is.

        Whoever puts another body in the place of `_fp` says here how long that is.
        """
        return self.__dict__.get("_length", self._answer.length)

    @length_remaining.setter
    def length_remaining(self, length: int | None) -> None:
        vars(self)["_length"] = length

    @property
    def url(self) -> Any:
        """
        Where the request went; whoever hands the body on may say where that was in the end.
        """
        return self._request_url

    @url.setter
    def url(self, url: Any) -> None:
        self._request_url = url

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
        return None if self._answer._ended else self._connection

    @property
    def upgraded(self) -> Any:
        """
        The core's connection, once the server has switched protocols; see `Response.upgrade`.
        """
        return self._answer._reply.upgraded

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
        return self._answer.tell()

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
        raw = not (self.decode_content if decode_content is None else decode_content)
        body = _joined_pieces(lambda size: self._next(size, raw), amt, self._answer._lost)
        if cache_content and (amt is None or amt < 0):
            self._kept_body = body
        return body

    def read1(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:
        """
        What comes next, at most `amt` bytes.
        """
        if amt == 0:
            return b""
        raw = not (self.decode_content if decode_content is None else decode_content)
        return self._next(_at_most(amt), raw)

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
            piece = self._next(_at_most(amt), raw) if as_it_comes else self.read(amt, not raw)
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
            return await self.anext(_at_most(amt))
        left = sys.maxsize if amt < 0 else amt
        pieces: list[bytes] = []
        while left:
            piece = await self.anext(min(left, PIECE))
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _next(self, size: int, raw: bool) -> bytes:
        if self._wrapped is not None:
            return self._through_wrapper(size, raw)
        return self._answer._next(size, raw)

    async def anext(self, size: int, raw: bool = False) -> bytes:
        """
        Await the next bytes of the body, at most `size`; b"" is the end.
        """
        if self._wrapped is not None:
            from ._ops import call

            return await call(self._next, size, raw)  # type: ignore[no-any-return]
        return await self._answer._anext(size, raw)

    def _through_wrapper(self, size: int, raw: bool) -> bytes:
        """
        The next bytes by way of what somebody put in the place of `_fp`, which wants to see them as they came.
        """
        coding = self._parsed.get("content-encoding", "")
        if raw or not coding:
            return self._of_wrapper(size)
        if self._decoder is None:
            from ._coding import decoder_of

            self._decoder = decoder_of(coding)
        while not self._decoded:
            piece = self._of_wrapper(max(size, AHEAD))
            self._decoded = self._decoder.decode(piece) if piece else self._decoder.flush()
            if not piece:
                break
        piece, self._decoded = self._decoded[:size], self._decoded[size:]
        return piece

    def _of_wrapper(self, size: int) -> bytes:
        if getattr(self._wrapped, "closed", False):
            return b""
        piece: bytes = self._wrapped.read(size)
        if not piece:
            self._close_wrapper()
        elif self.__dict__.get("_length"):
            self.length_remaining = max(0, self.__dict__["_length"] - len(piece))
        return piece

    def _close_wrapper(self) -> None:
        close = getattr(self._wrapped, "close", None)
        if close is not None:
            close()

    def read_all(self, take: Callable[[Any], Any]) -> None:
        """
        Hand all that is left, decoded, to `take`, piece by piece; a piece is to be copied before the next.

        Raises:
            RequestException: as `read`.
        """
        if self._wrapped is not None or not self._answer._read_all(take):
            take(self.read(decode_content=True))

    async def aread_all(self, take: Callable[[Any], Any]) -> None:
        """
        The same, awaited.
        """
        if self._wrapped is None and await self._answer._aread_all(take):
            return
        piece = await self.anext(PIECE)
        while piece:
            take(piece)
            piece = await self.anext(PIECE)

    def taken(self) -> None:
        """
        The whole body was taken, not through here: nothing is left to read.
        """
        self._answer._taken()

    def close(self) -> None:
        """
        Give the connection up, or back if the body was read to its end.
        """
        vars(self)["_closed"] = True
        if self.upgraded is not None:
            self.upgraded.close()
        self._close_wrapper()
        self._answer.close()

    def release_conn(self) -> None:
        """
        As `close`: a connection goes back by itself when its body has been read.
        """
        self.close()

    def drain_conn(self) -> None:
        """
        Read and forget what is left.
        """
        while self._next(PIECE, self._answer._undecoded is not False):
            pass

    def __del__(self) -> None:
        pass  # the stream closes itself; io.IOBase would call close()


def _at_most(amt: int | None) -> int:
    """
    How much to read at once where any piece will do.
    """
    return amt if amt is not None and amt > 0 else PIECE


def _joined_pieces(following: Callable[[int], bytes], amt: int | None, lost: Callable[[], None]) -> bytes:
    """
    `amt` bytes, less only at the end, or all that is left; mostly they are one piece.

    `lost` is called where pieces go with what a handler of signals raised, say.
    """
    left = sys.maxsize if amt is None or amt < 0 else amt
    pieces: list[bytes] = []
    try:
        while left:
            piece = following(min(left, PIECE))
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
    except BaseException:
        if pieces:
            lost()
        raise
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _headers_of(answer: _Answer) -> HTTPHeaderDict:
    names = iter(answer._fields._fields)
    return HTTPHeaderDict(zip(names, names))


def _connection_of(answer: _Answer) -> Any:
    from ._peer import Connection
    from ._url import origin

    url, reply = getattr(answer._request, "url", None), answer._reply
    _, host, port = origin(url) if isinstance(url, str) else ("", None, None)
    return Connection(lambda: reply.peer, host, port)


_VERSIONS = {10: "HTTP/1.0", 11: "HTTP/1.1", 20: "HTTP/2", 30: "HTTP/3"}

_Answer._made = {"headers": _headers_of, "_connection": _connection_of}
RawResponse._made = {
    "headers": lambda raw: raw._answer.headers,
    "chunked": lambda raw: raw._answer.chunked,
    "version_string": lambda raw: _VERSIONS.get(raw.version, "HTTP/?"),
    "_original_response": lambda raw: raw._answer,
    "_connection": lambda raw: raw._answer._connection,
    "retries": lambda raw: retry_class()(0, read=False),
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
