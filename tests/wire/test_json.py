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


def test_a_session_may_be_made_with_them(world, server):
    """Decoder, encoder and time limit; what is left out is the class's."""
    codecs = {"json_loads": lambda text: ("mine", text), "json_dumps": lambda value: "so", "timeout": 7}
    session = world.session(transport=codecs)
    answer = session.post(server.url + "/echo", json=1)

    assert answer.json() == ("mine", answer.text)
    assert json.loads(answer.text)["body"] == "so"
    assert (session.timeout, world.session().timeout) == (7, None)


def test_a_decoder_may_come_and_go(world, server):
    """What is set counts for the next call."""
    session = world.session()
    before = session.get(server.url + "/json").json()
    session.json_loads = lambda text: "mine"
    during = session.get(server.url + "/json").json()
    session.json_loads = None

    assert [before, "mine", before] == [before, during, session.get(server.url + "/json").json()]


def mine(text, **more):
    """A plain function, of no class."""
    return ["mine", type(text).__name__]


def named(world, decode):
    """A Session of a class that names a decoder."""
    session = world.run(type("Named", (world.requestx.Session,), {"json_loads": decode}))
    world.sessions.append(session)
    return session


@pytest.mark.parametrize("decode", [mine, staticmethod(mine), lambda text: mine(text)])
@pytest.mark.parametrize("verb", ["get", "post"])
def test_a_class_may_name_a_decoder(world, server, decode, verb):
    """A function that is named there is called as one that a session was given; the first time, and later."""
    session = named(world, decode)
    seen = [world.run(getattr(session, verb), server.url + "/json").json() for _ in range(2)]

    assert seen == [["mine", "str"]] * 2


@pytest.mark.parametrize("verb", ["get", "post"])
def test_a_method_is_a_decoder(world, server, verb):
    """What a class defines under that name has a self; so has what it defines for encoding."""

    class Mine(world.requestx.Session):
        def json_loads(self, text, **more):
            return [type(self) is Mine, type(text).__name__]

        def json_dumps(self, value):
            return "[%d]" % (type(self) is Mine)

    session = world.run(Mine)
    world.sessions.append(session)

    assert world.run(getattr(session, verb), server.url + "/json").json() == [True, "str"]
    assert session.prepare_request(world.requestx.Request("POST", server.url, json=1)).body == b"[1]"


def test_what_a_class_names_is_not_pickled(world):
    """It may be a lambda, and the class has it where the pickle is read."""
    session = named(world, lambda text: text)

    assert "json_loads" not in session.__getstate__()
    session.json_loads = mine
    assert session.__getstate__()["json_loads"] is mine


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
