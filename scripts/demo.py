"""
``make demo``: from a clean clone to the main job on the screen, blocking and awaited.

It makes a virtual environment, builds the library in sight (cargo's own progress is the progress), installs the
package into the environment as a user would, and runs examples/python/demo.py there.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import build_core

ROOT = build_core.ROOT
VENV = ROOT / ".venv-demo"
NO_VENV = "this Python cannot make virtual environments (Debian: `apt-get install python3-venv`)"


def main() -> int:
    """
    Do it; the demo's exit code is ours.
    """
    if not all(importlib.util.find_spec(name) for name in ("ensurepip", "venv")):
        return _stop(NO_VENV)
    started = f"Python {sys.version.split()[0]}, {sys.executable}"
    print(f"1/3  virtual environment {VENV.name} ({started})", flush=True)
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)

    print("2/3  librequestx", flush=True)
    try:
        build_core.build(build_core.plan())
    except build_core.BuildError as error:
        return _stop(str(error))
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    if subprocess.run([*pip, str(ROOT), "trustme"]).returncode:
        return _stop("pip could not install requestx and trustme; what it said stands above")

    print("3/3  the main job, both ways", flush=True)
    return subprocess.run([str(python), str(ROOT / "examples" / "python" / "demo.py")], cwd=ROOT).returncode


def _stop(why: str) -> int:
    print(f"\nmake demo: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
