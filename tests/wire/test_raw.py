"""Response.raw: what users and libraries look for in a response of urllib3's."""

import gzip
import http.client
import io
import pickle
import sys
import weakref
import zlib

import pytest
from server.steps import answer, fin, request, send, serve

TEXT = b"one\ntwo\nthree"


def test_what_it_tells(world, wire):
    """Where from, by which version, with which retries."""
    raw = world.get(wire(serve(TEXT)).url + "/a?b", stream=True).raw

    assert raw.url == raw.geturl() == raw._request_url
    assert raw.url.endswith("/a?b")
    assert (raw.status, raw.reason, raw.version, raw.version_string) == (200, "OK", 11, "HTTP/1.1")
    assert (raw.chunked, raw.length_remaining, raw.enforce_content_length) == (False, len(TEXT), True)
    assert raw.readable()
    assert not raw.seekable() and not raw.writable()
    assert raw.get_redirect_location() is False


SETTABLE = ["url", "chunked", "length_remaining", "version_string", "reason", "headers", "retries"]


@pytest.mark.parametrize("name", SETTABLE)
def test_what_it_tells_may_be_set(world, wire, name):
    """As on urllib3's, whose attributes most of these are: programs correct them before they hand the body on."""
    raw = world.get(wire(serve(TEXT)).url, stream=True).raw
    setattr(raw, name, "mine")

    assert getattr(raw, name) == "mine"
    assert raw.geturl() == ("mine" if name == "url" else raw._request_url)


@pytest.mark.parametrize("field", [b"Content-Length: 100", b"Content-Length: 100, 100"])
def test_length_remaining_goes_down(world, wire, field):
    """By what was read, to nothing; a length that is told twice is one."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\n" + field + b"\r\n\r\n" + b"x" * 100)])
    raw = world.get(site.url, stream=True).raw
    before = raw.length_remaining
    raw.read(100)

    assert (before, raw.length_remaining) == (100, 0)


@pytest.mark.parametrize(
    "method, status", [("HEAD", b"200 OK"), ("GET", b"304 Not Modified"), ("GET", b"204 No Content")]
)
def test_nothing_remains_where_no_body_comes(world, wire, method, status):
    """A head may tell the length of a body that another request would get."""
    fields = b"" if status.startswith(b"204") else b"Content-Length: 100\r\n"
    site = wire([request(), send(b"HTTP/1.1 " + status + b"\r\n" + fields + b"\r\n")])

    assert world.request(method, site.url, stream=True).raw.length_remaining == 0


def test_repeated_headers_are_there_one_by_one(world, wire):
    """In `headers` and in `_original_response.msg`; a look-up joins them."""
    raw = world.get(wire(serve(b"", b"X-Two: a", b"x-two: b")).url, stream=True).raw

    assert raw.headers["X-TWO"] == "a, b"
    assert raw.headers.getlist("x-two") == raw._original_response.msg.get_all("x-two") == ["a", "b"]
    assert [pair for pair in raw.headers.items() if pair[0].lower() == "x-two"] == [("X-Two", "a"), ("X-Two", "b")]
    assert dict(raw.headers)["X-Two"] == "a, b"


def test_headers_of_the_response_are_others(world, wire):
    """Changing one of them leaves the other as it came."""
    response = world.get(wire(serve(b"", b"X-One: a")).url, stream=True)
    response.headers["X-One"] = "changed"

    assert response.raw.headers["x-one"] == "a"


def test_lines(world, wire):
    """Iterating gives lines with their ends."""
    assert list(world.get(wire(serve(TEXT)).url, stream=True).raw) == [b"one\n", b"two\n", b"three"]


def test_data_is_kept(world, wire):
    """Read once, and there for good; `json` reads it too."""
    raw = world.get(wire(serve(b'{"a": 1}')).url, stream=True).raw

    assert raw.data == raw.data == b'{"a": 1}'
    assert raw.json() == {"a": 1}


def test_read1_and_readinto(blocking, wire):
    """What comes next, at most so much."""
    raw = blocking.get(wire(serve(TEXT)).url, stream=True).raw
    space = bytearray(4)

    assert raw.read1(4) == TEXT[:4]
    assert raw.readinto(space) == 4
    assert bytes(space) == TEXT[4:8]
    assert raw.read1(0) == b""
    assert raw.read() == TEXT[8:]


def test_a_textiowrapper_reads_to_the_end(blocking, wire):
    """With auto_close off, as urllib3's documentation shows."""
    raw = blocking.get(wire(serve(TEXT)).url, stream=True).raw
    raw.auto_close = False

    assert list(io.TextIOWrapper(raw)) == ["one\n", "two\n", "three"]


