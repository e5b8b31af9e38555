"""Peers that never stop: every part of an answer has a bound, and reaching it is an error in good time.

The server counts what the client took (``sent``): that is the bound as the peer sees it.  Socket buffers of both sides
are part of the count, so the limits below are generous.
"""

import pytest
from server.steps import repeat, request, send, serve

MIB = 1 << 20
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
FOREVER = 1 << 22  # repetitions; nobody gets to the end of them

ENDLESS = {
    "status_line_endless": [send(b"HTTP/1.1 200 "), repeat(b"x", 64 * FOREVER)],
    "header_endless_count": [send(HEAD), repeat(b"X-A: b\r\n", FOREVER)],
    "header_endless_names": [send(HEAD), repeat(b"X-%d: b\r\n" % 10**9, FOREVER)],
    "header_endless_value": [send(HEAD + b"X-A: "), repeat(b"x", 64 * FOREVER)],
    "header_endless_name": [send(HEAD), repeat(b"x", 64 * FOREVER)],
    "info_flood": [repeat(b"HTTP/1.1 100 Continue\r\n\r\n", FOREVER)],
    "info_flood_with_headers": [repeat(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", FOREVER)],
    "trailers_endless": [send(CHUNKED + b"0\r\n"), repeat(b"X-A: b\r\n", FOREVER)],
    "chunk_ext_endless": [send(CHUNKED + b"5;"), repeat(b"x", 64 * FOREVER)],
    "chunk_ext_every_byte": [send(CHUNKED), repeat(b"1;%s\r\nx\r\n" % (b"y" * 200), FOREVER)],
}


@pytest.mark.parametrize("name", sorted(ENDLESS))
def test_endless_parts_are_bounded(world, wire, name):
    """After a bounded number of bytes it is a RequestException, long before the time limit."""
    site = wire([request()] + ENDLESS[name])
    with pytest.raises(world.requestx.exceptions.RequestException) as caught:
        world.get(site.url, timeout=10)

    assert not isinstance(caught.value, world.requestx.exceptions.Timeout)
    assert site.end(0) in ("eof", "reset")
    assert site.connections[0]["sent"] < 16 * MIB


def test_large_but_finite_head_is_taken(world, wire):
    """Sixty kilobytes of cookies are a head that real servers send."""
    fields = b"".join(b"Set-Cookie: c%d=%s\r\n" % (number, b"v" * 1000) for number in range(60))
    site = wire([request(), send(HEAD + fields + b"Content-Length: 2\r\n\r\nok")])
    response = world.get(site.url)

    assert response.content == b"ok"
    assert len(response.cookies) == 60


def test_bound_of_a_head_is_the_callers(world, wire):
    """What is too long for one is not for another."""
    fields = b"".join(b"X-%d: %s\r\n" % (number, b"v" * 1000) for number in range(400))
    site = wire(*[[request(), send(HEAD + fields + b"Content-Length: 2\r\n\r\nok")]] * 2)
    with pytest.raises(world.requestx.exceptions.ConnectionError, match="head is longer than 262144 bytes"):
        world.get(site.url)

    assert world.session(transport={"max_head_bytes": 1 << 20}).get(site.url).headers["X-399"] == "v" * 1000


@pytest.mark.parametrize("count, well", [(511, True), (512, False)])
def test_bound_on_the_number_of_fields(world, wire, count, well):
    """512 fields are taken, Content-Length counted."""
    fields = b"".join(b"X-%d: b\r\n" % number for number in range(count))
    site = wire([request(), send(HEAD + fields + b"Content-Length: 2\r\n\r\nok")])
    if well:
        assert len(world.get(site.url).headers) == 512
    else:
        with pytest.raises(world.requestx.exceptions.ConnectionError, match="512"):
            world.get(site.url)


def test_twenty_informational_heads_are_not_too_many(world, wire):
    """A bound on 1xx heads lets a slow server say that it is still there."""
    site = wire([request(), send(b"HTTP/1.1 102 Processing\r\n\r\n" * 20 + HEAD + b"Content-Length: 2\r\n\r\nok")])

    assert world.get(site.url).content == b"ok"


REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: /end\r\n"
ENDLESS_BODIES = {
    "length": [send(REDIRECT + b"Content-Length: 99999999999\r\n\r\n"), repeat(b"x", 64 * FOREVER)],
    "chunked": [send(REDIRECT + b"Transfer-Encoding: chunked\r\n\r\n"), repeat(b"5\r\nhello\r\n", FOREVER)],
    "to the end": [send(REDIRECT + b"\r\n"), repeat(b"x", 64 * FOREVER)],
    "gzip": [send(REDIRECT + b"Content-Encoding: gzip\r\n\r\n"), repeat(b"x", 64 * FOREVER)],
}


@pytest.mark.parametrize("kind", sorted(ENDLESS_BODIES))
@pytest.mark.parametrize("stream", [False, True])
def test_endless_body_of_a_redirect_is_left(world, wire, kind, stream):
    """Nobody asked for it: the next request goes out on another connection."""
    site = wire([request()] + ENDLESS_BODIES[kind], serve(b"end"))

    assert world.read(world.get(site.url, timeout=5, stream=stream)) == b"end"
    assert site.end(0) in ("eof", "reset")
    assert site.connections[0]["sent"] < 16 * MIB


def test_promised_length_is_not_allocated(child, wire):
    """A length of many gigabytes costs nothing until the bytes are there (CVE-2025-13836)."""
    site = wire([request(), send(HEAD + b"Content-Length: 99999999999\r\n\r\nhello"), ["close"]])
    outcome = child(
        """
        before = peak()
        try:
            requestx.get(url)
        except requestx.exceptions.RequestException as problem:
            print(type(problem).__name__)
        print(peak() - before < 100)
        """,
        site.url,
    )

    assert outcome.out.split() == ["ChunkedEncodingError", "True"], outcome
