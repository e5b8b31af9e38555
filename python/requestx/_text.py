"""
Which encoding a text is in: by its headers, by its first bytes, by what it says of itself.
"""

from __future__ import annotations

import codecs
import re
from typing import Any, Iterable, Iterator

from ._headers import _parse_content_type_header

# The bounds keep the search linear in pages that are made to be slow.
_CHARSET = re.compile(r"""<meta[^>]{0,1000}?charset=["']*([^"'>]{1,100})["'>]""", re.IGNORECASE)
_PRAGMA = re.compile(r"""<meta[^>]{0,1000}?content=["']*;?charset=([^"'>]{1,100})["'>]""", re.IGNORECASE)
_XML = re.compile(r"""^<\?xml[^>]{0,1000}?encoding=["']*([^"'>]{1,100})["'>]""")

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Where the zeros are in the first four bytes of JSON without a BOM, whose first two characters are ASCII (RFC 4627, 3).
_ZEROS = {
    (False, False, False, False): "utf-8",
    (True, False, True, False): "utf-16-be",
    (False, True, False, True): "utf-16-le",
    (True, True, True, False): "utf-32-be",
    (False, True, True, True): "utf-32-le",
}


def get_encoding_from_headers(headers: Any) -> str | None:
    """
    The encoding that the headers name or imply: ISO-8859-1 for text, UTF-8 for JSON; else None.
    """
    header = headers.get("content-type")
    if not header:
        return None
    media_type, params = _parse_content_type_header(header)
    if "charset" in params:
        return str(params["charset"]).strip("'\"")
    if "text" in media_type:
        return "ISO-8859-1"
    return "utf-8" if "application/json" in media_type else None


def get_encodings_from_content(content: str) -> list[str]:
    """
    The encodings that an HTML or XML text says it is in.
    """
    return _CHARSET.findall(content) + _PRAGMA.findall(content) + _XML.findall(content)


def guess_json_utf(data: bytes) -> str | None:
    """
    Which of the UTF encodings JSON is in, by its first bytes; None if it cannot be any.
    """
    sample = data[:4]
    for mark, encoding in _BOMS:
        if sample.startswith(mark):
            return encoding
    if 0 not in sample:
        return "utf-8"
    if len(sample) < 4:
        return None
    return _ZEROS.get(tuple(byte == 0 for byte in sample))  # type: ignore[arg-type]


def iter_slices(string: Any, slice_length: int | None) -> Iterator[Any]:
    """
    Pieces of a string or bytes; the whole if the length is None or no length.
    """
    if slice_length is None or slice_length <= 0:
        slice_length = len(string) or 1
    for start in range(0, len(string), slice_length):
        yield string[start : start + slice_length]


def stream_decode_response_unicode(iterator: Iterable[bytes], r: Any) -> Iterator[Any]:
    """
    Decode chunks by the response's encoding; as they are if it has none.
    """
    if r.encoding is None:
        yield from iterator
        return
    decoder = codecs.getincrementaldecoder(r.encoding)(errors="replace")
    for chunk in iterator:
        text = decoder.decode(chunk)
        if text:
            yield text
    text = decoder.decode(b"", final=True)
    if text:
        yield text
