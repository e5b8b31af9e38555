"""
Builds ``librequestx`` with cargo, for the wheel, for an editable install and for the Makefile.

Everything that depends on the machine is decided here and said aloud: where OpenSSL comes from, which
target, which profile. What the caller may force, by environment variable:

    REQUESTX_OPENSSL   system, or vendored (built from source into the library);
                       if unset, system where pkg-config finds it
    REQUESTX_PROFILE   release or dev
    REQUESTX_TARGET    a Rust target; with a glibc version behind it (x86_64-unknown-linux-gnu.2.17) zig
                       links it, so that it runs on older systems than the one it was built on

    python scripts/build_core.py            # puts library and _native.py beside the package
    python scripts/build_core.py FOLDER     # puts the library there, under the names that C linkers look for

Only the standard library is used: this runs inside an isolated build, before anything is installed.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "python" / "requestx"
ZIG_PACKAGES = ["cargo-zigbuild==0.24.0", "ziglang==0.15.2"]

_NO_CARGO = """cargo was not found.
requestx builds its library from Rust sources: install Rust (1.85 or newer) from your system's packages or
with rustup, open a new shell, and try again."""
_NO_COMPILER = """no C compiler was found (looked for {tried}).
Rust links with it, and zstd is built with it: install one (Debian: `apt-get install build-essential`, Fedora:
`dnf install gcc make`, macOS: `xcode-select --install`), or name yours in CC."""
_NO_PERL = """OpenSSL is to be built from source, which takes {missing}, and that was not found.
Install it, or OpenSSL's headers and pkg-config (Debian: `apt-get install libssl-dev pkg-config`): then the
system's OpenSSL is used instead."""
_NO_ZIG = """the target {target} names a glibc version, which takes cargo-zigbuild and ziglang:
`{python} -m pip install {packages}`, or set REQUESTX_TARGET without the version."""


class BuildError(Exception):
    """
    The library cannot be built here; the message says what is missing and how to get it.
    """


class Plan(NamedTuple):
    """
    What is going to be built, decided before cargo starts.
    """

    target: str  # the Rust target, without glibc version
    glibc: str  # "2.17", or "" for that of this machine
    explicit: bool  # the caller named the target
    profile: str
    features: list[str]
    openssl: str  # one line for the reader

    @property
    def library(self) -> str:
        """
        The name the library has inside the package.
        """
        if "windows" in self.target:
            return "librequestx.dll"
        return "librequestx.dylib" if "apple" in self.target else "librequestx.so"

    @property
    def platform_tag(self) -> str:
        """
        The wheel's platform, from the Rust target: Python's own answer may name another architecture.
        """
        arch = self.target.split("-")[0]
        if "apple" in self.target:
            arch = "arm64" if arch == "aarch64" else arch
            default = "11.0" if arch == "arm64" else "10.12"
            version = os.environ.get("MACOSX_DEPLOYMENT_TARGET", default)
            major, minor = (version.split(".") + ["0"])[:2]
            return f"macosx_{major}_{minor if major == '10' else '0'}_{arch}"
        if "windows" in self.target:
            return {"x86_64": "win_amd64", "aarch64": "win_arm64", "i686": "win32"}[arch]
        arch = {"armv7": "armv7l"}.get(arch, arch)
        if self.glibc:
            legacy = {"2.17": f".manylinux2014_{arch}"}.get(self.glibc, "")
            return f"manylinux_{self.glibc.replace('.', '_')}_{arch}{legacy}"
        return f"linux_{arch}"


def plan(profile: str = "release") -> Plan:
    """
    Decide what to build on this machine.

    Args:
        profile: ``release`` or ``dev``, unless REQUESTX_PROFILE says otherwise.

    Returns:
        The plan; nothing is built yet.

    Raises:
        BuildError: A tool is missing, or a variable has a value that means nothing.
    """
    if not shutil.which("cargo"):
        raise BuildError(_NO_CARGO)
    _need_compiler()
    profile = _choice("REQUESTX_PROFILE", profile, ["release", "dev"])
    named = os.environ.get("REQUESTX_TARGET", "")
    target, glibc = named, ""
    versioned = re.match(r"(?P<target>.+-gnu\w*)\.(?P<glibc>2\.\d+)$", named)
    if versioned:
        target, glibc = versioned.group("target"), versioned.group("glibc")
    target = target or _host()
    features, openssl = _openssl(target, cross=bool(glibc) or target != _host())
    return Plan(target, glibc, bool(named), profile, features, openssl)


def build(what: Plan) -> Path:
    """
    Run cargo, whose progress goes to standard error.

    Returns:
        The library that cargo made, in cargo's own folder.

    Raises:
        BuildError: cargo failed; what it said stands above.
    """
    where = f"{what.target} with glibc {what.glibc}" if what.glibc else what.target
    print(f"requestx: building {what.library}, {what.profile}, for {where}", flush=True)
    print(f"requestx: TLS is {what.openssl}", flush=True)
    command, environment = _cargo(what)
    # `rustc --crate-type cdylib`, not `build`: next to an rlib, cargo leaves link-time optimisation out.
    command += ["rustc", "--locked", "--package=requestx-core", "--lib", "--crate-type=cdylib"]
    command += ["--profile", what.profile, "--message-format=json-render-diagnostics"]
    if what.explicit:
        command += ["--target", f"{what.target}.{what.glibc}" if what.glibc else what.target]
    if what.features:
        command += ["--features", ",".join(what.features)]
    ran = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    if ran.returncode:
        raise BuildError(f"cargo failed with exit code {ran.returncode}; what it said stands above")
    return _artifact(ran.stdout)


