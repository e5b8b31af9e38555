"""
Undoing a content coding in Python, for the one case where the core cannot: somebody listens to the body as it came
(`RawResponse._fp`), and somebody else wants to read it.

gzip and deflate are Python's own; for br and zstd a package has to be there, as with urllib3.
"""

from __future__ import annotations

import importlib
import zlib
from typing import Any, Callable

from ._causes import short
from .exceptions import ContentDecodingError


def decoder_of(coding: str) -> Any:
    """
    A decoder, with `decode` and `flush`, for a Content-Encoding field.

    Raises:
        ContentDecodingError: nothing here knows the coding.
    """
    steps = [_decoder(name.strip().lower()) for name in coding.split(",")]
    return _Decoder(list(reversed(steps)))


class _Decoder:
    def __init__(self, steps: list[Any]) -> None:
        self._steps = steps

    def decode(self, data: bytes) -> bytes:
        """
        What these bytes stand for.
        """
        try:
            for step in self._steps:
                data = step(data)
        except Exception as error:
            raise ContentDecodingError(f"the body does not decode as its Content-Encoding says: {error}") from error
        return data

    def flush(self) -> bytes:
        """
        The rest: nothing, since all is given at once.
        """
        return b""


def _decoder(name: str) -> Callable[[bytes], bytes]:
    if name in ("gzip", "x-gzip"):
        return _Members().decode
    if name == "deflate":
        return _Deflate().decode
    if name == "br":
        made = _take("brotli", "brotlicffi").Decompressor()
        return getattr(made, "decompress", None) or made.process  # type: ignore[no-any-return]
    if name == "zstd":
        return _take("compression.zstd", "backports.zstd").ZstdDecompressor().decompress  # type: ignore[no-any-return]
    if name in ("identity", ""):
        return lambda data: data
    raise ContentDecodingError(f"nothing here undoes the coding {short(name)!r}")


def _take(*names: str) -> Any:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise ContentDecodingError(f"a body that somebody listens to is decoded in Python, which needs {names[0]} here")


class _Members:
    """
    gzip, of as many members as there are.
    """

    def __init__(self) -> None:
        self._one: Any = zlib.decompressobj(31)

    def decode(self, data: bytes) -> bytes:
        """
        What these bytes stand for.
        """
        out = b""
        while data:
            if self._one.eof:
                data = data.lstrip(b"\0")
                if not data:
                    break
                self._one = zlib.decompressobj(31)
            out += self._one.decompress(data)
            data = self._one.unused_data
        return out


class _Deflate:
    """
    deflate with zlib's header, or without as some servers send it.
    """

    def __init__(self) -> None:
        self._one: Any = None
        self._head = b""

    def decode(self, data: bytes) -> bytes:
        """
        What these bytes stand for.
        """
        if self._one is None:
            self._head += data
            if len(self._head) < 2:
                return b""
            data, has_header = self._head, self._head[0] & 15 == 8 and int.from_bytes(self._head[:2], "big") % 31 == 0
            self._one = zlib.decompressobj(15 if has_header else -15)
        return self._one.decompress(data)  # type: ignore[no-any-return]
