"""The wheel that users get: one file, installed as they would, into every interpreter that this machine has.

``make test`` builds it and names it in ``REQUESTX_WHEEL``.  Each interpreter gets a virtual environment of its own with
the wheel and its dependencies, and runs ``smoke.py`` there against one server, which is a process of this run.
"""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.append(str(ROOT / "scripts"))

import interpreters

REQUIRED = ["cpython3.%d" % minor for minor in range(8, 14)] + ["pypy3"]
OPTIONAL = ["cpython3.14"]
FOUND = interpreters.find()


@pytest.fixture(scope="module")
def wheel():
    """
    The wheel's path.
    """
    named = os.environ.get("REQUESTX_WHEEL")
    if not named:
        pytest.skip("REQUESTX_WHEEL names no wheel: `make test` builds one and names it")
    return Path(named).resolve()


@pytest.fixture(scope="module")
def site():
    """
    The embedded server's addresses and authority, as arguments of ``smoke.py``.
    """
    command = [sys.executable, "-u", str(ROOT / "examples" / "python" / "embedded_server.py")]
    serving = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with serving:
        said = json.loads(serving.stdout.readline())
        yield [part for name, value in said.items() for part in ("--" + name, value)]
        serving.stdin.close()


def _interpreter(name):
    matching = [path for known, path in FOUND.items() if known == name or known.startswith(name + ".")]
    if matching:
        return matching[0]
    if os.environ.get("CI") == "true" and name in REQUIRED:
        pytest.fail("%s is not installed" % name)
    return pytest.skip("%s is not installed" % name)


@pytest.mark.limit(300)
@pytest.mark.parametrize("name", REQUIRED + OPTIONAL)
def test_wheel_works_in(name, wheel, site, tmp_path, capfd):
    """
    Both worlds, in an environment that holds the wheel and what it depends on.
    """
    python = _interpreter(name)
    environment = tmp_path / "venv"
    subprocess.run([python, "-m", "venv", str(environment)], check=True)
    python = str(environment / "bin" / "python")
    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-warn-script-location"]
    subprocess.run([*install, str(wheel)], check=True)

    smoke = [python, "-W", "error::ResourceWarning", str(HERE / "smoke.py"), *site]
    ran = subprocess.run(smoke, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    with capfd.disabled():
        print("\n  " + ran.stdout.strip().replace("\n", "\n  "), end=" ")
    assert ran.returncode == 0, ran.stdout


def test_tag_serves_every_python(wheel):
    """
    ``py3-none``: nothing in it depends on an interpreter or its ABI.
    """
    assert re.match(r"requestx-[\d.]+-py3-none-\w+(\.\w+)*\.whl$", wheel.name)


def test_holds_library_and_module(wheel):
    """
    The package, the library and the cffi module, and nothing of the tests.
    """
    names = zipfile.ZipFile(wheel).namelist()

    assert {"requestx/__init__.py", "requestx/_native.py", "requestx/py.typed"} <= set(names)
    assert [name for name in names if name.endswith((".so", ".dylib", ".dll"))] == ["requestx/librequestx.so"]
    assert {name.split("/")[0].split("-")[0] for name in names} == {"requestx"}


@pytest.mark.skipif(sys.platform != "linux", reason="manylinux is a policy for Linux")
def test_auditwheel_finds_it_within_the_policy(wheel):
    """
    A manylinux tag, and no library that the policy does not promise.
    """
    pytest.importorskip("auditwheel")
    if "manylinux" not in wheel.name:
        pytest.skip("%s was built for this machine only" % wheel.name)

    ran = subprocess.run([sys.executable, "-m", "auditwheel", "show", str(wheel)], stdout=subprocess.PIPE, text=True)

    print(ran.stdout)
    said = " ".join(ran.stdout.split())
    assert ran.returncode == 0
    assert re.search(r'consistent with the following platform tag: "manylinux_2_17_', said), said
    assert "external shared libraries are required" not in said, said
