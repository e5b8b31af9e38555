"""What comes in: status line, header block and body as the server sent them."""

import pytest
from server.steps import answer, close, notify, repeat, request, send, serve

MIB = 1 << 20


def test_status_and_reason_are_the_servers(world, wire):
    """The reason phrase is what the server wrote, not what the code usually means."""
    site = wire(serve(status=b"299 All  Is Well"))
    response = world.get(site.url)

    assert (response.status_code, response.reason, response.ok) == (299, "All  Is Well", True)


@pytest.mark.parametrize("line, reason", [(b"200 ", ""), (b"200", ""), (b"404 Nicht gefunden \xfc", None)])
def test_odd_reason_phrases_are_accepted(world, wire, line, reason):
    """A status line may have no reason, or one in Latin-1."""
    site = wire(serve(status=line))
    response = world.get(site.url)

    assert response.status_code == int(line[:3])
    assert reason is None or response.reason == reason


def test_names_keep_case_and_order(world, wire):
    """``dict(r.headers)`` has the names as the server spelt them, in its order."""
    site = wire(serve(b"", b"ETag: 1", b"x-lower: 2", b"WWW-Authenticate: 3", b"X-miXed: 4"))
    response = world.get(site.url)

    names = ["ETag", "x-lower", "WWW-Authenticate", "X-miXed", "Content-Length"]
    assert names == list(response.headers)
    assert response.headers["etag"] == response.headers["ETAG"] == "1"


def test_duplicates_are_joined_in_order(world, wire):
    """Fields of one name are joined by a comma, as in requests."""
    site = wire(serve(b"", b"X-Dup: one", b"X-Other: o", b"x-dup: two", b"X-DUP: three"))
    response = world.get(site.url)

    assert response.headers["X-Dup"] == "one, two, three"


def test_two_cookies_are_two_cookies(world, wire):
    """Set-Cookie fields are told apart although their values contain commas."""
    site = wire(serve(b"", b"Set-Cookie: a=1; expires=Thu, 01 Jan 2099 00:00:00 GMT", b"Set-Cookie: b=2"))
    response = world.get(site.url)

    assert dict(response.cookies) == {"a": "1", "b": "2"}


def test_three_hundred_headers_are_taken(world, wire):
    """More fields than hyper's default of 100 are accepted."""
    fields = [b"X-%d: %d" % (number, number) for number in range(300)]
    site = wire(serve(b"", *fields))
    response = world.get(site.url)

    assert [response.headers["x-%d" % number] for number in range(300)] == [str(n) for n in range(300)]


def test_values_are_trimmed_and_otherwise_untouched(world, wire):
    """White space around a value is not part of it, all else is; bytes over 127 are Latin-1."""
    site = wire(serve(b"", b"X-A: \t a  b\t", b"X-B:c", b"X-C:", b"X-D: \xe9"))
    headers = world.get(site.url).headers

    assert [headers[name] for name in ("X-A", "X-B", "X-C", "X-D")] == ["a  b", "c", "", "\xe9"]


@pytest.mark.parametrize("version, number", [(b"HTTP/1.1", 11), (b"HTTP/1.0", 10)])
def test_version_is_told(world, wire, version, number):
    """``r.raw.version`` is 10 or 11."""
    site = wire(serve(version=version))
    response = world.get(site.url, stream=True)

    assert response.raw.version == number
    assert world.read(response) == b"ok"


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_no_body_after_204_and_304(world, wire, status):
    """These have no body whatever their fields say, and the connection goes on."""
    site = wire(serve(b"", b"Content-Length: 5", status=status, length=False) + serve(b"next"))
    session = world.session()

    assert session.get(site.url).content == b""
    assert session.get(site.url).content == b"next"
    assert len(site.connections) == 1


def test_no_body_after_head(world, wire):
    """The length in the answer to HEAD is that of a body which does not come."""
    site = wire(serve(b"", b"Content-Length: 1000000", length=False) + serve(b"next"))
    session = world.session()
    first = session.head(site.url)

    assert (first.content, first.headers["Content-Length"]) == (b"", "1000000")
    assert session.get(site.url).content == b"next"
    assert len(site.connections) == 1


@pytest.mark.parametrize(
    "early",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" * 3,
        b"HTTP/1.1 102 Processing\r\nContent-Length: 5\r\n\r\n",
    ],
    ids=["100", "103", "102 with length"],
)
def test_informational_heads_are_not_the_answer(world, wire, early):
    """1xx heads are passed over; nothing of theirs is in the response."""
    site = wire([request(), send(early + answer(b"final", b"X-Final: 1"))])
    response = world.get(site.url)

    assert (response.status_code, response.content) == (200, b"final")
    assert list(response.headers) == ["X-Final", "Content-Length"]


