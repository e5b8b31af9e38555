"""
The boundary: the only module that touches cffi.

Handles, structs and codes of ``include/requestx.h`` end here.
What leaves is a `Reply`, a `Stream` or a `CoreError`; what arrives is bytes and numbers.
The rule that keeps it fast is few crossings: one call sends, the answer is one struct, one call frees it.

A blocking call comes back at least every 50 ms (``RQX_PENDING``), so that Python can look at its signals.
A forked child finds its parent's handles refused (``RQX_E_FORKED``) and makes its own.
"""

from __future__ import annotations

import itertools
import os
import struct
import sys
from _thread import allocate_lock
from functools import lru_cache
from typing import Any, Callable, Iterable, Iterator

from ._native import ffi
from ._peer import Peer
from ._timings import Timings, unpack

_NAMES = {"darwin": "librequestx.dylib", "win32": "requestx.dll"}
_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), _NAMES.get(sys.platform, "librequestx.so"))
_lib: Any = ffi.dlopen(_PATH)

_NULL = ffi.NULL
_new: Any = ffi.new
_buffer = ffi.buffer
_from_buffer = ffi.from_buffer
_send = _lib.rqx_send
_send_into = _lib.rqx_request_send_into
_submit = _lib.rqx_request_submit
_free = _lib.rqx_response_free
_take = _lib.rqx_queue_take
#: Memory that is not touched before it is used.
_uncleared = ffi.new_allocator(should_clear_after_alloc=False)

_INTERRUPTION = "what a signal's handler raised came in between"
_CLOSED_EARLY = "the response was closed before the end of its body"
_OK, _PENDING, _WANT_BODY = 0, 1, 2
_AGAIN, _CLOSED, _INTERRUPTED = 74, 71, 73
#: The kind of error that an option's value gives which cannot be had.
INVALID_ARGUMENT = 10
_READ = _lib.RQX_PHASE_READ
#: How a body is read: as it came, or all of it to be kept, within the limits on that.
RAW, WHOLE = _lib.RQX_READ_RAW, _lib.RQX_READ_WHOLE
#: Phases in which there is no connection yet.
BEFORE_CONNECTED = (_lib.RQX_PHASE_RESOLVE, _lib.RQX_PHASE_CONNECT)
#: The kind of error that a handle of the parent process gives.
FORKED = 72
#: The kind that a body gives which ended before its end.
INCOMPLETE = 53
#: The kinds of error that something gives that is no URL, or none of a scheme that is known.
NO_URL = (12, 14)
_COMPLETE = _lib.RQX_EVF_BODY_COMPLETE
_INLINE = _lib.RQX_EVF_INLINE
_SEND_INLINE = _lib.RQX_SEND_INLINE
_SPACE = _lib.RQX_INLINE_BYTES
_EVENT_SIZE = ffi.sizeof("rqx_event")
#: An rqx_timing lies behind each head; its size is its first field.
_TIMED = ffi.sizeof("rqx_timing")
_TIMED_AT = ffi.sizeof("size_t")
_SET_COOKIE = _lib.RQX_EVF_SET_COOKIE
_INFORMATIONAL, _TRAILERS = _lib.RQX_EVF_INFORMATIONAL, _lib.RQX_EVF_TRAILERS
_UPGRADED = _lib.RQX_EVF_UPGRADED


def _reader(*names: str) -> struct.Struct:
    """
    Reads these fields of an rqx_event at once, in the order of the struct, and passes over the others.

    One field read through cffi costs as much as all of them in this way.
    """
    form, at = "=", 0
    for name in names:
        path = name.split(".")
        offset, kind = ffi.offsetof("rqx_event", *path), ffi.typeof("rqx_event")
        for part in path:
            kind = dict(kind.fields)[part].type
        form += f"{offset - at}x{'BHIQ'[ffi.sizeof(kind).bit_length() - 1]}"
        at = offset + ffi.sizeof(kind)
    return struct.Struct(f"{form}{_EVENT_SIZE - at}x")


_LENGTHS = ("head.len", "body.len", "reason.len")
_read_event = _reader("flags", "status", "http_version", "peer", *_LENGTHS).unpack_from
_read_events = _reader("token", "flags", "status", "http_version", "peer", *_LENGTHS).iter_unpack

#: Bytes of a pushed body that wait for the socket, and the most that is pushed at once.
WINDOW = 1 << 20
#: The most that is read from a body at once.
PIECE = 1 << 20

next_token: Callable[[], int] = itertools.count(1).__next__

if (_lib.rqx_abi_version() >> 16) != _lib.RQX_ABI_MAJOR:
    raise ImportError(f"{_PATH} has another ABI than this package was made for")


