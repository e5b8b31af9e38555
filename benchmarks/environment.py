"""
What the benchmark stands on: virtual environments, nginx, and requestx built from this checkout.

Everything is found, nothing is assumed: CPython 3.13 where there is one, else the Python that runs this.
niquests lives in an environment of its own, because the package it stands on replaces urllib3 for all others.
A stamp beside each environment says which requirements it was made from; requestx has one of its sources.
"""

import glob
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks import cases

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
VENVS = {"": ROOT / ".venv-bench", **{client: ROOT / f".venv-bench-{client}" for client in cases.APART}}
BUILT_FROM = (
    "Cargo.toml",
    "Cargo.lock",
    "pyproject.toml",
    "*.py",
    "requestx-core",
    "python",
    "include",
    "xtask",
    "scripts/build_core.py",
)
SOURCES = (".rs", ".toml", ".lock", ".py", ".h", ".typed", ".txt")


def python_of(client):
    """The interpreter that has this client."""
    venv = VENVS.get(client, VENVS[""])
    return str(venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def prepare(build=True):
    """Make what is missing. Returns nginx's path and the reason why requestx is not there, if it is not."""
    for client, venv in VENVS.items():
        make(venv, HERE / f"requirements{'-' + client if client else ''}.txt")
    return nginx(), install_requestx() if build else installed_requestx()


def make(venv, requirements):
    stamp, wanted = venv / "requirements.stamp", requirements.read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    python = interpreter()
    print(f"making {venv.name} with {python}", flush=True)
    subprocess.run([python, "-m", "venv", "--clear", str(venv)], check=True)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "-q", "--only-binary", ":all:"]
    if subprocess.run([*pip, "-r", str(requirements)]).returncode:
        one_by_one(pip, wanted)
    stamp.write_text(wanted)


def one_by_one(pip, wanted):
    """Where the whole list does not install, what does is measured, and the rest is reported as missing."""
    for line in filter(None, (line.partition("#")[0].strip() for line in wanted.splitlines())):
        if subprocess.run([*pip, line], capture_output=True).returncode:
            print(f"  {line} does not install here")


def interpreter():
    """CPython 3.13 by name, among pyenv's, or whatever runs this."""
    pyenv = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    candidates = [os.environ.get("BENCH_PYTHON"), *sorted(glob.glob(f"{pyenv}/versions/3.13*/bin/python"))]
    for candidate in [*candidates, shutil.which("python3.13")]:
        if candidate and subprocess.run([candidate, "-c", ""], capture_output=True).returncode == 0:
            return candidate
    return sys.executable


def nginx():
    """The path of nginx; root on Debian gets it installed."""
    found = which_nginx()
    if not found and os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
        print("installing nginx", flush=True)
        subprocess.run(["apt-get", "update"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "nginx"], **quiet)
        found = which_nginx()
    if not found:
        raise SystemExit("the benchmark needs nginx: install it (Debian: apt-get install nginx) and run this again")
    return found


def which_nginx():
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def install_requestx():
    """Build this checkout in release mode and install it. None, or why that was not possible."""
    if not (ROOT / "pyproject.toml").exists():
        return "this checkout has no pyproject.toml yet"
    stamp, wanted = VENVS[""] / "requestx.stamp", sources()
    if stamp.exists() and stamp.read_text() == wanted:
        return None
    print("building requestx (release)", flush=True)
    pip = [python_of("requestx"), "-m", "pip", "install", "-q", "--force-reinstall", "--no-deps", str(ROOT)]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode:
        log = VENVS[""] / "requestx.log"
        log.write_text(done.stdout + done.stderr)
        said = [line.strip() for line in log.read_text().splitlines() if "error" in line.lower()]
        return f"pip install . failed (see {log.relative_to(ROOT)}): {(said or ['nothing said'])[0]}"
    stamp.write_text(wanted)
    return None


def installed_requestx():
    done = subprocess.run([python_of("requestx"), "-I", "-c", "import requestx"], capture_output=True, text=True)
    return (done.stderr.strip().splitlines() or ["import fails"])[-1] if done.returncode else None


def sources():
    """A digest of all that goes into the wheel."""
    digest = hashlib.sha256()
    for pattern in BUILT_FROM:
        for top in sorted(ROOT.glob(pattern)):
            for path in [top] if top.is_file() else sorted(top.rglob("*")):
                if path.suffix in SOURCES and path.name != "_native.py":
                    digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def describe():
    """The machine and the software, for the head of the report."""
    return {
        "cpu": cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "kernel": " ".join(os.uname()[i] for i in (0, 2, 4)),
        "python": ask(
            python_of(""), "-c", "import platform as p; print(p.python_implementation(), p.python_version())"
        ),
        "openssl of python": ask(python_of(""), "-c", "import ssl; print(ssl.OPENSSL_VERSION)"),
        "nginx": ask(which_nginx(), "-v").rpartition(" ")[2],
        "commit": ask("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"),
    }


def cpu_name():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return os.uname()[4]


def ask(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return "unknown"
    return (done.stdout or done.stderr).strip() or "unknown"