def place(library: Path, target: Path) -> None:
    """
    Copy the library, so that a process that has the old one mapped goes on with the old one.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copy2(library, scratch)
    os.replace(scratch, target)


def _choice(variable: str, default: str, choices: list[str]) -> str:
    value = os.environ.get(variable) or default
    if value not in choices:
        raise BuildError(f"{variable}={value} means nothing: it may be {' or '.join(choices)}")
    return value


def _host() -> str:
    said = subprocess.run(["rustc", "-vV"], stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    found = re.search(r"^host: (\S+)$", said, re.MULTILINE)
    if not found:
        raise BuildError("`rustc -vV` does not name its target: is the Rust installation whole?")
    return found.group(1)


def _openssl(target: str, cross: bool) -> tuple[list[str], str]:
    """
    Where TLS comes from: cargo features, and one line that says it.
    """
    if "linux" not in target:
        return ["native-tls"], "the platform's own TLS"
    choice = _choice("REQUESTX_OPENSSL", "auto", ["system", "vendored", "auto"])
    found = system_openssl()
    if choice == "system" or (choice == "auto" and found and not cross):
        return [], f"OpenSSL {found or 'of the system'} (REQUESTX_OPENSSL=vendored builds it in)"
    for tool in ("perl", "make"):
        if not shutil.which(tool):
            raise BuildError(_NO_PERL.format(missing=tool))
    why = "as asked" if choice == "vendored" else "for another system" if cross else "pkg-config finds none"
    return ["vendored"], f"OpenSSL built from source ({why}): this takes some minutes"


def system_openssl() -> str:
    """
    The version that pkg-config finds, or "".
    """
    if not shutil.which("pkg-config"):
        return ""
    command = ["pkg-config", "--modversion", "openssl"]
    asked = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return asked.stdout.strip() if asked.returncode == 0 else ""


def _need_compiler() -> None:
    tried = [os.environ["CC"].split()[0]] if os.environ.get("CC") else ["cc", "gcc", "clang"]
    if platform.system() != "Windows" and not any(shutil.which(name) for name in tried):
        raise BuildError(_NO_COMPILER.format(tried=", ".join(tried)))


def _cargo(what: Plan) -> tuple[list[str], dict[str, str]]:
    """
    cargo, or cargo-zigbuild told where zig is: an isolated build does not have it on its path.
    """
    environment = dict(os.environ)
    if not what.glibc:
        return ["cargo"], environment
    scripts = sysconfig.get_path("scripts")
    environment["PATH"] = os.pathsep.join([scripts, environment.get("PATH", "")])
    zigbuild = shutil.which("cargo-zigbuild", path=environment["PATH"])
    zig = _ziglang()
    if not zigbuild or not zig:
        packages = " ".join(ZIG_PACKAGES)
        raise BuildError(_NO_ZIG.format(target=what.target, python=sys.executable, packages=packages))
    environment["CARGO_ZIGBUILD_ZIG_PATH"] = zig
    return [zigbuild], environment


def _ziglang() -> str:
    try:
        import ziglang
    except ImportError:
        return os.environ.get("CARGO_ZIGBUILD_ZIG_PATH", "")
    return str(Path(ziglang.__file__).with_name("zig.exe" if os.name == "nt" else "zig"))


def _artifact(messages: str) -> Path:
    for line in messages.splitlines():
        message = json.loads(line) if line.startswith("{") else {}
        is_ours = message.get("reason") == "compiler-artifact" and message["target"]["name"] == "requestx"
        for name in message["filenames"] if is_ours else []:
            if name.endswith((".so", ".dylib", ".dll")):
                return Path(name)
    raise BuildError("cargo ended well but named no library: is requestx-core still called requestx?")


def main(arguments: list[str]) -> int:
    """
    Build for this checkout, as an editable install has it, or for C callers.

    Returns:
        0, or 1 after saying what is wrong.
    """
    sys.path.insert(0, str(ROOT))
    import build_ffi

    try:
        what = plan()
        built = build(what)
        if arguments:
            place_for_linkers(built, what, Path(arguments[0]))
        else:
            place(built, PACKAGE / what.library)
            build_ffi.generate()
    except (BuildError, build_ffi.HeaderError) as error:
        print(f"\nrequestx cannot be built: {error}", file=sys.stderr)
        return 1
    return 0


def place_for_linkers(library: Path, what: Plan, folder: Path) -> None:
    """
    Put the library into a folder for ``-L``; on Linux it is loaded by its soname, so that name is there as well.
    """
    place(library, folder / what.library)
    if what.library.endswith(".so"):
        place(library, folder / f"{what.library}.1")
    print(f"{folder / what.library}: built")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
