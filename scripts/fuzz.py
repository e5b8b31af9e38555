"""
``make fuzz``: every target of ``fuzz/`` for a while, with bytes that nobody would think of, under AddressSanitizer.

It takes a nightly toolchain, and cargo-fuzz, which is built into ``target/tools`` where the machine has none.
What is found is in ``build/fuzz/TARGET``, named after what it did; what was learnt is kept there for the next run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys

import build_core
from steps import ROOT, Steps, cargo_is_there

FUZZ = ROOT / "fuzz"
FOUND = ROOT / "build" / "fuzz"
TOOLS = ROOT / "target" / "tools"
CARGO_FUZZ = "0.13.2"

# One input may take so many seconds, one allocation so many MB, and all there is so many: a bound for each target.
BOUNDS = ["-timeout=30", "-malloc_limit_mb=128", "-rss_limit_mb=1536"]


def main() -> int:
    """
    Build all, run each; 0 if none found anything.
    """
    asked = argparse.ArgumentParser(description="fuzz the core")
    asked.add_argument("--seconds", type=int, default=60, help="time for each target (60)")
    asked.add_argument("targets", nargs="*", metavar="TARGET", help="all, if none is named: " + ", ".join(targets()))
    arguments = asked.parse_args()
    if not cargo_is_there():
        return 1
    nightly = subprocess.run(["cargo", "+nightly", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if nightly.returncode:
        print("fuzzing: skipped, no nightly toolchain: `rustup toolchain install nightly`")
        return 1 if os.environ.get("CI") == "true" else 0
    steps = Steps()
    if not provide(steps):
        steps.summary()
        return 1
    where = ["--target-dir", "target/fuzz", *(f"--features={feature}" for feature in build_core.plan().features)]
    if steps.run("fuzz targets", ["cargo", "+nightly", "fuzz", "build", *where], "see cargo's message above"):
        for target in arguments.targets or targets():
            fuzz(steps, target, where, arguments.seconds)
    steps.summary()
    return 1 if steps.failed else 0


def targets() -> list[str]:
    """
    Their names, which are those of the files that say what they check.
    """
    return sorted(path.stem for path in (FUZZ / "fuzz_targets").glob("*.rs"))


def provide(steps: Steps) -> bool:
    """
    cargo-fuzz: the machine's, or one of our own.
    """
    os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], str(TOOLS / "bin")])
    if shutil.which("cargo-fuzz"):
        return True
    install = ["cargo", "install", "--quiet", "--locked", "--root", str(TOOLS), f"cargo-fuzz@{CARGO_FUZZ}"]
    return steps.run("cargo-fuzz", install, "`cargo install cargo-fuzz` where crates can be fetched")


def fuzz(steps: Steps, target: str, where: list[str], seconds: int) -> None:
    """
    One target, from its seeds and from what earlier runs have learnt.
    """
    learnt = FOUND / target / "corpus"
    learnt.mkdir(parents=True, exist_ok=True)
    run = ["cargo", "+nightly", "fuzz", "run", *where, target, str(learnt), str(FUZZ / "seeds" / target), "--"]
    run += [f"-max_total_time={seconds}", f"-artifact_prefix={FOUND / target}{os.sep}", *BOUNDS]
    run += [f"-dict={FUZZ / 'http.dict'}", "-verbosity=1"]
    repair = f"the input is in build/fuzz/{target}: mend what it shows, and keep it in fuzz/seeds/{target}"
    steps.run(f"fuzz {target}", run, repair)


if __name__ == "__main__":
    sys.exit(main())
