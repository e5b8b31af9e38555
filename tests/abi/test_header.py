"""The header and the library as a toolchain sees them."""

import subprocess

import pytest
from abi.toolchain import FUNCTIONS, HEADER, INCLUDE, MAJOR, STRICT, run

if not HEADER.exists():
    pytest.skip("no header yet", allow_module_level=True)


@pytest.mark.parametrize("compiler, standard", [("cc", "c11"), ("cc", "c17"), ("c++", "c++17")])
def test_header_compiles_alone(tool, tmp_path, compiler, standard):
    """With every warning an error, and included twice."""
    source = tmp_path / ("alone.c" if compiler == "cc" else "alone.cpp")
    source.write_text('#include "requestx.h"\n#include "requestx.h"\nint main(void) { return RQX_OK; }\n')
    out = ["-c", str(source), "-o", str(tmp_path / "alone.o")]
    run([tool(compiler), "-std=" + standard, "-I", str(INCLUDE)] + STRICT + out, 60)


def test_library_exports_what_the_header_declares(tool, library):
    """No more, so that nobody comes to depend on it; no less."""
    listing = subprocess.check_output([tool("nm"), "-D", "--defined-only", str(library)]).decode()
    exported = {line.split()[-1].split("@")[0] for line in listing.splitlines()} - {"_init", "_fini"}

    assert exported == FUNCTIONS


def test_library_has_a_soname_and_stays_loaded(tool, library):
    """The soname carries the major version; -z nodelete keeps threads from running into unmapped code."""
    listing = subprocess.check_output([tool("readelf"), "-d", str(library)]).decode()

    assert "[librequestx.so.%s]" % MAJOR in listing
    assert "NODELETE" in listing
