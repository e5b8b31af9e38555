"""Signals during a blocking call: Python's handlers run in good time, and what they do counts.

The moment of the signal is taken in the test, the moment of its effect in the child, on the same clock.
"""

import os
import signal

import pytest
from server.steps import request, send

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


INTERRUPTED = """
try:
    %s
except KeyboardInterrupt:
    print(time.monotonic())
"""


def test_ctrl_c_ends_a_blocking_call(child, server):
    """SIGINT is a KeyboardInterrupt within 0.2 s, and the connection is closed."""
    running = child.start(INTERRUPTED % 'requestx.get(url + "/slow")', server.url)
    server.wait("request /slow")
    sent = running.signal(signal.SIGINT)
    outcome = running.finish()

    assert outcome.clean, outcome
    assert float(outcome.out) - sent < 0.2


def test_ctrl_c_ends_a_blocked_read(child, wire):
    """The same while a body is read."""
    from server.steps import request, send

    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")])
    running = child.start(INTERRUPTED % "requestx.get(url)", site.url)
    site.wait("request 1")
    sent = running.signal(signal.SIGINT)
    outcome = running.finish()

    assert outcome.clean, outcome
    assert float(outcome.out) - sent < 0.2
    assert site.end(0) in ("eof", "reset")


def test_ctrl_c_ends_a_blocked_connect(child, listen):
    """And while connecting, to a host that does not answer."""
    site = listen("wire", accept=False, backlog=0)
    source = 'print("ready", flush=True)\n' + INTERRUPTED % "requestx.get(url, timeout=10)"
    running = child.start(source, site.url)
    assert running.process.stdout.readline() == b"ready\n"
    import time

    time.sleep(0.3)  # nobody can see a SYN that is not answered
    sent = running.signal(signal.SIGINT)
    outcome = running.finish()

    assert outcome.clean, outcome
    assert float(outcome.out) - sent < 0.2


def test_ctrl_c_ends_an_upload(child, wire):
    """And while a server takes no more of a body."""
    from server.steps import head, mark, wait

    site = wire([head(), mark("begun"), wait("never")])
    running = child.start(INTERRUPTED % "requestx.post(url, data=bytes(100000000))", site.url)
    site.wait("begun")
    sent = running.signal(signal.SIGINT)
    outcome = running.finish()
    site.set("never")

    assert outcome.clean, outcome
    assert float(outcome.out) - sent < 0.2


def test_handler_that_raises_ends_the_call(child, server):
    """Any exception of a handler's comes out of the call, as it was raised."""
    source = """
    class Alarm(Exception):
        pass
    def handler(number, frame):
        raise Alarm("mine")
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    start = time.monotonic()
    try:
        requestx.get(url + "/slow")
    except Alarm as problem:
        print(problem, time.monotonic() - start < 0.5)
    print(requestx.get(url + "/get").status_code)
    """
    outcome = child(source, server.url)

    assert (outcome.out, outcome.clean) == ("mine True\n200\n", True), outcome


@pytest.mark.parametrize("way", ["response.content", "response.raw.read(9)", "list(response.iter_content(9))"])
def test_what_was_interrupted_is_not_taken_for_whole(child, wire, way):
    """The part of a body that went with a handler's exception is not left out in silence."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")])
    outcome = child(
        f"""
        def handler(number, frame):
            raise TimeoutError
        response = requestx.get(url, stream=True)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        try:
            {way}
        except TimeoutError:
            print("interrupted", flush=True)
        try:
            print(response.content, response.raw.read())
        except requestx.RequestException as error:
            print(error)
        """,
        site.url,
    )

    assert outcome.out == "interrupted\nthe body was not read to its end: reading it was interrupted\n", outcome


READ_ON = """
    from requestx import _core
    class Alarm(Exception):
        pass
    rest = list(range(50))
    def interrupted(function):
        def instead(*arguments):
            value = function(*arguments)
            if rest and rest.pop() % 2:
                raise Alarm
            return value
        return instead
    class Library:
        rqx_body_next = staticmethod(interrupted(_core._lib.rqx_body_next))
        def __getattr__(self, name):
            return getattr(library, name)
    library = _core._lib
    response = requestx.get(url, stream=True)
    got = b""
    {patch}
    while True:
        try:
            piece = response.raw.read1(1000)
        except Alarm:
            continue
        except requestx.RequestException as error:
            print(error)
            break
        got += piece
        if not piece:
            print(len(got))
            break
