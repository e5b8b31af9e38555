"""The short way: a request kept ready is sent again only while everything it was made of is as it was."""

import pytest


def fields(response):
    return dict(map(tuple, response.json()["headers"]))


@pytest.fixture
def warm(world, server):
    """A session that keeps a request for /get ready."""
    session = world.session()
    session.get(server.url + "/get")
    return session


def change_header(session, monkeypatch):
    session.headers["X-New"] = "1"


def replace_headers(session, monkeypatch):
    session.headers = {"X-New": "1"}


def add_params(session, monkeypatch):
    session.params = {"new": "1"}


def add_auth(session, monkeypatch):
    session.auth = ("ann", "new")


def add_cookie(session, monkeypatch):
    session.cookies.set("new", "1")


def change_headers_in_part(session, monkeypatch):
    with pytest.raises(AttributeError):
        session.headers.update({"X-New": "1", 2: "not set"})


CHANGES = [change_header, change_headers_in_part, replace_headers, add_params, add_auth, add_cookie]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_session_is_obeyed(warm, server, monkeypatch, change):
    """Whatever changes between two calls is in the second."""
    before = warm.get(server.url + "/get").json()
    change(warm, monkeypatch)
    after = warm.get(server.url + "/get").json()

    assert (before["headers"], before["args"]) != (after["headers"], after["args"])


@pytest.mark.parametrize("name", ["send", "prepare_request", "merge_environment_settings", "get_adapter"])
@pytest.mark.parametrize("where", ["instance", "class"])
def test_an_override_is_obeyed_whenever_it_comes(warm, server, monkeypatch, name, where):
    """A method that a test or a user puts in the place of ours is called."""
    called = []

    def override(*arguments, **more):
        called.append(name)
        raise ZeroDivisionError(name)

    holder = warm.session if where == "instance" else type(warm.session)
    monkeypatch.setattr(holder, name, override)
    with pytest.raises(ZeroDivisionError):
        warm.get(server.url + "/get")

    assert called == [name]


def test_another_adapter_is_obeyed(warm, world, server):
    """Mounted, put into the dict, or with a send of its own."""
    ours = warm.adapters["http://"]
    used = []

    class Mine(type(ours)):
        def send(self, request, **more):
            used.append(request.url)
            return super().send(request, **more)

    warm.adapters["http://"] = Mine()
    warm.get(server.url + "/get")
    warm.mount("http://", Mine())
    warm.get(server.url + "/get")
    warm.mount("http://", ours)
    ours.send = lambda request, **more: used.append("own") or type(ours).send(ours, request, **more)
    warm.get(server.url + "/get")

    assert used == [server.url + "/get", server.url + "/get", "own"]


def swap_the_other(adapters, url, mine):
    del adapters["https://"]
    adapters[url] = mine
    adapters.move_to_end("http://")


def put_it_first(adapters, url, mine):
    adapters.move_to_end(url, last=False)


@pytest.mark.parametrize("change", [swap_the_other, put_it_first])
def test_changes_of_the_adapters_in_place_are_seen(warm, server, change):
    """However many there are, and whichever is mounted where ours is."""
    used = []

    class Mine(type(warm.adapters["http://"])):
        def send(self, request, **more):
            used.append(request.url)
            return super().send(request, **more)

    mine = Mine()
    if change is put_it_first:
        warm.adapters[server.url] = mine  # behind ours, which is asked before
    warm.get(server.url + "/get")
    change(warm.adapters, server.url, mine)
    warm.get(server.url + "/get")

    assert used == [server.url + "/get"]


def test_the_request_that_is_looked_at_is_a_copy(warm, server):
    """Changing what a response says was sent changes nothing that will be sent."""
    response = warm.get(server.url + "/get")
    response.request.headers["X-Mine"] = "1"

    assert "X-Mine" not in fields(warm.get(server.url + "/get"))


def test_cookies_set_by_an_answer_are_sent_with_the_next(warm, server):
    """The short way ends where a cookie begins."""
    warm.get(server.url + "/set-cookies", params={"a": "1"})

    assert fields(warm.get(server.url + "/get"))["Cookie"] == "a=1"


@pytest.mark.parametrize("name", ["timeout", "json_loads"])
def test_a_setting_of_the_class_is_obeyed_whenever_it_comes(warm, server, monkeypatch, name):
    """A session has it from its class for as long as it has none of its own, or has it no more."""
    settings = {"timeout": "never", "json_loads": staticmethod(lambda text: 1 // 0)}
    monkeypatch.setattr(type(warm.session), name, settings[name])
    with pytest.raises((ZeroDivisionError, ValueError), match="never|zero"):
        warm.get(server.url + "/get").json()

    setattr(warm, name, None)
    assert warm.get(server.url + "/get").json()
    delattr(warm.session, name)
    with pytest.raises((ZeroDivisionError, ValueError), match="never|zero"):
        warm.get(server.url + "/get").json()


@pytest.mark.parametrize("name", ["headers", "auth", "verify", "params"])
def test_a_property_is_asked_each_time(world, server, name):
    """A class may make one of a setting; it counts how often that is read."""
    reads = []

    class Mine(world.requestx.Session):
        def read(self):
            reads.append(name)
            return vars(self)["_mine"]

        def write(self, value):
            vars(self)["_mine"] = value

    setattr(Mine, name, property(Mine.read, Mine.write))
    session = world.run(Mine)
    world.sessions.append(session)
    counts = []
    for _ in range(3):
        before = len(reads)
        world.run(session.get, server.url + "/get")
        counts.append(len(reads) - before)

    assert counts[0] == counts[1] == counts[2] > 0


def test_a_class_that_sets_attributes_by_itself_is_obeyed(world, server):
    """Nobody tells us of what changes then."""

    class Mine(world.requestx.Session):
        def __setattr__(self, name, value):
            object.__setattr__(self, name, value)

    session = world.run(Mine)
    world.sessions.append(session)
    world.run(session.get, server.url + "/get")
    session.auth = ("ann", "new")

    assert "Authorization" in fields(world.run(session.get, server.url + "/get"))


@pytest.mark.parametrize("name", ["build_response", "add_headers", "cert_verify", "get_connection_with_tls_context"])
@pytest.mark.parametrize("where", ["instance", "class"])
def test_an_adapters_override_is_obeyed_whenever_it_comes(warm, server, monkeypatch, name, where):
    """A method of the adapter that a test or a user puts in the place of ours is called."""
    adapter = warm.adapters["http://"]

    def override(*arguments, **more):
        raise ZeroDivisionError(name)

    monkeypatch.setattr(adapter if where == "instance" else type(adapter), name, override)
    with pytest.raises(ZeroDivisionError, match=name):
        warm.get(server.url + "/get")


@pytest.mark.parametrize("change", ["assigned", "merged"])
def test_other_settings_of_the_pools_are_obeyed(warm, server, change):
    """All of `connection_pool_kw` may be replaced, as it may be changed in place."""
    manager = warm.adapters["http://"].poolmanager
    if change == "assigned":
        manager.connection_pool_kw = {"timeout": "never"}
    else:
        manager.connection_pool_kw.update(timeout="never")
    with pytest.raises(ValueError, match="never"):
        warm.get(server.url + "/get")
