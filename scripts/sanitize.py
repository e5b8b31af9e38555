"""
Part of ``make test-all``: the wire tests again, on a library instrumented by AddressSanitizer.

The instrumented library takes a nightly toolchain and gcc's runtime, which is preloaded, since CPython itself is not
instrumented. Leaks are not looked for here: an interpreter keeps what it likes until it ends. tests/abi does that,
with C programs under valgrind.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import build_core
import interpreters
from steps import ROOT, Steps, cargo_is_there, environment

SCRATCH = ROOT / "build" / "sanitized"
SUITES = ["tests/wire", "tests/process"]
TARGETS = {"x86_64": "x86_64-unknown-linux-gnu", "aarch64": "aarch64-unknown-linux-gnu"}


def main() -> int:
    """
    Build, then run the suites that cross the boundary most.
    """
    if not cargo_is_there():
        return 1
    runtime, lacking = _runtime()
    if lacking:
        print(f"AddressSanitizer: skipped, {lacking}")
        return 1 if os.environ.get("CI") == "true" else 0
    steps = Steps()
    python = environment(".venv-test", interpreters.newest())
    folder = ROOT / "target" / "sanitized"
    target = TARGETS[os.uname().machine]
    build = ["cargo", "+nightly", "rustc", "--locked", "-p", "requestx-core", "--lib", "--crate-type=cdylib"]
    build += ["--target", target, "--target-dir", str(folder)]
    build += [f"--features={feature}" for feature in build_core.plan().features]
    # Optimised, since the suites decode gigabytes within their time limits.
    flags = {"RUSTFLAGS": "-Zsanitizer=address", "CARGO_PROFILE_DEV_OPT_LEVEL": "2"}
    if steps.run("library with AddressSanitizer", build, "see cargo's message above", flags):
        _lay_out(folder / target / "debug" / "librequestx.so")
        settings = {
            "PYTHONPATH": str(SCRATCH),
            "LD_PRELOAD": runtime,
            "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",
            "PYTHONMALLOC": "malloc",
        }
        pytest = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not bare", *SUITES]
        steps.run("the suites, instrumented", pytest, "see the sanitizer's report above", settings)
    steps.summary()
    return 1 if steps.failed else 0


def _runtime() -> tuple[str, str]:
    """
    The runtime's path, and what is lacking.
    """
    if sys.platform != "linux" or os.uname().machine not in TARGETS:
        return "", "it is set up for Linux on x86_64 and aarch64"
    nightly = subprocess.run(["cargo", "+nightly", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if nightly.returncode:
        return "", "no nightly toolchain: `rustup toolchain install nightly`"
    asked = subprocess.run(["gcc", "-print-file-name=libasan.so"], stdout=subprocess.PIPE, text=True)
    path = asked.stdout.strip()
    return (path, "") if os.path.isabs(path) else ("", "gcc has no libasan.so")


def _lay_out(library: Path) -> None:
    """
    A copy of the package with the instrumented library, so that the checkout keeps its own.
    """
    shutil.rmtree(SCRATCH, ignore_errors=True)
    built = shutil.ignore_patterns("librequestx.*", "__pycache__")
    shutil.copytree(build_core.PACKAGE, SCRATCH / "requestx", ignore=built)
    build_core.place(library, SCRATCH / "requestx" / "librequestx.so")
    sys.path.insert(0, str(ROOT))
    import build_ffi

    build_ffi.generate(target=SCRATCH / "requestx" / "_native.py")


if __name__ == "__main__":
    sys.exit(main())
