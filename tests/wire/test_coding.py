"""Content codings: bodies arrive decoded, whole or in pieces, and a coding that breaks off is an error."""

import base64
import gzip
import time
import zlib

import pytest
from server.bodies import CODED, TEXT
from server.steps import answer, request, send, serve


def raw_deflate(data):
    maker = zlib.compressobj(wbits=-15)
    return maker.compress(data) + maker.flush()


@pytest.mark.parametrize("coding", sorted(CODED))
def test_every_coding_is_decoded(world, server, coding):
    """gzip, zlib and raw deflate, br, zstd: whole."""
    response = world.get(server.url + "/" + coding)

    assert response.content == TEXT
    assert response.headers["Content-Encoding"] == coding.replace("raw-", "")


@pytest.mark.parametrize("coding", sorted(CODED))
def test_every_coding_is_decoded_in_pieces(world, server, coding):
    """And streamed, in pieces of the size that was asked for."""
    pieces = world.chunks(world.get(server.url + "/" + coding, stream=True), 100)

    assert b"".join(pieces) == TEXT
    assert max(len(piece) for piece in pieces) <= 100


def coded(world, wire, body, coding):
    """The response to a body that says to be in this coding."""
    site = wire(serve(body, b"Content-Encoding: " + coding))
    return world.get(site.url)


@pytest.mark.parametrize("name", [b"x-gzip", b"GZIP", b" gzip "])
def test_names_of_codings_are_case_insensitive(world, wire, name):
    """x-gzip is gzip (RFC 9110, 8.4.1.3)."""
    assert coded(world, wire, gzip.compress(TEXT), name).content == TEXT


def test_stacked_codings_are_undone_in_reverse(world, wire):
    """The last one named was applied last."""
    assert coded(world, wire, gzip.compress(zlib.compress(TEXT)), b"deflate, gzip").content == TEXT
    assert coded(world, wire, gzip.compress(CODED["br"]), b"br, gzip").content == TEXT
    assert coded(world, wire, gzip.compress(raw_deflate(TEXT)), b"deflate,gzip").content == TEXT


def br_as_it_is(data):
    """One meta-block that is not compressed (RFC 7932, 9.2)."""
    return (len(data) - 1 << 4 | 1 << 20).to_bytes(3, "little") + data + b"\3"


def zstd_as_it_is(data):
    """One frame of one raw block (RFC 8878, 3.1.1)."""
    return (
        b"\x28\xb5\x2f\xfd\x60"
        + (len(data) - 256).to_bytes(2, "little")
        + (len(data) << 3 | 1).to_bytes(3, "little")
        + data
    )


ENCODE = {
    "br": br_as_it_is,
    "deflate": zlib.compress,
    "gzip": gzip.compress,
    "raw-deflate": raw_deflate,
    "zstd": zstd_as_it_is,
}
INCOMPRESSIBLE = bytes(number * number * 7919 >> 8 & 255 for number in range(1000))


@pytest.mark.parametrize("outer", sorted(ENCODE))
def test_every_coding_may_lie_on_every_other(world, wire, outer):
    """Whole and in pieces."""
    for inner in ENCODE:
        body, codings = ENCODE[outer](ENCODE[inner](INCOMPRESSIBLE)), (inner + ", " + outer).replace("raw-", "")
        site = wire(*[serve(body, b"Content-Encoding: " + codings.encode())] * 2)
        assert world.get(site.url).content == INCOMPRESSIBLE, codings
        assert b"".join(world.pieces(world.get(site.url, stream=True), 7)) == INCOMPRESSIBLE, codings


@pytest.mark.parametrize("coding", sorted(CODED))
@pytest.mark.parametrize("stream", [False, True])
def test_no_end_is_an_end_but_the_last(world, wire, coding, stream):
    """A body that breaks off after any of its bytes is an error, whole or in pieces."""
    name, body = coding.replace("raw-", "").encode(), CODED[coding]
    site = wire(*[serve(body[:end], b"Content-Encoding: " + name) for end in range(1, len(body))])
    for _ in range(1, len(body)):
        with pytest.raises(world.requestx.exceptions.ContentDecodingError, match="ends early|not valid br"):
            b"".join(world.pieces(world.get(site.url, stream=stream), 7))


