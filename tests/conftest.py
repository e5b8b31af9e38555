"""What every test may ask for: a world, a server, certificates, a process of its own, a tool.

A wire test is written once and runs in both worlds: it speaks the words of ``world`` (``get``, ``session``, ``read``,
``pieces``, ``close``), which block in one and await in the other.  One marked ``trio`` is awaited in a trio run as
well: that is for what differs by the loop, and not for what the server sees.  Servers live in another process and
judge from what they saw.

Two limits stand behind every test, since native code can hang where no Python runs: after ``limit`` seconds a signal
fails the test, and if that does not help, faulthandler prints every stack and ends the run.
"""

import faulthandler
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
sys.path.insert(0, str(TESTS))

from children import Children  # noqa: E402
from worlds import Awaited, Blocking, Trio  # noqa: E402

LIMIT = 60.0
STRAYS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "NETRC")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ws_proxy", "wss_proxy", "ftp_proxy")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also the tests that take long (make test-all)")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--slow"):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


def pytest_configure(config):
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # A shell has its background jobs ignore it, and they hand that on to the children that are to be interrupted.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "trio: the test is also for calls that are awaited in a trio run")
    config.addinivalue_line("markers", "slow: the test is run where --slow is given")
    config.addinivalue_line("markers", "bare: not for a sanitizer, which keeps freed memory and has locks of its own")
    config.addinivalue_line("markers", "limit(seconds): how long the test may take (%d by default)" % LIMIT)
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        config.stderr_of_the_run = os.fdopen(os.dup(2), "w")


def pytest_unconfigure(config):
    config.stderr_of_the_run.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    marker = item.get_closest_marker("limit")
    limit = marker.args[0] if marker else LIMIT
    faulthandler.dump_traceback_later(limit + 10, exit=True, file=item.config.stderr_of_the_run)
    alarm = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if alarm:
        signal.signal(signal.SIGALRM, _too_long)
        signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        if alarm:
            signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()


def _too_long(number, frame):
    raise TimeoutError("the test took longer than its limit")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch, tmp_path):
    """
    No proxy, no CA bundle and no netrc of the machine's reaches a test.
    """
    for name in STRAYS:
        monkeypatch.delenv(name, raising=False)
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))


def pytest_generate_tests(metafunc):
    """
    Which worlds a test is for, as its fixture and its marks say.
    """
    trio = [Trio] if any(metafunc.definition.iter_markers("trio")) else []
    for name, worlds in (("world", [Blocking, Awaited, *trio]), ("awaited", [Awaited, *trio])):
        if name in metafunc.fixturenames and (name == "world" or trio):
            ids = [world.__name__.lower() for world in worlds]
            metafunc.parametrize(name, worlds, ids=ids, indirect=True)


@pytest.fixture
def world(request, module):
    """
    The vocabulary of one world (see ``worlds.py``); its sessions are closed after the test.
    """
    if request.param is Trio:
        module("trio")
    made = request.param()
    yield made
    made.end()


@pytest.fixture
def awaited(request, module):
    """
    The awaited world alone, for what has no meaning in the other.
    """
    kind = getattr(request, "param", Awaited)
    if kind is Trio:
        module("trio")
    made = kind()
    yield made
    made.end()


@pytest.fixture
def blocking():
    """
    The blocking world alone.
    """
    made = Blocking()
    yield made
    made.end()


@pytest.fixture(scope="session")
def servers():
    """
    The process all servers live in.
    """
    from server.control import Servers

    running = Servers()
    yield running
    running.close()


@pytest.fixture
def listen(servers):
    """
    ``listen(kind, **options)`` opens a listener that lives as long as the test.
    """
    sites = []

    def open_site(kind, **options):
        site = servers.open(kind, **options)
        sites.append(site)
        return site

    yield open_site
    for site in sites:
        site.close()


@pytest.fixture
def wire(listen):
    """
    ``wire(script, ...)`` opens a wire server: one script (a list of steps) for each connection.
    """
    return lambda *scripts, **options: listen("wire", scripts=scripts, **options)


@pytest.fixture
def streams(listen, certs):
    """
    ``streams(script, ...)`` opens an HTTP/2 server over TLS (see ``server/streams.py``); ``plain=True`` over TCP.
    """

    def open_site(*scripts, plain=False, **options):
        tls = None if plain else {"chain": certs.good, "alpn": ["h2", "http/1.1"]}
        return listen("streams", scripts=scripts, tls=tls, **options)

    return open_site


@pytest.fixture
def server(listen):
    """
    The everyday server over http.
    """
    return listen("everyday")


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    """
    Good and bad certificates (see ``server/certs.py``).
    """
    from server.certs import Certificates

    return Certificates(tmp_path_factory.mktemp("certs"))


@pytest.fixture(scope="session")
def ca(certs):
    """
    The PEM file that makes ``tls_server`` trusted.
    """
    return certs.ca


@pytest.fixture
def tls_server(listen, certs):
    """
    The everyday server over https, with a certificate that ``ca`` signed.
    """
    return listen("everyday", tls={"chain": certs.good})


@pytest.fixture
def child(tmp_path):
    """
    ``child(source, *arguments)`` runs Python source in a process of its own (see ``children.py``).
    """
    made = Children(tmp_path)
    yield made
    made.end()


@pytest.fixture
def launch(tmp_path):
    """
    ``launch(command)`` runs a server at a free port, which the command is formatted with; gives the port.
    """
    running = []

    def start(command, settings=None, **more):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if settings:
            (tmp_path / "settings").write_text(settings % port)
        words = [word.format(port=port, settings=tmp_path / "settings") for word in command]
        more.setdefault("env", {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"})
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        # A session of its own: its workers are killed with it.
        running.append(subprocess.Popen(words, start_new_session=True, **silent, **more))
        end = time.monotonic() + 15
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return port
            except OSError:
                assert running[-1].poll() is None and time.monotonic() < end, "%s does not run" % words[0]

    yield start
    for process in running:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)  # some would wait for their clients
        else:
            process.kill()
        process.wait(10)


@pytest.fixture(scope="session")
def tool():
    """
    ``tool("valgrind")`` is the path of a program.

    Where it is missing the test is skipped by name; under CI=true that is a failure.
    """

    # Debian keeps servers where only root looks for them.
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])

    def find(name):
        path = shutil.which(name, path=places)
        if path is None and os.environ.get("CI") == "true":
            pytest.fail("%s is not installed" % name)
        if path is None:
            pytest.skip("%s is not installed" % name)
        return path

    return find


@pytest.fixture(scope="session")
def module():
    """
    ``module("uvloop")`` asks for an importable module, by the same rule as ``tool``.
    """

    def find(name):
        if importlib.util.find_spec(name) is None and os.environ.get("CI") == "true":
            pytest.fail("%s is not installed" % name)
        return pytest.importorskip(name)

    return find
