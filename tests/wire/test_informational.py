"""What comes before an answer, and behind its body: informational heads and trailers, in both worlds."""

import pytest
from server.steps import answer, request, send, serve

EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nlink: </b.js>\r\n\r\n"
CHUNKED = answer(b"2\r\nok\r\n0\r\n", b"Transfer-Encoding: chunked", length=False)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("verb", ["get", "post"])
def test_early_hints_are_read(world, wire, verb, stream):
    """Each with its status and its headers, before the answer, which is the last."""
    site = wire([request(), send(b"HTTP/1.1 100 Continue\r\n\r\n" + EARLY + answer())])
    response = getattr(world.session(), verb)(site.url, stream=stream)

    (first, nothing), (second, hints) = response.informational
    assert (response.status_code, first, second) == (200, 100, 103)
    assert dict(nothing) == {}
    assert hints["link"] == "</a.css>, </b.js>"


def test_most_answers_have_nothing_before_and_behind_them(world, wire):
    """Both are empty then, whichever way the answer came."""
    site = wire(serve() * 2)
    session = world.session()

    for response in (session.get(site.url), session.post(site.url)):
        assert (response.informational, dict(response.trailers)) == ([], {})


def test_each_answer_has_its_own(world, wire):
    """A redirect's hints are the redirect's."""
    moved = answer(b"", b"Location: /next", status=b"302 Found")
    site = wire([request(), send(EARLY + moved)] + serve())
    response = world.get(site.url)

    assert response.informational == []
    assert [status for status, _ in response.history[0].informational] == [103]


def test_a_broken_informational_head_breaks_the_answer(world, wire):
    """What is no HTTP is not passed over."""
    site = wire([request(), send(b"HTTP/1.1 103 Early Hints\r\nno header\r\n\r\n" + answer())])
    with pytest.raises(world.requestx.exceptions.ConnectionError):
        world.get(site.url)


def test_trailers_of_a_whole_body(world, wire):
    """They are no headers, and names are spelt as usual."""
    site = wire([request(), send(CHUNKED + b"x-sum: 1\r\nX-Sum: 2\r\nETAG: e\r\n\r\n")])
    response = world.get(site.url)

    assert (response.content, dict(response.trailers)) == (b"ok", {"X-Sum": "1, 2", "ETag": "e"})
    assert "x-sum" not in response.headers


def test_trailers_of_a_stream(world, wire):
    """They are known once its body was read to its end, in pieces or whole."""
    reply = send(CHUNKED + b"X-Sum: 1\r\n\r\n")
    site = wire([request(), reply, request(), reply])
    session = world.session()
    for read in (world.chunks, world.read):
        response = session.get(site.url, stream=True)
        assert response.trailers is None
        read(response)

        assert response.trailers["x-sum"] == "1"


def test_trailers_behind_a_coded_body(world, wire):
    """A decoder that has enough does not leave them unread."""
    import gzip

    body = gzip.compress(b"body")
    chunk = b"%x\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(body), body)
    site = wire(
        [request(), send(answer(chunk, b"Transfer-Encoding: chunked", b"Content-Encoding: gzip", length=False))]
    )
    response = world.get(site.url)

    assert (response.content, response.trailers["X-Sum"]) == (b"body", "1")


def test_a_stream_given_up_has_no_trailers(world, wire):
    """Nobody knows what would have come."""
    site = wire([request(), send(CHUNKED + b"X-Sum: 1\r\n\r\n")])
    response = world.get(site.url, stream=True)
    world.close(response)

    assert response.trailers is None
