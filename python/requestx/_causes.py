"""
The objects inside an exception: what users of requests find at ``e.args[0]`` and ``e.args[0].reason``.

In requests those are urllib3's exceptions.
Code looks at their class names, texts, `pool`, `url` and `reason`.
Here are small classes of the same names and shape, raised by nobody: they only explain.
They also serve as the exceptions and warnings of the stand-in for urllib3 in `packages`.

If the caller's program has imported urllib3 itself, `shape` returns a class that is also urllib3's own,
so that an `isinstance` test against the real one answers as it does with requests.
"""

from __future__ import annotations

import http.client
import re
import sys
from typing import Any


class HTTPError(Exception):
    """
    Base of all explanations.
    """

    # Filled by the constructors below; PyPy and CPython pickle exceptions by (class, args) and this dict.
    def __reduce__(self) -> Any:
        return _restore, (type(self).__name__, self.args, self.__dict__)


class PoolError(HTTPError):
    """
    Something that happened to the connections of one host: `pool` says which.
    """

    def __init__(self, pool: Any, message: str) -> None:
        self.pool = pool
        self._message = message
        Exception.__init__(self, f"{pool}: {message}")


class RequestError(PoolError):
    """
    Something that happened to one request: `url` is its path.
    """

    def __init__(self, pool: Any, url: str, message: str) -> None:
        self.url = url
        PoolError.__init__(self, pool, message)


class MaxRetryError(RequestError):
    """
    No connection was had; `reason` says why.
    """

    def __init__(self, pool: Any, url: str, reason: Exception | None = None) -> None:
        self.reason = reason
        because = f" (Caused by {reason!r})" if reason is not None else ""
        RequestError.__init__(self, pool, url, f"Max retries exceeded with url: {url}{because}")


class HostChangedError(RequestError):
    """
    A pool was asked for another host's URL.
    """

    def __init__(self, pool: Any, url: str, retries: Any = 3) -> None:
        self.retries = retries
        RequestError.__init__(self, pool, url, f"Tried to open a foreign host with url: {url}")


class TimeoutError(HTTPError):
    """
    A time limit was reached.
    """


class ConnectTimeoutError(TimeoutError):
    """
    It was reached before there was a connection.
    """

    def __init__(self, *args: Any) -> None:
        Exception.__init__(self, *args)


class ReadTimeoutError(TimeoutError, RequestError):
    """
    It was reached while waiting for the answer.
    """

    def __init__(self, pool: Any, url: str, message: str) -> None:
        RequestError.__init__(self, pool, url, message)


class NewConnectionError(ConnectTimeoutError):
    """
    A connection was refused or could not be made.
    """

    def __init__(self, conn: Any, message: str) -> None:
        self.conn = conn
        self._message = message
        Exception.__init__(self, f"{conn}: {message}" if conn else message)


class NameResolutionError(NewConnectionError):
    """
    The host's name could not be resolved.
    """

    def __init__(self, host: str, conn: Any, reason: str) -> None:
        self.host = self._host = host
        self._reason = reason
        NewConnectionError.__init__(self, conn, f"Failed to resolve '{host}' ({reason})")


class EmptyPoolError(PoolError):
    """
    All connections that there may be are in use.
    """


class ClosedPoolError(PoolError):
    """
    The session or adapter was closed.
    """


class SSLError(HTTPError):
    """
    TLS failed; `verify_code` is the library's number where the certificate was at fault.
    """

    verify_code = 0


class ProxyError(HTTPError):
    """
    The proxy failed; `original_error` says how.
    """

    def __init__(self, message: str, error: Exception | None = None) -> None:
        self.original_error = error
        Exception.__init__(self, message, error)


class ProtocolError(HTTPError):
    """
    The connection broke, or what came over it was no HTTP.
    """


class ResponseNotChunked(ProtocolError, ValueError):
    """
    Chunks were asked for of a body that has none.
    """


class IncompleteRead(HTTPError, http.client.IncompleteRead):
    """
    The body ended before its end. How many bytes there were is not counted: `partial` is empty.
    """

    def __init__(self, text: str) -> None:
        http.client.IncompleteRead.__init__(self, b"")
        self.args = (text,)

    def __repr__(self) -> str:
        return f"IncompleteRead({self.args[0]})"

    __str__ = __repr__


class DecodeError(HTTPError):
    """
    The body did not decode as its Content-Encoding says.
    """


class ResponseError(HTTPError):
    """
    Too many answers of a kind that is retried.
    """


class InvalidHeader(HTTPError):
    """
    The server's header fields contradict each other.
    """


class LocationValueError(ValueError, HTTPError):
    """
    A URL that cannot be used.
    """


class LocationParseError(LocationValueError):
    """
    A URL that cannot be parsed.
    """


class HTTPWarning(Warning):
    """
    Base of the warnings.
    """


class SecurityWarning(HTTPWarning):
    """
    Base of the warnings about safety.
    """


class InsecureRequestWarning(SecurityWarning):
    """
    A request over https without verifying the certificate.
    """


class NotOpenSSLWarning(SecurityWarning):
    """
    TLS without OpenSSL; never issued here.
    """


class SystemTimeWarning(SecurityWarning):
    """
    The clock seems wrong; never issued here.
    """


class InsecurePlatformWarning(SecurityWarning):
    """
    An old TLS library; never issued here.
    """


class DependencyWarning(HTTPWarning):
    """
    A missing optional package.
    """


_OWN = {name: value for name, value in list(globals().items()) if isinstance(value, type)}
_MIXED: dict[tuple[str, type], type] = {}


def shape(name: str) -> Any:
    """
    The class called `name`: ours, or ours and urllib3's in one if the program has imported urllib3.
    """
    ours = _OWN[name]
    loaded = sys.modules.get("urllib3.exceptions")
    theirs = getattr(loaded, name, None)
    if not isinstance(theirs, type) or theirs is ours:
        return ours
    mixed = _MIXED.get((name, theirs))
    if mixed is None:
        mixed = _MIXED[name, theirs] = type(name, (ours, theirs), {"__doc__": ours.__doc__})
    return mixed


def is_a(error: Exception, name: str) -> bool:
    """
    Whether an exception is one of the class called `name`: ours, or urllib3's if the program has imported it.
    """
    theirs = getattr(sys.modules.get("urllib3.exceptions"), name, ())
    return isinstance(error, (_OWN[name], theirs))


def _restore(name: str, args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    cls = shape(name)
    new = cls.__new__(cls, *args)
    new.args = args
    new.__dict__.update(state)
    return new


class Pool:
    """
    Which host a request was for; prints as urllib3's connection pools do.
    """

    def __init__(self, scheme: str, host: str | None, port: int | None) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port

    def __str__(self) -> str:
        name = "HTTPSConnectionPool" if self.scheme == "https" else "HTTPConnectionPool"
        return f"{name}(host={self.host!r}, port={self.port!r})"

    __repr__ = __str__


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def short(text: str, limit: int = 300) -> str:
    """
    `text` as an exception may quote it: at most `limit` characters, those of control escaped (CVE-2025-61729).
    """
    if len(text) > limit:
        text = text[: limit - 3] + "..."
    return _CONTROL.sub(lambda found: repr(found.group())[1:-1], text)
