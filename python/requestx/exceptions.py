"""
The exceptions of requests, and the one table that turns an error of the core into one of them.

::

    RequestException (OSError)                  request=, response=
    ├── InvalidJSONError
    │   └── JSONDecodeError (json.JSONDecodeError)
    ├── HTTPError                               raise_for_status
    ├── ConnectionError                         no connection, or it died before an answer
    │   ├── ProxyError
    │   ├── SSLError
    │   ├── AddressNotAllowed                   ours: no address is left that an adapter allows
    │   ├── ConnectTimeout (and Timeout)
    │   ├── SendTimeout (and Timeout)           ours: sending took too long
    │   ├── BrokenHead (and ChunkedEncodingError)   ours: the answer broke off before its body
    │   ├── InvalidHead (and InvalidHeader)     ours: the answer's head cannot be read in one way
    │   └── BodyTimeout (and ReadTimeout)       ours: the body took too long
    ├── Timeout
    │   └── ReadTimeout                         the answer took too long
    ├── URLRequired
    ├── TooManyRedirects
    ├── MissingSchema, InvalidSchema, InvalidHeader (ValueError)
    ├── InvalidMethod (ValueError)              ours: requests sends such a method
    ├── InvalidURL (ValueError)
    │   └── InvalidProxyURL
    ├── ChunkedEncodingError                    the body ended early or was framed wrongly
    ├── ContentDecodingError (BaseHTTPError)
    ├── StreamConsumedError (TypeError)
    ├── RetryError
    └── UnrewindableBodyError
    RequestsWarning (Warning)
    ├── FileModeWarning (DeprecationWarning)
    └── RequestsDependencyWarning

Where requests answers one fault with two classes, ours is a subclass of both: a body that stalls is a
ConnectionError in requests although it is a read time-out, a stalled upload likewise; a head that breaks off is
read as far as it goes and its body is found broken; two lengths that differ are an InvalidHeader.
"""

from __future__ import annotations

from json import JSONDecodeError as CompatJSONDecodeError
from typing import Any, Iterable

from ._causes import HTTPError as BaseHTTPError
from ._causes import is_a
from ._limits import TimeLimits

PHASES = ("none", "queue", "resolve", "connect", "tunnel", "secure", "send", "await", "read")


class RequestException(IOError):
    """
    Something went wrong with a request.

    Args:
        *args: what is told; for errors of the connection one object that explains (see `_causes`).
        request: the Request or PreparedRequest, if there was one.
        response: the Response, if there was one; its request is taken if none is given.

    Attributes:
        kind: the core's number of the error, or 0.
        phase: where it happened, one of `PHASES`.
    """

    kind: int = 0
    phase: str = "none"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        response = kwargs.pop("response", None)
        self.response: Any = response
        self.request: Any = kwargs.pop("request", None)
        # A Response is false when its status is an error, so compare with None.
        if response is not None and not self.request and hasattr(response, "request"):
            self.request = response.request
        super().__init__(*args, **kwargs)

    def __reduce__(self) -> Any:
        # The system's number is in no dict, and in no argument where an object explains.
        return (*super().__reduce__()[:2], dict(vars(self), errno=self.errno))

    def __setstate__(self, state: Any) -> None:
        for name, value in state.items():
            setattr(self, name, value)


def name_request(error: RequestException, request: Any) -> None:
    """
    Say which request an error is about, where it does not say so itself.
    """
    if getattr(error, "request", None) is None:
        error.request = request


class InvalidJSONError(RequestException):
    """
    The JSON cannot be made or read.
    """


class JSONDecodeError(InvalidJSONError, CompatJSONDecodeError):
    """
    The body is no JSON.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # json's constructor makes (msg, doc, pos) into one text and sets the attributes.
        # OSError's would take three arguments for errno, strerror and filename, so it gets that one text.
        CompatJSONDecodeError.__init__(self, *args)
        InvalidJSONError.__init__(self, *self.args, **kwargs)

    def __reduce__(self) -> Any:
        # OSError's would rebuild from the one text.
        return _restore_json_error, (type(self), self.msg, self.doc, self.pos, self.__dict__)


def _restore_json_error(cls: Any, msg: str, doc: str, pos: int, state: dict[str, Any]) -> Any:
    new = cls(msg, doc, pos)
    new.__dict__.update(state)
    return new


class HTTPError(RequestException):
    """
    The status says that the request failed.
    """


class ConnectionError(RequestException):
    """
    There was no connection, or it broke.
    """


class ProxyError(ConnectionError):
    """
    The proxy did not do its part.

    Attributes:
        proxy_status: HTTP's status in its answer where it refused a tunnel, 407 say, or 0.
    """

    proxy_status: int = 0


class SSLError(ConnectionError):
    """
    TLS failed, most often because a certificate was not accepted.
    """


class AddressNotAllowed(ConnectionError):
    """
    The host has no address that `allow_addresses` and `deny_addresses` let through. Nothing was connected to.
    """


class _TimeoutType(type):
    """
    Makes limits of ``Timeout(connect=, read=, total=)``: urllib3's words for them, and requests' for the exception.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Timeout and not args and kwargs and kwargs.keys() <= {"connect", "read", "total"}:
            return TimeLimits(**kwargs)
        return super().__call__(*args, **kwargs)