@pytest.mark.parametrize("coding", sorted(ENCODE))
def test_what_follows_a_coding_is_passed_over(world, wire, coding):
    """As gunzip and requests do, but for zstd, whose frames may follow each other and have to be frames."""
    site = wire(serve(ENCODE[coding](TEXT) + b"more", b"Content-Encoding: " + coding.replace("raw-", "").encode()))
    if coding == "zstd":
        with pytest.raises(world.requestx.exceptions.ContentDecodingError, match="zstd"):
            world.get(site.url)
    else:
        assert world.get(site.url).content == TEXT


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd", b"gzip, br"])
@pytest.mark.parametrize(
    "method, status", [("HEAD", b"200 OK"), ("GET", b"204 No Content"), ("GET", b"304 Not Modified")]
)
def test_a_coding_of_no_body_is_none(world, wire, coding, method, status):
    """A head may tell the coding of a body that another request would get; the connection serves on."""
    site = wire(
        [request(), send(b"HTTP/1.1 " + status + b"\r\nContent-Encoding: " + coding + b"\r\n\r\n")] + serve(b"next")
    )
    session = world.session()

    assert session.request(method, site.url).content == b""
    assert session.get(site.url).content == b"next"


def test_codings_in_two_fields_are_stacked(world, wire):
    """Two fields are one list."""
    body = gzip.compress(zlib.compress(TEXT))
    site = wire(serve(body, b"Content-Encoding: deflate", b"Content-Encoding: gzip"))

    assert world.get(site.url).content == TEXT


def test_identity_and_unknown_codings_stay_as_they_are(world, wire):
    """What cannot be decoded is the caller's."""
    assert coded(world, wire, b"as it is", b"identity").content == b"as it is"
    assert coded(world, wire, b"as it is", b"sdch").content == b"as it is"


def test_several_gzip_members_are_one_body(world, wire):
    """gzip files may be concatenated (RFC 1952, 2.2)."""
    body = gzip.compress(b"one ") + gzip.compress(b"two ") + gzip.compress(b"three")

    assert coded(world, wire, body, b"gzip").content == b"one two three"


def test_many_empty_members_are_no_recursion(world, wire):
    """Fifty thousand empty members are an empty body (CVE-2022-30631)."""
    body = gzip.compress(b"") * 50000 + gzip.compress(b"end")

    assert coded(world, wire, body, b"gzip").content == b"end"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_empty_body_in_a_coding_is_empty(world, wire, coding):
    """Servers name a coding on bodies that are not there."""
    assert coded(world, wire, b"", coding.encode()).content == b""
    chunked = wire(
        serve(
            b"0\r\n\r\n", b"Transfer-Encoding: chunked", b"Content-Encoding: gzip, %s" % coding.encode(), length=False
        )
    )
    assert world.get(chunked.url).content == b""


@pytest.mark.parametrize("coding", sorted(CODED))
def test_truncated_codings_are_errors(world, wire, coding):
    """A body whose length is right and whose coding breaks off is not whole."""
    name = coding.replace("raw-", "").encode()
    with pytest.raises(world.requestx.exceptions.RequestException):
        coded(world, wire, CODED[coding][:-10], name)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_garbage_in_a_coding_is_a_decoding_error(world, wire, coding):
    """What was never in that coding raises ContentDecodingError."""
    with pytest.raises(world.requestx.exceptions.ContentDecodingError):
        coded(world, wire, b"\xff\xfe this is plain text, and was never coded", coding.encode())


def test_a_window_of_a_gigabyte_is_no_br(world, wire):
    """Windows beyond RFC 7932 are a coding of somebody's own, and would be allocated before anything has come."""
    with pytest.raises(world.requestx.exceptions.ContentDecodingError, match="RFC 7932"):
        coded(world, wire, b"\x11\x1e\xff\xff\xff\x01" + bytes(1000), b"br")


def test_wrong_checksum_is_a_decoding_error(world, wire):
    """gzip's own check is made."""
    body = bytearray(gzip.compress(TEXT))
    body[-8] ^= 1
    with pytest.raises(world.requestx.exceptions.ContentDecodingError):
        coded(world, wire, bytes(body), b"gzip")


def test_connection_is_not_used_after_a_decoding_error(world, wire):
    """The rest of a broken body is not read; the next request has its own connection or a clean one."""
    site = wire(serve(b"\xff" * 100, b"Content-Encoding: gzip") + serve(b"next"), serve(b"next"))
    session = world.session()
    with pytest.raises(world.requestx.exceptions.ContentDecodingError):
        session.get(site.url)

    assert session.get(site.url).content == b"next"


