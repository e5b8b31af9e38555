"""
Runs named commands one after the other, says how each went, and in the end what failed and how to repair it.

``make check`` and ``make test`` are lists of such steps: one that fails does not hide the next.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Mapping, NamedTuple, Sequence

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "tests" / "requirements.txt"


class Outcome(NamedTuple):
    """
    How one step went.
    """

    name: str
    well: bool
    seconds: float
    repair: str


class Steps:
    """
    What was run so far.
    """

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def run(self, name: str, command: Sequence[str], repair: str, environment: Mapping[str, str] | None = None) -> bool:
        """
        Run one command from the checkout's root, its output passed through.

        Args:
            name: What it checks, for the list in the end.
            command: Program and arguments.
            repair: What to do when it fails.
            environment: Variables to add to this process's own.

        Returns:
            True if its exit code was 0.
        """
        print(f"\n==== {name}", flush=True)
        started = time.monotonic()
        try:
            code = subprocess.run(command, cwd=ROOT, env={**os.environ, **(environment or {})}).returncode
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", flush=True)
            code = 127
        self.outcomes.append(Outcome(name, code == 0, time.monotonic() - started, repair))
        return code == 0

    def add(self, name: str, well: bool, repair: str, seconds: float = 0.0) -> bool:
        """
        Note something that was found out without a command of ours.
        """
        self.outcomes.append(Outcome(name, well, seconds, repair))
        return well

    @property
    def failed(self) -> list[Outcome]:
        """
        The steps that did not go well.
        """
        return [outcome for outcome in self.outcomes if not outcome.well]

    def summary(self) -> None:
        """
        One line for each step; below a failed one, how to repair it.
        """
        print("\n==== summary", flush=True)
        for outcome in self.outcomes:
            print(f"  {'ok    ' if outcome.well else 'FAILED'} {outcome.seconds:7.1f} s  {outcome.name}")
            if not outcome.well:
                print(f"         repair: {outcome.repair}")
        sys.stdout.flush()


def environment(folder: str, python: str, requirements: Path = REQUIREMENTS) -> str:
    """
    A virtual environment with exactly these requirements, kept until they change.

    Args:
        folder: Its name in the checkout's root.
        python: The interpreter to make it with.
        requirements: The pinned packages.

    Returns:
        The path of its Python.
    """
    place = ROOT / folder
    inside = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = place / "made-from"
    wanted = hashlib.sha256(python.encode() + requirements.read_bytes()).hexdigest()
    if not (stamp.is_file() and stamp.read_text() == wanted and inside.exists()):
        print(f"making {folder} with {python}", flush=True)
        subprocess.run([python, "-m", "venv", "--clear", str(place)], check=True)
        pip = [str(inside), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(requirements)], check=True)
        stamp.write_text(wanted)
    return str(inside)


def cargo_is_there() -> bool:
    """
    Say so if it is not, since nothing else can go on.
    """
    if shutil.which("cargo"):
        return True
    print("cargo was not found: install Rust (1.85 or newer) from your system's packages or with rustup")
    return False
