"""Bodies in pieces: what is pulled, when it comes, and what large bodies cost."""

import gzip
import os
import sys

import pytest
from server.steps import request, send, serve, wait

pytestmark = pytest.mark.trio

MIB = 1 << 20


def test_head_comes_before_the_body(world, wire):
    """stream=True returns with the head, when not a byte of the body is there."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"), wait("go"), send(b"body")])
    response = world.get(site.url, stream=True)

    assert response.status_code == 200
    site.set("go")
    assert world.read(response) == b"body"


def test_pieces_come_as_they_arrive(world, wire):
    """A piece is not held back until it is full."""
    steps = [request(), send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")]
    site = wire(steps + [wait("go"), send(b"3\r\ntwo\r\n0\r\n\r\n")])
    pieces = world.pieces(world.get(site.url, stream=True), None)

    assert next(pieces) == b"one"
    site.set("go")
    assert list(pieces) == [b"two"]


@pytest.mark.parametrize("size", [1, 7, 1000, 65536, 10 * MIB])
def test_pieces_are_of_the_size_asked_for(world, server, size):
    """Every piece but the last has the size that was asked for, as in requests."""
    total = 100 if size < 7 else 300000
    pieces = world.chunks(world.get(server.url + "/bytes/%d" % total, stream=True), size)

    assert b"".join(pieces) == (bytes(range(256)) * (total // 256 + 1))[:total]
    assert {len(piece) for piece in pieces[:-1]} <= {size}


@pytest.mark.parametrize(
    "head", [b"Content-Length: 6\r\n\r\n%s", b"Transfer-Encoding: chunked\r\n\r\n6\r\n%s\r\n0\r\n\r\n"]
)
def test_no_size_is_no_reason_to_lose_bytes(world, wire, head):
    """Less than nothing is all there is, however the body is framed."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\n" + head % b"abcdef")])

    assert b"".join(world.chunks(world.get(site.url, stream=True), -1)) == b"abcdef"


def test_content_is_kept(world, server):
    """What was read once is there for good, in any form."""
    response = world.get(server.url + "/bytes/1000", stream=True)
    body = world.read(response)

    assert response.content is body or response.content == body
    assert world.read(response) == body
    assert b"".join(world.chunks(response, 100)) == body


@pytest.mark.parametrize("more", [{}, {"timeout": 5}, {"data": b"x"}])
def test_raw_is_at_its_end_when_the_body_was_taken(world, server, more):
    """Without stream=True the body is in ``content``, and ``raw`` has nothing left."""
    response = world.get(server.url + "/bytes/1000", **more)

    assert response.raw.read() == b""
    assert response.raw.closed
    assert response.raw.tell() == len(response.content) == 1000


def test_a_hook_may_read_raw(world, server):
    """It is called before the body is taken."""
    seen = []
    response = world.get(server.url + "/bytes/9", hooks={"response": lambda r, **more: seen.append(r.raw.read())})

    assert len(seen[0]) == 9
    assert response.raw.read() == b""


def test_stream_can_be_consumed_once(world, server):
    """A second pass over what was streamed away raises StreamConsumedError."""
    response = world.get(server.url + "/bytes/1000", stream=True)
    world.chunks(response, 100)
    with pytest.raises(world.requestx.exceptions.StreamConsumedError):
        world.chunks(response, 100)


def test_piece_size_must_be_a_number(world, server):
    """A text for a size is a TypeError."""
    response = world.get(server.url + "/bytes/10", stream=True)
    with pytest.raises(TypeError):
        world.chunks(response, "100")


def test_text_pieces(world, wire):
    """decode_unicode gives text, and never half a character."""
    if world.awaits:
        pytest.skip("aiter_content has the same decoder; see test_lines_of_a_stream")
    site = wire(serve("grüße".encode() * 10, b"Content-Type: text/plain; charset=utf-8"))
    response = world.get(site.url, stream=True)

    assert "".join(response.iter_content(1, decode_unicode=True)) == "grüße" * 10


