"""``Expect: 100-continue``: the head goes first, and the body when the server wants it (RFC 9110, 10.1.1)."""

import pytest
from server.steps import answer, body, head, mark, receive, request, send, serve, wait

EXPECT = {"Expect": "100-continue"}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def bodies():
    """A body in one piece, one that is pushed, and one without a length."""
    return {"whole": b"body", "large": b"body" * 300000, "chunks": (piece for piece in [b"bo", b"dy"])}


@pytest.mark.parametrize("kind", ["whole", "large", "chunks"])
def test_body_follows_when_the_server_wants_it(world, wire, kind):
    """Nothing but the head is sent before the 100; then all of it."""
    site = wire([head(), mark("head"), wait("go"), send(CONTINUE), body(), send(answer())])
    session = world.session()
    pending = session.start("post", site.url, data=bodies()[kind], headers=EXPECT)
    site.wait("head")
    before = site.received
    site.set("go")

    assert pending.result().status_code == 200
    assert before.endswith(b"\r\n\r\n")
    assert site.requests[0].body == (b"body" * 300000 if kind == "large" else b"body")


@pytest.mark.parametrize("kind", ["whole", "large", "chunks"])
def test_no_body_is_sent_after_a_final_answer(world, wire, kind):
    """A server that says no gets none of it."""
    site = wire([head(), send(answer(b"no", status=b"413 Content Too Large"))])
    response = world.post(site.url, data=bodies()[kind], headers=EXPECT)

    assert (response.status_code, world.read(response)) == (413, b"no")
    assert site.end() == "eof"
    assert site.received.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", [b"200 OK", b"417 Expectation Failed"])
def test_connection_is_not_used_again_without_its_body(world, wire, status):
    """The server may still wait for it (CVE-2024-24791): the next request takes another connection."""
    site = wire([head(), send(answer(b"early", status=status))], serve(b"second"))
    session = world.session()
    first = session.post(site.url, data=b"body", headers=EXPECT)
    second = session.get(site.url)

    assert (world.read(first), world.read(second)) == (b"early", b"second")


def test_generator_is_not_asked_for_a_body_that_is_not_wanted(world, wire):
    """Its first piece is asked for when the server has said 100."""
    site = wire([head(), send(answer(b"no", status=b"401 Unauthorized"))])
    asked = []
    world.post(site.url, data=(asked.append(piece) or piece for piece in [b"a"]), headers=EXPECT)

    assert asked == []


def test_body_goes_after_a_second_without_an_answer(world, wire):
    """Many servers never say 100, and wait for the body."""
    site = wire(serve())
    response = world.post(site.url, data=b"body", headers=EXPECT)

    assert response.status_code == 200
    assert site.requests[0].body == b"body"


def test_that_second_counts_for_no_time_limit(world, wire):
    """It is our patience, not the network's time."""
    site = wire(serve())
    response = world.post(site.url, data=b"body", headers=EXPECT, timeout=0.5)

    assert response.status_code == 200


def test_other_informational_answers_are_no_word(world, wire):
    """103 says nothing of the body."""
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    site = wire([head(), send(early), mark("hinted"), wait("go"), send(CONTINUE), receive(4), send(answer())])
    pending = world.session().start("post", site.url, data=b"body", headers=EXPECT)
    site.wait("hinted")
    before = site.received
    site.set("go")

    assert pending.result().status_code == 200
    assert before.endswith(b"\r\n\r\n")


def test_connection_is_kept_after_a_body_that_was_wanted(world, wire):
    """All was said and done."""
    site = wire([head(), send(CONTINUE), receive(4), send(answer()), request(), send(answer(b"second"))])
    session = world.session()
    session.post(site.url, data=b"body", headers=EXPECT)

    assert world.read(session.get(site.url)) == b"second"


def test_expect_without_a_body_waits_for_nothing(world, wire):
    """There is nothing to continue with."""
    site = wire(serve())

    assert world.get(site.url, headers=EXPECT).status_code == 200
