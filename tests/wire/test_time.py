"""Time limits: which one was met decides the class, and the message says what was being done.

Each limit is short and the peer does nothing at all, so a test lasts as long as its limit.
"""

import socket
import time

import pytest
from server.steps import head, receive, request, send, wait

pytestmark = pytest.mark.trio

SHORT = 0.3


def fails(world, error, *arguments, **more):
    """Make the call, expect the error, and return it with the time it took."""
    start = time.monotonic()
    with pytest.raises(error) as caught:
        world.get(*arguments, **more)
    return caught.value, time.monotonic() - start


def test_answer_that_does_not_come(world, wire):
    """A server that takes the request and says nothing is a ReadTimeout, on time."""
    site = wire([request(), wait("never")])
    problem, seconds = fails(world, world.requestx.exceptions.ReadTimeout, site.url, timeout=SHORT)

    assert SHORT <= seconds < SHORT + 1
    site.set("never")
    assert site.end(0) in ("eof", "reset")


def test_head_that_does_not_end(world, wire):
    """Half a head is no answer."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nX-A: b\r\n"), wait("never")])
    problem, seconds = fails(world, world.requestx.exceptions.ReadTimeout, site.url, timeout=SHORT)

    assert SHORT <= seconds < SHORT + 1
    site.set("never")


def test_body_that_stalls(world, wire):
    """Within a body that was asked for whole, requests raises ConnectionError; ours is that and tells the time."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"), wait("never")])
    problem, seconds = fails(world, world.requestx.exceptions.ConnectionError, site.url, timeout=SHORT)

    assert SHORT <= seconds < SHORT + 1
    site.set("never")


def test_stalled_piece(world, wire):
    """A streamed body has the limit on each piece, and gives what it had before."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"), wait("never")])
    pieces = world.pieces(world.get(site.url, stream=True, timeout=SHORT), 5)

    assert next(pieces) == b"hello"
    with pytest.raises(world.requestx.exceptions.ConnectionError):
        next(pieces)
    site.set("never")


def test_read_limit_is_between_bytes_not_for_all(world, wire):
    """A slow body that keeps coming is not late, though the whole takes longer than the limit."""
    steps = [request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")]
    for number in range(4):
        steps += [wait("go %d" % number), send(b"x")]
    site = wire(steps)
    response = world.get(site.url, stream=True, timeout=0.4)
    pieces, start, body = world.pieces(response, 1), time.monotonic(), b""
    for number in range(4):
        # The pause is what is measured here: each is under the limit, all together are over it.
        time.sleep(0.15)
        site.set("go %d" % number)
        body += next(pieces)

    assert body == b"xxxx"
    assert time.monotonic() - start > 0.4


def test_connecting_that_does_not_end(world, listen):
    """A host that does not answer the SYN is a ConnectTimeout, which is a ConnectionError too."""
    site = listen("wire", accept=False, backlog=0)
    problem, seconds = fails(world, world.requestx.exceptions.ConnectTimeout, site.url, timeout=(SHORT, 10))

    assert SHORT <= seconds < SHORT + 1
    assert isinstance(problem, world.requestx.exceptions.ConnectionError)
    assert site.netloc in str(problem) or "127.0.0.1" in str(problem)


def test_handshake_that_does_not_end(world, wire, certs):
    """Time spent in the TLS handshake is time spent connecting."""
    site = wire([wait("never")], tls={"chain": certs.good}, later=True)
    problem, seconds = fails(
        world, world.requestx.exceptions.ConnectTimeout, site.url, timeout=(SHORT, 10), verify=certs.ca
    )

    assert SHORT <= seconds < SHORT + 1
    site.set("never")


def test_limit_on_sending_is_between_steps_also_after_an_early_answer(world, wire):
    """A server that goes on taking the body is not late, though the whole takes longer than the limit."""
    steps = [head(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")]
    for number in range(4):
        steps += [wait("go %d" % number), receive(4 << 20)]
    site = wire(steps + [send(b"ok")])
    call = world.start(world.requestx.post, site.url, data=b"x" * (16 << 20), timeout=SHORT, stream=True)
    for number in range(4):
        time.sleep(SHORT * 0.6)  # what is measured here
        site.set("go %d" % number)

    assert world.read(call.result()) == b"ok"


def test_two_limits_are_two_limits(world, wire):
    """(connect, read): a short limit for connecting does not end a longer wait for the answer."""
    site = wire([request(), wait("go"), send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")])
    call = world.start(world.requestx.get, site.url, timeout=(SHORT, 10))
    site.wait("request 1")
    time.sleep(SHORT + 0.2)
    site.set("go")

    assert call.result().content == b"ok"


@pytest.mark.parametrize("limit", [None, (None, None), 10, 10.5, (3, 10), (3, None)])
def test_every_form_of_a_limit_is_taken(world, server, limit):
    """None, a number, a pair, and None within a pair."""
    assert world.get(server.url + "/get", timeout=limit).ok


def test_refused_is_not_a_timeout(world):
    """A port where nobody listens is a ConnectionError that names it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        problem, seconds = fails(
            world, world.requestx.exceptions.ConnectionError, "http://127.0.0.1:%d/" % port, timeout=5
        )

    assert not isinstance(problem, world.requestx.exceptions.Timeout)
    assert "refused" in str(problem).lower()
    assert "127.0.0.1:%d" % port in str(problem) or str(port) in str(problem)


