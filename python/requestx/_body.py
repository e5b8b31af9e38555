"""
Bodies: from what a caller passes as `data`, `files` or `json` to what is sent.

A body is None, bytes, str (sent as UTF-8), a file-like object, an iterable of chunks, or an async iterable of
them (awaited requests only). Those with a length are sent with it, the others chunked.
"""

from __future__ import annotations

import io
import json as jsonlib
import os
import warnings
from collections.abc import Mapping
from typing import Any, Callable

from ._multipart import Field, encode, open_source
from ._url import encode_params
from .exceptions import FileModeWarning, InvalidJSONError, UnrewindableBodyError

# Files whose descriptor tells their content's length.
_PLAIN = (io.BufferedReader, io.BufferedRandom, io.BufferedWriter, io.BytesIO)

# The default of json.dumps, but for NaN, which is no JSON; made once, since dumps would make one each time.
_dumps = jsonlib.JSONEncoder(allow_nan=False).encode

# Characters of a text file that are read at once to count its bytes.
TEXT_CHUNK = 1 << 16

FORM = "application/x-www-form-urlencoded"


def is_stream(data: Any) -> bool:
    """
    Whether `data` is sent as it is read: an iterable, sync or async, no string and no collection of pairs.
    """
    return (hasattr(data, "__iter__") or hasattr(data, "__aiter__")) and not isinstance(
        data, (str, bytes, list, tuple, Mapping)
    )


def encode_body(data: Any, files: Any = None, request: Any = None) -> tuple[Any, str | None]:
    """
    The body that is no stream, and its Content-Type if it has one of its own.

    Args:
        data: pairs or a mapping, str, bytes, or an object with `read`.
        files: files in any of requests' shapes.
        request: a PreparedRequest, whose `_encode_files` and `_encode_params` may be a user's.
    """
    if files:
        return (encode_files if request is None else request._encode_files)(files, data)
    if not data:
        return None, None
    if isinstance(data, (str, bytes)) or hasattr(data, "read"):
        return data, None
    return (encode_params if request is None else request._encode_params)(data), FORM


def encode_json(value: Any, dumps: Callable[[Any], Any] | None = None, request: Any = None) -> bytes:
    """
    A JSON body.

    Args:
        value: what to encode.
        dumps: another encoder, which returns str or bytes.
        request: for the exception.

    Raises:
        InvalidJSONError: NaN or Infinity is in it, or the encoder raised another ValueError.
    """
    try:
        text = _dumps(value) if dumps is None else dumps(value)
    except ValueError as error:
        raise InvalidJSONError(error, request=request) from error
    return text if isinstance(text, bytes) else text.encode("utf-8")


def to_key_val_list(value: Any) -> Any:
    """
    A list of the items of a mapping, or of an iterable of pairs; None stays None.

    Raises:
        ValueError: `value` is a string or a number.
    """
    if value is None:
        return None
    if isinstance(value, (str, bytes, bool, int)):
        raise ValueError("cannot encode objects that are not 2-tuples")
    return list(value.items() if isinstance(value, Mapping) else value)


def guess_filename(obj: Any) -> Any:
    """
    The last part of an open file's name; None if it has none, or one like ``<stdin>``.
    """
    name = getattr(obj, "name", None)
    if name and isinstance(name, (str, bytes)):
        opening, closing = ("<", ">") if isinstance(name, str) else (b"<", b">")
        if not (name[:1] == opening and name[-1:] == closing):
            return os.path.basename(name)
    return None


def encode_files(files: Any, data: Any) -> tuple[Any, str]:
    """
    A multipart form: the fields of `data`, then the files.

    Args:
        files: name to file, or pairs of them; a file is an open file, str or bytes, or a tuple of
            (file name, file), (…, content type) or (…, content type, headers).
        data: mapping or pairs; a value may be a list.

    Returns:
        The body, bytes or `Multipart`, and its Content-Type.

    Raises:
        ValueError: there are no files, or the arguments have another shape.
    """
    if not files:
        raise ValueError("Files must be provided.")
    if isinstance(data, (str, bytes)):
        raise ValueError("Data must not be a string.")
    fields = []
    for name, values in to_key_val_list(data or {}):
        if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
            values = [values]
        fields += [Field(_name(name), _as_bytes(value)) for value in values if value is not None]
    for name, file in to_key_val_list(files or {}):
        field = _file_field(_name(name), file)
        if field is not None:
            fields.append(field)
    return encode(fields)


def encode_fields(fields: Any) -> tuple[Any, str]:
    """
    A multipart form in urllib3's way: a value is a plain one, or a tuple of (file name, content) or with a media type.
    """
    made = []
    for name, value in to_key_val_list(fields):
        if isinstance(value, tuple):
            made.append(_file_field(_name(name), value))
        else:
            made.append(Field(_name(name), _content(_name(name), value)))
    return encode(field for field in made if field is not None)


def _file_field(name: str, file: Any) -> Field | None:
    content_type = headers = None
    if isinstance(file, (tuple, list)):
        if len(file) == 2:
            filename, file = file
        elif len(file) == 3:
            filename, file, content_type = file
        else:
            filename, file, content_type, headers = file
    else:
        filename = guess_filename(file) or name
    if file is None:
        return None
    content = open_source(file) if hasattr(file, "read") else file
    if not hasattr(content, "read_at"):
        content = _content(name, content)
    return Field(name, content, None if filename is None else _name(filename), content_type, headers)


