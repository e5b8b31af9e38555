"""
Which Pythons this machine has: CPython 3.8 to 3.14 and PyPy, from the path and from pyenv.

    python scripts/interpreters.py          # one line for each: name and path
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSIONS = [(3, minor) for minor in range(8, 15)]
PYPYS = ["pypy3", "pypy3.9", "pypy3.10", "pypy3.11"]

_ASK = "import platform, sys; print(platform.python_implementation(), *sys.version_info[:2])"


def find() -> dict[str, str]:
    """
    Look for interpreters; one of each name is enough.

    Returns:
        ``{"cpython3.8": "/usr/bin/python3.8", "pypy3.9": ...}``, oldest first, PyPy last.
    """
    found: dict[str, str] = {}
    for path in _candidates():
        name = _name(path)
        if name:
            found.setdefault(name, path)
    return dict(sorted(found.items(), key=lambda item: _order(item[0])))


def newest(at_least: tuple[int, int] = (3, 10)) -> str:
    """
    The CPython to run tools with: 3.13 or the next older one, since the newest lacks wheels of some tools.

    Raises:
        SystemExit: There is none.
    """
    found = find()
    for major, minor in sorted(VERSIONS, key=lambda version: (version <= (3, 13), version), reverse=True):
        if (major, minor) >= at_least and f"cpython{major}.{minor}" in found:
            return found[f"cpython{major}.{minor}"]
    sys.exit(f"the tools need CPython {at_least[0]}.{at_least[1]} or newer, and none was found on the path or in pyenv")


def _candidates() -> list[str]:
    names = [f"python{major}.{minor}" for major, minor in VERSIONS] + ["python3", *PYPYS]
    on_path = [path for path in map(shutil.which, names) if path]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    return [sys.executable, *on_path, *map(str, sorted(pyenv.glob("*/bin/python"), reverse=True))]


def _name(path: str) -> str:
    """
    What the interpreter calls itself, or "": a shim of pyenv may stand for none.
    """
    try:
        said = subprocess.run([path, "-c", _ASK], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except OSError:
        return ""
    if said.returncode:
        return ""
    implementation, major, minor = said.stdout.split()
    supported = (int(major), int(minor)) in VERSIONS
    return f"{implementation.lower()}{major}.{minor}" if supported else ""


def _order(name: str) -> tuple[bool, int]:
    return name.startswith("pypy"), int(name.rpartition(".")[2])


if __name__ == "__main__":
    for name, path in find().items():
        print(f"{name:<12} {path}")