def test_large_coded_body(world, wire):
    """Fifty megabytes from fifty kilobytes, whole."""
    body = gzip.compress(b"\0" * (50 << 20), 9)

    assert coded(world, wire, body, b"gzip").content == b"\0" * (50 << 20)


def zstd_of_zeros(data, level):
    """Blocks of 128 KiB, each of one repeated byte (RFC 8878, 3.1.1.2)."""
    head, block = b"\x28\xb5\x2f\xfd\x00\x38", lambda last: (last | 1 << 1 | 1 << 20).to_bytes(3, "little") + b"\0"
    return head + block(0) * ((len(data) >> 17) - 1) + block(1)


def br_of_zeros(data, level):
    """Meta-blocks of a megabyte that end at a byte, made once with the reference encoder."""
    head, block = base64.b64decode("8AAA/wRAhBEAMAA="), base64.b64decode(BR_OF_A_MEGABYTE)
    return head + block * (len(data) >> 20) + b"\3"


BR_OF_A_MEGABYTE = (
    "+v8P+CcA4rAAQPc+QP//Af8EQBwWAOjeB+j/P+CfAIjDAgDd+wD9/wf8EwBxWACgex+g//+AfwIgDgsAdO8D9P8f8E8AxGEBgO59gP7/A/4JgDgs"
    "ANC9D9D/f8A/ARCHBQC69wE="
)
BOMBS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": br_of_zeros, "zstd": zstd_of_zeros}


@pytest.mark.parametrize("coding", sorted(BOMBS))
def test_bombs_are_decoded_as_they_are_read(child, wire, coding):
    """Reading the start of a body does not decode the rest (CVE-2025-66471), nor does closing it (CVE-2026-44432)."""
    bomb = BOMBS[coding](b"\0" * (400 << 20), 9)
    site = wire(*[serve(bomb, b"Content-Encoding: " + coding.encode())] * 2)
    outcome = child(
        """
        before = peak()
        response = requestx.get(url, stream=True)
        print(len(next(response.iter_content(1000))))
        response.close()

        async def main():
            response = await requestx.get(url, stream=True)
            async for piece in response.aiter_content(1000):
                print(len(piece))
                break
            await response.aclose()

        asyncio.run(main())
        print(peak() - before < 64)
        """,
        site.url,
    )

    assert outcome.out.split() == ["1000", "1000", "True"], outcome


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_kept_whole_has_bounds(world, wire, stream):
    """A hundred megabytes out of a hundred kilobytes are refused, by the limit's name, however they are asked for."""
    site = wire(serve(gzip.compress(b"\0" * (100 << 20), 9), b"Content-Encoding: gzip"))
    with pytest.raises(world.requestx.exceptions.ContentDecodingError, match="max_decoded_ratio is 256"):
        world.read(world.get(site.url, stream=stream))


@pytest.mark.parametrize(
    "limits, refused",
    [
        ({"max_decoded_bytes": 2_000_000}, "max_decoded_bytes is 2000000"),
        ({"max_decoded_bytes": 3_000_000}, None),
        ({"max_decoded_bytes": None, "max_decoded_ratio": 1}, None),
    ],
)
def test_bounds_are_the_adapters(world, wire, limits, refused):
    """They are set there, also later; the ratio lets 64 MiB pass."""
    site = wire(serve(gzip.compress(b"\0" * 3_000_000), b"Content-Encoding: gzip"))
    session, adapter = world.session(), world.requestx.adapters.HTTPAdapter()
    session.mount("http://", adapter)
    for name, limit in limits.items():
        setattr(adapter, name, limit)
    if refused:
        with pytest.raises(world.requestx.exceptions.ContentDecodingError, match=refused):
            session.get(site.url)
    else:
        assert len(session.get(site.url).content) == 3_000_000


@pytest.mark.parametrize("limits", [{}, {"max_decoded_bytes": None, "max_decoded_ratio": None}])
def test_bounds_can_be_lifted(world, wire, limits):
    """Pieces have none, and None is for none."""
    site = wire(serve(gzip.compress(b"\0" * (70 << 20), 9), b"Content-Encoding: gzip"))
    session = world.session()
    session.mount("http://", world.requestx.adapters.HTTPAdapter(**limits))
    response = session.get(site.url, stream=True)

    whole = world.read(response) if limits else b"".join(world.pieces(response, 1 << 20))
    assert len(whole) == 70 << 20


