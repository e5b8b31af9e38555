"""
``make check``: the fast loop. What it runs needs no network after the first time, no release build and no root.
"""

from __future__ import annotations

import os
import shutil
import sys

import build_core
import interpreters
from steps import ROOT, Steps, cargo_is_there, environment

FAST_TESTS = [
    *("tests/unit", "tests/flow", "tests/test_layers.py", "tests/test_total.py"),
    *("tests/compat/test_page.py", "tests/compat/test_surface.py", "tests/test_typing.py"),
]

# Of fuzz/, which is a workspace of its own, all but libFuzzer itself; what it shares with ours is built once. Its lock
# file follows the library's by itself, and a test there says if it does not.
FUZZ = ["--manifest-path", "fuzz/Cargo.toml", "--target-dir", "target", "--no-default-features"]


def main() -> int:
    """
    Run all of it, and say in the end what failed.
    """
    if not cargo_is_there():
        return 1
    python = environment(".venv-dev", interpreters.newest())
    steps = Steps()
    rust(steps)
    prose_and_types(steps, python)
    build = [python, "scripts/build_core.py"]
    if steps.run("library, quick build", build, "see cargo's message above", {"REQUESTX_PROFILE": "dev"}):
        tests = [name for name in FAST_TESTS if (ROOT / name).exists()]
        repair = "see the failing test; run it alone with .venv-dev/bin/python -m pytest PATH"
        steps.run("unit, flow and layers", [python, "-m", "pytest", "-q", *tests], repair, {"PYTHONPATH": "python"})
    steps.summary()
    return 1 if steps.failed else 0


def rust(steps: Steps) -> None:
    """
    Format, lints with both TLS backends, and the header.
    """
    features = build_core.plan().features
    with_features = ["--features", ",".join(features)] if features else []
    native = ["--features", ",".join([*features, "native-tls"])]
    clippy = ["cargo", "clippy", "--quiet", "--locked", "--workspace", "--all-targets"]
    denied = ["--", "-D", "warnings"]
    mend = "mend what clippy names; `cargo clippy --fix` does some of it"
    steps.run("cargo fmt", ["cargo", "fmt", "--all", "--check"], "cargo fmt --all")
    format_fuzz = ["cargo", "fmt", "--manifest-path", "fuzz/Cargo.toml"]
    steps.run("cargo fmt, fuzz", [*format_fuzz, "--check"], " ".join(format_fuzz))
    steps.run("cargo clippy", [*clippy, *with_features, *denied], mend)
    steps.run("cargo clippy, native-tls", [*clippy, *native, *denied], mend)
    fuzz = ["cargo", "clippy", "--quiet", "--all-targets", *FUZZ, *with_features, *denied]
    steps.run("cargo clippy, fuzz", fuzz, mend)
    header = ["cargo", "run", "--quiet", "--locked", "-p", "xtask", "--", "header", "--check"]
    steps.run("include/requestx.h is fresh", header, "make header, and commit include/requestx.h")


def prose_and_types(steps: Steps, python: str) -> None:
    """
    ruff over all Python there is, mypy --strict and pyright over the package, which names the module of cffi.
    """
    steps.run("python/requestx/_native.py", [python, "build_ffi.py"], "see the message above")
    steps.run("ruff", [python, "-m", "ruff", "check", "."], "`.venv-dev/bin/ruff check --fix .` does some of it")
    steps.run("mypy --strict", [python, "-m", "mypy"], "mend the annotations that mypy names")
    if shutil.which("node"):
        # Without node on the path its wheel would fetch one.
        pyright = [python, "-m", "pyright", "--pythonpath", python]
        quiet = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
        steps.run("pyright", pyright, "mend the annotations that pyright names", quiet)
    else:
        print("\nmissing: node, wanted by pyright; types are checked by mypy alone")
        if os.environ.get("CI") == "true":
            steps.add("pyright", False, "install node (Debian: nodejs)")


if __name__ == "__main__":
    sys.exit(main())
