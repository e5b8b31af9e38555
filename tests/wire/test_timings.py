"""Where the time went: by phase, for each hop, whole and streamed, in both worlds."""

import pickle
from datetime import timedelta

import pytest
from server.steps import answer, request, send, serve


def test_an_answer_says_where_its_time_went(world, wire):
    """A new connection took time; nothing was tunnelled or secured; bytes are those of the wire."""
    site = wire(serve(b"body"))
    seen = world.get(site.url).timings

    assert seen.connect > 0 and seen.send > 0 and seen.await_ > 0
    assert (seen.tunnel, seen.secure, seen.reused) == (0, 0, False)
    assert (seen.bytes_sent, seen.bytes_received) == (len(site.received), len(answer(b"body")))


def test_over_http2_the_bytes_are_those_of_the_bodies(world, streams):
    """Heads and frames of many exchanges share the wire."""
    site = streams(plain=True)
    seen = world.session(transport={"http2": "only"}).post(site.url + "/echo", data=b"body")

    assert (seen.timings.bytes_sent, seen.timings.bytes_received) == (4, len(seen.content))


def test_a_kept_connection_has_its_number(world, wire):
    """The second answer came over it, without connecting; small ones, and those that are not sent ready."""
    site = wire(serve() * 3)
    session = world.session()
    first, second, third = (call(site.url).timings for call in (session.get, session.get, session.post))

    assert second.connection == third.connection == first.connection > 0
    assert second.reused and third.reused
    assert second.connect == third.connect == 0 < third.await_


def test_each_hop_has_its_own(world, wire):
    """Redirects keep theirs in ``history``."""
    site = wire(serve(b"moved", b"Location: /next", status=b"302 Found") + serve())
    response = world.get(site.url)
    (hop,) = response.history

    assert hop.timings.connect > 0 == response.timings.connect
    assert response.timings.await_ != hop.timings.await_


def test_tls_is_a_phase(world, tls_server, ca):
    """The handshake's time stands apart."""
    assert world.get(tls_server.at("localhost") + "/get", verify=ca).timings.secure > 0


def test_a_stream_is_timed_to_its_end(world, wire):
    """What is read later counts, and is known when the connection is back in its pool."""
    whole = answer(b"a" * 300_000)
    site = wire([request(), send(whole)])
    response = world.get(site.url, stream=True)
    begun = response.timings
    world.read(response)

    assert response.timings.read > begun.read
    assert response.timings.bytes_received == len(whole)
    assert response.timings == response.timings


def test_phases_add_up(world, wire):
    """They have their names, and `elapsed` is those up to the head."""
    response = world.get(wire(serve()).url)
    seen = response.timings

    assert list(seen.phases) == ["queue", "resolve", "connect", "tunnel", "secure", "send", "await", "read"]
    assert sum(seen.phases.values()) == seen.total
    assert response.elapsed == timedelta(seconds=seen.to_head)
    assert seen.to_head == pytest.approx(seen.total - seen.read)


def test_what_the_core_did_not_make_has_none(world, wire):
    """A pickled response is an answer of long ago."""
    response = world.get(wire(serve()).url)

    assert pickle.loads(pickle.dumps(response)).timings is None
    assert world.requestx.Response().timings is None