def hollow(wire, members):
    """The URL of a body in three codings around so many members of gzip with nothing in them: a few hundred bytes."""
    body = gzip.compress(gzip.compress(gzip.compress(b"") * members))
    return wire(serve(body, b"Content-Encoding: gzip, gzip, gzip")).url


@pytest.mark.parametrize("stream", [False, True])
def test_what_comes_to_nothing_has_bounds_even_in_pieces(world, wire, stream):
    """A reader could say no to a piece, but there is none."""
    session = world.session()
    session.mount("http://", world.requestx.adapters.HTTPAdapter(max_decoded_bytes=1 << 20))
    with pytest.raises(world.requestx.exceptions.ContentDecodingError, match="max_decoded_bytes is 1048576"):
        list(world.pieces(session.get(hollow(wire, 200_000), stream=stream), 1000))


def test_the_total_ends_even_what_comes_to_nothing(world, wire):
    """Decoding stops for the clock, although nobody is waited for."""
    limits = {"max_decoded_bytes": None, "max_decoded_ratio": None}
    session, url, began = world.session(), hollow(wire, 5_000_000), time.monotonic()
    session.mount("http://", world.requestx.adapters.HTTPAdapter(**limits))
    with pytest.raises(world.requestx.exceptions.Timeout):
        session.get(url, timeout=world.requestx.TimeLimits(total=0.2))

    assert time.monotonic() - began < 2


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, "1", 1 << 63])
def test_bounds_are_whole_numbers(world, limit):
    """What can be no limit is refused."""
    for name in ("max_decoded_bytes", "max_decoded_ratio"):
        with pytest.raises(ValueError, match=name):
            world.requestx.adapters.HTTPAdapter(**{name: limit})


@pytest.mark.limit(90)
def test_a_gigabyte_streams_through_little_memory(child, wire):
    """Whatever a megabyte becomes is decoded piece by piece: both worlds, under a limit on memory."""
    zeros = zlib.compressobj(9, wbits=31)
    bomb = b"".join(zeros.compress(b"\0" * (1 << 24)) for _ in range(64)) + zeros.flush()
    site = wire(*[serve(bomb, b"Content-Encoding: gzip")] * 2)
    outcome = child(
        """
        import asyncio, resource
        requestx.Session().close()
        mapped = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        limit = mapped + (192 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        print(sum(map(len, requestx.get(url, stream=True).iter_content(1 << 16))))

        async def main():
            response = await requestx.get(url, stream=True)
            return sum([len(piece) async for piece in response.aiter_content(1 << 16)])

        print(asyncio.run(main()))
        """,
        site.url,
        limit=80,
    )

    assert outcome.out.split() == [str(1 << 30)] * 2, outcome


@pytest.mark.parametrize("fields", [[b", ".join([b"gzip"] * 100)], [b"gzip"] * 100])
def test_long_chains_of_codings_are_refused(world, wire, fields):
    """A hundred codings are an attack (CVE-2022-32206), in one field or in many (CVE-2023-23916)."""
    body = b"x"
    for _ in range(100):
        body = gzip.compress(body)
    site = wire(serve(body, *[b"Content-Encoding: " + field for field in fields]))
    with pytest.raises(world.requestx.exceptions.ContentDecodingError, match="100 content codings"):
        world.get(site.url)


def test_redirect_body_is_not_decoded(child, wire):
    """Nobody asked for the body of a redirect (CVE-2026-21441)."""
    bomb = gzip.compress(b"\0" * (400 << 20), 9)
    site = wire(
        [request(), send(answer(bomb, b"Location: /b", b"Content-Encoding: gzip", status=b"302 Found"))]
        + serve(b"end"),
        serve(b"end"),
    )
    outcome = child(
        """
        before = peak()
        print(requestx.get(url).text)
        print(peak() - before < 64)
        """,
        site.url,
    )

    assert outcome.out.split() == ["end", "True"], outcome


def test_what_is_asked_for(world, wire):
    """gzip and deflate, whatever else is installed."""
    site = wire(serve(b"x"))
    world.get(site.url)

    assert b"Accept-Encoding: gzip, deflate\r\n" in site.requests[0].head
