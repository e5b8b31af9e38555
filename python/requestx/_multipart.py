"""
multipart/form-data: the encoder, which holds no large file in memory.

Names and file names are escaped as WHATWG's form encoding says, and what would end a header line is refused
(CVE-2026-34514, GHSA-m6qw-4cw2-hm4m). The boundary is 128 bits from the system's randomness (CVE-2025-22150).

A form whose files are small becomes bytes at once, as in requests.
One of more than a megabyte becomes a `Multipart`, which reads its files while it is sent.
It reads them through descriptors of its own where it can: the caller may close a file once the request is prepared.
In requests the form is bytes, so a request that has one may be sent again, and by two threads at once: each sending
has a reader of its own.
"""

from __future__ import annotations

import io
import os
import re
import sys
import threading
from typing import Any, Iterable, Iterator

from .exceptions import InvalidHeader, RequestException

# Above this a form is not built in memory.
IN_MEMORY = 1 << 20
CHUNK = 1 << 16

_ENDS_LINE = re.compile(r"[\r\n\0]").search


def boundary() -> str:
    """
    A new boundary, or what a program chooses: requests' users do so by a `choose_boundary` of their own in urllib3.
    """
    theirs = getattr(sys.modules.get("urllib3.filepost"), "choose_boundary", None)
    if theirs is not None and getattr(theirs, "__module__", None) != "urllib3.filepost":
        return str(theirs())
    return os.urandom(16).hex()


class Field:
    """
    One field of a form.

    Args:
        name: the field's name.
        data: bytes, or a source that was opened with `open_source`.
        filename: the file's name; None for a plain field.
        content_type: its media type, if any.
        headers: further headers of the field.

    Raises:
        InvalidHeader: the media type or a header would end its line.
    """

    def __init__(
        self,
        name: str,
        data: Any,
        filename: str | None = None,
        content_type: str | None = None,
        headers: Any = None,
    ) -> None:
        self.data = data
        disposition = f'Content-Disposition: form-data; name="{_escape(name)}"'
        if filename is not None:
            disposition += f'; filename="{_escape(filename)}"'
        lines = [disposition]
        extra = {"Content-Type": content_type}
        for key, value in dict(headers or {}).items():
            extra.setdefault(_text(key), value)
        extra.pop("Content-Disposition", None)
        for key, value in extra.items():
            if value:
                line = f"{key}: {_text(value)}"
                if _ENDS_LINE(line):
                    raise InvalidHeader(f"Invalid return character(s) in header of multipart field {name!r}: {line!r}")
                lines.append(line)
        self.head = "\r\n".join([*lines, "", ""]).encode("utf-8")


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _escape(value: str) -> str:
    # WHATWG, "multipart/form-data encoding algorithm": these three and no others.
    return value.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def encode(fields: Iterable[Field], mark: str | None = None) -> tuple[Any, str]:
    """
    The body of a form and its Content-Type.

    Args:
        fields: the fields, in order.
        mark: the boundary, if not a new one.

    Returns:
        bytes or a `Multipart`, and the header's value.
    """
    mark = mark or boundary()
    pieces: list[Any] = []
    for field in fields:
        pieces += [f"--{mark}\r\n".encode("latin-1") + field.head, field.data, b"\r\n"]
    pieces.append(f"--{mark}--\r\n".encode("latin-1"))
    content_type = f"multipart/form-data; boundary={mark}"
    if all(isinstance(piece, (bytes, bytearray)) for piece in pieces):
        return b"".join(pieces), content_type
    return Multipart(pieces), content_type


class Source:
    """
    A stretch of a file that is read by position: nothing else moves, and the caller's file may be closed.
    """

    def __init__(self, descriptor: int, start: int, size: int) -> None:
        self._descriptor = descriptor
        self._start = start
        self.size = size

    def read_at(self, offset: int, amount: int) -> bytes:
        """
        Up to `amount` bytes from `offset` on.
        """
        return os.pread(self._descriptor, amount, self._start + offset)

    def __del__(self) -> None:
        descriptor, self._descriptor = getattr(self, "_descriptor", -1), -1
        if descriptor >= 0:
            os.close(descriptor)


