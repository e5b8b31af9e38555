"""Lines and pieces of a body that is still on the wire: the same in both worlds, however it is cut."""

from collections.abc import AsyncIterator

import pytest
from server.steps import answer, request, send

TEXT = "one\r\ntwo\nthree\rfour\n\n\u00e4\u20ac\U0001f600\u2028six\x0bseven\r\n"
KIND = b"Content-Type: text/plain; charset=utf-8"


def chunked(data, size):
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    return answer(body, b"Transfer-Encoding: chunked", KIND, length=False)


def taken(world, response, name, **how):
    """What `iter_...` gives, or where awaited `aiter_...`."""
    if not world.awaits:
        return list(getattr(response, "iter_" + name)(**how))
    source = getattr(response, "aiter_" + name)(**how)
    assert isinstance(source, AsyncIterator)

    async def collect():
        return [each async for each in source]

    return world.run(collect)


def whole(response, name, **how):
    """The same of a response that was read already, which is what requests' rules make of it."""
    return list(getattr(response, "iter_" + name)(**how))


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 5, 8, 512])
@pytest.mark.parametrize("decode_unicode", [False, True])
@pytest.mark.parametrize("delimiter", [None, "\n", "\r\n", "e"])
def test_lines_of_a_stream_are_those_of_the_whole(world, wire, chunk_size, decode_unicode, delimiter):
    """A body of known length, cut into pieces of the asked size."""
    cut = delimiter if decode_unicode or delimiter is None else delimiter.encode()
    how = {"chunk_size": chunk_size, "decode_unicode": decode_unicode, "delimiter": cut}
    site = wire([request(), send(answer(TEXT.encode(), KIND))] * 2)
    session = world.session()
    streamed = taken(world, session.get(site.url, stream=True), "lines", **how)

    assert streamed == whole(session.get(site.url), "lines", **how)


@pytest.mark.parametrize("chunk_size", [1, 2, 7, 100, None])
@pytest.mark.parametrize("decode_unicode", [False, True])
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_pieces_of_chunks_lose_nothing(world, wire, chunk_size, decode_unicode, size):
    """Characters that two chunks share are whole in one piece."""
    site = wire([request(), send(chunked(TEXT.encode(), size))])
    response = world.session().get(site.url, stream=True)
    pieces = taken(world, response, "content", chunk_size=chunk_size, decode_unicode=decode_unicode)

    assert pieces[0][:0].join(pieces) == (TEXT if decode_unicode else TEXT.encode())
    assert all(pieces)


def test_half_a_character_at_the_end_is_replaced(world, wire):
    """Nothing raises over a body that breaks off within a character."""
    site = wire([request(), send(answer(b"ab\xc3", KIND))])
    response = world.session().get(site.url, stream=True)

    assert "".join(taken(world, response, "content", chunk_size=2, decode_unicode=True)) == "ab\ufffd"


def test_lines_without_an_encoding_are_bytes(world, wire):
    """As in requests, even if text was asked for."""
    site = wire([request(), send(answer(b"one\ntwo", b"Content-Type: application/x"))])
    response = world.session().get(site.url, stream=True)

    assert taken(world, response, "lines", decode_unicode=True) == [b"one", b"two"]
