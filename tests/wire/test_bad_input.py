"""What a caller gets wrong: a clear error of the right class, before a byte reaches any server."""

import pytest
from server.steps import serve

BAD_URLS = {
    "no scheme": ("127.0.0.1:1/", "MissingSchema InvalidSchema"),
    "nothing": ("", "MissingSchema"),
    "path only": ("/a/b", "MissingSchema"),
    "no host": ("http://", "InvalidURL"),
    "no host but a path": ("http:///path", "InvalidURL"),
    "no host but a port": ("http://:80/", "InvalidURL"),
    "port too large": ("http://127.0.0.1:65536/", "InvalidURL"),
    "port far too large": ("http://127.0.0.1:99999999999999999999/", "InvalidURL"),
    "port in letters": ("http://127.0.0.1:http/", "InvalidURL"),
    "port negative": ("http://127.0.0.1:-1/", "InvalidURL"),
    "bracket open": ("http://[::1/", "InvalidURL"),
    "bracket around a name": ("http://[localhost]/", "InvalidURL"),
    "bracket and more": ("http://[::1].example.org/", "InvalidURL"),
    "star": ("http://*example.org/", "InvalidURL"),
    "dot": ("http://.example.org/", "InvalidURL"),
    "label too long": ("http://%s.example.org/" % ("a" * 64), "InvalidURL"),
    "file": ("file:///etc/passwd", "InvalidSchema"),
    "ftp": ("ftp://127.0.0.1/", "InvalidSchema"),
    "unknown scheme": ("gopher://127.0.0.1/", "InvalidSchema"),
    "javascript": ("javascript:alert(1)", "InvalidSchema"),
}


def kinds(world, names):
    """The exception classes of these names."""
    return tuple(getattr(world.requestx.exceptions, name) for name in names.split())


@pytest.mark.parametrize("name", sorted(BAD_URLS))
def test_bad_urls(world, name):
    """Each has the class that requests gives it, which is a ValueError too."""
    url, names = BAD_URLS[name]
    with pytest.raises(kinds(world, names)) as caught:
        world.get(url, timeout=2)

    assert isinstance(caught.value, (world.requestx.exceptions.RequestException, ValueError))
    assert isinstance(caught.value, ValueError)


LINE_ENDS = ["\r", "\n", "\r\n", "\r\nX-Injected: 1", "\0", "\n\n"]


@pytest.mark.parametrize(
    "change, name",
    [
        ({"method": None}, "InvalidMethod"),
        ({"method": 5}, "InvalidMethod"),
        ({"headers": {"X-A": ["a", "b"]}}, "InvalidHeader"),
        ({"headers": {"X-A": object()}}, "InvalidHeader"),
        ({"headers": {5.5: "a"}}, "InvalidHeader"),
    ],
)
def test_what_is_changed_after_preparing_is_looked_at(world, wire, change, name):
    """What is no text does not go out as Python would print it."""
    site, session = wire([]), world.session()
    prepared = world.requestx.Request("GET", site.url).prepare()
    vars(prepared).update(change)
    with pytest.raises(kinds(world, name)) as caught:
        session.send(prepared)

    assert caught.value.request is prepared
    assert site.received == b""


@pytest.mark.parametrize("method", ["GET", b"GET"])
def test_method_may_be_bytes(world, wire, method):
    """As names and values may, where somebody sets it on a prepared request."""
    site, session = wire(serve()), world.session()
    prepared = world.requestx.Request("POST", site.url).prepare()
    prepared.method, prepared.headers["X-A"] = method, 5
    session.send(prepared)

    assert site.requests[0].line == b"GET / HTTP/1.1"
    assert site.requests[0].field(b"x-a") == [b"5"]


@pytest.mark.parametrize("bad", LINE_ENDS)
@pytest.mark.parametrize("where", ["value", "bytes value", "name", "bytes name"])
def test_header_injection(world, wire, where, bad):
    """CR, LF and NUL in a header are InvalidHeader, and nothing goes out."""
    site = wire([])
    name, value = ("X-A", "b" + bad + "c") if "value" in where else ("X" + bad + "A", "b")
    if "bytes" in where:
        name, value = name.encode(), value.encode()
    with pytest.raises(world.requestx.exceptions.InvalidHeader):
        world.get(site.url, headers={name: value})

    assert site.received == b""


@pytest.mark.parametrize("bad", [b"Host", b"Cookie", b"User-Agent", b"Content-Type"])
def test_no_header_is_an_exception(world, wire, bad):
    """The rule holds for the headers that the client knows as well."""
    site = wire([])
    with pytest.raises(world.requestx.exceptions.InvalidHeader):
        world.post(site.url, data=b"x", headers={bad.decode(): "a\r\nX-Injected: 1"})

    assert site.received == b""


