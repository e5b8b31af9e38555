"""
A request's head as the core takes it: method, URL and fields joined by newlines, and how many fields there are.

One text, because it crosses to the core in one piece. The number goes with it so that a newline within a name or a
value cannot make a field of its own: the core counts, and refuses. It also judges every byte of a name or value; here
is only what the core cannot know: what stands in no field, and which field frames a body that nobody framed.
"""

from __future__ import annotations

from typing import Any

from ._internal_utils import to_native_string
from ._url import wire_url
from .exceptions import InvalidHeader, InvalidMethod, InvalidSchema

#: As a field's value, urllib3's SKIP_HEADER says not to send the field.
_SKIP = "@@@SKIP_HEADER@@@"
# Whose request without a body says so (RFC 9110, 8.6).
_EXPECT_A_BODY = frozenset(("POST", "PUT", "PATCH"))


def head_of(request: Any, url: Any) -> tuple[bytes, int]:
    """
    The head of a request that goes to `url`, and the number of its fields.

    Args:
        request: with method, headers and body.
        url: as `_way` has it; a proxy or a user's pool may want another than the request's.

    Raises:
        InvalidSchema: the URL is none of http or https.
        InvalidMethod: there is no method.
        InvalidHeader: a name or value cannot be sent.
    """
    if not isinstance(url, str) or url[:4].lower() != "http":
        raise InvalidSchema(f"No connection adapters were found for {url!r}", request=request)
    headers, method = request.headers, request.method
    parts = [method if type(method) is str else _method_of(request), wire_url(url)]
    if request.body is not None or request.method in _EXPECT_A_BODY:
        parts += _framing(request)
    for name, value in headers.items() if headers else ():
        if value is None or (type(value) is str and value == _SKIP):
            _check_skipped(name, value, request)
            continue
        parts.append(name)
        parts.append(value)
    try:
        try:
            return "\n".join(parts).encode("latin-1"), (len(parts) - 2) // 2
        except TypeError:
            return b"\n".join([_encoded(part, request) for part in parts]), (len(parts) - 2) // 2
    except UnicodeEncodeError as error:
        wrong = error.object[error.start : error.end]
        raise InvalidHeader(
            f"header fields are sent as latin-1, and {wrong!r} is not in it: encode the value yourself", request=request
        ) from error


def _method_of(request: Any) -> str:
    method = request.method
    if not isinstance(method, (str, bytes)):
        raise InvalidMethod(f"a request is sent with a method, and not with {method!r}", request=request)
    return to_native_string(method, "latin-1")


def _encoded(part: Any, request: Any) -> bytes:
    if isinstance(part, bytes):
        return part
    if not isinstance(part, (str, int)):
        raise InvalidHeader(f"the name or value of a header is str or bytes, and not {part!r}", request=request)
    return str(part).encode("latin-1")


def _check_skipped(name: Any, value: Any, request: Any) -> None:
    if value is not None and to_native_string(name).lower() not in ("accept-encoding", "user-agent"):
        raise InvalidHeader(f"SKIP_HEADER takes away User-Agent and Accept-Encoding, not {name!r}", request=request)


def _framing(request: Any) -> tuple[str, ...]:
    """
    The field that frames the body where nobody has named one: on the way, requests puts it behind Host.
    """
    headers, body = request.headers, request.body
    if "Content-Length" in headers or "Transfer-Encoding" in headers or isinstance(body, (bytes, str)):
        return ()
    return ("Content-Length", "0") if body is None else ("Transfer-Encoding", "chunked")