def test_stream_of_a_context_manager_is_closed(world, wire):
    """Leaving the ``with`` closes what was not read."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nsome")])

    def blocking():
        with world.requestx.Session() as session, session.get(site.url, stream=True) as response:
            return next(response.iter_content(4))

    async def awaited():
        async with world.requestx.Session() as session:
            async with session.get(site.url, stream=True) as response:
                async for piece in response.aiter_content(4):
                    return piece

    assert world.run(awaited if world.awaits else blocking) == b"some"
    assert site.end(0) in ("eof", "reset")


def test_slow_reader_holds_the_server_back(world, wire):
    """Nobody reads ahead without bound: a body that is not pulled stays with the server."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"), ["repeat", "x", 10**9]])
    response = world.get(site.url, stream=True)
    pieces = world.pieces(response, 1000)
    next(pieces)
    # Two looks at the counter that agree: the server is stuck.
    seen, now = -1, 0
    while seen != now:
        seen, now = now, _settled(site)
    world.close(response)

    assert now < 32 * MIB


def _settled(site):
    """What was sent after giving the server time to send more, if it could."""
    import time

    time.sleep(0.2)
    return site.connections[0]["sent"]


PEAK = """
    requestx.get(url + "/bytes/3000000").content
    before = peak()
"""
WHOLE = """
    async def awaited(url, **more):
        async with requestx.Session(**more) as session:
            return (await session.get(url)).content

    def blocking(url, **more):
        with requestx.Session(**more) as session:
            return session.get(url).content

    ask = blocking if sys.argv[2] == "blocking" else lambda *given, **more: asyncio.run(awaited(*given, **more))
    more = {"http2": "only"} if sys.argv[4] == "2" else {}
    for n in range(2):
        ask(url + sys.argv[3] % 100_000, **more)
    before = peak()
    body = ask(url + sys.argv[3] % SIZE, **more)
    print(len(body), peak() - before)
"""
SIZE = 100_000_000


@pytest.mark.bare
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process's memory is Linux's")
@pytest.mark.skipif(sys.implementation.name != "cpython", reason="others keep what they copy")
@pytest.mark.parametrize("way", ["blocking", "awaited"])
@pytest.mark.parametrize("kind", ["length", "chunked", "to the end", "gzip", "http2"])
def test_whole_body_costs_its_size_once(child, listen, wire, kind, way):
    """At its peak the process has had little more than the body, whether its size was told before or not."""
    small, large = os.urandom(1000) * 100, os.urandom(1000) * (SIZE // 1000)
    if kind == "gzip":
        site = wire(*[serve(gzip.compress(body), b"Content-Encoding: gzip") for body in (small, small, large)])
    else:
        site = listen("streams" if kind == "http2" else "everyday")
    path = {"length": "/bytes/%d", "http2": "/bytes/%d", "chunked": "/stream/%d", "to the end": "/close/%d"}
    source = WHOLE.replace("SIZE", str(SIZE))
    outcome = child(source, site.url, way, path.get(kind, "/%d"), "2" if kind == "http2" else "1")
    length, grown = outcome.out.split()

    assert int(length) == SIZE
    assert float(grown) <= 1.05 * SIZE / MIB, outcome


@pytest.mark.bare
def test_streamed_body_costs_nothing(child, server):
    """A hundred megabytes in pieces need no more than a window."""
    source = """
    total = 0
    for piece in requestx.get(url + '/bytes/100000000', stream=True).iter_content(65536):
        total += len(piece)
    print(peak() - before + (total != 100000000) * 1000)
    """
    outcome = child(PEAK + source, server.url)

    assert float(outcome.out) < 12, outcome


@pytest.mark.bare
def test_streamed_upload_costs_nothing(child, server):
    """The same the other way: a generator is never collected."""
    source = """
    pieces = (bytes(65536) for _ in range(1600))
    answer = requestx.post(url + '/echo', data=pieces).json()
    print(peak() - before + (answer["length"] != 65536 * 1600) * 1000)
    """
    outcome = child(PEAK + source, server.url)

    assert float(outcome.out) < 12, outcome


def test_upload_of_a_generator_that_fails(world, wire):
    """Its exception is the caller's, and the connection does not end as if the body were whole."""
    site = wire([request()])

    def pieces():
        yield b"one"
        raise KeyError("mine")

    with pytest.raises(KeyError):
        world.post(site.url, data=pieces())

    assert site.end(0) in ("eof", "reset")
    assert not site.received.endswith(b"0\r\n\r\n")
