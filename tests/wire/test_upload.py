"""Bodies that are read while they are sent: files, text, iterables; what goes wrong, and sending them again."""

import concurrent.futures
import gc
import io
import mmap

import pytest
from server import stream_steps as streamed
from server.steps import answer, body, echo, head, request, send, serve, wait

import requestx

pytestmark = pytest.mark.trio


def sent(site):
    """The only request the site saw."""
    (request,) = site.requests
    return request


def redirect(status=b"307 Temporary Redirect"):
    return answer(b"", b"Location: /again", status=status)


class Unsized:
    """Something that is only read."""

    def __init__(self, data):
        self.read = io.BytesIO(data).read


TEXT = "gr\xfc\xdfe \u20ac \U0001f600\r\n" * 3


def test_text_stream_is_sent_as_utf8(world, wire):
    """Its length is that of the bytes: requests counts characters, and cuts it short."""
    site = wire(serve())
    text = io.StringIO(TEXT, newline="")
    text.read(2)
    world.post(site.url, data=text)

    assert sent(site).body == TEXT[2:].encode("utf-8")
    assert sent(site).field(b"content-length") == [b"%d" % len(TEXT[2:].encode("utf-8"))]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_text_file_is_sent_as_its_text(world, wire, tmp_path, encoding):
    """Whatever its encoding and line ends are on the disk."""
    path = tmp_path / "text"
    path.write_bytes("gr\xfc\xdfe\r\n".encode(encoding) * 1000)
    site = wire(serve())
    with path.open(encoding=encoding, newline=None) as file:
        expected = file.read().encode("utf-8")
        file.seek(0)
        world.post(site.url, data=file)

    assert sent(site).body == expected


VIEWS = {
    "bytearray": lambda: bytearray(b"0123"),
    "memoryview": lambda: memoryview(b"0123"),
    "memoryview of numbers": lambda: memoryview(b"0123").cast("H"),
    "slice": lambda: memoryview(b"x0x1x2x3")[1::2],
    "mmap": lambda: mapped(b"0123"),
    "only read": lambda: Unsized(b"0123"),
    "iterator": lambda: iter([b"01", bytearray(b"2"), memoryview(b"3")]),
}


def mapped(data):
    area = mmap.mmap(-1, len(data))
    area[:] = data
    return area


@pytest.mark.parametrize("kind", VIEWS)
def test_whatever_has_bytes_is_a_body(world, wire, kind):
    """Its bytes arrive."""
    site = wire(serve())
    world.post(site.url, data=VIEWS[kind]())

    assert sent(site).body == b"0123"


def test_async_iterable_is_refused_where_it_cannot_be_awaited(blocking, wire):
    """The message says so, and nothing was sent."""
    site = wire(serve())

    async def pieces():
        yield b"one"

    with pytest.raises(TypeError, match="can only be sent by a call that is awaited"):
        blocking.post(site.url, data=pieces())
    assert site.received == b""


class AwaitedFile:
    """A file whose methods are awaited, as aiofiles has them; it is iterated by lines."""

    def __init__(self, data):
        self.file = io.BytesIO(data)

    def __aiter__(self):
        return self

    async def __anext__(self):
        line = self.file.readline()
        if not line:
            raise StopAsyncIteration
        return line

    async def read(self, amount=-1):
        return self.file.read(amount)

    async def tell(self):
        return self.file.tell()

    async def seek(self, offset, whence=0):
        return self.file.seek(offset, whence)


def test_a_file_that_is_awaited_is_a_body(world, wire):
    """Where the call is, and once: nobody can go back in it, so a redirect that wants it again is an error."""
    site = wire([request(), send(redirect())])
    expected = requestx.exceptions.UnrewindableBodyError if world.awaits else TypeError
    with pytest.raises(expected):
        world.post(site.url, data=AwaitedFile(b"one\ntwo\n"))

    assert [each.body for each in site.requests] == [b"one\ntwo\n"] * world.awaits


