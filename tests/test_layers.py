"""Arrows go down only: who may import whom, in the package and in the crate, and where danger is allowed to live.

Read from the sources, not from running code, so that an import within a function counts as well.  Imports for types
alone (under TYPE_CHECKING) do not.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "python" / "requestx"
CRATE = ROOT / "requestx-core" / "src"

MODULES = {path.stem: path for path in sorted(PACKAGE.glob("*.py")) if path.stem != "_native"}

# From the top down: a module imports its own line and those below.  What stands in no line is a helper.
FLOORS = [
    {"__main__", "help"},
    {"__init__", "_install"},
    {"aio", "blocking"},
    {"api"},
    {"sessions"},
    {"_flow"},
    {"adapters"},
    {"_ready", "_settings", "_urlopen"},
    {"models"},
    {"_raw", "_uploads", "_upgraded"},
    {"_wake", "_wake_asyncio", "_wake_trio"},
    {"_core"},
    {"_native", "_drive"},
]
WAKES = {"_wake", "_wake_asyncio", "_wake_trio"}
FLOOR = {name: number for number, floor in enumerate(FLOORS) for name in floor}

# Rust: what a file may not know.  `ffi` is the top; `error` and `deadline` are the ground.
TOP = {"ffi"}
UNKNOWN_TO = {
    "error": {"*", "deadline"},
    "deadline": {"*", "error", "options"},
    "proxy": {"ffi", "client", "exchange", "connect", "pool", "plan", "body", "wire", "dns", "tls", "socket"},
    "tunnel": {"ffi", "client", "exchange", "connect", "pool", "plan", "body", "tls", "dns", "socket"},
    "pool": {"ffi", "client", "exchange", "connect", "wire", "body", "reply", "plan", "tls", "dns", "socket"},
    "connect": {"ffi", "client", "exchange", "plan"},
    "connection": {"ffi", "client", "exchange", "connect", "lease"},
    "upgraded": {"ffi", "client", "exchange", "connect", "pool", "plan", "body", "tls", "dns", "wire", "socket"},
    "http1": {"ffi", "client", "exchange", "connect", "lease", "pool"},
    "http2": {"ffi", "client", "exchange", "connect", "lease", "pool"},
    "wire": {"ffi", "client", "exchange", "connect", "pool", "plan", "body", "tls"},
    "dns": {"ffi", "client", "exchange", "connect", "pool", "plan", "body", "tls", "wire"},
    "tls": {"ffi", "client", "exchange", "connect", "pool", "plan", "body", "wire", "dns"},
    "guard": {"ffi", "client", "exchange", "connect", "pool", "plan", "body", "wire", "dns", "tls", "socket"},
    "dial": {"ffi", "client", "exchange", "connect", "pool", "plan", "body", "wire", "dns", "tls", "socket"},
    "socket": {"ffi", "client", "exchange", "connect", "pool", "plan", "body", "wire", "dns", "tls"},
    "options": {"ffi", "client", "exchange", "connect", "pool", "plan", "body", "wire", "dns", "reply"},
    "plan": {"ffi", "client", "exchange", "connect", "wire", "dns", "reply"},
    "client": {"ffi"},
    "exchange": {"ffi", "policy"},
    "policy": {"ffi", "client", "connect", "connection", "pool", "wire", "dns", "dial", "socket"},
}


def imports(path):
    """The names a Python file imports at run time, relative ones as the package's modules with a leading dot."""
    found = set()
    todo = [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            todo.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.level:
            found.update("." + (node.module or alias.name).split(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module)
        todo.extend(ast.iter_child_nodes(node))
    return found


def outside(path):
    """Top-level names of other packages and of the standard library that a file imports."""
    return {name.split(".")[0] for name in imports(path) if not name.startswith(".")}


def inside(path):
    """Modules of the package that a file imports."""
    return {name[1:] for name in imports(path) if name.startswith(".")}


def code(path):
    """A Rust file without comments, text and its own tests."""
    text = path.read_text(encoding="utf-8").split("#[cfg(test)]\nmod tests")[0]
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)
    return re.sub(r'"(?:\\.|[^"\\])*"', '""', text)


def crate_uses(path):
    """The crate's own modules that a Rust file names."""
    return set(re.findall(r"\bcrate::(\w+)", code(path)))


@pytest.mark.parametrize("name", sorted(set(MODULES) & set(FLOOR)))
def test_arrows_go_down(name):
    """A module of the spine imports its own floor and those below."""
    above = {other for other in inside(MODULES[name]) if FLOOR.get(other, 99) < FLOOR[name]}

    assert above == set()


@pytest.mark.parametrize("name", sorted(set(MODULES) - set(FLOOR)))
def test_helpers_know_no_transport(name):
    """What is no part of the spine knows neither the core nor how it is driven.

    But for a hook that is called by itself, and for cookies, whose list of public suffixes lies in the core.
    """
    allowed = {"auth": {"_drive"}, "_cookie_rules": {"_core"}}.get(name, set())

    assert inside(MODULES[name]) & ({"_core", "_native", "_drive", "_flow", "api"} | WAKES) <= allowed


def test_one_module_crosses_the_boundary():
    """cffi and the generated module are imported by _core alone."""
    foreign = {name for name, path in MODULES.items() if outside(path) & {"cffi", "_cffi_backend"}}
    generated = {name for name, path in MODULES.items() if "_native" in inside(path)}

    assert foreign | generated <= {"_core"}


def test_flow_is_pure():
    """The flow knows no loop, socket, clock or library: that is what makes it testable without them."""
    if "_flow" not in MODULES:
        pytest.skip("no flow yet")
    path = MODULES["_flow"]

    assert outside(path) & {"asyncio", "socket", "time", "cffi", "threading", "ssl", "select", "os"} == set()
    assert inside(path) & ({"api", "sessions", "_drive", "adapters", "_core", "_native"} | WAKES) == set()


def test_asyncio_is_known_to_the_awaiting_side_only():
    """Blocking programs do not pay for asyncio; what needs it is in few places."""
    who = {name for name, path in MODULES.items() if "asyncio" in outside(path)}

    assert who <= {"_drive", "_loops", "_wake", "_wake_asyncio", "__main__"}


def test_trio_is_known_to_its_own_side_only():
    """It need not be there, and who awaits in asyncio does not pay for it."""
    who = {name for name, path in MODULES.items() if outside(path) & {"trio", "outcome", "sniffio"}}

    assert who == {"_loops_trio", "_wake_trio"}


def test_no_other_http_client_is_imported():
    """Nothing of requests, urllib3 or their like at run time, but urllib3 where the caller names it."""
    others = {"requests", "urllib3", "httpx", "httpcore", "aiohttp", "niquests", "h11", "h2", "pycurl", "chardet"}
    who = {name: outside(path) & others for name, path in MODULES.items() if outside(path) & others}

    assert set(who) <= {"packages"}
    assert who.get("packages", set()) <= {"urllib3"}


def test_every_module_is_readable_by_the_oldest_python():
    """CPython 3.8: annotations are postponed, and nothing younger than its grammar is used."""
    for path in MODULES.values():
        tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
        assert not any(type(node).__name__ == "Match" for node in ast.walk(tree)), path


def test_only_the_ffi_knows_of_the_ffi():
    """The crate below ``ffi`` has no idea of C."""
    files = [path for path in CRATE.rglob("*.rs") if "ffi" not in path.relative_to(CRATE).parts]
    guilty = [str(path) for path in files if "ffi" in crate_uses(path)]

    assert guilty == []


@pytest.mark.parametrize("name", sorted(UNKNOWN_TO))
def test_rust_arrows_go_down(name):
    """What a file of the crate may not know it does not name."""
    files = list(CRATE.glob(name + ".rs")) + list((CRATE / name).rglob("*.rs"))
    used = set().union(*map(crate_uses, files)) if files else set()
    forbidden = UNKNOWN_TO[name]
    if "*" in forbidden:
        assert used <= forbidden
    else:
        assert used & forbidden == set()


def test_unsafe_lives_in_one_file():
    """Unsafe blocks are in ffi/raw.rs, and every one of them says why it is sound."""
    block = re.compile(r"\bunsafe\b\s*(\{|fn|impl)")
    where = {str(path.relative_to(CRATE)) for path in CRATE.rglob("*.rs") if block.search(code(path))}
    raw = (CRATE / "ffi" / "raw.rs").read_text(encoding="utf-8")

    assert where <= {"ffi/raw.rs"}
    for part in re.split(r"unsafe \{", raw)[:-1]:
        assert "SAFETY:" in "\n".join(part.splitlines()[-8:])


def test_unsafe_is_allowed_by_name_only():
    """The lint is lifted where an export needs it, and nowhere else."""
    who = {path.relative_to(CRATE).parts[0] for path in CRATE.rglob("*.rs") if "allow(unsafe_code)" in code(path)}

    assert who <= {"ffi"}


def test_pool_decides_without_io_or_clock():
    """Idle connections, limits, time: all are passed in."""
    text = code(CRATE / "pool.rs")

    assert not re.search(r"Instant::now|SystemTime|tokio::|std::net|std::io|\.await", text)


def test_no_debug_output():
    """A library prints nothing."""
    for path in CRATE.rglob("*.rs"):
        assert not re.search(r"\b(println|eprintln|dbg|print|eprint|todo|unimplemented)!", code(path)), path
    for path in MODULES.values():
        if path.stem in ("__main__", "help"):
            continue
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        assert not any(isinstance(call.func, ast.Name) and call.func.id == "print" for call in calls), path


def test_no_line_of_python_hides_an_error():
    """A bare ``except:`` swallows KeyboardInterrupt; nobody writes one."""
    for path in MODULES.values():
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        assert not any(isinstance(node, ast.ExceptHandler) and node.type is None for node in nodes), path
