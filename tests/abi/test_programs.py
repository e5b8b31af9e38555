"""C programs against the committed header, as a user would build them: run plain, and under valgrind.

Each ``test_<noun>.c`` is one program with several small behaviours.  It gets the URLs of an everyday http server, of an
https one, and the path of the CA that signed the latter; it exits with 0 or says which check failed.
"""

import importlib.util
import os
import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
INCLUDE = ROOT / "include"
HEADER = INCLUDE / "requestx.h"
PROGRAMS = sorted(path.stem for path in HERE.glob("test_*.c"))
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wstrict-prototypes", "-Wconversion", "-Wno-sign-conversion"]
VALGRIND = [
    "--quiet",
    "--error-exitcode=99",
    "--leak-check=full",
    "--show-leak-kinds=definite,indirect",
    "--errors-for-leak-kinds=definite,indirect",
    "--num-callers=30",
    "--suppressions=" + str(HERE / "valgrind.supp"),
]
# A forked child abandons what its parent holds, for good: its end is not counted.
CHILDREN_LEAK = {"test_fork": ["--leak-check=no"]}

if not HEADER.exists():
    pytest.skip("no header yet", allow_module_level=True)


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
def build(tool, library, tmp_path_factory):
    """
    ``build(name)`` compiles a program once and returns its path.
    """
    folder, made = tmp_path_factory.mktemp("abi"), {}
    for name in ("librequestx.so", "librequestx.so.%s" % major()):
        (folder / name).symlink_to(library)  # linked by one name, loaded by the other

    def compiled(name):
        if name not in made:
            made[name] = folder / name
            link = ["-L", str(folder), "-lrequestx", "-Wl,-rpath," + str(folder), "-pthread"]
            command = [tool("cc"), "-std=c11", "-g", "-D_GNU_SOURCE"] + STRICT + ["-I", str(INCLUDE)]
            subprocess.run(command + [str(HERE / (name + ".c")), "-o", str(made[name])] + link, check=True)
        return str(made[name])

    return compiled


def major():
    """The ABI's major version, which is part of the soname."""
    return re.search(r"#define RQX_ABI_MAJOR (\d+)", HEADER.read_text(encoding="utf-8")).group(1)


@pytest.fixture
def arguments(server, tls_server, ca):
    """
    What every program is called with.
    """
    return [server.url, tls_server.at("localhost"), ca]


def run(command, limit):
    """Run it, and fail with all it said."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit)

    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-6000:]


@pytest.mark.parametrize("program", PROGRAMS)
def test_program(build, arguments, program):
    """Every check of the program holds."""
    run([build(program)] + arguments, 15)


@pytest.mark.limit(120)
@pytest.mark.parametrize("program", PROGRAMS)
def test_program_under_valgrind(build, arguments, tool, program):
    """No invalid access, and nothing lost."""
    run([tool("valgrind")] + VALGRIND + CHILDREN_LEAK.get(program, []) + [build(program)] + arguments, 110)


def _conversations():
    """What a server does, and the code that rqx_send gives for it."""
    from server.steps import answer, close, request, rst, send, wait

    head = b"HTTP/1.1 200 OK\r\n"
    return {
        "RQX_OK": [request(), send(answer())],
        "RQX_E_RESET": [request(), rst()],
        "RQX_E_PROTOCOL": [request(), send(b"this is no HTTP\r\n\r\n")],
        "RQX_E_INCOMPLETE": [request(), send(head + b"Content-Length: 10\r\n\r\nhalf"), close()],
        "RQX_E_DECODE": [request(), send(answer(b"this is no gzip", b"Content-Encoding: gzip"))],
        "RQX_E_TOO_LARGE": [request(), send(head), ["repeat", "X-A: b\r\n", 1000000]],
        "RQX_E_TIMEOUT": [request(), wait("never")],
    }


@pytest.mark.parametrize("name", sorted(_conversations()))
def test_errors_of_the_peer(build, wire, name):
    """What the peer does wrong has the number that the header gives it."""
    site = wire(_conversations()[name])
    done = subprocess.run([build("send_once"), site.url], stdout=subprocess.PIPE, timeout=15)

    assert done.stdout.decode().split()[0] == name, done.stdout.decode()


def test_errors_of_the_network(build, server, tls_server):
    """So has what the network and TLS do."""
    cases = {
        "http://127.0.0.1:1/": "RQX_E_REFUSED",
        "http://255.255.255.255/": "RQX_E_CONNECT",
        server.url.replace("http", "https"): "RQX_E_TLS",
        "http://no-such-host.invalid/": "RQX_E_DNS",
        tls_server.at("localhost"): "RQX_E_TLS_VERIFY",
    }
    for url, name in cases.items():
        done = subprocess.run([build("send_once"), url], stdout=subprocess.PIPE, timeout=15)

        assert done.stdout.decode().split()[0] == name, done.stdout.decode()


@pytest.mark.parametrize("compiler, standard", [("cc", "c11"), ("cc", "c17"), ("c++", "c++17")])
def test_header_compiles_alone(tool, tmp_path, compiler, standard):
    """With every warning an error, and included twice."""
    source = tmp_path / ("alone.c" if compiler == "cc" else "alone.cpp")
    source.write_text('#include "requestx.h"\n#include "requestx.h"\nint main(void) { return RQX_OK; }\n')
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-std=" + standard, "-I", str(INCLUDE)]
    subprocess.run([tool(compiler)] + strict + ["-c", str(source), "-o", str(tmp_path / "alone.o")], check=True)


def functions():
    """The functions the header declares."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", HEADER.read_text(encoding="utf-8"), flags=re.S)
    return set(re.findall(r"\b(rqx_\w+)\(", text)) - {"rqx_event_fn"}


def test_library_exports_what_the_header_declares(tool, library):
    """No more, so that nobody comes to depend on it; no less."""
    listing = subprocess.check_output([tool("nm"), "-D", "--defined-only", str(library)]).decode()
    exported = {line.split()[-1].split("@")[0] for line in listing.splitlines() if line.split()[-2] in "TtWBDRV"}

    assert {name for name in exported if name.startswith("rqx_")} == functions()
    assert {name for name in exported if not name.startswith("rqx_")} - {"_init", "_fini"} == set()


def test_library_has_a_soname_and_stays_loaded(tool, library):
    """The soname carries the major version; -z nodelete keeps threads from running into unmapped code."""
    listing = subprocess.check_output([tool("readelf"), "-d", str(library)]).decode()

    assert "[librequestx.so.%s]" % major() in listing
    assert "NODELETE" in listing


def test_library_prints_nothing(build, arguments, library):
    """A program's own output is all there is."""
    done = subprocess.run(
        [build("test_client")] + arguments,
        capture_output=True,
        env=dict(os.environ, RUST_BACKTRACE="1", RUST_LOG="trace"),
        timeout=15,
    )

    assert (done.stdout, done.stderr) == (b"", b"")
