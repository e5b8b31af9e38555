"""Everyday code, as it stands in applications, in both worlds."""

import pytest

pytestmark = pytest.mark.trio


def test_get_with_parameters_and_headers(world, server):
    """The short way there and back."""
    answer = world.get(server.url + "/get", params={"a": "b"}, headers={"X-C": "d"}).json()

    assert answer["args"] == {"a": "b"}
    assert ["X-C", "d"] in answer["headers"]


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete", "options", "head"])
def test_every_verb_has_its_function(world, server, verb):
    """Each function sends its own method."""
    response = getattr(world, verb)(server.url + "/echo")

    assert response.status_code == 200
    assert verb == "head" or response.json()["method"] == verb.upper()


def test_form_and_json_arrive(world, server):
    """Bodies arrive as their type says."""
    assert world.post(server.url + "/post", data={"a": "1"}).json()["body"] == "a=1"
    assert world.post(server.url + "/post", json=[1]).json()["body"] == "[1]"


def test_cookies_stay_in_the_session(world, server):
    """Cookies set on a redirect are sent from the next request on; a call's own are not kept."""
    session = world.session()

    assert session.get(server.url + "/set-cookies", params={"a": "1"}).json() == {"a": "1"}
    assert session.get(server.url + "/cookies", cookies={"b": "2"}).json() == {"a": "1", "b": "2"}
    assert session.get(server.url + "/cookies").json() == {"a": "1"}


def test_sessions_do_not_share_cookies(world, server):
    """What one session keeps no other sends."""
    world.session().get(server.url + "/set-cookies", params={"a": "1"})

    assert world.session().get(server.url + "/cookies").json() == {}
    assert world.get(server.url + "/cookies").json() == {}


def test_basic_auth(world, server):
    """A pair is basic auth, a wrong one is refused, none is sent unless asked for."""
    url = server.url + "/basic-auth"

    assert world.get(url, auth=("ann", "s3cret: x")).json() == {"user": "ann"}
    assert world.get(url, auth=("ann", "wrong")).status_code == 401
    assert world.get(url).status_code == 401


def test_netrc_gives_credentials(world, server, tmp_path, monkeypatch):
    """Without auth= the user's netrc is asked for the host."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password s3cret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    answer = world.get(server.url + "/get").json()

    assert dict(answer["headers"])["Authorization"] == "Basic YW5uOnMzY3JldA=="


def test_hooks_see_the_response(world, server):
    """A response hook may look at the response and replace it."""
    seen = []
    response = world.get(server.url + "/get", hooks={"response": lambda r, **more: seen.append(r.status_code)})

    assert (seen, response.status_code) == ([200], 200)


def test_https(world, tls_server, ca):
    """The same over TLS, by name and by address."""
    for host in ("localhost", "127.0.0.1"):
        answer = world.get(tls_server.at(host) + "/get", verify=ca).json()

        assert answer["method"] == "GET"


def test_session_is_a_context_manager(world, server):
    """``with`` and ``async with`` close what was kept alive."""

    def blocking():
        with world.requestx.Session() as session:
            assert session.get(server.url + "/get").ok

    async def awaited():
        async with world.requestx.Session() as session:
            assert (await session.get(server.url + "/get")).ok

    world.run(awaited if world.awaits else blocking)

    assert server.end(0) == "eof"


def test_prepared_request_is_sent_as_it_is(world, server):
    """prepare, then send: what was prepared is what goes out."""
    session = world.session()
    prepared = session.prepare_request(world.requestx.Request("POST", server.url + "/post", data="x"))
    prepared.headers["X-Late"] = "1"
    answer = session.send(prepared).json()

    assert answer["body"] == "x"
    assert ["X-Late", "1"] in answer["headers"]


def test_lines_of_a_stream(world, server):
    """iter_lines cuts at line ends and keeps none of them."""
    response = world.get(server.url + "/lines/1000", stream=True)

    assert world.lines(response) == [b"line %d" % number for number in range(1000)]


def test_a_patched_send_is_called_by_the_functions(world, server, monkeypatch):
    """Mocks put their own in the place of Session.send, call the one that was there, and look at the response."""
    sessions, seen = world.requestx.sessions, []
    original = sessions.Session.send

    def send(session, request, **settings):
        response = original(session, request, **settings)
        seen.append((request.url, response.text))
        return response

    monkeypatch.setattr(sessions.Session, "send", send)
    response = world.get(server.url + "/bytes/3")

    assert seen == [(response.url, response.text)]
