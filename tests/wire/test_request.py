"""What goes out: the request as the server receives it, byte for byte."""

import io

import pytest
from server.steps import serve

FRAMING = [b"content-length", b"transfer-encoding"]


def bare(world, *pairs):
    """A session that adds no header of its own."""
    session = world.session()
    session.headers.clear()
    session.headers.update(pairs)
    return session


def sent(site):
    """The only request the site saw."""
    (request,) = site.requests
    return request


def test_whole_head_is_what_was_asked_for_and_no_more(world, wire):
    """A GET with two headers is a request line, Host and those two, in the caller's order and spelling."""
    site = wire(serve())
    bare(world).get(site.url + "/a?b=c", headers={"x-TWO": "2", "X-One": "1"})

    expected = "GET /a?b=c HTTP/1.1\r\nHost: %s\r\nx-TWO: 2\r\nX-One: 1\r\n\r\n" % site.netloc
    assert expected.encode() == sent(site).head


def test_nothing_follows_the_head_of_a_get(world, wire):
    """A request without a body ends with its empty line."""
    site = wire(serve())
    world.get(site.url)

    assert site.received.endswith(b"\r\n\r\n")
    assert sent(site).body == b""


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PURGE", "M-SEARCH", "get"])
def test_method_goes_out_as_requests_sends_it(world, wire, method):
    """Any token is a method; it is sent in upper case, as requests does."""
    site = wire(serve(b"", status=b"204 No Content", length=False))
    world.request(method, site.url + "/")

    assert sent(site).line == method.upper().encode() + b" / HTTP/1.1"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_body_no_framing(world, wire, method):
    """A method that usually has no body says nothing about its length."""
    site = wire(serve(b"", status=b"204 No Content", length=False))
    world.request(method, site.url)

    assert [sent(site).field(name) for name in FRAMING] == [[], []]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
def test_method_without_its_body_says_length_zero(world, wire, method):
    """Any method but GET and HEAD says Content-Length: 0 when it has no body, as requests does."""
    site = wire(serve())
    world.request(method, site.url)

    assert [sent(site).field(name) for name in FRAMING] == [[b"0"], []]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
def test_body_has_its_length_whatever_the_method(world, wire, method):
    """A body of known size is framed by Content-Length, on a GET as well (RUSTSEC-2020-0008)."""
    site = wire(serve())
    world.request(method, site.url, data=b"\x00body\r\n\r\n")

    assert sent(site).field(b"content-length") == [b"9"]
    assert sent(site).field(b"transfer-encoding") == []
    assert sent(site).body == b"\x00body\r\n\r\n"


def test_empty_body_is_length_zero(world, wire):
    """b"" is a body of no bytes."""
    site = wire(serve())
    world.post(site.url, data=b"")

    assert sent(site).field(b"content-length") == [b"0"]


def test_large_body_arrives_whole(world, wire):
    """Ten megabytes go out as they are."""
    site = wire(serve())
    body = bytes(range(256)) * 40000
    world.post(site.url, data=body)

    assert sent(site).body == body


def test_form_is_encoded_in_order(world, wire):
    """A dict or list of pairs is a form."""
    site = wire(serve())
    world.post(site.url, data=[("a", "1 2"), ("b", "ü"), ("a", "3")])

    assert sent(site).body == b"a=1+2&b=%C3%BC&a=3"
    assert sent(site).field(b"content-type") == [b"application/x-www-form-urlencoded"]


def test_json_is_compact_on_type_only(world, wire):
    """``json=`` sends json.dumps of the value and its content type."""
    site = wire(serve())
    world.post(site.url, json={"a": [1, None]})

    assert sent(site).body == b'{"a": [1, null]}'
    assert sent(site).field(b"content-type") == [b"application/json"]


def test_generator_is_sent_chunked(world, wire):
    """A body of unknown size travels in chunks, none of them empty but the last."""
    site = wire(serve())
    world.post(site.url, data=(piece for piece in [b"one", b"", b"three"]))

    assert sent(site).body == b"onethree"
    assert sent(site).field(b"transfer-encoding") == [b"chunked"]
    assert sent(site).field(b"content-length") == []
    assert site.received.endswith(b"\r\n0\r\n\r\n")
    assert site.received.count(b"\r\n0\r\n") == 1


def test_file_is_sent_with_its_size(world, wire, tmp_path):
    """A file's rest, from where it stands, is a body of known size."""
    site = wire(serve())
    path = tmp_path / "body"
    path.write_bytes(b"0123456789" * 100000)
    with path.open("rb") as file:
        file.seek(5)
        world.post(site.url, data=file)

    assert sent(site).field(b"content-length") == [b"999995"]
    assert sent(site).body == b"56789" + b"0123456789" * 99999


def test_stream_in_memory_is_sent_with_its_size(world, wire):
    """BytesIO knows its size."""
    site = wire(serve())
    world.post(site.url, data=io.BytesIO(b"in memory"))

    assert (sent(site).field(b"content-length"), sent(site).body) == ([b"9"], b"in memory")


def test_async_generator_is_a_body_where_awaited(world, wire):
    """In the awaited world the body may be an async iterable."""
    if not world.awaits:
        pytest.skip("an async iterable has no meaning in the blocking world")
    site = wire(serve())

    async def pieces():
        yield b"one"
        yield b"two"

    world.post(site.url, data=pieces())

    assert sent(site).body == b"onetwo"


