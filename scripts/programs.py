"""
Programs that the steps need and this machine may lack: installed where that is ours to do, as root on Debian.

Elsewhere it is said what is missing, and under CI that is a failure, so that nothing is skipped there unnoticed.
"""

from __future__ import annotations

import os
import shutil
from typing import NamedTuple, Sequence

from steps import Steps


class Program(NamedTuple):
    """
    A program, the Debian package it comes from, and what wants it.
    """

    name: str
    package: str
    wanted_by: str


def missing(programs: Sequence[Program]) -> list[Program]:
    """
    Those that are not on the path.
    """
    return [program for program in programs if not shutil.which(program.name)]


def provide(steps: Steps, lacking: Sequence[Program]) -> None:
    """
    Install what is lacking, or say what will be skipped.
    """
    if not lacking:
        return
    packages = " ".join(dict.fromkeys(program.package for program in lacking))
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        steps.run("apt-get update", ["apt-get", "-q", "update"], "see apt's message above", quiet)
        install = ["apt-get", "-q", "-y", "--no-install-recommends", "install", *packages.split()]
        steps.run(f"apt-get install {packages}", install, "see apt's message above", quiet)
        return
    for name, package, wanted_by in lacking:
        print(f"missing: {name} (Debian: {package}), wanted by {wanted_by}; tests that need it are skipped by name")
    if os.environ.get("CI") == "true":
        steps.add(f"programs that CI must have: {packages}", False, f"install {packages}")
