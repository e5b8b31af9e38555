"""
Turns ``include/requestx.h`` into ``python/requestx/_native.py``, the module cffi reaches the library by.

cffi's out-of-line ABI mode: declarations are parsed here, once, and the result is plain Python that every
CPython and PyPy imports unchanged; parsing the header at import would take fifty times as long.
The rule that keeps this file simple: a line that cffi cannot read becomes an empty line, so that a line
number in an error of cffi's is a line number of the header.

    python build_ffi.py                     # the usual paths
    python build_ffi.py HEADER TARGET       # others
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
HEADER = ROOT / "include" / "requestx.h"
TARGET = ROOT / "python" / "requestx" / "_native.py"

_NUMBER = re.compile(r"#define[ \t]+(RQX_\w+)[ \t]+\(?(-?(?:0[xX][0-9a-fA-F]+|[0-9]+))[uUlL]*\)?[ \t]*$")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


class HeaderError(Exception):
    """
    The header cannot be turned into a cffi module; the message says why and what to do.
    """


def declarations(header: str) -> str:
    """
    Keep what cffi can parse: declarations, and ``#define``s of whole numbers.

    Args:
        header: The text of ``requestx.h``.

    Returns:
        As many lines as the header has, those of the preprocessor empty.
    """
    text = _COMMENT.sub(lambda found: "\n" * found.group().count("\n"), header)
    kept = []
    for_cplusplus = False
    for line in text.split("\n"):
        if line.startswith("#"):
            for_cplusplus = line.split() == ["#ifdef", "__cplusplus"]
            number = _NUMBER.match(line)
            kept.append(f"#define {number.group(1)} {number.group(2)}" if number else "")
        elif for_cplusplus:
            kept.append("")
        else:
            kept.append(re.sub(r"\bRQX_API\b", "", line).rstrip())
    return "\n".join(kept)


def generate(header: Path = HEADER, target: Path = TARGET) -> bool:
    """
    Write the cffi module that *header* describes.

    Args:
        header: The C header.
        target: The Python file to write; left alone when it already says the same.

    Returns:
        True if the file was written.

    Raises:
        HeaderError: No header, no cffi, or a declaration that cffi does not understand.
    """
    try:
        source = header.read_text(encoding="utf-8")
    except OSError as error:
        raise HeaderError(f"cannot read {header}: {error.strerror}; `make header` writes it") from error
    module = _module_text(declarations(source), header)
    if target.is_file() and target.read_bytes() == module:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(module)
    return True


def _module_text(cdef: str, header: Path) -> bytes:
    try:
        from cffi import FFI, CDefError
        from pycparser.c_parser import ParseError
    except ImportError as error:
        raise HeaderError(f"{error}: run `{sys.executable} -m pip install cffi`") from error
    ffi = FFI()
    try:
        ffi.cdef(cdef)
    except (CDefError, ParseError, NotImplementedError, ValueError) as error:
        raise HeaderError(f"cffi does not understand {header} (its line numbers are the header's): {error}") from error
    ffi.set_source("requestx._native", None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "_native.py"
        with contextlib.redirect_stdout(io.StringIO()):  # some versions of cffi announce the scratch file
            ffi.emit_python_code(str(path))
        return path.read_bytes().replace(b"\r\n", b"\n")


def main(arguments: list[str]) -> int:
    """
    The command: ``build_ffi.py [HEADER [TARGET]]``.

    Returns:
        0, or 1 after saying what is wrong.
    """
    paths = [Path(argument) for argument in arguments]
    if len(paths) > 2:
        print(__doc__, file=sys.stderr)
        return 1
    header, target = paths + [HEADER, TARGET][len(paths) :]
    try:
        written = generate(header, target)
    except HeaderError as error:
        print(f"build_ffi: {error}", file=sys.stderr)
        return 1
    print(f"{target}: {'written' if written else 'already as the header says'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