@pytest.mark.parametrize("name", ["", "X A", "X:A", "X\tA", "X-\xe4", "(X)", "X\x7f"])
def test_header_names_are_tokens(world, wire, name):
    """Anything but a token is no name."""
    site = wire([])
    with pytest.raises(world.requestx.exceptions.InvalidHeader):
        world.get(site.url, headers={name: "b"})

    assert site.received == b""


@pytest.mark.parametrize("value", [1, 1.5, ["a"], {"a": "b"}, object()])
def test_header_values_are_text(world, wire, value):
    """A number is not converted behind the caller's back, as in requests."""
    site = wire([])
    with pytest.raises(world.requestx.exceptions.InvalidHeader):
        world.get(site.url, headers={"X-A": value})

    assert site.received == b""


BAD_METHODS = ["GE T", "GET\r\n", "GET /x HTTP/1.1\r\nX-A: b\r\n\r\nGET", "GET\0", "G\xc4T", "", "(GET)"]


@pytest.mark.parametrize("method", BAD_METHODS)
def test_methods_are_tokens(world, wire, method):
    """Anything else is a RequestException and a ValueError, and nothing goes out."""
    site = wire([])
    with pytest.raises((world.requestx.exceptions.RequestException, ValueError)):
        world.request(method, site.url)

    assert site.received == b""


@pytest.mark.parametrize("bad", ["\r\n", "\n", "\0", " HTTP/1.1\r\nX-Injected: 1\r\n"])
def test_urls_cannot_inject(world, wire, bad):
    """Line ends in path, query or fragment are percent-encoded or refused: one request, one line."""
    for place in ("/a%sb", "/?a=%sb", "/#a%sb"):
        site = wire([["request"], ["send", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]])
        try:
            world.get(site.url + place % bad)
        except world.requestx.exceptions.InvalidURL:
            pass

        assert b"\nX-Injected" not in site.received
        assert [each.line.count(b" ") for each in site.requests] in ([], [2])


@pytest.mark.parametrize("bad", ["\r\nX-A: b\r\n", "\0", " ", "\n"])
def test_hosts_cannot_inject(world, wire, bad):
    """A host with a line end, NUL or space is InvalidURL."""
    site = wire([])
    with pytest.raises((world.requestx.exceptions.InvalidURL, world.requestx.exceptions.ConnectionError)):
        world.get("http://127.0.0.1%s:%d/" % (bad, site.port))

    assert site.received == b""


@pytest.mark.parametrize("limit", ["5", "soon", -1, 0, (1,), (1, 2, 3), (-1, 5), (1, "x"), [], object()])
def test_time_limits_are_numbers(world, server, limit):
    """A time-out that is no positive number, or no pair of such, is a ValueError, and nothing goes out."""
    with pytest.raises((ValueError, TypeError, world.requestx.exceptions.RequestException)):
        world.get(server.url + "/get", timeout=limit)

    assert server.requests == []


def test_not_a_number_is_no_time_limit(world, server):
    """NaN is neither forever nor never."""
    with pytest.raises((ValueError, world.requestx.exceptions.RequestException)):
        world.get(server.url + "/get", timeout=float("nan"))

    assert server.requests == []


def test_endless_time_limit_is_none(world, server):
    """Infinity, and what is as good as it, is no limit."""
    for limit in (float("inf"), 1e20):
        try:
            assert world.get(server.url + "/get", timeout=limit).ok
        except (ValueError, OverflowError):
            pass  # a clear refusal is as good


def test_multipart_cannot_be_injected_into(world, wire):
    """CR and LF in a file's name or type do not end its part's head (CVE-2026-34514)."""
    for part in (("a\r\nX-Injected: 1", b"x", "text/plain"), ("a", b"x", "text/plain\r\nX-Injected: 1")):
        site = wire([["request"], ["send", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]])
        try:
            world.post(site.url, files={"f": part})
        except (ValueError, world.requestx.exceptions.RequestException):
            pass

        assert b"\nX-Injected" not in site.received


def test_error_messages_are_short_and_clean(world):
    """What a peer or caller put in does not come out as control bytes or megabytes."""
    with pytest.raises(world.requestx.exceptions.RequestException) as caught:
        world.get("http://127.0.0.1:1/" + "a" * 100000 + "\x1b[31m")

    assert len(str(caught.value)) <= 1000
    assert "\x1b" not in str(caught.value)


def test_caller_survives_bad_input(world, server):
    """A session that was given nonsense goes on."""
    session = world.session()
    for url in ("http://", server.url + "/get"):
        for headers in ({"X": "a\nb"}, {}):
            try:
                session.get(url, headers=headers)
            except world.requestx.exceptions.RequestException:
                pass

    assert session.get(server.url + "/get").ok
    assert len(server.connections) == 1