def test_file_upload_is_multipart(world, wire):
    """``files=`` sends one part a file, between the boundary its head names."""
    site = wire(serve())
    world.post(site.url, data={"a": "b"}, files={"f": ("name.txt", b"content", "text/plain")})

    (kind,) = sent(site).field(b"content-type")
    boundary = kind.split(b"boundary=")[1]
    parts = sent(site).body.split(b"--" + boundary)
    assert parts[1] == b'\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
    assert b'name="f"; filename="name.txt"\r\nContent-Type: text/plain\r\n\r\ncontent\r\n' in parts[2]
    assert parts[3] == b"--\r\n"


def test_fragment_stays_at_home(world, wire):
    """What follows # is not for the server, but the response's URL keeps it."""
    site = wire(serve())
    response = world.get(site.url + "/a#b")

    assert sent(site).line == b"GET /a HTTP/1.1"
    assert response.url == site.url + "/a#b"


def test_path_and_query_are_quoted_once(world, wire):
    """Text is percent-encoded, what is encoded already stays as it is."""
    site = wire(serve())
    world.get(site.url + "/ä b%20c", params={"q": "ö&=", "r": [1, 2]})

    assert sent(site).line == b"GET /%C3%A4%20b%20c?q=%C3%B6%26%3D&r=1&r=2 HTTP/1.1"


def test_empty_path_is_a_slash(world, wire):
    """A URL without a path asks for /."""
    site = wire(serve())
    world.get(site.url + "?q")

    assert sent(site).line == b"GET /?q HTTP/1.1"


def test_dot_segments_and_double_slashes_travel(world, wire):
    """The path is the caller's: only what requests normalises is normalised."""
    site = wire(serve())
    world.get(site.url + "//a//b/;c=d,e:f@g")

    assert sent(site).line == b"GET //a//b/;c=d,e:f@g HTTP/1.1"


def test_credentials_in_the_url_become_basic_auth(world, wire):
    """user:password@ is sent as Authorization and never in the request line or Host."""
    site = wire(serve())
    world.get(site.at("ann:s3%40@127.0.0.1"))

    assert sent(site).line == b"GET / HTTP/1.1"
    assert sent(site).field(b"host") == [site.netloc.encode()]
    assert sent(site).field(b"authorization") == [b"Basic YW5uOnMzQA=="]


def test_callers_host_replaces_ours(world, wire):
    """A Host header of the caller's own is the only one."""
    site = wire(serve())
    world.get(site.url, headers={"Host": "example.org"})

    assert sent(site).field(b"host") == [b"example.org"]


def test_host_has_no_default_port(world, tls_server, ca):
    """Host names the port exactly when the URL does."""
    response = world.get(tls_server.at("localhost") + "/get", verify=ca)

    assert dict(response.json()["headers"])["Host"] == "localhost:%d" % tls_server.port


def test_session_headers_come_first_and_none_removes_one(world, wire):
    """The session's headers come in their order, then the call's; None takes one away."""
    site = wire(serve())
    session = bare(world, ("X-A", "1"), ("X-B", "2"), ("X-C", "3"))
    session.get(site.url, headers={"x-c": "4", "X-B": None, "X-D": "5"})

    assert sent(site).fields[1:] == [(b"X-A", b"1"), (b"x-c", b"4"), (b"X-D", b"5")]


@pytest.mark.parametrize("where", ["session", "call"])
def test_a_field_may_be_skipped(world, wire, where):
    """By the value that urllib3 names SKIP_HEADER, which programs use where None would mean something else."""
    site = wire(serve())
    session = world.session()
    skipped = {"User-Agent": "@@@SKIP_HEADER@@@", "Accept-Encoding": "@@@SKIP_HEADER@@@"}
    if where == "session":
        session.headers.update(skipped)
    session.get(site.url, headers={} if where == "session" else skipped)

    assert [sent(site).field(name) for name in (b"user-agent", b"accept-encoding")] == [[], []]


def test_other_fields_cannot_be_skipped(world, wire):
    """As in urllib3: a Host there has to be, and others one leaves out."""
    with pytest.raises(world.requestx.exceptions.InvalidHeader, match="SKIP_HEADER"):
        world.get(wire(serve()).url, headers={"Host": "@@@SKIP_HEADER@@@"})


def test_defaults_are_those_of_requests(world, wire):
    """Without a word from the caller the four headers that requests sends are sent."""
    site = wire(serve())
    world.get(site.url)

    names = [name for name, _ in sent(site).fields]
    assert sorted(names) == [b"Accept", b"Accept-Encoding", b"Connection", b"Host", b"User-Agent"]
    assert sent(site).field(b"accept") == [b"*/*"]
    assert sent(site).field(b"connection") == [b"keep-alive"]


def test_header_value_may_be_any_bytes_but_line_ends(world, wire):
    """Values given as bytes go out as they are, values given as text in Latin-1."""
    site = wire(serve())
    world.get(site.url, headers={"X-Bytes": b"\xff\xfe\t!", "X-Text": "\xe9"})

    assert sent(site).field(b"x-bytes") == [b"\xff\xfe\t!"]
    assert sent(site).field(b"x-text") == [b"\xe9"]


def test_three_hundred_headers_go_out_in_order(world, wire):
    """There is no small limit on how many headers a request has."""
    site = wire(serve())
    fields = [("X-%d" % number, str(number)) for number in range(300)]
    bare(world).get(site.url, headers=dict(fields))

    assert sent(site).fields[1:] == [(name.encode(), value.encode()) for name, value in fields]


def test_long_url_goes_out_whole(world, wire):
    """Sixty thousand characters are a URL."""
    site = wire(serve())
    world.get(site.url + "/" + "a" * 60000)

    assert len(sent(site).line) == len(b"GET / HTTP/1.1") + 60000