def test_chunks_are_joined(world, wire):
    """A chunked body is its chunks, without extensions and trailers."""
    body = b'3;a=b\r\none\r\n005 ; x="y"\r\ntwo\r\n\r\n0\r\nX-Trailer: t\r\n\r\n'
    site = wire(serve(body, b"Transfer-Encoding: chunked", length=False) + serve(b"next"))
    session = world.session()

    assert session.get(site.url).content == b"onetwo\r\n"
    assert session.get(site.url).content == b"next"
    assert len(site.connections) == 1


def test_body_may_end_with_the_connection(world, wire):
    """Without a length the body goes on until the server closes."""
    site = wire([request(), send(answer(b"until the end", length=False)), close()])

    assert world.get(site.url).content == b"until the end"


def test_head_and_body_may_come_byte_by_byte(world, wire):
    """How the bytes are cut means nothing."""
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    site = wire([request()] + [send(data[at : at + 1]) for at in range(len(data))])
    response = world.get(site.url)

    assert (response.content, response.headers["x-a"]) == (b"abc", "b")


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 7])
def test_bodies_around_the_size_that_crosses_at_once(world, server, size):
    """Bodies below and above one mebibyte take different ways and arrive alike."""
    response = world.get(server.url + "/bytes/%d" % size)

    assert len(response.content) == size
    assert response.content == (bytes(range(256)) * (size // 256 + 1))[:size]


@pytest.mark.parametrize("size", [1, MIB, MIB + 1, 3 * MIB])
def test_large_chunked_bodies(world, server, size):
    """The same without a length to go by."""
    assert len(world.get(server.url + "/stream/%d" % size).content) == size


def test_close_delimited_large_body(world, wire):
    """And with nothing but the end of the connection."""
    site = wire([request(), send(answer(b"", length=False)), repeat(b"x" * 1024, 2048), notify()])

    assert world.get(site.url).content == b"x" * (2 * MIB)


def test_final_url_and_history_after_redirects(world, server):
    """The response tells where it came from at last, and by which ways."""
    response = world.get(server.url + "/redirect/3")

    assert response.url == server.url + "/get"
    assert [each.status_code for each in response.history] == [302, 302, 302]


BROKEN = {
    "coding": answer(b"no gzip at all", b"Location: /end", b"Content-Encoding: gzip", status=b"302 Found"),
    "cut off": answer(b"half", b"Location: /end", b"Content-Length: 9", status=b"302 Found", length=False),
    "chunks": answer(b"xyz\r\n", b"Location: /end", b"Transfer-Encoding: chunked", status=b"302 Found", length=False),
}


@pytest.mark.parametrize("kind", sorted(BROKEN))
@pytest.mark.parametrize("verb", ["get", "put"])
def test_broken_body_of_a_redirect_stops_nobody(world, wire, kind, verb):
    """As in requests: it is left, and the redirect followed; who declines it has the error."""
    site = wire(*[[request(), send(BROKEN[kind]), close()], serve(b"end"), [request(), send(BROKEN[kind]), close()]])

    assert getattr(world, verb)(site.url).content == b"end"
    with pytest.raises(world.requestx.exceptions.RequestException):
        getattr(world, verb)(site.url, allow_redirects=False)


def test_redirects_may_be_declined(world, server):
    """``allow_redirects=False`` returns the redirect itself, after one request."""
    response = world.get(server.url + "/redirect/3", allow_redirects=False)

    assert response.status_code == 302
    assert response.headers["Location"] == "/redirect/2"
    assert len(server.requests) == 1


def test_status_is_raised_when_asked(world, server):
    """raise_for_status raises HTTPError for 4xx and 5xx, with the response in it."""
    response = world.get(server.url + "/status/503")

    assert not response.ok
    with pytest.raises(world.requestx.exceptions.HTTPError) as caught:
        response.raise_for_status()
    assert caught.value.response is response


def test_text_and_json_follow_the_charset(world, server):
    """The charset of the type decides; text types default to Latin-1, JSON to UTF-8."""
    assert world.get(server.url + "/html").text == "<p>grüße</p>"
    assert world.get(server.url + "/latin").text == "grüße"
    assert world.get(server.url + "/json").json()["text"] == "grüße"


def test_time_and_request_are_told(world, server):
    """``elapsed`` is a positive time, ``request`` what was sent."""
    response = world.get(server.url + "/get", headers={"X-A": "b"})

    assert response.elapsed.total_seconds() > 0
    assert (response.request.method, response.request.url) == ("GET", server.url + "/get")
    assert response.request.headers["x-a"] == "b"


def test_a_wrapper_takes_over_what_a_response_holds(world, server):
    """Libraries make one of their own class, and fill its `__dict__` with that of the response they got."""

    class Mine(world.requestx.Response):
        def __init__(self, other):
            super().__init__()
            self.__dict__.update(other.__dict__)

    response = world.get(server.url + "/bytes/3")
    mine = Mine(world.get(server.url + "/bytes/3"))

    assert (mine.status_code, mine.url, mine.content) == (200, response.url, response.content)
    assert mine.headers["content-length"] == "3"
    assert mine.request.method == "GET"
