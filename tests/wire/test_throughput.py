"""The least that has to pass of a body: whoever is slower is told so, and only the server's time counts."""

import threading
import time

import pytest
from server import frames
from server.steps import answer, head, receive, request, send, serve, wait

pytestmark = pytest.mark.trio

WINDOW = 0.3
LARGE = b"x" * (16 << 20)  # more than two sockets hold


def paced(world, **more):
    return world.session(transport={"min_throughput": (1000, WINDOW), **more})


def too_slow(world, call, *arguments, **more):
    """The exception of a call that is found too slow, and the time it took."""
    start = time.monotonic()
    with pytest.raises(world.requestx.exceptions.Timeout, match="too slow in phase") as caught:
        call(*arguments, **more)
    return caught.value, time.monotonic() - start


@pytest.mark.parametrize("stream", [False, True])
def test_body_that_trickles(world, server, stream):
    """Each wait is short, and together they bring too little: the text says what was seen and what was asked for."""
    session = paced(world)

    def whole(url):
        response = session.get(url, stream=stream, timeout=10)
        return world.chunks(response, 1) if stream else response.content

    problem, seconds = too_slow(world, whole, server.url + "/trickle/1000?s=0.05")

    assert isinstance(problem, world.requestx.exceptions.BodyTimeout)
    assert WINDOW <= seconds < WINDOW + 1
    assert "at least 1000 bytes in 0.3 s were asked for" in str(problem)
    assert server.netloc in str(problem) and " bytes in 0.3" in str(problem)


def test_body_that_trickles_within_a_gzip(world, wire):
    """What comes is counted, not what it decodes to."""
    fields = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 100\r\n\r\n"
    site = wire([request(), send(fields + b"\x1f\x8b\x08\0\0\0\0\0\0\xff"), wait("never")])
    problem, seconds = too_slow(world, paced(world).get, site.url)

    assert problem.phase == "read"
    site.set("never")


def test_stall_is_found_after_one_window_whatever_came_before(world, wire):
    """A window ends when enough has passed."""
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50000
    site = wire([request(), send(begun), wait("never")])
    problem, seconds = too_slow(world, paced(world).get, site.url)

    assert WINDOW <= seconds < WINDOW + 0.25
    site.set("never")


def test_who_reads_slowly_is_not_blamed(world, wire):
    """The server waits for the caller, and not the other way round."""
    site = wire(serve(LARGE))
    pieces = world.pieces(paced(world).get(site.url, stream=True), 6 << 20)
    read = 0
    for piece in pieces:
        read += len(piece)
        time.sleep(WINDOW + 0.1)  # what is measured here

    assert read == len(LARGE)


@pytest.mark.parametrize("pushed", [False, True])
def test_server_that_takes_no_body(world, wire, pushed):
    """The way out is measured as the way in."""
    site = wire([head(), wait("never")])
    body = iter([LARGE]) if pushed else LARGE
    problem, seconds = too_slow(world, paced(world).post, site.url, data=body)

    assert isinstance(problem, world.requestx.exceptions.SendTimeout)
    assert WINDOW <= seconds < WINDOW * 2 + 1
    site.set("never")


def test_who_yields_slowly_is_not_blamed(world, wire):
    """Time until the next piece is there is the caller's."""
    site = wire(serve())

    def pieces():
        for _ in range(3):
            yield b"x"
            time.sleep(WINDOW + 0.1)  # what is measured here

    assert paced(world).post(site.url, data=pieces()).status_code == 200
    assert site.requests[0].body == b"xxx"


def test_wait_for_the_answer_is_not_measured(world, wire):
    """That is what the read time-out is for."""
    site = wire([request(), wait("go"), send(answer(b"late"))])
    call = paced(world).start("get", site.url)
    site.wait("request 1")
    time.sleep(WINDOW + 0.2)  # what is measured here
    site.set("go")

    assert call.result().content == b"late"


def test_body_that_keeps_its_pace(world, server):
    """1000 bytes in 0.3 s are fast enough, however long the whole takes."""
    session = world.session(transport={"min_throughput": (5, WINDOW)})

    assert session.get(server.url + "/trickle/30?s=0.02").content == b"x" * 30


def test_streams_are_measured_each_by_itself(world, streams):
    """Over HTTP/2 one that stalls is broken off, and one that was begun before it goes on."""
    site = streams(plain=True)
    session = paced(world, http2="only")
    other = session.get(site.url + "/bytes/100000", stream=True)
    problem, seconds = too_slow(world, session.get, site.url + "/stall/100")

    assert isinstance(problem, world.requestx.exceptions.BodyTimeout)
    assert WINDOW <= seconds < WINDOW + 1
    assert len(world.read(other)) == 100000
    assert len(site.connections) == 1


def test_frames_that_come_together_all_count(world, wire):
    """They are read as one piece, and what is counted is the piece."""
    burst = frames.data(1, b"x" * 16000) * 4
    steps = [send(frames.SETTINGS + frames.head(1) + burst), wait("one"), send(burst), wait("two")]
    site = wire([receive(len(frames.PREFACE) + 66), *steps, send(burst + frames.data(1, end=True))])
    session = world.session(transport={"min_throughput": (40000, 1), "http2": "only"})
    timers = [threading.Timer(0.7 * number, site.set, [name]) for number, name in enumerate(["one", "two"], 1)]
    for timer in timers:
        timer.start()

    assert len(session.get(site.url).content) == 192000
    for timer in timers:
        timer.join()


def test_window_of_a_stream_that_stays_closed(world, streams):
    """Over HTTP/2 a server that gives no room takes no body."""
    site = streams(plain=True, greedy=False)
    session = paced(world, http2="only")
    problem, seconds = too_slow(world, session.post, site.url + "/echo", data=LARGE)

    assert isinstance(problem, world.requestx.exceptions.SendTimeout)
    assert WINDOW <= seconds < WINDOW * 2 + 1


def test_what_means_nothing_is_refused(world):
    """A pair of bytes and seconds, or None; it is pickled with its adapter."""
    adapter = world.requestx.adapters.HTTPAdapter
    for wrong in (1000, (0, 1), (1000, 0), (1000, -1), (1.5, 1), (1000, 1, 1), "10", (1000, "1")):
        with pytest.raises(ValueError, match="min_throughput is a pair"):
            adapter(min_throughput=wrong)

    assert adapter(min_throughput=(1000, 30)).__getstate__()["min_throughput"] == (1000, 30)
    assert adapter().min_throughput is None