def _content(name: str, content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, (str, int)):
        return str(content).encode("utf-8")
    try:
        return memoryview(content).tobytes()
    except TypeError:
        raise TypeError(
            f"the file {name!r} of a form is bytes, str or an open file, and not {type(content).__name__}"
        ) from None


def _name(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _as_bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else str(value).encode("utf-8")


def is_awaited(data: Any) -> bool:
    """
    Whether a body can only be awaited, piece by piece.
    """
    return hasattr(data, "__aiter__") and not hasattr(data, "__iter__")


def measure(data: Any) -> tuple[int, Any]:
    """
    How long a stream is, 0 if unknown, and where it stands (see `tell`).
    """
    if is_awaited(data):
        # Where a file of this kind stands it would say to who awaits it, which nobody does here.
        return len(data) if hasattr(data, "__len__") else 0, object() if hasattr(data, "tell") else None
    try:
        length = text_len(data) if isinstance(data, io.TextIOBase) else super_len(data)
    except (TypeError, AttributeError, OSError):
        length = 0
    return length, tell(data)


def super_len(o: Any) -> int:
    """
    How many bytes are left to send of an object: of its length, what lies behind its position; 0 if unknown.
    """
    total: int | None = None
    if isinstance(o, memoryview):
        return o.nbytes
    if isinstance(o, str):
        o = o.encode("utf-8")
    if hasattr(o, "__len__"):
        total = len(o)
    elif hasattr(o, "len"):
        total = o.len
    elif hasattr(o, "fileno"):
        total = _file_size(o)

    position = 0
    if hasattr(o, "tell"):
        try:
            position = o.tell()
        except OSError:
            # A stream that cannot tell: nothing is known of what is left.
            return 0
        if total is None and hasattr(o, "seek"):
            try:
                o.seek(0, io.SEEK_END)
                total = o.tell()
                o.seek(position or 0)
            except (OSError, ValueError):
                total = 0
    return max(0, (total or 0) - position)


def text_len(file: Any) -> int:
    """
    How many bytes the rest of a text file is as UTF-8, in which it is sent; 0 if it cannot be read twice.

    Its characters are others, and so are its bytes on the disk: line ends and the encoding change them.
    """
    if not file.seekable():
        return 0
    position = file.tell()
    try:
        return sum(len(piece.encode("utf-8")) for piece in iter(lambda: file.read(TEXT_CHUNK), ""))
    finally:
        file.seek(position)


def _file_size(file: Any) -> int | None:
    if isinstance(file, io.BufferedIOBase) and not isinstance(file, _PLAIN):
        # A compressed file's descriptor knows another length than its content has.
        return None
    try:
        size = os.fstat(file.fileno()).st_size
    except (io.UnsupportedOperation, AttributeError):
        # An object may have a fileno that does not work: of a tar file's member, say.
        return None
    if "b" not in getattr(file, "mode", "b"):
        warnings.warn(
            "The length of the body is taken from the file's size in bytes, but the file was opened in text mode, "
            "so it may be wrong: open it in binary mode.",
            FileModeWarning,
            stacklevel=3,
        )
    return size


def tell(body: Any) -> Any:
    """
    Where a body stands before it is sent, for `rewind_body`: None if it has no position.
    """
    if getattr(body, "tell", None) is None:
        return None
    try:
        return body.tell()
    except OSError:
        # No number: rewinding will say so, instead of passing for a body without position.
        return object()


def has_to_be_rewound(prepared_request: Any) -> bool:
    """
    Whether a body has to be brought back before it is sent again; one that is read only once cannot be.
    """
    body = prepared_request.body
    if prepared_request._body_position is not None:
        return True
    if isinstance(body, (str, bytes)) or hasattr(body, "seek"):
        return False
    return any(hasattr(body, name) for name in ("read", "__next__", "__anext__"))


def rewind_body(prepared_request: Any) -> None:
    """
    Bring a body back to where it stood when the request was prepared.

    Raises:
        UnrewindableBodyError: see `rewind`.
    """
    rewind(prepared_request)


def rewind(prepared_request: Any, response: Any = None) -> None:
    """
    The same for an answer that asks for the body again.

    Args:
        prepared_request: with the body.
        response: the answer, for the exception.

    Raises:
        UnrewindableBodyError: it has no `seek`, or that failed, or its position was not to be had.
    """
    seek = getattr(prepared_request.body, "seek", None)
    position = prepared_request._body_position
    who = {"request": prepared_request, "response": response}
    if seek is None or not isinstance(position, int):
        raise UnrewindableBodyError("Unable to rewind request body for redirect.", **who)
    reader = prepared_request.__dict__.get("_reader")
    if reader is not None:
        reader.stop()
    try:
        seek(position)
    except (OSError, ValueError) as error:  # the latter of a file that was closed
        raise UnrewindableBodyError("An error occurred when rewinding request body for redirect.", **who) from error