def test_chunks_are_read_from_chunked_bodies_only(blocking, wire):
    """`read_chunked` refuses others."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    site = wire([request(), send(chunked), request(), send(answer(b"x"))])
    session = blocking.session()

    raw = session.get(site.url, stream=True).raw
    assert raw.chunked and raw.supports_chunked_reads()
    assert b"".join(raw.read_chunked()) == b"abc"
    with pytest.raises(ValueError, match="chunks"):
        session.get(site.url, stream=True).raw.read_chunked()


class Listener:
    """What caching libraries put in the place of ``raw._fp``."""

    def __init__(self, fp):
        self.fp_below = fp
        self.heard = b""

    def read(self, amt=None):
        piece = self.fp_below.read(amt)
        self.heard += piece
        return piece


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("coding", [None, b"gzip", b"deflate"])
def test_a_listener_hears_the_body_as_it_came(world, wire, coding, stream):
    """And the reader has it decoded."""
    made = {None: TEXT, b"deflate": zlib.compress(TEXT)}.get(coding)
    if made is None:
        packer = zlib.compressobj(wbits=31)
        made = packer.compress(TEXT) + packer.flush()
    fields = [b"Content-Encoding: " + coding] if coding else []
    heard = []

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def build_response(self, req, resp):
            resp._fp = Listener(resp._fp)
            heard.append(resp._fp)
            return super().build_response(req, resp)

    session = world.session()
    session.mount("http://", Adapter())
    response = session.get(wire(serve(made, *fields)).url, stream=stream)

    assert world.read(response) == TEXT
    assert heard[0].heard == made


def test_another_body_may_be_put_in_the_place_of_fp(world, wire):
    """Caches read all of it, and put what they read there again: it is decoded from there."""
    packer = zlib.compressobj(wbits=31)
    site = wire(serve(packer.compress(TEXT) + packer.flush(), b"Content-Encoding: gzip"))
    response = world.get(site.url, stream=True)
    body = response.raw.read(decode_content=False)
    response.raw._fp = io.BytesIO(body)
    response.raw.length_remaining = len(body)

    assert response.raw.length_remaining == len(body)
    assert world.read(response) == TEXT
    assert response.raw.length_remaining == 0


def test_fp_tells_the_head(world, wire):
    """It stands for http.client's response, which is ``_original_response`` as well."""
    raw = world.get(wire(serve(TEXT, b"X: 1", b"X: 2")).url, stream=True).raw

    assert raw._fp is raw._original_response
    assert (raw._fp.version, raw._fp.status, raw._fp.getheader("x")) == (11, 200, "1, 2")
    assert raw._fp.msg.get_all("x") == ["1", "2"]


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="others collect when they like")
def test_a_wrapped_body_that_nobody_holds_is_gone(blocking, wire):
    """With its connection: nothing in it points back at it."""
    response = blocking.get(wire(serve(TEXT, b"Set-Cookie: a=b")).url, stream=True)
    response.raw._fp = Listener(response.raw._fp)
    gone = weakref.ref(response.raw)
    assert response.cookies["a"] == response.raw._original_response.getheader("set-cookie")[2:]
    response = None

    assert gone() is None