class CoreError(Exception):
    """
    What the core could not do.

    Args:
        kind: RQX_E_*.
        phase: RQX_PHASE_*.
        message: what was tried, on what, and what came back.
        os_code: errno, or 0.
        tls_code: the TLS library's verification code, or 0.
        chain: the causes, outermost first.
        proxy_status: of the proxy's answer to CONNECT, or 0.
    """

    def __init__(
        self,
        kind: int,
        phase: int,
        message: str,
        os_code: int = 0,
        tls_code: int = 0,
        chain: tuple[str, ...] = (),
        proxy_status: int = 0,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.phase = phase
        self.message = message
        self.os_code = os_code
        self.tls_code = tls_code
        self.chain = chain
        self.proxy_status = proxy_status


class Busy(RuntimeError):
    """
    A body is being read by somebody else at this moment: another thread, or another task.
    """

    def __init__(self) -> None:
        super().__init__("the body of this response is being read already, by another thread or task: wait for that")


def version() -> str:
    """
    The library's name and version, and what it was built from.
    """
    return f"{_text(_lib.rqx_version())} ({_text(_lib.rqx_build_info())})"


def is_public_suffix(host: str) -> bool:
    """
    Whether everybody may have a name below `host`, so that it is no cookie's domain.
    """
    text = host.encode("utf-8", "replace")
    return bool(_lib.rqx_suffix_is_public(text, len(text)) == 1)


def _text(pointer: Any) -> str:
    told: Any = ffi.string(pointer)
    return str(told, "utf-8")


def _slice(view: Any) -> bytes:
    return _buffer(view.ptr, view.len)[:] if view.len else b""


def _take_error(error: Any) -> CoreError:
    """
    The exception for an owned rqx_error, which is freed.
    """
    view = _new("rqx_error_view *")
    view.struct_size = ffi.sizeof("rqx_error_view")
    if _lib.rqx_error_read(error, view) != _OK:
        return CoreError(_lib.RQX_E_INTERNAL, 0, "the core could not say what went wrong")
    chain = _slice(view.chain).decode("utf-8", "replace")
    told = CoreError(
        view.code,
        view.phase,
        _slice(view.message).decode("utf-8", "replace"),
        view.os_code,
        view.tls_code,
        tuple(chain.split("\n")) if chain else (),
        view.proxy_status,
    )
    _lib.rqx_error_free(error)
    return told


def _check(code: int, error: Any) -> None:
    if code != _OK:
        raise _refused(code, error)


def _refused(code: int, error: Any) -> CoreError:
    return CoreError(code, 0, _text(_lib.rqx_code_name(code))) if error[0] == _NULL else _take_error(error[0])


class Options:
    """
    Choices for a client or an exchange; made by `options`, freed with the last reference.
    """

    __slots__ = ("handle",)

    def __init__(self, numbers: Iterable[tuple[str, int]], paths: Iterable[tuple[str, str | bytes]]) -> None:
        self.handle = _NULL
        made, error = _new("rqx_options **"), _new("rqx_error **")
        _check(_lib.rqx_options_new(made), error)
        self.handle = made[0]
        for name, number in numbers:
            _check(_lib.rqx_options_set_int(self.handle, _option(name), number, error), error)
        for name, path in paths:
            value = os.fsencode(path)
            _check(_lib.rqx_options_set_bytes(self.handle, _option(name), value, len(value), error), error)

    def __del__(self) -> None:
        _lib.rqx_options_free(self.handle)


def _option(name: str) -> int:
    number: int | None = getattr(_lib, "RQX_OPT_" + name, None)
    if number is None:
        raise CoreError(_lib.RQX_E_UNKNOWN_OPTION, 0, f"this library has no option {name}")
    return number


@lru_cache(maxsize=256)
def options(numbers: tuple[tuple[str, int], ...] = (), paths: tuple[tuple[str, str | bytes], ...] = ()) -> Options:
    """
    The options that say this; the same object for the same choices.

    Args:
        numbers: pairs of an option's name (``RQX_OPT_`` left out) and its value.
        paths: the same for options whose value is a path, or other bytes.

    Raises:
        CoreError: there is no such option, or it cannot have this value.
    """
    return Options(numbers, paths)


# A child must not find its parent's.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=options.cache_clear)


class _Slot:
    """
    Where a blocking call finds its answer; calls take one and put it back.
    """

    __slots__ = ("bytes", "event", "pending", "space", "view")

    def __init__(self) -> None:
        self.event = _new("rqx_event *")
        self.bytes = _buffer(self.event)
        self.pending = _new("rqx_exchange **")
        self.space = _new("uint8_t[]", _SPACE)
        self.view = _buffer(self.space)

    def clear(self) -> None:
        """
        Free what a call left here that did not come to its end: a signal's exception is raised between any two steps.

        Handles that were freed before are refused, so nothing is freed twice. The slot is not used again.
        """
        _lib.rqx_exchange_free(self.pending[0])
        _lib.rqx_error_free(self.event.error)
        _free(self.event.response)


_slots: list[_Slot] = []


class Reply:
    """
    An answer: the head as bytes, and the body, whole or as a `Stream`.
    """

    __slots__ = (
        "_trailers",
        "body",
        "flags",
        "informational",
        "memory",
        "number",
        "reason",
        "status",
        "stream",
        "upgraded",
        "version",
    )

    status: int
    version: int
    flags: int
    #: Of the peer, 0 without TLS.
    number: int
    #: The head, and its times behind it.
    memory: bytes
    #: Status and head of each informational answer before this one.
    informational: list[tuple[int, bytes]]
    _trailers: bytes
    reason: bytes
    body: bytes | None
    stream: Stream | None
    #: The connection, once the server has switched protocols.
    upgraded: Upgraded | None

    @property
    def peer(self) -> Peer | None:
        """
        Who answered, where that was over TLS.
        """
        return peer_of(self.number)

    @property
    def head(self) -> bytes:
        """
        Names and values, joined by newlines.
        """
        return self.memory[:-_TIMED]

    @property
    def timings(self) -> Timings:
        """
        Where the time went, up to now.
        """
        return unpack(self.memory[_TIMED_AT - _TIMED :]) if self.stream is None else self.stream.timings()

    @property
    def trailers(self) -> bytes | None:
        """
        The fields behind the body, as a head's; None before it was read to its end.
        """
        return self._trailers if self.stream is None else self.stream.trailers()

    @property
    def sets_cookies(self) -> bool:
        """
        Whether there is a Set-Cookie field.
        """
        return bool(self.flags & _SET_COOKIE)

    @property
    def asks_for_more(self) -> bool:
        """
        Whether there are cookies to be kept or a body to be read.
        """
        return self.sets_cookies or self.stream is not None


_make_reply = Reply.__new__


class Inline:
    """
    A `Reply` whose parts lie one behind the other in one piece of memory, taken apart when they are asked for.

    Args:
        status: the status code.
        version: 10, 11 or 20.
        flags: RQX_EVF_*.
        peer: the number of the peer, 0 without TLS.
        reason_at: where the reason phrase begins; the head and its times are before it.
        body_at: where the body begins.
        memory: head, times, reason and body.
    """

    __slots__ = ("asks_for_more", "body_at", "memory", "number", "reason_at", "status", "version")

    stream = None
    upgraded = None
    informational: list[tuple[int, bytes]] = []
    trailers = b""

    def __init__(
        self, status: int, version: int, flags: int, peer: int, reason_at: int, body_at: int, memory: bytes
    ) -> None:
        self.status = status
        self.version = version
        self.asks_for_more = flags & _SET_COOKIE
        self.number = peer
        self.reason_at = reason_at
        self.body_at = body_at
        self.memory = memory

    @property
    def peer(self) -> Peer | None:
        """
        Who answered, where that was over TLS.
        """
        return peer_of(self.number)

    @property
    def sets_cookies(self) -> bool:
        """
        Whether there is a Set-Cookie field; there is no more to ask for.
        """
        return bool(self.asks_for_more)

    @property
    def head(self) -> bytes:
        """
        Names and values, joined by newlines.
        """
        return self.memory[: self.reason_at - _TIMED]

    @property
    def timings(self) -> Timings:
        """
        Where the time went.
        """
        return unpack(self.memory[self.reason_at - _TIMED + _TIMED_AT : self.reason_at])

    @property
    def reason(self) -> bytes:
        """
        The reason phrase.
        """
        return self.memory[self.reason_at : self.body_at]

    @property
    def body(self) -> bytes:
        """
        The whole body.
        """
        return self.memory[self.body_at :]


def peer_of(number: int) -> Peer | None:
    """
    The peer with a number; None for 0, and for one that is known no longer (see `rqx_peer_new`).
    """
    made = _new("rqx_peer **")
    if not number or _lib.rqx_peer_new(number, made, _NULL) != _OK:
        return None
    try:
        view, der = _new("rqx_peer_view *"), _new("rqx_slice *")
        view.struct_size = ffi.sizeof("rqx_peer_view")
        _lib.rqx_peer_read(made[0], view)
        chain: list[bytes] = []
        while _lib.rqx_peer_certificate(made[0], len(chain), der) == _OK:
            chain.append(_slice(der))
        version, cipher, protocol = (_slice(part).decode() for part in (view.version, view.cipher, view.protocol))
        return Peer(tuple(chain), version, cipher, view.cipher_bits, protocol or None, bool(view.resumed))
    finally:
        _lib.rqx_peer_free(made[0])


class Shot:
    """
    A request that can be sent again and again; one without a body.

    Args:
        method: the method.
        url: the URL.
        fields: pairs of name and value.
        choices: its options.

    Raises:
        CoreError: it could not be sent.
    """

    __slots__ = ("handle",)

    def __init__(self, method: bytes, url: bytes, fields: Iterable[tuple[bytes, bytes]], choices: Options) -> None:
        self.handle = _NULL
        made, error = _new("rqx_request **"), _new("rqx_error **")
        _check(_lib.rqx_request_new(method, len(method), url, len(url), made, error), error)
        self.handle = made[0]
        for name, value in fields:
            _check(_lib.rqx_request_add_header(self.handle, name, len(name), value, len(value), error), error)
        _check(_lib.rqx_request_set_options(self.handle, choices.handle, error), error)

    def __del__(self) -> None:
        _lib.rqx_request_free(self.handle)


def _take_reply(event: Any, lane: Any) -> Reply:
    """
    The answer in an event; a response that is complete is freed, another is the stream's.
    """
    reply = _make_reply(Reply)
    reply.status = event.status
    reply.version = event.http_version
    reply.flags = flags = event.flags
    reply.number = event.peer
    view = event.head
    reply.memory = _buffer(view.ptr, view.len + _TIMED)[:]
    view = event.reason
    reply.reason = _buffer(view.ptr, view.len)[:] if view.len else b""
    reply.informational = _informational_of(event.response) if flags & _INFORMATIONAL else []
    reply._trailers = (_trailers_of(event.response) or b"") if flags & _TRAILERS else b""
    reply.upgraded = Upgraded(event.response, lane) if flags & _UPGRADED else None
    if flags & _COMPLETE:
        view = event.body
        reply.body = _buffer(view.ptr, view.len)[:] if view.len else b""
        reply.stream = None
        _free(event.response)
    else:
        reply.body = None
        reply.stream = Stream(event.response, lane)
        event.response = _NULL  # it is the stream's
    return reply


def _informational_of(response: Any) -> list[tuple[int, bytes]]:
    status, head, count = _new("uint16_t *"), _new("rqx_slice *"), _new("uint32_t *")
    found: list[tuple[int, bytes]] = []
    while _lib.rqx_response_informational(response, len(found), status, head, count, _NULL) == _OK:
        found.append((status[0], _slice(head)))
    return found


def _trailers_of(response: Any) -> bytes | None:
    trailers, count = _new("rqx_slice *"), _new("uint32_t *")
    code = _lib.rqx_response_trailers(response, trailers, count, _NULL)
    return _slice(trailers) if code == _OK else None


class Client:
    """
    A pool of connections, shared by any number of threads and loops.

    It is freed by cffi, not by a `__del__`: freeing takes a while, and what a signal's handler raises in a `__del__`, a
    KeyboardInterrupt too, is lost.

    Args:
        options: limits on connections, and defaults for exchanges.
    """

    __slots__ = ("__weakref__", "_make", "handle")

    def __init__(self, make: Callable[[], Options] = options) -> None:
        self._make = make
        self.handle = _NULL
        self._open()

    def _open(self) -> None:
        made, error = _new("rqx_client **"), _new("rqx_error **")
        choices = self._make()  # held: another thread's may have taken its place in the cache
        _check(_lib.rqx_client_new(choices.handle, made, error), error)
        self.handle = ffi.gc(made[0], _lib.rqx_client_free)

    def revive(self) -> None:
        """
        Make the handles anew: those of a parent process are of no use in its child.
        """
        options.cache_clear()
        ffi.gc(self.handle, None)
        self._open()

    def wait(self, choices: Options, head: bytes, fields: int, body: Any, upload: Upload | None, stream: bool) -> Reply:
        """
        Send, and wait for the answer on this thread.

        Args:
            choices: of this exchange.
            head: method, URL and fields, joined by newlines.
            fields: how many.
            body: bytes, or b"".
            upload: a body that is pushed, in the place of `body`.
            stream: return with the head.

        Raises:
            CoreError: what went wrong, and in which phase.
        """
        try:
            slot = _slots.pop()
        except IndexError:
            slot = _Slot()
        event = slot.event
        try:
            code = _send(
                self.handle,
                choices.handle,
                head,
                len(head),
                fields,
                body,
                len(body),
                _NULL if upload is None else upload.handle,
                1 if stream else 0,
                slot.pending,
                event,
            )
            if code == _PENDING or code == _WANT_BODY:
                code = _wait_on(code, slot, upload)
            if code != _OK:
                raise _take_error(event.error)
            reply = _take_reply(event, None)
        except BaseException:
            slot.clear()
            raise
        _slots.append(slot)
        return reply

    def fire(self, shot: Shot) -> Any:
        """
        Send a request that is ready, and wait for the answer on this thread.

        Returns:
            An `Inline` or a `Reply`.

        Raises:
            CoreError: what went wrong, and in which phase.
        """
        try:
            slot = _slots.pop()
        except IndexError:
            slot = _Slot()
        event = slot.event
        try:
            code = _send_into(self.handle, shot.handle, 0, slot.space, _SPACE, slot.pending, event)
            if code == _PENDING:
                code = _wait_on(code, slot, None)
            if code != _OK:
                raise _take_error(event.error)
            flags, status, version, peer, head, body, reason = _read_event(slot.bytes)
            if flags & _INLINE:
                head += _TIMED
                body_at = head + reason
                reply: Any = Inline(status, version, flags, peer, head, body_at, slot.view[: body_at + body])
            else:
                reply = _take_reply(event, None)
        except BaseException:
            slot.clear()
            raise
        _slots.append(slot)
        return reply

    def submit_shot(self, queue: Any, token: int, shot: Shot) -> None:
        """
        Send a request that is ready in the background.

        Raises:
            CoreError: nothing was sent.
        """
        code = _submit(self.handle, shot.handle, queue, token, _SEND_INLINE, _NULL)
        if code != _OK:
            raise CoreError(code, 0, _text(_lib.rqx_code_name(code)))

    def submit(
        self,
        queue: Any,
        token: int,
        choices: Options,
        head: bytes,
        fields: int,
        body: Any,
        upload: Upload | None,
        stream: bool,
    ) -> None:
        """
        Send in the background; the answer comes to `queue` with `token`. Arguments as for `wait`.

        Raises:
            CoreError: nothing was sent.
        """
        error = _new("rqx_error **")
        code = _lib.rqx_submit(
            self.handle,
            queue,
            token,
            choices.handle,
            head,
            len(head),
            fields,
            body,
            len(body),
            _NULL if upload is None else upload.handle,
            1 if stream else 0,
            error,
        )
        if code != _OK:
            raise _refused(code, error)

    def cancel(self, token: int) -> None:
        """
        Break off what was submitted with `token`.
        """
        _lib.rqx_cancel(self.handle, token)

    def close(self) -> None:
        """
        Close the connections and refuse further exchanges.
        """
        _lib.rqx_client_close(self.handle)

    def close_idle(self) -> None:
        """
        Close the connections that wait for use.
        """
        _lib.rqx_client_close_idle(self.handle)

    def stats(self) -> dict[str, int]:
        """
        Connections and exchanges at this moment.
        """
        stats = _new("rqx_stats *")
        stats.struct_size = ffi.sizeof("rqx_stats")
        _lib.rqx_client_stats(self.handle, stats)
        return {name: getattr(stats, name) for name, _ in ffi.typeof("rqx_stats").fields if name != "struct_size"}


def _wait_on(code: int, slot: _Slot, upload: Upload | None) -> int:
    """
    Wait in slices until the exchange is over; whatever is raised in between breaks it off (`_Slot.clear`).
    """
    resume, exchange = _lib.rqx_exchange_resume, slot.pending[0]
    while code == _PENDING or code == _WANT_BODY:
        if code == _WANT_BODY and upload is not None:
            upload.feed()
        code = resume(exchange, slot.event)
    _lib.rqx_exchange_free(exchange)
    return code


class Upload:
    """
    A body that is pushed while its exchange runs.

    Args:
        chunks: what to push, bytes-like; taken one by one as the socket takes them. None: `push` is called.
        length: bytes in all, or None for a chunked body.
    """

    __slots__ = ("_chunks", "_rest", "closed", "handle", "pushed")

    def __init__(self, chunks: Iterator[Any] | None, length: int | None) -> None:
        self.handle = _NULL
        made, error = _new("rqx_upload **"), _new("rqx_error **")
        _check(_lib.rqx_upload_new(WINDOW, -1 if length is None else length, made, error), error)
        self.handle = made[0]
        self._chunks = chunks
        self._rest: Any = None
        #: Bytes so far.
        self.pushed = 0
        #: The exchange wants no more of it.
        self.closed = False

    def feed(self) -> None:
        """
        Push the next chunk, or what is left of the last one, or the end.

        Raises:
            Exception: whatever the chunks raise; CoreError if there are more or fewer bytes than promised.
        """
        if self._rest is None and self._chunks is not None:
            for chunk in self._chunks:
                if len(chunk):  # an empty one would be no answer
                    self.push(chunk)
                    return
            self.finish()
        else:
            self.push_rest()

    def push(self, chunk: Any) -> bool:
        """
        Push a chunk; False if there was room for a part of it only: `push_rest` goes on when there is more.
        """
        self._rest = memoryview(chunk.encode("utf-8") if isinstance(chunk, str) else chunk).cast("B")
        return self.push_rest()

    def push_rest(self) -> bool:
        """
        Push what is left of the last chunk; True if nothing is left.
        """
        rest, taken, error = self._rest, _new("size_t *"), _new("rqx_error **")
        while rest is not None and len(rest):
            code = _lib.rqx_upload_push(self.handle, _from_buffer(rest), len(rest), taken, error)
            if code == _AGAIN:
                self._rest = rest
                return False
            if code == _CLOSED:
                self.closed = True  # the exchange says itself how it ended
                break
            _check(code, error)
            rest = rest[taken[0] :]
            self.pushed += taken[0]
        self._rest = None
        return True

    def finish(self) -> None:
        """
        The body has ended.
        """
        error = _new("rqx_error **")
        if not self.closed:
            _check(_lib.rqx_upload_finish(self.handle, _OK, error), error)

    def __del__(self) -> None:
        _lib.rqx_upload_free(self.handle)


class Stream:
    """
    A body that is pulled. Closing it, or dropping it, before its end closes the connection.

    The core shows its pieces where they lie, until the next one is asked for; they are copied once, to where they stay.
    So whoever looks at a piece has the lock, and the memory is freed when nobody can look any more; by cffi, as a
    `Client` is.
    A piece that was asked for in the background is its asker's: until it is shown nobody else may ask (`Busy`).

    Args:
        handle: the response, which is the stream's from now on.
        lane: the `Wake` that awaits its pieces; None if it is read by blocking calls alone.
    """

    __slots__ = (
        "_asked",
        "_at",
        "_error",
        "_lock",
        "_piece",
        "_pulling",
        "_times",
        "_trailers",
        "_view",
        "closed",
        "given",
        "handle",
        "lane",
    )

    def __init__(self, handle: Any, lane: Any) -> None:
        self.handle = ffi.gc(handle, _free)
        self.lane = lane
        self.closed = False
        self._lock = allocate_lock()
        self._asked = self._pulling = False
        #: Counts what was cut off for a reader.
        self.given = 0
        self._view: Any = None
        self._at = 0
        self._piece: Any = None
        self._error: Any = None
        self._times = b""
        self._trailers: bytes | None = None

    def read(self, size: int, raw: bool = False) -> bytes:
        """
        The next bytes, at most `size`, waiting for them; b"" is the end.

        Raises:
            CoreError: the body ended early, or could not be decoded.
            Busy: its next piece is awaited elsewhere.
        """
        self._come_in()
        try:
            if self._view is None:
                self._view, self._at = self._pull(raw), 0
            return self._cut(size)
        finally:
            self._lock.release()

    def read_all(self, take: Callable[[Any], Any]) -> None:
        """
        Hand all that is left, decoded, to `take`, piece by piece, within the limits on what is kept whole.

        Raises:
            CoreError, Busy: as `read`.
        """
        self._come_in()
        try:
            while True:
                view = self._rest() or self._pull(WHOLE)
                if not view:
                    return
                take(view)
        finally:
            self._lock.release()

    def peek(self, size: int) -> bytes:
        """
        The next of what has been shown already, at most `size` bytes; b"" if there is nothing.

        Raises:
            Busy: another thread is reading.
        """
        self._enter()
        try:
            return self._cut(size)
        finally:
            self._lock.release()

    def hand_over(self, take: Callable[[Any], Any]) -> bool:
        """
        Hand what has been shown and not read to `take`; False if there is nothing.

        Raises:
            Busy: another thread is reading.
        """
        self._enter()
        try:
            view = self._rest()
            if view:
                take(view)
            return bool(view)
        finally:
            self._lock.release()

    def unread(self) -> int:
        """
        How many bytes have been shown and not read.
        """
        if not self._lock.acquire(False):
            return 0  # who is reading takes them
        try:
            return 0 if self._view is None else len(self._view) - self._at
        finally:
            self._lock.release()

    def show(self, view: Any) -> None:
        """
        Have a piece read next that was asked for in the background.

        Raises:
            CoreError: the stream was closed meanwhile, and the piece went with it.
        """
        with self._lock:
            self._asked = False
            if self.closed:
                raise CoreError(_CLOSED, _READ, _CLOSED_EARLY)
            self._view, self._at = view or None, 0

    def _enter(self) -> None:
        # An event loop does not wait for a thread that waits for the network.
        if not self._lock.acquire(False):
            raise Busy()

    def _come_in(self) -> None:
        # A thread that only looks has done in a moment; one that waits for the network may take for ever, and is in
        # this very thread where a signal's handler asks.
        if not self._lock.acquire(False):
            if self._pulling:
                raise Busy()
            self._lock.acquire()

    def _rest(self) -> Any:
        view, at, self._view = self._view, self._at, None
        return memoryview(view)[at:] if view is not None and at else view

    def _cut(self, size: int) -> bytes:
        view, at = self._view, self._at
        if view is None:
            return b""
        self.given += 1
        end = at + size
        if end < len(view):
            self._at = end
        else:
            self._view = None
        return view[at:end]  # type: ignore[no-any-return]

    def _pull(self, how: int) -> Any:
        if self._asked:
            raise Busy()
        piece = self._piece
        if piece is None:
            piece, self._error = _new("rqx_slice *"), _new("rqx_error **")
            self._piece = piece
        following = _lib.rqx_body_next
        piece.len = 0
        self._pulling = True
        try:
            while True:
                code = following(self.handle, how, piece, self._error)
                if code == _OK:
                    return _buffer(piece.ptr, piece.len) if piece.len else None
                if code != _PENDING:
                    if self.closed:  # by another thread
                        raise CoreError(_CLOSED, _READ, _CLOSED_EARLY)
                    raise _refused(code, self._error)
        except BaseException:  # of a signal's handler: what has come meanwhile is the next one
            if piece.len:
                self._view, self._at = _buffer(piece.ptr, piece.len), 0
            raise
        finally:
            self._pulling = False

    def submit_read(self, token: int, how: int) -> None:
        """
        Ask for the next piece in the background, as `RAW` and `WHOLE` say; it comes with `token`, and is for `show`.

        Raises:
            CoreError: nothing was asked for.
            Busy: as `peek`, or another task has asked.
        """
        self._enter()
        try:
            if self._asked or self._view is not None:  # which another thread has read meanwhile
                raise Busy()
            error = _new("rqx_error **")
            code = _lib.rqx_body_read(self.handle, token, 0, how, error)
            if code != _OK:
                raise _refused(code, error)
            self._asked = True
        finally:
            self._lock.release()

    def raw_bytes(self) -> int:
        """
        Bytes read so far as they came, before decoding.
        """
        count = _new("uint64_t *")
        _lib.rqx_response_raw_bytes(self.handle, count)
        return count[0]  # type: ignore[no-any-return]

    def timings(self) -> Timings:
        """
        Where the time went, up to now or to the stream's end.
        """
        return unpack(self._times or self._now() or bytes(_TIMED - _TIMED_AT))

    def trailers(self) -> bytes | None:
        """
        The fields behind the body; None before its end.
        """
        if not self._lock.acquire(False):
            return None  # it is being read
        try:
            return self._trailers if self.closed else _trailers_of(self.handle)
        finally:
            self._lock.release()

    def _now(self) -> bytes:
        timing = _new("rqx_timing *")
        timing.struct_size = _TIMED
        if _lib.rqx_response_timing(self.handle, timing) != _OK:
            return b""  # another thread has closed it meanwhile
        return _buffer(timing)[_TIMED_AT:]  # type: ignore[no-any-return]

    def close(self) -> None:
        """
        Give the response up, and its connection unless the body was read to its end.
        """
        if not self.closed:  # the core is not asked any more
            self._times = self._now() or self._times
        self.closed = True
        _lib.rqx_response_close(self.handle)
        if self._lock.acquire(False):
            try:
                self._view = None
                handle, self.handle = self.handle, _NULL
                if handle != _NULL:
                    self._trailers = _trailers_of(handle)
                    ffi.release(handle)
            finally:
                self._lock.release()


class Upgraded:
    """
    A connection whose server has switched protocols: bytes both ways. Dropping it closes it.

    Args:
        response: whose it is; it can be freed afterwards.
        lane: the `Wake` that awaits it; None if it is used by blocking calls alone.
    """

    __slots__ = ("_lock", "closed", "handle", "lane")

    def __init__(self, response: Any, lane: Any) -> None:
        self.handle = _NULL
        made, error = _new("rqx_upgrade **"), _new("rqx_error **")
        _check(_lib.rqx_upgrade_new(response, made, error), error)
        self.handle = ffi.gc(made[0], _lib.rqx_upgrade_free)  # as a `Client` is
        self.lane = lane
        self.closed = False
        self._lock = allocate_lock()

    def read_into(self, view: Any, keep: Callable[[bytes], None]) -> int:
        """
        Read what comes next, waiting for it; how many bytes, 0 at the end.

        Args:
            view: they are put there.
            keep: called with what had come when a signal's handler raised.

        Raises:
            CoreError: it broke, was closed, or nothing came in time.
        """
        code, count, error = _PENDING, _new("size_t *"), _new("rqx_error **")
        try:
            # Let go before anything is raised: CPython 3.8 crashes where the collector finds a view that is lent out.
            with _from_buffer(view, require_writable=True) as space:
                while code == _PENDING:
                    code = _lib.rqx_upgrade_read(self.handle, space, len(view), count, error)
            _check(code, error)
        except BaseException:
            if count[0]:
                keep(bytes(view[: count[0]]))
            raise
        return count[0]  # type: ignore[no-any-return]

    def write(self, view: Any) -> None:
        """
        Send all of it, and no other thread's in between; what is raised on the way closes the connection.

        Raises:
            CoreError: as `read_into`.
        """
        count, error = _new("size_t *"), _new("rqx_error **")
        with self._lock:
            try:
                while len(view):
                    code = _lib.rqx_upgrade_write(self.handle, _from_buffer(view), len(view), count, error)
                    if code == _OK:
                        view = view[count[0] :]
                    elif code != _PENDING:
                        raise _refused(code, error)
            except CoreError:
                raise
            except BaseException:  # nobody knows how much was sent
                self.close()
                raise

    def write_now(self, view: Any) -> int:
        """
        Send what can be sent of it without waiting; how many bytes.

        Raises:
            CoreError: as `read_into`.
        """
        count, error = _new("size_t *"), _new("rqx_error **")
        code = _lib.rqx_upgrade_write_now(self.handle, _from_buffer(view), len(view), count, error)
        if code != _AGAIN:
            _check(code, error)
        return count[0]  # type: ignore[no-any-return]

    def shutdown(self) -> None:
        """
        Tell the peer that no more will be sent.

        Raises:
            CoreError: as `read_into`.
        """
        error, code = _new("rqx_error **"), _PENDING
        with self._lock:
            while code == _PENDING:
                code = _lib.rqx_upgrade_shutdown(self.handle, error)
        _check(code, error)

    def submit_read(self, token: int) -> None:
        """
        Ask for what comes next in the background; it comes with `token`, and stays until the next read.
        """
        error = _new("rqx_error **")
        _check(_lib.rqx_upgrade_submit_read(self.handle, token, 0, error), error)

    def submit_write(self, view: Any, token: int) -> None:
        """
        Send all of it in the background; b"" comes with `token`.
        """
        error = _new("rqx_error **")
        _check(_lib.rqx_upgrade_submit_write(self.handle, token, _from_buffer(view), len(view), error), error)

    def submit_shutdown(self, token: int) -> None:
        """
        As `shutdown`, in the background; b"" comes with `token`.
        """
        error = _new("rqx_error **")
        _check(_lib.rqx_upgrade_submit_shutdown(self.handle, token, error), error)

    def close(self) -> None:
        """
        Close it; who waits for it is told.
        """
        self.closed = True
        _lib.rqx_upgrade_close(self.handle)


class Queue:
    """
    A completion queue; one for each event loop.

    What has finished is taken, not called back: a daemon thread may be ended wherever it takes the interpreter's lock
    again, and frames of the library's must not lie beneath it then.

    Args:
        wake: a weak reference to the `Wake` that `dispatch` calls, on its own thread: `receive` with a token and a
            Reply, a piece of a body, None (the upload has room) or a CoreError, and `lost` with a token and what was
            raised on the way.
    """

    #: The most that is taken at once.
    MOST = 64

    __slots__ = ("_count", "_events", "_numbers", "_space", "_view", "_wake", "fd", "handle")

    def __init__(self, wake: Any) -> None:
        self.handle = _NULL
        made, error = _new("rqx_queue **"), _new("rqx_error **")
        _check(_lib.rqx_queue_new(made, error), error)
        self.handle = made[0]
        self.fd: int = _lib.rqx_queue_fd(self.handle)
        self._wake = wake
        self._count = _new("size_t *")
        self._events = _new("rqx_event[]", self.MOST)
        self._numbers = _buffer(self._events)
        self._space = _uncleared("uint8_t[]", self.MOST * _SPACE)
        self._view = _buffer(self._space)

    def dispatch(self) -> int:
        """
        Hand over what has finished; how many events that were.

        What is left stays in the queue, whose descriptor stays readable.

        Raises:
            BaseException: what a signal's handler raised meanwhile, once all has been handed over.
        """
        events, space = self._events, self._space
        try:
            if _take(self.handle, events, self.MOST, space, self.MOST * _SPACE, self._count, _NULL) != _OK:
                return 0
        except BaseException:  # a signal's handler raised, when they were taken or before
            self._lose()
            raise
        count: int = self._count[0]
        lane, view, index, end, interrupted = self._wake(), self._view, -1, 0, None
        token, following = 0, _read_events(self._numbers[: count * _EVENT_SIZE])
        while index + 1 < count:
            try:
                for token, flags, status, version, peer, head, body, reason in following:
                    index += 1
                    if flags & _INLINE:  # they lie one behind the other
                        head += _TIMED
                        body_at = head + reason
                        # Before anything can be raised: the next begins there whatever becomes of this.
                        start, end = end, end + body_at + body
                        outcome: Any = Inline(status, version, flags, peer, head, body_at, view[start:end])
                    else:
                        outcome = _outcome(events[index], lane)
                    if lane is not None:
                        lane.receive(token, outcome)
            except Exception as error:
                following, end = self._after(index, count)
                if lane is not None:
                    lane.lost(token, error)
            except BaseException as error:
                interrupted = error
                following, end = self._after(index, count)
                if lane is not None:
                    lane.lost(token, CoreError(_INTERRUPTED, 0, _INTERRUPTION))
        if interrupted is not None:
            raise interrupted
        return count

    def _after(self, index: int, count: int) -> tuple[Any, int]:
        """
        What follows an event that something was raised for, which is dropped, and where inline answers up to it end.

        Up to Python 3.9 a signal's handler may come between any two steps, so nothing else that is known is believed.
        """
        told = list(_read_events(self._numbers[: count * _EVENT_SIZE]))
        if index >= 0:
            _drop(self._events[index])
        before = told[: index + 1]
        end = sum(head + _TIMED + reason + body for _, flags, _, _, _, head, body, reason in before if flags & _INLINE)
        return iter(told[index + 1 :]), end

    def _lose(self) -> None:
        """
        Tell whoever awaits what was taken last that it is lost; those of an earlier time await it no more.
        """
        lane = self._wake()
        for index in range(self._count[0]):
            event = self._events[index]
            _drop(event)
            if lane is not None and lane.awaits(event.token):
                lane.lost(event.token, CoreError(_INTERRUPTED, 0, _INTERRUPTION))

    def __del__(self) -> None:
        _lib.rqx_queue_free(self.handle)


def _drop(event: Any) -> None:
    """
    Free what an event holds that was not handed over; a handle that was freed before is refused.
    """
    if not event.flags & _INLINE:
        _free(event.response)
        _lib.rqx_error_free(event.error)


def _outcome(event: Any, lane: Any) -> Any:
    kind = event.kind
    if kind == 1:
        return _take_reply(event, lane)
    if kind == 2 or kind == 5:
        view = event.body
        return _buffer(view.ptr, view.len) if view.len else b""
    return None if kind == 3 else _take_error(event.error)