@pytest.mark.parametrize("body", [5, object()])
def test_what_is_no_body_is_a_typeerror(world, wire, body):
    """It says so before anything is sent."""
    site = wire([])
    with pytest.raises(TypeError, match="a body of type .* cannot be sent"):
        world.post(site.url, data=body)

    assert site.received == b""


@pytest.mark.parametrize("piece", [5, object(), ["a"]])
def test_what_is_no_piece_of_a_body_is_a_typeerror(world, wire, piece):
    """It says what a piece is."""
    site = wire([request()])
    with pytest.raises(TypeError, match="is sent in pieces of bytes, and not of"):
        world.post(site.url, data=iter([b"a", piece]))


@pytest.mark.parametrize("async_", [False, True])
def test_exception_of_a_body_is_the_callers(world, wire, async_):
    """It comes out as it is, and the server does not take what it got for the whole body."""
    if async_ and not world.awaits:
        pytest.skip("an async iterable has no meaning in the blocking world")
    site = wire([request()])

    def pieces():
        yield b"one"
        raise KeyError("mine")

    async def apieces():
        for piece in pieces():
            yield piece

    with pytest.raises(KeyError, match="mine"):
        world.post(site.url, data=apieces() if async_ else pieces())
    assert site.end() in ("eof", "reset")
    assert not site.received.endswith(b"0\r\n\r\n")


def test_body_shorter_than_its_length_is_an_error(world, wire):
    """The server would wait for the rest; the message says how much there was."""
    site = wire([request()])
    with pytest.raises(requestx.exceptions.RequestException, match="ended after 3 of the 5 bytes promised"):
        world.post(site.url, data=(piece for piece in [b"abc"]), headers={"Content-Length": "5"})

    assert site.end() in ("eof", "reset")


@pytest.mark.parametrize("length", ["-1", "-5", "+5", "1_0", "5, 5", "", "9" * 30])
def test_a_length_that_is_none_is_the_callers_mistake(world, wire, length):
    """It is an InvalidHeader, and nothing is sent."""
    site = wire(serve(b""))
    with pytest.raises(world.requestx.exceptions.InvalidHeader, match="Content-Length"):
        world.post(site.url, data=iter([b"chunk"]), headers={"Content-Length": length})

    assert site.requests == []


def test_body_longer_than_its_length_is_an_error(world, wire):
    """What is too much would be read as the next request."""
    site = wire([request()])
    with pytest.raises(requestx.exceptions.RequestException, match="longer than the 2 bytes promised"):
        world.post(site.url, data=(piece for piece in [b"abc"]), headers={"Content-Length": "2"})

    assert b"abc" not in site.received


def test_file_that_grows_is_sent_as_long_as_it_was(world, wire, tmp_path):
    """What was promised is sent; a log file's new lines are not."""
    site = wire(serve())
    path = tmp_path / "log"
    path.write_bytes(b"x" * 300000)
    with path.open("r+b") as file:
        prepared = requestx.Request("POST", site.url, data=file).prepare()
        path.write_bytes(b"x" * 300000 + b"more")
        session = world.session()
        session.send(prepared)

    assert sent(site).body == b"x" * 300000


@pytest.mark.parametrize("status", [b"307 Temporary Redirect", b"308 Permanent Redirect"])
@pytest.mark.parametrize("size", [10, 3000000])
def test_body_is_rewound_for_a_redirect(world, wire, status, size):
    """To where it stood, not to its beginning."""
    site = wire([request(), send(redirect(status)), request(), send(answer())])
    file = io.BytesIO(b"skip" + b"x" * size)
    file.seek(4)
    world.post(site.url, data=file)

    assert [each.body for each in site.requests] == [b"x" * size] * 2


def test_early_redirect_rewinds_a_body_that_is_being_read(world, wire, tmp_path):
    """An answer may come before the body is sent; the next request has it whole all the same."""
    path = tmp_path / "body"
    path.write_bytes(b"0123456789" * 800000)
    site = wire([head(), send(answer(b"", b"Location: /again", b"Connection: close", status=b"307 x"))], serve())
    session = world.session()
    with path.open("rb") as file:
        response = session.post(site.url, data=file)

    assert response.status_code == 200
    assert site.requests[-1].body == b"0123456789" * 800000