def test_name_that_does_not_exist(world):
    """A name without an address is a ConnectionError that names it."""
    problem, _ = fails(world, world.requestx.exceptions.ConnectionError, "http://no-such-host.invalid/", timeout=10)

    assert "no-such-host.invalid" in str(problem)


def test_errors_carry_their_request(world, wire):
    """Whatever is raised knows the request that failed."""
    site = wire([request(), wait("never")])
    problem, _ = fails(world, world.requestx.exceptions.ReadTimeout, site.url + "/a", timeout=SHORT)

    assert problem.request.url == site.url + "/a"
    assert problem.response is None
    site.set("never")


def test_total_ends_a_call_whatever_it_waits_for(world, wire):
    """A total stands for a whole call; the phase in which it ended decides the class."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"), wait("never")])
    limits = world.requestx.TimeLimits(total=SHORT)
    problem, seconds = fails(world, world.requestx.ReadTimeout, site.url, timeout=limits)

    assert problem.phase == "read"
    assert "total time limit" in str(problem)
    assert SHORT <= seconds < SHORT + 1
    site.set("never")


@pytest.mark.parametrize("step", [0.02, 0.6])
def test_total_ends_an_upload_however_its_pieces_come(world, wire, step):
    """Many with a pause before each, which is the caller's, or one that takes longer than all of it may."""
    site = wire([head(), wait("never")])
    pieces = (time.sleep(step) or b"piece" for _ in range(int(2.4 / step)))  # what is measured here
    start = time.monotonic()
    with pytest.raises(world.requestx.Timeout, match="total time limit"):
        world.post(site.url, data=pieces, timeout=world.requestx.TimeLimits(total=SHORT))

    assert SHORT <= time.monotonic() - start < 1.2
    site.set("never")


def test_what_a_stream_raises_tells_its_phase(world, wire):
    """Taken in pieces, as one that is read whole."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"), wait("never")])
    with pytest.raises(world.requestx.exceptions.BodyTimeout) as caught:
        world.chunks(world.get(site.url, stream=True, timeout=SHORT), 5)

    assert (caught.value.phase, caught.value.kind) == ("read", 40)
    assert caught.value.request.url == site.url + "/"
    site.set("never")


def test_total_ends_a_streamed_body(world, wire):
    """The body belongs to the call, also where the call returned with the head."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"), wait("never")])
    pieces = world.pieces(world.get(site.url, stream=True, timeout=world.requestx.Timeout(total=SHORT)), 5)

    assert next(pieces) == b"hello"
    with pytest.raises(world.requestx.Timeout):
        next(pieces)
    site.set("never")


def test_default_of_a_session(world, wire):
    """Session.timeout is for calls that give none, with a body or without, changed at any time."""
    site = wire(*[[request(), wait("never")]] * 3)
    session = world.session(timeout=(None, SHORT))
    for call in (session.get, session.post):
        with pytest.raises(world.requestx.ReadTimeout):
            call(site.url)
    session.timeout = world.requestx.TimeLimits(total=SHORT)
    with pytest.raises(world.requestx.ReadTimeout, match="total"):
        session.get(site.url)
    site.set("never")


def test_a_call_may_have_no_limit_where_the_session_has_one(world, server):
    """TimeLimits() is none, while None is what the session says."""
    session = world.session(timeout=1e-9)
    for timeout in (world.requestx.TimeLimits(), (None, None)):
        assert session.get(server.url + "/get", timeout=timeout).status_code == 200

    with pytest.raises(world.requestx.Timeout):
        session.get(server.url + "/get", timeout=None)