class Timeout(RequestException, metaclass=_TimeoutType):
    """
    A time limit was reached: any of them.

    Called with nothing but `connect`, `read` and `total` it gives `TimeLimits`, and no exception.
    """


class ConnectTimeout(ConnectionError, Timeout):
    """
    It was reached before the request was sent; trying again is safe.
    """


class ReadTimeout(Timeout):
    """
    The server did not answer in time.
    """


class SendTimeout(ConnectionError, Timeout):
    """
    The server did not take the request in time.
    """


class BodyTimeout(ReadTimeout, ConnectionError):
    """
    The server began to answer, and then the body did not come in time.
    """


class URLRequired(RequestException):
    """
    There is no URL.
    """


class TooManyRedirects(RequestException):
    """
    More redirects than the session's `max_redirects`.
    """


class MissingSchema(RequestException, ValueError):
    """
    The URL does not begin with http:// or the like.
    """


class InvalidSchema(RequestException, ValueError):
    """
    No adapter is mounted for the URL's beginning.
    """


class InvalidURL(RequestException, ValueError):
    """
    The URL cannot be used.
    """


class InvalidHeader(RequestException, ValueError):
    """
    A header's name or value would not be one on the wire.
    """


class InvalidMethod(RequestException, ValueError):
    """
    The method is no token (RFC 9110, 9.1) and would not be one on the wire.
    """


class InvalidProxyURL(InvalidURL):
    """
    The proxy's URL cannot be used.
    """


class ChunkedEncodingError(RequestException):
    """
    The body broke off, or its chunks were framed wrongly.
    """


class ContentDecodingError(RequestException, BaseHTTPError):
    """
    The body did not decode as its Content-Encoding says.
    """


class BrokenHead(ConnectionError, ChunkedEncodingError):
    """
    The server began to answer, and the connection ended before the body.
    """


class InvalidHead(ConnectionError, InvalidHeader):
    """
    What the server answered is no head of HTTP, or one that contradicts itself.
    """


class StreamConsumedError(RequestException, TypeError):
    """
    The body was already read in pieces.
    """


class RetryError(RequestException):
    """
    The retries that the adapter was asked for were used up.
    """


class UnrewindableBodyError(RequestException):
    """
    The body would have to be sent again and cannot be rewound.
    """


class RequestsWarning(Warning):
    """
    Base of our warnings.
    """


class FileModeWarning(RequestsWarning, DeprecationWarning):
    """
    A file was opened in text mode, and its length is wanted in bytes.
    """


class RequestsDependencyWarning(RequestsWarning):
    """
    A dependency's version does not fit.
    """


_PROTOCOL = (50, 51, 52, 53)

# kind -> class; what depends on the phase as well is in _BY_PHASE. The numbers are the header's RQX_E_*.
_BY_KIND: dict[int, type[RequestException]] = {
    10: RequestException,  # INVALID_ARGUMENT
    11: RequestException,  # NULL
    12: InvalidURL,
    13: InvalidHeader,
    14: InvalidSchema,
    15: RequestException,  # UNKNOWN_OPTION
    16: RequestException,  # STATE
    17: RequestException,  # HANDLE
    18: InvalidMethod,
    20: ConnectionError,  # CONNECT
    21: ConnectionError,  # DNS
    22: ConnectionError,  # REFUSED
    23: ProxyError,
    24: AddressNotAllowed,  # FORBIDDEN
    30: SSLError,
    31: SSLError,  # TLS_VERIFY
    40: Timeout,
    50: ConnectionError,  # IO
    51: ConnectionError,  # RESET
    52: ConnectionError,  # PROTOCOL
    53: ConnectionError,  # INCOMPLETE
    54: ContentDecodingError,
    55: ConnectionError,  # TOO_LARGE
    56: ConnectionError,  # STREAM
    57: TooManyRedirects,
    70: ConnectionError,  # CANCELLED
    71: ConnectionError,  # CLOSED
    72: ConnectionError,  # FORKED
    73: ConnectionError,  # INTERRUPTED
    74: ConnectionError,  # AGAIN
    80: ConnectionError,  # NO_RESOURCES
    81: RequestException,  # INTERNAL
}
_BY_PHASE: dict[tuple[int, int], type[RequestException]] = {
    **{(40, phase): ConnectTimeout for phase in (1, 2, 3, 4, 5)},
    (40, 6): SendTimeout,
    (40, 7): ReadTimeout,
    (40, 8): BodyTimeout,
    (52, 7): InvalidHead,
    (53, 7): BrokenHead,
    (55, 8): ContentDecodingError,
    **{(kind, 8): ChunkedEncodingError for kind in (*_PROTOCOL, 56)},
}
TABLE: dict[tuple[int, int], type[RequestException]] = {
    (kind, phase): _BY_PHASE.get((kind, phase), cls) for kind, cls in _BY_KIND.items() for phase in range(len(PHASES))
}


