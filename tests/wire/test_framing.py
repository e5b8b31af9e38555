"""Answers whose framing is wrong: what cannot be read in one way only is an error, never a guess.

The names are those of the list in the project's threat notes (section G).  Each answer is followed by FIN, so that
an unlimited read cannot hide a wrong length, and by bytes that a lenient parser would take for a second answer.
"""

import pytest
from server.steps import answer, close, fin, rst, send
from server.steps import request as one_request

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

REFUSED = {
    "cl_plus": HEAD + b"Content-Length: +5\r\n\r\nhello",
    "cl_underscore": HEAD + b"Content-Length: 1_0\r\n\r\nhellohello",
    "cl_negative": HEAD + b"Content-Length: -5\r\n\r\nhello",
    "cl_garbage": HEAD + b"Content-Length: five\r\n\r\nhello",
    "cl_hex": HEAD + b"Content-Length: 0x5\r\n\r\nhello",
    "cl_float": HEAD + b"Content-Length: 5.0\r\n\r\nhello",
    "cl_empty": HEAD + b"Content-Length: \r\n\r\nhello",
    "cl_overflow": HEAD + b"Content-Length: 18446744073709551621\r\n\r\nhello",
    "cl_conflicting": HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "cl_list_conflicting": HEAD + b"Content-Length: 5, 6\r\n\r\nhello!",
    "cl_space_before_colon": HEAD + b"Content-Length : 5\r\n\r\nhello",
    "cl_too_long": HEAD + b"Content-Length: 6\r\n\r\nhello",
    "chunk_size_overflow": CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "chunk_size_0x": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "chunk_size_plus": CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n",
    "chunk_size_minus": CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "chunk_size_underscore": CHUNKED + b"0_5\r\nhello\r\n0\r\n\r\n",
    "chunk_size_empty": CHUNKED + b"\r\nhello\r\n0\r\n\r\n",
    "chunk_no_crlf_after_data": CHUNKED + b"5\r\nhelloXX0\r\n\r\n",
    "chunk_bare_lf": CHUNKED + b"5\nhello\n0\n\n",
    "chunk_truncated": CHUNKED + b"5\r\nhel",
    "chunk_without_last": CHUNKED + b"5\r\nhello\r\n",
    "chunk_last_without_end": CHUNKED + b"5\r\nhello\r\n0\r\n",
    "header_nul": HEAD + b"X-A: a\x00b\r\nContent-Length: 5\r\n\r\nhello",
    "header_bare_cr": HEAD + b"X-A: a\rX-B: b\r\nContent-Length: 5\r\n\r\nhello",
    "header_name_with_space": HEAD + b"X A: b\r\nContent-Length: 5\r\n\r\nhello",
    "header_without_name": HEAD + b": b\r\nContent-Length: 5\r\n\r\nhello",
    "header_without_colon": HEAD + b"X-A\r\nContent-Length: 5\r\n\r\nhello",
    "status_reason_bare_cr": b"HTTP/1.1 200 O\rK\r\nContent-Length: 5\r\n\r\nhello",
    "status_two_digits": b"HTTP/1.1 20 OK\r\nContent-Length: 5\r\n\r\nhello",
    "status_letters": b"HTTP/1.1 2OO OK\r\nContent-Length: 5\r\n\r\nhello",
    "status_version": b"HTTP/3.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "status_no_http": b"hello, this is no HTTP at all\r\n\r\n",
    "status_old": b"<html>HTTP/0.9 had no head</html>",
    "head_truncated": HEAD + b"Content-Length: 5\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_ambiguous_answers_are_refused(world, wire, name):
    """Every one of them is a RequestException, in either world, and the connection is given up."""
    site = wire([one_request(), send(REFUSED[name]), fin()])
    with pytest.raises(world.requestx.exceptions.RequestException) as caught:
        world.get(site.url, timeout=5)

    assert not isinstance(caught.value, world.requestx.exceptions.Timeout)
    assert len(str(caught.value)) < 1000
    assert site.end(0) in ("eof", "reset")


@pytest.mark.parametrize("name", ["cl_conflicting", "status_letters", "header_without_colon"])
def test_a_head_that_is_none_is_an_invalid_header(world, wire, name):
    """It is a ConnectionError as well: nothing was answered that could be used."""
    site = wire([one_request(), send(REFUSED[name]), fin()])
    with pytest.raises(world.requestx.exceptions.InvalidHeader) as caught:
        world.get(site.url, timeout=5)

    assert isinstance(caught.value, world.requestx.exceptions.ConnectionError)
    assert "BadStatusLine" in str(caught.value)


@pytest.mark.parametrize("head", [HEAD, HEAD + b"Transfer-Encoding: chunked\r\n", HEAD + b"Content-Len"])
def test_a_head_that_breaks_off_is_no_answer(world, wire, head):
    """What came is not taken for a head; requests would find its body broken, and so does whoever expects that."""
    site = wire([one_request(), send(head), fin()])
    with pytest.raises(world.requestx.exceptions.ChunkedEncodingError) as caught:
        world.get(site.url, timeout=5)

    assert isinstance(caught.value, world.requestx.exceptions.ConnectionError)
    assert "in the middle of the response's head" in str(caught.value)


def test_a_long_url_leaves_room_for_what_happened(world, wire):
    """A message is short, whatever it is about."""
    site = wire([one_request(), send(HEAD), fin()])
    with pytest.raises(world.requestx.exceptions.RequestException) as caught:
        world.get(site.url + "/" + "x" * 5000, timeout=5)

    assert "in the middle of the response's head" in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_te_not_chunked_token(world, wire):
    """xchunked is not chunked (CVE-2022-1705): refused, or a body that ends with the connection (RFC 9112, 6.3)."""
    body = b"5\r\nhello\r\n0\r\n\r\n"
    site = wire([one_request(), send(HEAD + b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n" + body), fin()])
    try:
        seen = world.get(site.url, timeout=5).content
    except world.requestx.exceptions.RequestException:
        seen = body

    assert seen == body
    assert site.end(0) in ("eof", "reset")


TWO_LENGTHS = {
    "te_and_cl": HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "cl_and_te": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "te_chunked_twice": HEAD + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n5\r\nhello\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", sorted(TWO_LENGTHS))
def test_two_framings_never_leave_bytes_behind(world, wire, name):
    """Refused, or read as chunked to its end: never cut in the middle, and what follows is not an answer."""
    site = wire([one_request(), send(TWO_LENGTHS[name] + answer(b"smuggled"))], [one_request(), send(answer(b"own"))])
    session = world.session()
    try:
        assert session.get(site.url, timeout=5).content == b"hello"
    except world.requestx.exceptions.RequestException:
        pass

    assert session.get(site.url, timeout=5).content == b"own"


@pytest.mark.parametrize("more", [b"", b"Connection: keep-alive\r\n", b"Content-Length: 3\r\n"])
def test_chunks_in_http_1_0_are_read_and_end_the_connection(world, wire, more):
    """Servers send them, small ones in Python above all; nothing is read behind them (RFC 9112, 6.1)."""
    head = b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n" + more + b"\r\n"
    site = wire(
        [one_request(), send(head + b"5\r\nhello\r\n0\r\n\r\n" + answer(b"smuggled"))],
        [one_request(), send(answer(b"own"))],
    )
    session = world.session()

    assert session.get(site.url, timeout=5).content == b"hello"
    assert session.get(site.url, timeout=5).content == b"own"


def test_equal_lengths_are_one_length(world, wire):
    """The same length twice says nothing new (RFC 9110, 8.6)."""
    site = wire([one_request(), send(HEAD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello")])
    try:
        body = world.get(site.url, timeout=5).content
    except world.requestx.exceptions.RequestException:
        body = b"hello"

    assert body == b"hello"


def test_bytes_after_an_answer_are_not_the_next_answer(world, wire):
    """A server that says more than was asked loses its connection (response splitting)."""
    site = wire(
        [one_request(), send(answer(b"one") + answer(b"smuggled"))],
        [one_request(), send(answer(b"two"))],
    )
    session = world.session()

    assert session.get(site.url).content == b"one"
    assert session.get(site.url).content == b"two"


def test_a_server_that_speaks_first_is_heard(world, wire):
    """One that is too busy to listen answers a connection, as soon as it is there."""
    busy = HEAD.replace(b"200 OK", b"503 Busy") + b"Content-Length: 4\r\nConnection: close\r\n\r\nbusy"
    site = wire(*[[send(busy), one_request()]] * 20)
    session = world.session()

    assert [session.get(site.url).text for _ in range(20)] == ["busy"] * 20


def test_bytes_after_an_answer_to_head_are_not_the_next_answer(world, wire):
    """The same when the surplus is the body that HEAD must not have."""
    site = wire([one_request(), send(answer(b"surplus"))], [one_request(), send(answer(b"two"))])
    session = world.session()
    session.head(site.url)

    assert session.get(site.url).content == b"two"


CUT = {
    "length": HEAD + b"Content-Length: 10\r\n\r\nhello",
    "chunked": CHUNKED + b"5\r\nhello\r\n5\r\nwor",
    "between chunks": CHUNKED + b"5\r\nhello\r\n",
}


@pytest.mark.parametrize("end", [close, rst], ids=["fin", "rst"])
@pytest.mark.parametrize("name", sorted(CUT))
def test_body_that_ends_early_is_an_error(world, wire, name, end):
    """A body cut short by FIN or RST raises ChunkedEncodingError or ConnectionError, whole or streamed."""
    errors = world.requestx.exceptions
    site = wire(*[[one_request(), send(CUT[name]), end()]] * 2)
    with pytest.raises((errors.ChunkedEncodingError, errors.ConnectionError)):
        world.get(site.url)
    response = world.get(site.url, stream=True)
    with pytest.raises((errors.ChunkedEncodingError, errors.ConnectionError)):
        world.chunks(response, 3)


def test_pieces_before_the_cut_are_delivered(world, wire):
    """What arrived before the body was cut is not lost to who streams."""
    site = wire([one_request(), send(CUT["length"]), close()])
    pieces = world.pieces(world.get(site.url, stream=True), 5)

    assert next(pieces) == b"hello"
    with pytest.raises(world.requestx.exceptions.ChunkedEncodingError):
        next(pieces)


def test_reset_before_an_answer_is_a_connection_error(world, wire):
    """RST instead of an answer raises ConnectionError, and the request is not sent again on a fresh connection."""
    site = wire([one_request(), rst()], [one_request(), send(answer(b"again"))])
    with pytest.raises(world.requestx.exceptions.ConnectionError):
        world.get(site.url)

    assert len(site.requests) == 1