def test_refusal_is_read_to_its_end_whatever_becomes_of_the_upload(world, wire):
    """Who stops sending because the server has said no still wants to hear why; in requests that is often a reset."""
    said = answer(b"", b"Content-Length: 8", status=b"413 Too Large", length=False) + b"half"
    site = wire([head(), send(said), wait("more"), send(b"rest")])
    response = world.post(site.url, data=(b"x" * 65536 for _ in range(1000)), stream=True)
    gc.collect()
    site.set("more")

    assert (response.status_code, world.read(response)) == (413, b"halfrest")


LARGE = 8_000_000


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", [bytes, iter])
def test_an_early_answer_leaves_the_request_whole(world, wire, stream, kind):
    """A server that is content need not have read all; it still gets all, and the connection serves on."""
    site, session = wire([head(), send(answer(b"early")), body()] + serve(b"next")), world.session()
    data = b"x" * LARGE
    response = session.post(site.url, data=data if kind is bytes else iter([data]), stream=stream)

    assert world.read(response) == b"early"
    assert session.get(site.url).content == b"next"
    assert (len(site.requests[0].body), len(site.connections)) == (LARGE, 1)


@pytest.mark.parametrize("stream", [False, True])
def test_an_early_answer_leaves_the_request_whole_over_http2(world, streams, stream):
    """The same on a stream whose other half has ended."""
    site = streams([streamed.head(1), streamed.answer(1, b"early"), streamed.request(1)], plain=True)
    session = world.session(transport={"http2": "only"})
    response = session.post(site.url, data=iter([b"x" * 1000] * 1000), stream=stream)

    assert world.read(response) == b"early"
    site.wait("request 1")
    assert len(site.requests[0].body) == 1000 * 1000


@pytest.mark.parametrize("room", [0, 2])
def test_an_early_answer_does_not_cut_what_waits_for_room_on_its_stream(world, streams, room):
    """The last piece is sent when the server has taken it, not when there is nothing behind it."""
    late = [streamed.head(2), streamed.answer(2, b"early"), streamed.mark("answered"), streamed.wait("go")]
    late += [streamed.settings(INITIAL_WINDOW_SIZE=100), streamed.request(2)]
    script = [streamed.request(1), streamed.answer(1)] + late
    site = streams(script, plain=True, settings={"INITIAL_WINDOW_SIZE": room}, greedy=False)
    session = world.session(transport={"http2": "only"})
    session.get(site.url)
    call = session.start("post", site.url, data=b"last", timeout=10)
    site.wait("answered")
    with pytest.raises(concurrent.futures.TimeoutError):
        call.result(0.3)
    site.set("go")

    assert world.read(call.result(10)) == b"early"
    site.wait("request 2")
    assert site.requests[1].body == b"last"


@pytest.mark.parametrize("status", [b"307 x", b"403 x", b"500 x"])
def test_an_early_answer_that_is_no_success_ends_the_request(world, wire, status):
    """The body is not wanted there."""
    site = wire([head(), send(answer(b"no", status=status)), body()])
    response = world.post(site.url, data=b"x" * LARGE, allow_redirects=False)

    assert response.content == b"no"
    assert site.end() == "reset"


@pytest.mark.parametrize("secure", [False, True])
def test_what_is_echoed_while_it_is_sent_is_read_meanwhile(world, wire, certs, secure):
    """Such a server reads no further until its answer is taken; requests waits for ever."""
    tls = {"tls": {"chain": certs.good}} if secure else {}
    site, session = wire([head(), echo()] + serve(b"next"), **tls), world.session(verify=certs.ca)
    response = session.post(site.at("localhost"), data=b"x" * LARGE, timeout=10)

    assert response.content == b"x" * LARGE
    assert session.get(site.at("localhost")).content == b"next"