_FROM_RAW: dict[tuple[type, type], type] = {}


def from_raw(error: RequestException) -> RequestException:
    """
    The same error for who reads `Response.raw`, where requests lets urllib3's exceptions through: it is both.
    """
    ours, theirs = type(error), type(error.args[0]) if error.args else object
    if not (isinstance(theirs, type) and issubclass(theirs, BaseHTTPError)) or issubclass(ours, theirs):
        return error
    both = _FROM_RAW.get((ours, theirs))
    if both is None:
        made = {"__module__": ours.__module__, "__doc__": ours.__doc__, "__reduce__": _reduce_plain}
        both = _FROM_RAW[ours, theirs] = type(ours.__name__, (ours, theirs), made)
    cause = error.args[0]
    new: RequestException = both.__new__(both, *cause.args)
    new.args = cause.args
    new.__dict__.update(cause.__dict__)
    new.__dict__.update(error.__dict__)
    vars(new)["_plain"] = error
    return new


def _reduce_plain(error: Any) -> Any:
    return error._plain.__reduce__()


# What reading a body of urllib3's shape raises, and what requests makes of it.
_READING = {
    "ProtocolError": ChunkedEncodingError,
    "DecodeError": ContentDecodingError,
    "ReadTimeoutError": BodyTimeout,
    "SSLError": SSLError,
}


def from_urllib3(error: Exception) -> RequestException | None:
    """
    The exception for one that a body of urllib3's own raised while it was read; None if it is none of those.
    """
    made = next((cls(error) for name, cls in _READING.items() if is_a(error, name)), None)
    if made is not None and isinstance(error, RequestException):  # of our own body, which knows more
        made.kind, made.phase, made.errno, made.request = error.kind, error.phase, error.errno, error.request
    return made


# What a pool of urllib3's shape raises when it sends; the first that fits counts.
_SENDING = {
    "ProtocolError": ConnectionError,
    "ClosedPoolError": ConnectionError,
    "ProxyError": ProxyError,
    "SSLError": SSLError,
    "ReadTimeoutError": ReadTimeout,
    "InvalidHeader": InvalidHeader,
    "LocationValueError": InvalidURL,
}
_LAST_REASON = {
    "NewConnectionError": ConnectionError,
    "ConnectTimeoutError": ConnectTimeout,
    "ResponseError": RetryError,
    "ProxyError": ProxyError,
    "SSLError": SSLError,
}


def from_pool(error: Exception, request: Any = None) -> RequestException | None:
    """
    The exception for one that a pool of a user's raised when it sent a request; None if it is none of those.
    """
    if is_a(error, "MaxRetryError"):
        reason: Any = getattr(error, "reason", None)
        cls = next((cls for name, cls in _LAST_REASON.items() if is_a(reason, name)), ConnectionError)
    else:
        found = next((cls for name, cls in _SENDING.items() if is_a(error, name)), None)
        if found is None and not isinstance(error, OSError):
            return None
        cls = found or ConnectionError
    return cls(error, request=request)


def told(error: Any, request: Any, dressed: bool = True) -> RequestException:
    """
    The exception for a CoreError, as `from_core` makes it; the caller raises it.
    """
    return from_core(
        error.kind,
        error.phase,
        error.message,
        os_code=error.os_code,
        tls_code=error.tls_code,
        chain=error.chain,
        proxy_status=error.proxy_status,
        request=request,
        dressed=dressed,
    )


def from_core(
    kind: int,
    phase: int,
    message: str,
    *,
    os_code: int = 0,
    tls_code: int = 0,
    chain: Iterable[str] = (),
    proxy_status: int = 0,
    request: Any = None,
    dressed: bool = True,
) -> RequestException:
    """
    The exception for an error of the core; the caller raises it.

    Args:
        kind: the core's error number (RQX_E_*).
        phase: index into `PHASES`.
        message: the core's text: what was attempted, on what, what came back.
        os_code: the operating system's errno, or 0.
        tls_code: the TLS library's code, or 0.
        chain: texts of the errors beneath, outermost first.
        proxy_status: HTTP's status in a proxy's refusal of a tunnel, or 0.
        request: the PreparedRequest.
        dressed: around an exception of urllib3's shape, and in its words, where requests has such.

    Returns:
        An instance of the class in `TABLE`; a number that is not there gives a RequestException.
    """
    from ._explain import explain, plain

    text = plain(message, chain)
    cls = TABLE.get((kind, phase), RequestException)
    told: Any = text
    if dressed and issubclass(cls, (ConnectionError, Timeout, ChunkedEncodingError, ContentDecodingError)):
        told = explain(kind, phase, text, os_code, tls_code, request)
    error = cls(told, request=request)
    error.kind = kind
    error.phase = PHASES[phase] if 0 <= phase < len(PHASES) else "none"
    if os_code:
        error.errno = os_code
    if isinstance(error, ProxyError):
        error.proxy_status = proxy_status
    return error