"""


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ("_core._lib = Library()", "3000000\n"),
        (
            "_core.Stream.read = interrupted(_core.Stream.read)",
            "the body was not read to its end: reading it was interrupted\n",
        ),
    ],
)
def test_a_piece_that_came_meanwhile_is_the_next_one_or_missed(child, server, patch, expected):
    """What had come when a handler raised is kept; what somebody had taken then is not left out in silence."""
    outcome = child(READ_ON.replace("{patch}", patch), server.url + "/bytes/3000000")

    assert outcome.out == expected, outcome


def test_handler_that_returns_does_not_end_the_call(child, server):
    """Interrupted system calls are resumed: forty signals, one answer."""
    source = """
    seen = []
    signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    print(requestx.get(url + "/slow?s=0.5").status_code)
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(len(seen) > 5)
    """
    outcome = child(source, server.url)

    assert (outcome.out, outcome.clean) == ("200\nTrue\n", True), outcome


def test_session_goes_on_after_ctrl_c(child, server):
    """What was interrupted is gone, the session is not."""
    source = """
    session = requestx.Session()
    session.get(url + "/get")
    try:
        session.get(url + "/slow")
    except KeyboardInterrupt:
        print(session.get(url + "/get").status_code)
    """
    running = child.start(source, server.url)
    server.wait("request /slow")
    running.signal(signal.SIGINT)
    outcome = running.finish()

    assert (outcome.out, outcome.clean) == ("200\n", True), outcome


def test_ctrl_c_with_threads_in_calls(child, server):
    """The main thread alone gets it, though other threads wait in calls of their own."""
    source = """
    threads = [threading.Thread(target=requestx.get, args=(url + "/slow?s=1",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        requestx.get(url + "/slow")
    except KeyboardInterrupt:
        print(time.monotonic())
    for thread in threads:
        thread.join()
    """
    running = child.start(source, server.url)
    server.wait("request /slow")
    import time

    time.sleep(0.2)  # the other threads' calls are under way as well
    sent = running.signal(signal.SIGINT)
    outcome = running.finish()

    assert outcome.clean, outcome
    assert float(outcome.out) - sent < 0.2


def test_ctrl_c_under_asyncio(child, server):
    """asyncio.run ends with KeyboardInterrupt, without a word from us."""
    source = """
    async def scene():
        await requestx.get(url + "/slow")
    try:
        asyncio.run(scene())
    except KeyboardInterrupt:
        print("interrupted")
    """
    running = child.start(source, server.url)
    server.wait("request /slow")
    running.signal(signal.SIGINT)
    outcome = running.finish()

    assert (outcome.out, outcome.clean) == ("interrupted\n", True), outcome


def test_default_sigpipe_does_not_kill(child, wire):
    """A peer that goes away while we write is an error, not a signal."""
    from server.steps import head, rst

    rounds = 20
    site = wire(*[[head(), rst()]] * rounds)
    source = """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for _ in range(20):
        try:
            requestx.post(url, data=bytes(20000000))
        except requestx.exceptions.ConnectionError:
            print("error")
    """
    outcome = child(source, site.url)

    assert (outcome.out, outcome.clean) == ("error\n" * rounds, True), outcome


def test_library_installs_no_handlers(child, server):
    """Every signal has the handler it had before."""
    source = """
    def handlers():
        return [signal.getsignal(number) for number in range(1, 32)]
    def masks():
        return [line for line in open("/proc/self/status") if line.startswith("Sig") and "Q" not in line]
    before = handlers(), masks()
    requestx.get(url + "/get")
    async def scene():
        await requestx.get(url + "/get")
    requestx.get(url + "/get")
    print((handlers(), masks()) == before)
    """
    if not os.path.exists("/proc/self/status"):
        pytest.skip("no /proc here")
    outcome = child(source, server.url)

    assert outcome.out == "True\n", outcome


@pytest.mark.parametrize("kind", ["Stream", "Upgraded"])
def test_nothing_that_holds_a_connection_has_a_finalizer_of_its_own(kind):
    """What a handler raises in a `__del__`, a KeyboardInterrupt too, is lost, and so is what that was to free."""
    from requestx import _core

    assert not hasattr(getattr(_core, kind), "__del__")