class Seekable:
    """
    A file-like object that has no descriptor to read by position; the caller keeps it open.
    """

    def __init__(self, file: Any, start: int, size: int) -> None:
        self._file = file
        self._start = start
        self._moving = threading.Lock()
        self.size = size

    def read_at(self, offset: int, amount: int) -> bytes:
        """
        Up to `amount` bytes from `offset` on.
        """
        with self._moving:
            if self._file.tell() != self._start + offset:
                self._file.seek(self._start + offset)
            data: bytes = self._file.read(amount)
            return data


def open_source(file: Any) -> Any:
    """
    The content of a file from where it stands: bytes if there is little of it or no other way, else a source.
    """
    try:
        binary = isinstance(file.read(0), bytes)
        start = file.tell()
        size = file.seek(0, io.SEEK_END) - start if binary else 0
        file.seek(start)
    except Exception:  # whatever such an object raises: it can only be read
        return file.read()
    if size <= IN_MEMORY:
        return file.read()
    plain = getattr(file, "file", file)  # of a tempfile's wrapper
    if isinstance(getattr(plain, "raw", plain), io.FileIO) and hasattr(os, "pread"):
        plain.flush()
        return Source(os.dup(plain.fileno()), start, size)
    return Seekable(file, start, size)


class Multipart:
    """
    A form's body that is read piece by piece; knows its length and can be read again.
    """

    def __init__(self, pieces: list[Any]) -> None:
        self._pieces = pieces
        self._sizes = [len(piece) if isinstance(piece, (bytes, bytearray)) else piece.size for piece in pieces]
        self._length = sum(self._sizes)
        self._index = 0
        self._offset = 0
        self._position = 0

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"<Multipart {self._position} of {self._length} bytes>"

    def reader(self) -> Multipart:
        """
        The same form, to be read from its beginning; where this one is read does not change.
        """
        return Multipart(self._pieces)

    def read(self, amount: int | None = -1) -> bytes:
        """
        The next bytes, at most `amount`; all that are left if it is negative or None.

        Raises:
            RequestException: a file became shorter since the request was prepared.
        """
        if amount is None or amount < 0:
            return b"".join(self)
        taken: list[bytes] = []
        while amount > 0 and self._index < len(self._pieces):
            data = self._next(amount)
            amount -= len(data)
            taken.append(data)
        return b"".join(taken)

    def _next(self, amount: int) -> bytes:
        piece, left = self._pieces[self._index], self._sizes[self._index] - self._offset
        amount = min(amount, left)
        if isinstance(piece, (bytes, bytearray)):
            data = bytes(piece[self._offset : self._offset + amount])
        else:
            data = piece.read_at(self._offset, amount)
            if not data and left:
                raise RequestException(f"A file to upload ended {left} bytes before the length it had.")
        self._offset += len(data)
        self._position += len(data)
        if self._offset >= self._sizes[self._index]:
            self._index, self._offset = self._index + 1, 0
        return data

    def __iter__(self) -> Iterator[bytes]:
        while self._index < len(self._pieces):
            yield self.read(CHUNK)

    def tell(self) -> int:
        """
        How many bytes were read.
        """
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """
        Go to a position; reading starts there.
        """
        offset += (0, self._position, self._length)[whence]
        self._position, self._index, self._offset = offset, 0, offset
        while self._index < len(self._sizes) and self._offset >= self._sizes[self._index]:
            self._offset -= self._sizes[self._index]
            self._index += 1
        return offset

    def rewind(self) -> None:
        """
        Start again.
        """
        self.seek(0)

    def __bytes__(self) -> bytes:
        return self.reader().read()

    def __contains__(self, wanted: bytes) -> bool:
        return wanted in bytes(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (bytes, bytearray, Multipart)):
            return len(self) == len(other) and bytes(self) == bytes(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        # Another process cannot read our files: it gets the bytes.
        return bytes, (bytes(self),)
