"""
Response; and Request and PreparedRequest, which live in `_prepare`.

A response that the core has answered holds the answer as it came and makes of it what is asked for, when it is asked:
headers are parsed, text is decoded and a `raw` is built only for those who look (`__getattr__`).
A response made by hand, as mocks do, has what was set, and blanks.
"""

from __future__ import annotations

import datetime
import io
import json as jsonlib
from http import client
from threading import RLock
from typing import TYPE_CHECKING, Any, AsyncIterator, Callable, Iterator, overload
from weakref import WeakKeyDictionary

from . import _loops, _names, _pieces, _redirect
from ._core import Reply
from ._headers import is_coded, parse_header_links
from ._peer import Peer
from ._prepare import PreparedRequest, Request, RequestEncodingMixin, RequestHooksMixin
from ._raw import HeaderDict, RawResponse, fields_of, parse_head
from ._text import get_encoding_from_headers, guess_json_utf, iter_slices, stream_decode_response_unicode
from ._timings import Timings
from .cookies import RequestsCookieJar, extract_cookies_to_jar
from .exceptions import (
    ChunkedEncodingError,
    ConnectionError,
    ContentDecodingError,
    HTTPError,
    InvalidURL,
    RequestException,
    StreamConsumedError,
    from_urllib3,
)
from .exceptions import JSONDecodeError as RequestsJSONDecodeError
from .status_codes import codes
from .structures import CaseInsensitiveDict

REDIRECT_STATI = _redirect.REDIRECT_STATI
DEFAULT_REDIRECT_LIMIT = _redirect.DEFAULT_REDIRECT_LIMIT
CONTENT_CHUNK_SIZE = 10 * 1024
ITER_CHUNK_SIZE = 512

_new = object.__new__


if TYPE_CHECKING:
    from typing import Literal

    from typing_extensions import Self

    from ._upgraded import Upgraded
else:

    def __getattr__(name: str) -> Any:
        return _names.find(__name__, name)


