"""
Small things about text that several modules need; what is public of them is found in `utils`.

Also the check of header fields: nothing that a caller passes may end a line or become a second field,
and a name that begins with white space would continue the line before.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from .exceptions import InvalidHeader

# Names and values with CR, LF, NUL or white space in front; a name is not empty and holds no colon either.
_NAME = re.compile(r"[^:\s\0][^:\r\n\0]*").fullmatch
_VALUE = re.compile(r"(?:[^\s\0][^\r\n\0]*)?").fullmatch
_NAME_BYTES = re.compile(rb"[^:\s\0][^:\r\n\0]*").fullmatch
_VALUE_BYTES = re.compile(rb"(?:[^\s\0][^\r\n\0]*)?").fullmatch

_HEADER_VALIDATORS_STR = (re.compile(r"[^:\s\0][^:\r\n\0]*\Z"), re.compile(r"[^\s\0][^\r\n\0]*\Z|\Z"))
_HEADER_VALIDATORS_BYTE = (re.compile(rb"[^:\s\0][^:\r\n\0]*\Z"), re.compile(rb"[^\s\0][^\r\n\0]*\Z|\Z"))
HEADER_VALIDATORS: dict[type, Any] = {bytes: _HEADER_VALIDATORS_BYTE, str: _HEADER_VALIDATORS_STR}


def to_native_string(string: str | bytes, encoding: str = "ascii") -> str:
    """
    `string` as str, decoded if it is bytes.
    """
    return string if isinstance(string, str) else string.decode(encoding)


def unicode_is_ascii(u_string: str) -> bool:
    """
    Whether a str holds only ASCII.
    """
    return u_string.isascii()


@lru_cache(maxsize=256)
def _is_name(name: str) -> bool:
    return _NAME(name) is not None


def is_field(name: str, value: str) -> bool:
    """
    Whether two str would be one header field. Names repeat, so they are remembered; values may be secrets.
    """
    return _is_name(name) and _VALUE(value) is not None


def check_header_validity(header: Any) -> None:
    """
    Refuse a header that would not be one field on the wire.

    Args:
        header: (name, value).

    Raises:
        InvalidHeader: name or value is no str or bytes, or holds what ends a line or leads into another.
    """
    name, value = header
    _check_part(header, name, _NAME, _NAME_BYTES, "name")
    _check_part(header, value, _VALUE, _VALUE_BYTES, "value")


def _check_part(header: Any, part: Any, as_text: Any, as_bytes: Any, which: str) -> None:
    if isinstance(part, str):
        valid = as_text(part)
    elif isinstance(part, bytes):
        valid = as_bytes(part)
    else:
        raise InvalidHeader(f"Header part ({part!r}) from {header!r} must be of type str or bytes, not {type(part)}")
    if not valid:
        what = "Invalid leading whitespace, reserved character(s), or return character(s)"
        raise InvalidHeader(f"{what} in header {which}: {part!r}")