def test_fp_ends(blocking, wire):
    """``_fp.fp`` is None at the end, which is how libraries see it."""
    raw = blocking.get(wire(serve(TEXT)).url, stream=True).raw

    assert raw._fp.fp is not None
    assert raw._fp.read() == TEXT
    assert raw._fp.closed


def test_a_body_that_breaks_off_is_requests_error_and_urllib3s(blocking, wire, module):
    """Who reads ``raw`` expects urllib3's exceptions, who iterates requests'; it survives pickling as the latter."""
    exceptions = blocking.requestx.packages.urllib3.exceptions
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), fin()])
    raw = blocking.get(site.url, stream=True).raw
    with pytest.raises(exceptions.ProtocolError) as caught:
        raw.read()
    again = pickle.loads(pickle.dumps(caught.value))

    assert isinstance(caught.value, blocking.requestx.exceptions.ChunkedEncodingError)
    assert isinstance(caught.value.args[1], http.client.IncompleteRead)
    assert (caught.value.args[1].partial, caught.value.args[1].expected) == (4, 5)
    assert "4 bytes read, 5 more expected" in str(again)
    assert str(again) == str(caught.value)
    assert type(again) is blocking.requestx.exceptions.ChunkedEncodingError


def test_it_counts_as_urllib3s(world, wire, module):
    """In a program that has imported it, isinstance says so."""
    urllib3 = module("urllib3")

    assert isinstance(world.get(wire(serve()).url).raw, urllib3.HTTPResponse)


def test_no_tls_no_certificate(world, wire):
    """On a plain connection there is nothing to tell."""
    sock = world.get(wire(serve()).url, stream=True).raw._connection.sock

    assert sock.getpeercert(binary_form=True) is None
    assert sock.version() is None


CODED = gzip.compress(TEXT * 20)


def test_raw_after_decoded_is_refused(blocking, wire):
    """What is kept of the last piece was decoded: given for bytes of the wire it would be wrong."""
    raw = blocking.get(wire(serve(CODED, b"Content-Encoding: gzip")).url, stream=True).raw
    assert raw.read(5, decode_content=True) == TEXT[:5]

    with pytest.raises(RuntimeError, match="would miss bytes"):
        raw.read(5, decode_content=False)


def test_decoded_after_raw_is_refused(world, wire):
    """Nobody can decode a body without its beginning, and as it came it is not what was asked for."""
    response = world.get(wire(serve(CODED, b"Content-Encoding: gzip")).url, stream=True)
    first = world.run(response.raw.anext, 5, True) if world.awaits else response.raw.read(5)

    assert first == CODED[:5]
    with pytest.raises(world.requestx.exceptions.ContentDecodingError, match="read as it came"):
        world.read(response)


def test_nothing_is_left_to_decode_after_all_was_read_raw(blocking, wire):
    """Whoever has read as many bytes as there are has the whole body, and the content is empty."""
    response = blocking.get(wire(serve(CODED, b"Content-Encoding: gzip")).url, stream=True)

    assert response.raw.read(len(CODED)) == CODED
    assert response.content == b""


def test_without_a_coding_both_ways_are_one(blocking, wire):
    """Nothing is decoded, so either may follow the other; below zero is all."""
    raw = blocking.get(wire(serve(TEXT)).url, stream=True).raw

    assert raw.read(2, decode_content=True) + raw.read(2) + raw._fp.read(-1) == TEXT


def test_the_socket_is_a_stand_in(world, server):
    """It says what TLS knows, which without TLS is nothing, and has no address."""
    raw = world.get(server.url + "/bytes/2000000", stream=True).raw

    assert raw._connection.sock.cipher() is None
    assert not hasattr(raw._connection.sock, "getpeername")
    assert (raw._connection.host, raw._connection.port) == ("127.0.0.1", server.port)
