"""Fixtures of the C tests: the library to link with, and programs built once a session."""

import importlib.util
from pathlib import Path

import pytest
from abi.toolchain import HERE, INCLUDE, MAJOR, STRICT, run


@pytest.fixture(scope="session")
def library():
    """
    The shared library that the package under test uses.
    """
    path = Path(importlib.util.find_spec("requestx").submodule_search_locations[0]) / "librequestx.so"
    if not path.exists():
        pytest.skip("these tests build with ELF's linker")
    return path


@pytest.fixture(scope="session")
def folder(library, tmp_path_factory):
    """
    A folder for ``-L``: the library under the name it is linked by, and the one it is loaded by.
    """
    made = tmp_path_factory.mktemp("lib")
    for name in ("librequestx.so", "librequestx.so." + MAJOR):
        (made / name).symlink_to(library)
    return made


@pytest.fixture(scope="session")
def build(tool, folder):
    """
    ``build(name)`` compiles a program once and returns its path.
    """
    made = {}
    compiler = ["-std=c11", "-g", "-D_GNU_SOURCE", "-Wstrict-prototypes", "-Wconversion", "-Wno-sign-conversion"]

    def compiled(name):
        if name not in made:
            made[name] = str(folder / name)
            link = ["-L", str(folder), "-lrequestx", "-Wl,-rpath," + str(folder), "-pthread"]
            source = [str(HERE / (name + ".c")), "-I", str(INCLUDE), "-o", made[name]]
            run([tool("cc")] + compiler + STRICT + source + link, 60)
        return made[name]

    return compiled