class Response:
    """
    What a server answered.
    """

    __attrs__: list[str] = [
        "_content",
        "status_code",
        "headers",
        "url",
        "history",
        "encoding",
        "reason",
        "cookies",
        "elapsed",
        "request",
    ]

    status_code: int
    url: str
    headers: CaseInsensitiveDict[str]
    history: list[Response]
    encoding: str | None
    reason: str
    cookies: RequestsCookieJar
    elapsed: datetime.timedelta
    request: PreparedRequest
    raw: Any
    connection: Any
    _content: Any
    _content_consumed: bool
    _next: PreparedRequest | None = None
    #: The core's answer, where there is one; what is not in `__dict__` is made of it.
    _reply: Reply | None = None

    def __init__(self) -> None:
        # Nothing is set: `__dict__` may be filled with another response's, as wrappers do.
        super().__init__()

    def __getattr__(self, name: str) -> Any:
        reply = self.__dict__.get("_reply")
        if reply is None and name in _BLANK:
            value = _BLANK[name]()
        elif reply is None or name not in _LAZY:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        else:
            value = _LAZY[name](self, reply)
        self.__dict__[name] = value
        return value

    def __dir__(self) -> list[str]:
        # What is made when it is asked for is there as well.
        return sorted({*super().__dir__(), *(_BLANK if self._reply is None else _LAZY)})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    async def __aenter__(self) -> Response:
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.aclose()

    def __getstate__(self) -> dict[str, Any]:
        if not self._content_consumed:
            self.content  # noqa: B018, reading it is the point
        return {name: getattr(self, name, None) for name in self.__attrs__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._content_consumed = True
        self.raw = None

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"

    def __bool__(self) -> bool:
        return self.ok

    def __nonzero__(self) -> bool:
        return self.ok

    def __iter__(self) -> Iterator[bytes]:
        return self.iter_content(128)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.aiter_content(128)

    @property
    def ok(self) -> bool:
        """
        Whether the status is below 400.
        """
        try:
            self.raise_for_status()
        except HTTPError:
            return False
        return True

    @property
    def is_redirect(self) -> bool:
        """
        Whether the server sent us elsewhere.
        """
        return _redirect.is_redirect(self.status_code, self.headers)

    @property
    def is_permanent_redirect(self) -> bool:
        """
        Whether it did so for good.
        """
        return _redirect.is_permanent_redirect(self.status_code, self.headers)

    @property
    def peer(self) -> Peer | None:
        """
        Who answered over TLS: certificates, version and cipher; None without TLS, or long after its connection closed.
        """
        return None if self._reply is None else self._reply.peer

    @property
    def timings(self) -> Timings | None:
        """
        Where the time of this hop went, by phase, its body as far as it was read; each of `history` has its own.

        None for a response that was not made by the core: unpickled, or a mock's.
        """
        return None if self._reply is None else self._reply.timings

    @property
    def informational(self) -> list[tuple[int, HeaderDict]]:
        """
        Status and headers of each informational answer (1xx) before this one, 103 Early Hints for example.
        """
        reply = self._reply
        if reply is None:
            return []
        return [(status, fields_of(head, usual=reply.version == 20)) for status, head in reply.informational]

    @property
    def trailers(self) -> HeaderDict | None:
        """
        The headers that came behind the body, mostly none; None before the body was read to its end.
        """
        told = None if self._reply is None else self._reply.trailers
        return None if told is None else fields_of(told, usual=True)

    @property
    def next(self) -> PreparedRequest | None:
        """
        The request that would follow the redirect, if it was not followed.
        """
        return self._next

    @property
    def apparent_encoding(self) -> str:
        """
        The encoding that charset-normalizer, or chardet, sees in the content.
        """
        from .compat import chardet

        if chardet is None:
            return "utf-8"
        return chardet.detect(self.content)["encoding"]  # type: ignore[no-any-return]

    @overload
    def iter_content(self, chunk_size: int | None = 1, decode_unicode: Literal[False] = False) -> Iterator[bytes]: ...
    @overload
    def iter_content(self, chunk_size: int | None = 1, *, decode_unicode: bool) -> Iterator[Any]: ...
    @overload
    def iter_content(self, chunk_size: int | None, decode_unicode: bool) -> Iterator[Any]: ...
    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[Any]:
        """
        The body in pieces; one that is still on the wire is read as they are taken.

        Args:
            chunk_size: bytes at most; None for pieces as they come.
            decode_unicode: str instead of bytes, by `encoding`.

        Raises:
            StreamConsumedError: the body was read in pieces before.
            ChunkedEncodingError, ContentDecodingError, ConnectionError: it ended early, or badly.
        """
        self._check_pieces(chunk_size)
        if self._content_consumed:
            pieces = iter_slices(self._content, chunk_size)
        else:
            pieces = self._read_pieces(chunk_size)
        return stream_decode_response_unicode(pieces, self) if decode_unicode else pieces

    def _check_pieces(self, chunk_size: Any) -> None:
        if self._content_consumed and isinstance(self._content, bool):
            raise StreamConsumedError()
        if chunk_size is not None and not isinstance(chunk_size, int):
            raise TypeError(f"chunk_size must be an int, it is instead a {type(chunk_size)}.")

    def _read_pieces(self, chunk_size: int | None) -> Iterator[bytes]:
        raw = self.raw
        if hasattr(raw, "stream"):
            try:
                yield from raw.stream(chunk_size, decode_content=True)
            except Exception as error:
                told = from_urllib3(error)
                if told is None:
                    raise
                raise told from error
        else:  # a plain file, as mocks have
            while True:
                chunk = raw.read(chunk_size)
                if not chunk:
                    break
                yield chunk
        self._content_consumed = True

    @overload
    def aiter_content(
        self, chunk_size: int | None = 1, decode_unicode: Literal[False] = False
    ) -> AsyncIterator[bytes]: ...
    @overload
    def aiter_content(self, chunk_size: int | None = 1, *, decode_unicode: bool) -> AsyncIterator[Any]: ...
    @overload
    def aiter_content(self, chunk_size: int | None, decode_unicode: bool) -> AsyncIterator[Any]: ...
    def aiter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> AsyncIterator[Any]:
        """
        The body in pieces, awaited; arguments and errors as `iter_content`.
        """
        self._check_pieces(chunk_size)
        if self._content_consumed or not hasattr(self.raw, "anext"):
            return _pieces.Here(self.iter_content(chunk_size, decode_unicode))
        decoder = None
        if decode_unicode and self.encoding is not None:
            import codecs

            decoder = codecs.getincrementaldecoder(self.encoding)(errors="replace")
        return _pieces.Pieces(self, chunk_size, decoder)

    @overload
    def iter_lines(
        self,
        chunk_size: int | None = ITER_CHUNK_SIZE,
        decode_unicode: Literal[False] = False,
        delimiter: str | bytes | None = None,
    ) -> Iterator[bytes]: ...
    @overload
    def iter_lines(
        self, chunk_size: int | None = ITER_CHUNK_SIZE, *, decode_unicode: bool, delimiter: str | bytes | None = None
    ) -> Iterator[Any]: ...
    @overload
    def iter_lines(
        self, chunk_size: int | None, decode_unicode: bool, delimiter: str | bytes | None = None
    ) -> Iterator[Any]: ...
    def iter_lines(
        self,
        chunk_size: int | None = ITER_CHUNK_SIZE,
        decode_unicode: bool = False,
        delimiter: str | bytes | None = None,
    ) -> Iterator[Any]:
        """
        The body in lines, or in what `delimiter` separates.
        """
        lines = _Lines(delimiter)
        for chunk in self.iter_content(chunk_size, decode_unicode):
            yield from lines.add(chunk)
        yield from lines.end()

    @overload
    def aiter_lines(
        self,
        chunk_size: int | None = ITER_CHUNK_SIZE,
        decode_unicode: Literal[False] = False,
        delimiter: str | bytes | None = None,
    ) -> AsyncIterator[bytes]: ...
    @overload
    def aiter_lines(
        self, chunk_size: int | None = ITER_CHUNK_SIZE, *, decode_unicode: bool, delimiter: str | bytes | None = None
    ) -> AsyncIterator[Any]: ...
    @overload
    def aiter_lines(
        self, chunk_size: int | None, decode_unicode: bool, delimiter: str | bytes | None = None
    ) -> AsyncIterator[Any]: ...
    def aiter_lines(
        self,
        chunk_size: int | None = ITER_CHUNK_SIZE,
        decode_unicode: bool = False,
        delimiter: str | bytes | None = None,
    ) -> AsyncIterator[Any]:
        """
        The body in lines, awaited.
        """
        return _pieces.Lines(self.aiter_content(chunk_size, decode_unicode), _Lines(delimiter))

    @property
    def content(self) -> bytes:
        """
        The whole body as bytes; None if there is nothing to read it from.

        Raises:
            RuntimeError: the body was read in pieces before.
        """
        state = self.__dict__
        reply = state.get("_reply")
        if reply is not None and reply.stream is None and "_content" not in state and "raw" not in state:
            # Most often: the body came whole, and nobody has asked for it yet.
            state["_content_consumed"] = True
            content: bytes = reply.body
            state["_content"] = content
            return content
        if self._content is False:
            # Threads may share a response: one reads, the others find the content.
            with state.setdefault("_taking", RLock()):
                if self._content is False:
                    self._take_content()
            state.pop("_taking", None)  # which nobody could pickle
        self._content_consumed = True
        whole: Any = self._content
        return whole  # type: ignore[no-any-return]

    def _take_content(self) -> None:
        if self._content_consumed:
            raise RuntimeError("The content for this response was already consumed")
        if self.status_code == 0 or self.raw is None:
            self._content = None
        elif isinstance(self.raw, RawResponse):
            # Joining pieces would take twice the memory; a BytesIO gives its bytes away without a copy.
            room = io.BytesIO()
            self.raw.read_all(room.write)
            self._content = room.getvalue()
        else:
            self._content = b"".join(self.iter_content(CONTENT_CHUNK_SIZE)) or b""

    async def aread(self) -> bytes:
        """
        Await the whole body; it is `content` afterwards.
        """
        if self._content is False and not self._content_consumed and hasattr(self.raw, "anext"):
            # Tasks of a loop may share a response: one reads, the others find the content.
            loop = _loops.running()
            locks = self.__dict__.setdefault("_reading", WeakKeyDictionary())
            async with locks.setdefault(loop.identity, loop.lock()):
                if self._content is False:
                    room = io.BytesIO()
                    await self.raw.aread_all(room.write)
                    self._content = room.getvalue()
        return self.content

    @property
    def text(self) -> str:
        """
        The content as text: by `encoding`, or if that is None by what is seen in it; undecodable bytes are replaced.
        """
        if not self.content:
            return ""
        encoding = self.encoding
        if encoding is None:
            encoding = self.apparent_encoding
        try:
            return str(self.content, encoding, errors="replace")
        except (LookupError, TypeError):
            # No such encoding, or none was seen.
            return str(self.content, errors="replace")

    def json(self, **kwargs: Any) -> Any:
        """
        The content decoded as JSON, by the session's `json_loads` if it has one; arguments are those of `json.loads`.

        Raises:
            JSONDecodeError: it is no JSON.
        """
        content = self.content
        loads = getattr(self, "_json_loads", None)
        try:
            if not self.encoding and content and len(content) > 3:
                # RFC 8259 asks for UTF-8; older texts may be UTF-16 or UTF-32.
                encoding = guess_json_utf(content)
                if encoding is not None:
                    try:
                        return (loads or jsonlib.loads)(content.decode(encoding), **kwargs)
                    except UnicodeDecodeError:
                        pass  # it lied; the text property knows what to do
            return (loads or jsonlib.loads)(self.text, **kwargs)
        except ValueError as error:
            if isinstance(error, jsonlib.JSONDecodeError):
                raise RequestsJSONDecodeError(error.msg, error.doc, error.pos) from error
            if loads is not None:  # others' decoders have exceptions of their own
                raise RequestsJSONDecodeError(str(error), self.text, 0) from error
            raise

    @property
    def links(self) -> dict[str, dict[str, str]]:
        """
        The Link header's links by their relation, or by their URL.
        """
        header = self.headers.get("link")
        found = parse_header_links(header) if header else []
        return {link.get("rel") or link.get("url") or "": link for link in found}

    def raise_for_status(self) -> None:
        """
        Raise if the server said that something is wrong.

        Raises:
            HTTPError: the status is 400 to 599.
        """
        status = self.status_code
        if not 400 <= status < 600:
            return
        reason = self.reason
        if isinstance(reason, bytes):
            try:
                reason = reason.decode("utf-8")
            except UnicodeDecodeError:
                reason = reason.decode("iso-8859-1")
        whose = "Client" if status < 500 else "Server"
        raise HTTPError(f"{status} {whose} Error: {reason} for url: {self.url}", response=self)

    def upgrade(self) -> Upgraded:
        """
        The connection of a server that has switched protocols (101), as Connection and Upgrade have asked it to.

        It is a raw file in both directions, with awaited twins; what came behind the headers is read first. It is the
        same each time, serves no other request, and is closed with the response.

        Raises:
            HTTPError: the server did not switch.
        """
        found = getattr(self.raw if self._reply is None else self._reply, "upgraded", None)
        if found is None:
            told = f"{self.status_code} {self.reason}: the server did not switch protocols for url: {self.url}"
            raise HTTPError(told, response=self)
        from ._upgraded import Upgraded

        made: Upgraded = self.__dict__.setdefault("_upgraded", Upgraded(found, self.request, self.connection))
        return made

    def close(self) -> None:
        """
        Give the connection up, or back if the body was read. A body that was not read is lost.
        """
        reply = self._reply
        if reply is not None and reply.upgraded is not None:
            reply.upgraded.close()
        if reply is not None and "raw" not in self.__dict__ and reply.stream is None:
            return
        if not self._content_consumed:
            self.raw.close()
        release = getattr(self.raw, "release_conn", None)
        if release is not None:
            release()

    async def aclose(self) -> None:
        """
        The same, awaited; it never blocks.
        """
        self.close()

    def _taken(self) -> bool:
        """
        Its body came whole and nobody asked for a stream, so that `raw` is at its end; False if that is another's.
        """
        if _is_replaced(self):
            return False
        self.__dict__["_was_taken"] = True
        if "raw" in self.__dict__:
            self.raw.taken()
        return True

    def _drain(self, limit: int) -> None:
        pieces: list[bytes] = []
        try:
            for chunk in self.raw.stream(65536, decode_content=False):
                pieces.append(chunk)
                if sum(map(len, pieces)) > limit:
                    break
            else:
                self._drained(pieces)
        except (RequestException, RuntimeError):
            pass  # nobody wants this body, of which a hook may have read a part
        self.close()

    async def _adrain(self, limit: int) -> None:
        pieces: list[bytes] = []
        chunk = b"."
        try:
            while chunk and sum(map(len, pieces)) <= limit:
                chunk = await self.raw.anext(65536, True)
                pieces.append(chunk)
            if not chunk:
                self._drained(pieces)
        except (RequestException, RuntimeError):
            pass  # nobody wants this body, of which a hook may have read a part
        self.close()

    def _drained(self, pieces: list[bytes]) -> None:
        """
        All of a body was read as it came: it is the content, unless it is coded or others have read of it before.
        """
        whole = self.raw.tell() == sum(map(len, pieces))
        if whole and self._content is False and not is_coded(self.headers.get("content-encoding", "")):
            self._content, self._content_consumed = b"".join(pieces), True


class _Lines:
    """
    Text cut at its line ends, whatever pieces it comes in.
    """

    def __init__(self, delimiter: Any) -> None:
        self.delimiter = delimiter
        self.pending: Any = None

    def add(self, chunk: Any) -> list[Any]:
        """
        The lines that `chunk` completes.
        """
        if self.pending is not None:
            chunk = self.pending + chunk
        lines: list[Any] = chunk.split(self.delimiter) if self.delimiter else chunk.splitlines()
        # A last line that the chunk does not end goes on in the next one.
        unfinished = lines and lines[-1] and chunk and lines[-1][-1] == chunk[-1]
        self.pending = lines.pop() if unfinished else None
        return lines

    def end(self) -> list[Any]:
        """
        What is left.
        """
        return [] if self.pending is None else [self.pending]


def answered(adapter: Any, request: Any, reply: Reply) -> Response:
    """
    The Response to a request: what else there is of it is made when it is asked for.
    """
    response = _new(Response)
    response.__dict__ = {
        "status_code": reply.status,
        "url": request.url,
        "request": request,
        "connection": adapter,
        "_reply": reply,
    }
    return response


def _make_request(response: Response, reply: Reply) -> Any:
    return response.__dict__["_ready"].request()


def _make_headers(response: Response, reply: Reply) -> HeaderDict:
    return parse_head(reply)


def _make_cookies(response: Response, reply: Reply) -> RequestsCookieJar:
    jar = RequestsCookieJar()
    if reply.sets_cookies:
        extract_cookies_to_jar(jar, response.request, response.raw)
    return jar


def _make_reason(response: Response, reply: Reply) -> str:
    if reply.version == 20:  # which has none
        return client.responses.get(reply.status, "")
    return reply.reason.decode("latin-1") if reply.reason else ""


def _make_raw(response: Response, reply: Reply) -> RawResponse:
    headers: Any = response.headers
    raw = RawResponse(reply, headers, response.request)
    raw._answer.progress = getattr(response.connection, "progress", None)
    state = response.__dict__
    if reply.stream is None and ("_ready" in state or "_was_taken" in state):
        raw.taken()
    return raw


def _is_replaced(response: Response) -> bool:
    """
    Whether a user, in a hook say, has put another `raw` in the place of ours: then the body is what that gives.
    """
    raw = response.__dict__.get("raw")
    return raw is not None and not isinstance(raw, RawResponse)


def _is_here(response: Response, reply: Reply) -> bool:
    return reply.body is not None and not _is_replaced(response)


def _make_content(response: Response, reply: Reply) -> Any:
    return reply.body if _is_here(response, reply) else False


# What a response makes of the core's answer, when it is asked for.
_LAZY: dict[str, Callable[[Response, Reply], Any]] = {
    "url": lambda response, reply: response.__dict__["_ready"].url,
    "connection": lambda response, reply: response.__dict__["_ready"].adapter,
    "request": _make_request,
    "headers": _make_headers,
    "reason": _make_reason,
    "encoding": lambda response, reply: get_encoding_from_headers(response.headers),
    "cookies": _make_cookies,
    "history": lambda response, reply: [],
    "raw": _make_raw,
    "elapsed": lambda response, reply: datetime.timedelta(seconds=reply.timings.to_head),
    "_content": _make_content,
    "_content_consumed": _is_here,
    "_json_loads": lambda response, reply: getattr(response.__dict__.get("_ready"), "json_loads", None),
}

# What one has that was made by hand, until it is set.
_BLANK: dict[str, Callable[[], Any]] = {
    **dict.fromkeys(("status_code", "raw", "url", "encoding", "reason", "request"), lambda: None),
    **dict.fromkeys(("_content", "_content_consumed"), bool),
    "headers": CaseInsensitiveDict,
    "history": list,
    "cookies": RequestsCookieJar,
    "elapsed": datetime.timedelta,
}

__all__ = [
    "CONTENT_CHUNK_SIZE",
    "DEFAULT_REDIRECT_LIMIT",
    "ITER_CHUNK_SIZE",
    "REDIRECT_STATI",
    "CaseInsensitiveDict",
    "ChunkedEncodingError",
    "ConnectionError",
    "ContentDecodingError",
    "HTTPError",
    "InvalidURL",
    "PreparedRequest",
    "Request",
    "RequestEncodingMixin",
    "RequestException",
    "RequestHooksMixin",
    "Response",
    "codes",
]
