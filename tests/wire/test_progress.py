"""Progress: an adapter's callable hears how far bodies have come, both ways, whole and in pieces, in both worlds."""

import gzip
import io

import pytest
from server.steps import answer, head, repeat, request, send, serve, wait

from requestx import _progress

BIG = 3_000_000


@pytest.fixture
def told():
    """What `progress` was called with, the requests left out."""
    return []


@pytest.fixture
def session(world, told):
    """A session whose adapter has a progress."""
    session = world.session()

    def progress(request, phase, done, total):
        assert request.url
        told.append((phase, done, total))

    session.mount("http://", world.requestx.adapters.HTTPAdapter(progress=progress))
    return session


def test_small_bodies_are_told_once(session, wire, told):
    """They cross at once; what is not there is not told."""
    site = wire(serve(b"answer") * 2)
    session.post(site.url, data=b"body")
    session.get(site.url)

    assert told == [("send", 4, 4), ("read", 6, 6), ("read", 6, 6)]


@pytest.mark.parametrize("kind", [bytes, io.BytesIO, lambda data: iter([data[:10], data[10:]])])
def test_uploads_grow_to_their_length(session, server, told, kind):
    """Large ones, files and iterables; the length of the last is not known."""
    session.post(
        server.url + "/echo" if kind not in (bytes, io.BytesIO) else server.url + "/count", data=kind(b"\0" * BIG)
    )
    sent = [done for phase, done, _ in told if phase == "send"]
    (total,) = {total for phase, _, total in told if phase == "send"}

    assert sent == sorted(set(sent)) and len(sent) > 1
    assert (sent[-1], total) == (BIG, BIG if kind in (bytes, io.BytesIO) else None)


@pytest.mark.parametrize("stream", [False, True])
def test_downloads_grow_to_their_length(world, session, server, told, stream):
    """Whether they are kept whole, or were asked for as a stream."""
    world.read(session.get(server.url + "/bytes/%d" % BIG, stream=stream))
    read = [done for _, done, _ in told]

    assert read == sorted(read) and read[-1] == BIG
    assert {(phase, total) for phase, _, total in told} == {("read", BIG)}


def test_pieces_are_told_as_they_are_taken(world, session, server, told):
    """Not as they arrive."""
    pieces = iter(world.pieces(session.get(server.url + "/bytes/100000", stream=True), 40_000))
    first = next(pieces)

    assert told[-1] == ("read", len(first), 100_000)
    list(pieces)
    assert told[-1] == ("read", 100_000, 100_000)


def test_coded_bodies_are_counted_as_they_come(world, session, wire, told):
    """That is what Content-Length speaks of."""
    body = gzip.compress(b"\0" * BIG)
    site = wire(serve(body, b"Content-Encoding: gzip") * 2)
    for stream in (False, True):
        world.read(session.get(site.url, stream=stream))

        assert told[-1] == ("read", len(body), len(body))


def test_nobody_knows_how_long_chunks_are(world, session, wire, told):
    """The total is None."""
    chunked = answer(b"4\r\nbody\r\n0\r\n\r\n", b"Transfer-Encoding: chunked", length=False)
    world.chunks(session.get(wire([request(), send(chunked)]).url, stream=True), None)

    assert told == [("read", 4, None)]


def test_what_progress_raises_ends_the_call(world, wire):
    """So it can stop a download."""
    session = world.session()

    def refuse(*_):
        raise KeyError("enough")

    session.mount("http://", world.requestx.adapters.HTTPAdapter(progress=refuse))
    with pytest.raises(KeyError, match="enough"):
        session.get(wire(serve(b"answer")).url)


def test_what_progress_refused_is_not_taken_for_whole(world, server):
    """What it raised took a part of the body along: nobody gets the rest for all."""
    session, told = world.session(), []

    def progress(request, phase, done, total):
        told.append(done)
        if len(told) == 2:
            raise ValueError("no more")

    session.mount("http://", world.requestx.adapters.HTTPAdapter(progress=progress))
    response = session.get(server.url + "/bytes/%d" % BIG, stream=True)
    with pytest.raises(ValueError, match="no more"):
        world.read(response)
    with pytest.raises(world.requestx.RequestException, match="not read to its end"):
        world.read(response)


@pytest.mark.trio
@pytest.mark.parametrize("way", ["down", "in pieces", "up", "up in pieces"])
def test_it_ends_in_the_midst_of_a_body(world, wire, way):
    """Both ways, whole and in pieces: the server sees the connection end, and the session goes on."""
    upload = way.startswith("up")
    far = answer(b"", b"Content-Length: %d" % (64 << 20), length=False)
    steps = [head(), wait("never")] if upload else [request(), send(far), repeat(b"x" * 1000, 1 << 20)]
    site, session = wire(steps, serve(b"next")), world.session()

    def enough(request, phase, done, total):
        if done > 1_000_000:
            raise KeyError(phase)

    session.mount("http://", world.requestx.adapters.HTTPAdapter(progress=enough))
    with pytest.raises(KeyError, match="send" if upload else "read"):
        if upload:
            large = b"x" * (32 << 20)
            session.post(site.url, data=iter([large[: 1 << 20]] * 32) if "pieces" in way else large)
        else:
            response = session.get(site.url, stream="pieces" in way)
            try:
                world.chunks(response, 65536)
            finally:
                world.close(response)

    site.set("never")
    assert site.end(0) in ("eof", "reset")
    assert session.get(site.url).content == b"next"


@pytest.mark.parametrize("length", ["\xb2", "1, 2", "-1", ""])
def test_a_length_that_is_none_is_unknown(length):
    """It came with an answer that has no body, or nobody has judged it yet; digits are those of ASCII."""
    assert _progress.length_of({"content-length": length}) is None
