"""
Words for errors: builds the object that a connection error carries as ``e.args[0]``.

Users match requests' phrases ("Max retries exceeded with url", "Failed to establish a new connection",
"Read timed out", "Connection aborted.").
They deserve ours too: what was attempted, on what, what came back; so each text holds both.
Bytes from the peer may be in a message: it is cut and its control characters are escaped.
"""

from __future__ import annotations

import errno
import os
from http.client import BadStatusLine, RemoteDisconnected
from typing import Any, Iterable

from ._causes import IncompleteRead, Pool, shape, short
from ._url import origin, path_url

_MESSAGE_LIMIT = 500
_URL_LIMIT = 300


def plain(message: str, chain: Iterable[str] = ()) -> str:
    """
    `message` and what `chain` adds to it, on one line, printable and short.
    """
    for cause in chain:
        if cause and cause not in message:
            message = f"{message}: {cause}"
    return short(message, _MESSAGE_LIMIT)


def explain(kind: int, phase: int, text: str, os_code: int, tls_code: int, request: Any) -> Exception:
    """
    What ``e.args[0]`` is for this error; the texts are those that requests' users know, with `text` inside.
    """
    pool, url = where(request)
    if kind == 54 or (kind == 55 and phase == 8):
        return _make("DecodeError", f"Received a response with content-encoding, but failed to decode it: {text}")
    if kind == 71:
        return _make("ClosedPoolError", pool, f"Pool is closed. ({text})")
    if kind == 40:
        return _timed_out(phase, text, pool, url)
    if kind == 53 or (phase == 8 and kind not in (30, 31)):
        if kind == 53:
            early = IncompleteRead(text)
            return _make("ProtocolError", f"Connection broken: {early}", early)
        return _make("ProtocolError", f"Connection broken: {text}", _os_error(os_code, text))
    if kind in (20, 21, 22, 23, 24, 30, 31):
        return _make("MaxRetryError", pool, url, _reason(kind, phase, text, os_code, tls_code, pool))
    if kind == 52:
        return _make("ProtocolError", "Connection aborted.", BadStatusLine(text))
    if kind in (50, 51):
        return _make("ProtocolError", "Connection aborted.", _os_error(os_code, text))
    return _make("ProtocolError", text)


def _timed_out(phase: int, text: str, pool: Pool, url: str) -> Exception:
    if phase in (7, 8, 0):
        return _make("ReadTimeoutError", pool, url, f"Read timed out. ({text})")
    if phase == 6:
        stalled = TimeoutError(f"The write operation timed out: {text}")
        return _make("ProtocolError", "Connection aborted.", stalled)
    if phase == 1:
        reason = _make("EmptyPoolError", pool, f"Pool is full. ({text})")
    else:
        reason = _make("ConnectTimeoutError", pool, f"Connection to {pool.host} timed out. ({text})")
    return _make("MaxRetryError", pool, url, reason)


def _reason(kind: int, phase: int, text: str, os_code: int, tls_code: int, pool: Pool) -> Exception:
    if kind in (30, 31):
        what = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: " if kind == 31 else ""
        error = _make("SSLError", what + text)
        vars(error)["verify_code"] = tls_code
        return error
    if kind == 21:
        said = f"[Errno {os_code}] {text}" if os_code else text
        return _make("NameResolutionError", pool.host, _connection(pool), said)
    if kind == 23:
        return _make("ProxyError", *_proxy_failed(phase, text, os_code, pool))
    os_code = os_code or (errno.ECONNREFUSED if kind == 22 else 0)
    return _unconnected(text, os_code, pool)


def _proxy_failed(phase: int, text: str, os_code: int, pool: Pool) -> tuple[str, Exception]:
    what = "Unable to connect to proxy"
    if phase == 4:
        return what, OSError(text)
    if phase == 5:
        if "wrong version number" in text:
            what += ": it seems to speak HTTP without TLS, and http:// in its URL may be right"
        return what, _make("SSLError", f"Cannot connect to proxy: {text}")
    return what, _unconnected(f"Cannot {text}", os_code, pool)  # text begins with "connect to proxy"


def _unconnected(text: str, os_code: int, pool: Pool) -> Exception:
    code = f"[Errno {os_code}] {os.strerror(os_code)}: " if os_code > 0 else ""
    told = f"Failed to establish a new connection: {code}{text}"
    return _make("NewConnectionError", _connection(pool), told)


def _os_error(os_code: int, text: str) -> Exception:
    if os_code:
        return OSError(os_code, text)
    return RemoteDisconnected(f"Remote end closed connection without response: {text}")


def _make(name: str, *args: Any) -> Exception:
    return shape(name)(*args)  # type: ignore[no-any-return]


def _connection(pool: Pool) -> str:
    return str(pool).replace("Pool(", "(", 1)


def where(request: Any) -> tuple[Pool, str]:
    """
    The host that a request is for, and its path, as exceptions name them.
    """
    url = getattr(request, "url", None)
    if not isinstance(url, str):
        return Pool("http", None, None), "None"
    scheme, host, port = origin(url)
    return Pool(scheme, host, port), short(path_url(url), _URL_LIMIT)