def test_a_megabyte_is_read_ahead_of_a_stream(world, wire):
    """More would have to be kept, and the error says why the server takes no more of the request."""
    small, large = wire([head(), echo()]), wire([head(), echo()])
    response = world.post(small.url, data=b"x" * (3 << 20), timeout=10, stream=True)
    assert world.read(response) == b"x" * (3 << 20)

    with pytest.raises(requestx.exceptions.Timeout, match="answers while it reads, 1048576 bytes of that are held"):
        world.post(large.url, data=b"x" * (5 * LARGE), timeout=0.5, stream=True)


def test_what_is_kept_whole_has_its_bound_while_it_is_sent(world, wire):
    """The one of bodies that are decoded: who answers without reading cannot fill the memory."""
    site, session = wire([head(), echo()]), world.session(transport={"max_decoded_bytes": 1 << 20})

    with pytest.raises(requestx.exceptions.Timeout, match="1048576 bytes of that are held"):
        session.post(site.url, data=b"x" * (5 * LARGE), timeout=0.5)


@pytest.mark.parametrize("stream", [False, True])
def test_the_limit_on_reading_runs_when_the_request_is_out(world, wire, stream):
    """A server that has begun to answer may wait for the rest of what it answers."""
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhe"
    site = wire([head(), send(begun), body(), send(b"re")])

    def pieces():
        yield b"x"
        with pytest.raises(AssertionError):
            site.wait("never", 0.5)
        yield b"y"

    call = world.start(requestx.post, site.url, data=pieces(), timeout=(5, 0.2), stream=stream)

    assert world.read(call.result(10)) == b"here"
    assert site.requests[0].body == b"xy"


def test_body_that_cannot_be_rewound_ends_at_its_redirect(world, wire):
    """A generator has been used up; the error has the answer that asked for it, and the request that was not sent."""
    site = wire([request(), send(redirect())])
    with pytest.raises(requestx.exceptions.UnrewindableBodyError) as caught:
        world.post(site.url, data=(piece for piece in [b"abc"]))

    assert len(site.requests) == 1
    assert (caught.value.response.status_code, caught.value.request.url) == (307, site.url + "/again")


def test_large_form_is_sent_as_often_as_it_is_asked_for(world, wire):
    """A prepared request is sent again as it is: in requests a form is bytes, and has no place where it stands."""
    site, session = wire(serve() + serve()), world.session()
    form = requestx.Request("POST", site.url, files={"f": io.BytesIO(b"x" * (2 << 20))})
    prepared = session.prepare_request(form)
    session.send(prepared)
    session.send(prepared)
    first, second = site.requests

    assert first.body == second.body == bytes(prepared.body)


@pytest.mark.parametrize("async_", [False, True])
def test_nothing_is_left_out_of_a_body(world, wire, async_):
    """None is no piece and no end, as an empty one: a generator that has nothing yet may say so."""
    if async_ and not world.awaits:
        pytest.skip("an async iterable has no meaning in the blocking world")

    def pieces():
        yield from (b"a", None, b"", b"b")

    async def apieces():
        for piece in pieces():
            yield piece

    site = wire(serve())
    world.post(site.url, data=apieces() if async_ else pieces())

    assert sent(site).body == b"ab"


@pytest.mark.bare
@pytest.mark.limit(120)
def test_multipart_of_two_gigabytes_needs_no_memory(child, server, tmp_path):
    """A sparse file of more than 31 bits is uploaded in a form, in both worlds; memory stays where it was."""
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate((1 << 31) + 7)
    source = """
    requestx.post(url + "/count", files={"f": b"x" * 3000000})
    async def scene(file):
        return (await requestx.post(url + "/count", files={"f": file})).json()
    asyncio.run(scene(b"x" * 3000000))
    before = peak()
    with open(sys.argv[2], "rb") as file:
        print(requestx.post(url + "/count", files={"f": file}).json()["zeros"])
    with open(sys.argv[2], "rb") as file:
        print(asyncio.run(scene(file))["zeros"])
    print(peak() - before)
    """
    outcome = child(source, server.url, path, limit=100)
    blocking, awaited, grown = outcome.out.split()

    assert blocking == awaited == str((1 << 31) + 7), outcome
    assert float(grown) < 16, outcome
