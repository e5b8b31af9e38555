"""What the build decides before any compiler runs: which declarations cffi gets, which name a wheel has."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[1:1] = [str(ROOT), str(ROOT / "scripts")]

import build_core
import build_ffi

HEADER = """\
/* words
 */
#ifndef REQUESTX_H
#define REQUESTX_H
#define RQX_E_NULL 11
#ifdef __cplusplus
extern "C" {
#endif // __cplusplus
RQX_API int32_t rqx_one(void);
#ifdef __cplusplus
}
#endif
#endif /* REQUESTX_H */
"""


def test_every_line_keeps_its_number():
    """
    What cffi cannot read becomes an empty line, so that its errors name lines of the header.
    """
    kept = build_ffi.declarations(HEADER).split("\n")

    assert {number: line for number, line in enumerate(kept, 1) if line} == {
        5: "#define RQX_E_NULL 11",
        9: " int32_t rqx_one(void);",
    }


def test_committed_header_is_understood(tmp_path):
    """
    The header of this checkout gives a module, and the same one again leaves the file alone.
    """
    target = tmp_path / "_native.py"

    assert build_ffi.generate(target=target)
    assert not build_ffi.generate(target=target)


@pytest.mark.parametrize(
    ("text", "said"),
    [("int32_t rqx_one(nonsense it);", "cffi does not understand"), (None, "`make header` writes it")],
)
def test_bad_header_is_explained(tmp_path, text, said):
    """
    The message says what is wrong with which file.
    """
    header = tmp_path / "bad.h"
    if text is not None:
        header.write_text(text)

    with pytest.raises(build_ffi.HeaderError, match=said) as caught:
        build_ffi.generate(header, tmp_path / "_native.py")
    assert "bad.h" in str(caught.value)


@pytest.mark.parametrize(
    ("target", "glibc", "library", "tag"),
    [
        ("x86_64-unknown-linux-gnu", "", "librequestx.so", "linux_x86_64"),
        ("x86_64-unknown-linux-gnu", "2.17", "librequestx.so", "manylinux_2_17_x86_64.manylinux2014_x86_64"),
        ("aarch64-unknown-linux-gnu", "2.28", "librequestx.so", "manylinux_2_28_aarch64"),
        ("aarch64-apple-darwin", "", "librequestx.dylib", "macosx_11_0_arm64"),
        ("x86_64-apple-darwin", "", "librequestx.dylib", "macosx_10_12_x86_64"),
        ("x86_64-pc-windows-msvc", "", "librequestx.dll", "win_amd64"),
    ],
)
def test_target_names_library_and_wheel(monkeypatch, target, glibc, library, tag):
    """
    Both follow from the Rust target, whatever Python runs the build.
    """
    monkeypatch.delenv("MACOSX_DEPLOYMENT_TARGET", raising=False)
    plan = build_core.Plan(target, glibc, True, "release", [], "")

    assert (plan.library, plan.platform_tag) == (library, tag)


@pytest.mark.parametrize(("variable", "value"), [("REQUESTX_OPENSSL", "mine"), ("REQUESTX_PROFILE", "fast")])
def test_meaningless_choice_is_refused(monkeypatch, variable, value):
    """
    A misspelt choice must not silently become the default.
    """
    monkeypatch.setenv(variable, value)
    monkeypatch.delenv("REQUESTX_TARGET", raising=False)

    with pytest.raises(build_core.BuildError, match="%s=%s means nothing" % (variable, value)):
        build_core.plan()


def test_missing_cargo_is_explained(monkeypatch):
    """
    The first thing that a person without Rust reads.
    """
    monkeypatch.setitem(os.environ, "PATH", "/nowhere")

    with pytest.raises(build_core.BuildError, match="install Rust"):
        build_core.plan()


def test_one_version_everywhere():
    """
    The package, the wheel and the crate are released together.
    """
    found = {}
    for name, pattern in (
        ("pyproject.toml", r'^version = "([\d.]+)"'),
        ("Cargo.toml", r'^version = "([\d.]+)"'),
        ("python/requestx/__version__.py", r'^__version__(?:: \w+)? = "([\d.]+)"'),
    ):
        found[name] = re.search(pattern, (ROOT / name).read_text(), re.MULTILINE).group(1)

    assert len(set(found.values())) == 1, found


def test_c_program_of_the_readme_compiles(tmp_path, tool):
    """
    What a reader copies first.
    """
    program = re.search(r"```c\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL).group(1)
    (tmp_path / "main.c").write_text(program)
    strict = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", str(ROOT / "include")]

    compiled = subprocess.run([tool("cc"), *strict, "-c", "main.c"], cwd=tmp_path, stderr=subprocess.PIPE, text=True)

    assert compiled.returncode == 0, compiled.stderr
