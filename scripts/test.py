"""
``make test``: everything, from a clean clone, on the very wheel that users get.

In this order: what the machine lacks, Rust, style and types, one release wheel, requests' own tests on it, and then the
whole pytest suite with it installed. pytest comes last, so that its closing line ends the output.
"""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

import build_core
import check
import interpreters
import programs
import suites
from programs import Program
from steps import ROOT, Steps, cargo_is_there, environment

DIST = ROOT / "dist"

TOOLS = [
    Program("cc", "gcc", "the Rust build, tests/abi"),
    Program("c++", "g++", "tests/abi"),
    Program("make", "make", "OpenSSL built from source"),
    Program("perl", "perl", "OpenSSL built from source"),
    Program("pkg-config", "pkg-config", "finding the system's OpenSSL, tests/abi"),
    Program("nm", "binutils", "tests/abi"),
    Program("node", "nodejs", "pyright"),
    Program("valgrind", "valgrind", "tests/abi"),
    Program("pypy3", "pypy3 pypy3-venv", "tests/wheels on PyPy"),
    Program("openssl", "openssl", "tests/wire/test_tls.py"),
    Program("squid", "squid", "tests/wire/test_real_proxies.py"),
    Program("tinyproxy", "tinyproxy-bin", "tests/wire/test_real_proxies.py"),
    Program("microsocks", "microsocks", "tests/wire/test_real_proxies.py"),
    Program("danted", "dante-server", "tests/wire/test_real_proxies.py"),
    Program("nginx", "nginx-light", "tests/wire/test_real_http2.py"),
    Program("nghttpd", "nghttp2-server", "tests/wire/test_real_http2.py"),
    Program("go", "golang-go", "tests/wire/test_real_http2.py, test_real_httpbin.py"),
    Program("ip", "iproute2", "requests' own tests"),
]


def main() -> int:
    """
    Run all of it; 0 if everything went well.
    """
    if not cargo_is_there():
        return 1
    steps = Steps()
    system_packages(steps)
    python = environment(".venv-test", interpreters.newest())
    check.rust(steps)
    cargo_tests(steps)
    check.prose_and_types(steps, python)
    wheel = build_wheel(steps, python)
    if wheel:
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--force-reinstall"]
        steps.run("wheel installs", [*install, "--no-deps", str(wheel)], "see pip's message above")
        where = "import requestx, sys; print(requestx.__file__); sys.exit('site-packages' not in requestx.__file__)"
        steps.run("the wheel is what is tested", [python, "-P", "-c", where], "unset PYTHONPATH")
        suites.run(steps, wheel, [suites.OWN])
    steps.summary()
    if not wheel:
        print("no wheel, so the suite was not run: 1 failed")
        return 1
    suite = [python, "-P", "-m", "pytest", "-q", "-rfEs", "--durations=10", "tests"]
    steps.run("pytest, on the wheel", suite, "run the failing test alone", {"REQUESTX_WHEEL": str(wheel)})
    for outcome in steps.failed:
        print(f"FAILED: {outcome.name}; repair: {outcome.repair}")
    return 1 if steps.failed else 0


def system_packages(steps: Steps) -> None:
    """
    Install what is missing where that is ours to do. Else say what will be skipped.
    """
    lacking = programs.missing(TOOLS)
    if shutil.which("pkg-config") is None or not build_core.system_openssl():
        lacking.append(Program("openssl", "libssl-dev", "builds with the system's OpenSSL"))
    programs.provide(steps, lacking)


def cargo_tests(steps: Steps) -> None:
    """
    The Rust tests, with both TLS backends, and the seeds of the fuzz targets.
    """
    features = build_core.plan().features
    for name, wanted in (("cargo test", features), ("cargo test, native-tls", [*features, "native-tls"])):
        more = ["--features", ",".join(wanted)] if wanted else []
        steps.run(name, ["cargo", "test", "--quiet", "--locked", "--workspace", *more], "see the failing test above")
    seeds = ["cargo", "test", "--quiet", *check.FUZZ, *(f"--features={feature}" for feature in features)]
    steps.run("seeds of the fuzz targets", seeds, "see fuzz/src for the rule that the seed breaks")


def build_wheel(steps: Steps, python: str) -> Path | None:
    """
    One release wheel with OpenSSL inside, for every Linux with glibc 2.17 where zig can link such; into dist/.
    """
    shutil.rmtree(DIST, ignore_errors=True)
    settings = {"REQUESTX_OPENSSL": "vendored"}
    machine = platform.machine()
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc" and machine in ("x86_64", "aarch64"):
        settings["REQUESTX_TARGET"] = f"{machine}-unknown-linux-gnu.2.17"
    build = [python, "-m", "build", "--wheel", "--outdir", str(DIST), str(ROOT)]
    steps.run("wheel", build, "see the build's message above", settings)
    return next(iter(sorted(DIST.glob("*.whl"))), None)


if __name__ == "__main__":
    sys.exit(main())
