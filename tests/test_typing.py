"""What type checkers see: examples of users' code, judged by mypy and by pyright as they are configured by default."""

import json
import os
import re
import shutil
import sys
from pathlib import Path
from subprocess import run

import pytest

HERE = Path(__file__).resolve().parent / "types"


def place():
    """Where requestx is imported from."""
    import requestx

    return str(Path(requestx.__file__).resolve().parent.parent)


def marked(name, mark):
    """The lines of a file that carry a mark: number to what stands behind it."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    found = ((number, re.search(r"  # %s\s*(.*)$" % mark, line)) for number, line in enumerate(lines, 1))
    return {number: match.group(1) for number, match in found if match}


def mypy(name, folder):
    """What mypy says: pairs of line number and text."""
    shutil.copy(HERE / name, folder)
    flags = ["--strict", "--no-error-summary", "--config-file=", "--python-version=3.10"]
    command = [sys.executable, "-m", "mypy", *flags, name]
    # It finds what is installed by itself, and refuses to be told.
    path = {} if "site-packages" in place() else {"MYPYPATH": place()}
    done = run(command, capture_output=True, text=True, cwd=folder, env={**os.environ, **path})
    assert done.stderr == "", done.stderr
    told = re.findall(rf"^{name}:(\d+): (?:error|note): (.+)", done.stdout, re.MULTILINE)
    return [(int(line), text) for line, text in told]


def pyright(name, folder):
    """What pyright says."""
    shutil.copy(HERE / name, folder)
    settings = {"include": [name], "extraPaths": [place()], "pythonVersion": "3.10"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    quiet = dict(os.environ, PYRIGHT_PYTHON_IGNORE_WARNINGS="1")
    done = run(command, capture_output=True, text=True, cwd=folder, env=quiet)
    told = json.loads(done.stdout)["generalDiagnostics"]
    return [(each["range"]["start"]["line"] + 1, each["message"]) for each in told if each["severity"] != "warning"]


@pytest.fixture(params=[mypy, pyright], ids=["mypy", "pyright"])
def said(request, tmp_path, module, tool):
    """``said(name)``: what a checker says of a file."""
    module(request.param.__name__)
    if request.param is pyright:
        tool("node")
    return lambda name: request.param(name, tmp_path)


def plain(kind):
    """A type as both write it: without modules, variance or quotes."""
    kind = re.search(r'"([^"]+)"$', kind).group(1)
    return re.sub(r"\b(?:\w+\.)+|\*|\?", "", kind).replace("coroutines.", "")


@pytest.mark.limit(120)
def test_examples_have_the_types_they_say(said):
    """And nothing else is said of them: no error anywhere."""
    seen = said("examples.py")
    expected = marked("examples.py", "is")

    assert [text for line, text in seen if line not in expected] == []
    assert {line: plain(text) for line, text in seen} == expected


@pytest.mark.limit(120)
def test_mistakes_are_found(said):
    """A forgotten await above all."""
    assert {line for line, text in said("mistakes.py")} == set(marked("mistakes.py", "wrong"))


def test_the_package_says_that_it_is_typed():
    """PEP 561."""
    assert (Path(place()) / "requestx" / "py.typed").exists()
