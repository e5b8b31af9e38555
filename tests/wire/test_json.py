"""JSON by the session's own encoder and decoder, for those who want another than the standard library's."""

import json
from decimal import Decimal

import pytest


def exact(text, **more):
    """A decoder that loses no digit."""
    return json.loads(text, parse_float=Decimal, **more)


@pytest.mark.parametrize("verb", ["get", "post"])
def test_answers_are_decoded_by_the_sessions_decoder(world, server, verb):
    """On every way that a request can take; the first and the later ones."""
    session = world.session(json_loads=lambda text: ("mine", type(text)))
    seen = [getattr(session, verb)(server.url + "/echo").json() for _ in range(2)]

    assert seen == [("mine", str)] * 2


def test_a_decoder_may_come_and_go(world, server):
    """What is set counts for the next call."""
    session = world.session()
    before = session.get(server.url + "/json").json()
    session.json_loads = lambda text: "mine"
    during = session.get(server.url + "/json").json()
    session.json_loads = None

    assert [before, "mine", before] == [before, during, session.get(server.url + "/json").json()]


def test_arguments_go_on_to_the_decoder(world, server):
    """Those of ``json()``."""
    session = world.session(json_loads=exact)

    assert session.get(server.url + "/json").json(object_hook=lambda found: "hooked") == "hooked"


def test_what_another_decoder_refuses_is_a_jsondecodeerror(world, server):
    """Whatever kind of ValueError it raises."""

    def refuse(text):
        raise ValueError("not mine")

    session = world.session(json_loads=refuse)
    with pytest.raises(world.requestx.JSONDecodeError, match="not mine"):
        session.get(server.url + "/html").json()


@pytest.mark.parametrize("kind", [str, bytes])
def test_bodies_are_encoded_by_the_sessions_encoder(world, server, kind):
    """It may return text or bytes."""
    text = '{"n":[1,2]}'
    session = world.session(json_dumps=lambda value: kind(text, "ascii") if kind is bytes else text)
    response = session.post(server.url + "/echo", json=object())

    assert response.json()["body"] == text
    assert dict(map(tuple, response.json()["headers"]))["Content-Type"] == "application/json"


def test_what_an_encoder_refuses_is_an_invalidjsonerror(world, server):
    """Before anything is sent."""

    def refuse(value):
        raise ValueError("not mine")

    session = world.session(json_dumps=refuse)
    with pytest.raises(world.requestx.exceptions.InvalidJSONError, match="not mine"):
        session.post(server.url + "/echo", json={})
    assert server.requests == []
