"""What users put in the place of ours: methods of a session, adapters, hooks and auth; obeyed in both worlds."""

import io
import threading

import pytest
from worlds import turn

pytestmark = pytest.mark.trio

METHODS = [
    "send",
    "request",
    "prepare_request",
    "merge_environment_settings",
    "get_adapter",
    "get_redirect_target",
    "should_strip_auth",
    "resolve_redirects",
    "rebuild_auth",
    "rebuild_proxies",
    "rebuild_method",
]


def watching(session_class, name, calls):
    """A subclass that notes each call of a method, and does as before."""

    def method(self, *arguments, **more):
        calls.append(name)
        return getattr(session_class, name)(self, *arguments, **more)

    return type("Mine", (session_class,), {name: method})


@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_a_subclass_overrides_is_called(world, server, name):
    """With credentials and a redirect, so that there is a reason to call each of them."""
    calls = []
    session = world.run(watching(world.requestx.Session, name, calls))
    response = world.run(session.get, server.url + "/redirect/1", headers={"Authorization": "mine"})
    world.run(session.close)

    assert response.status_code == 200 and len(response.history) == 1
    assert set(calls) == {name}


@pytest.mark.parametrize("name", ["should_strip_auth", "rebuild_auth"])
def test_who_overrides_what_is_stripped_decides(world, server, listen, name):
    """Users have their reasons to send credentials on, to a host of their own."""
    other = listen("everyday")
    keep = {"should_strip_auth": lambda self, old, new: False, "rebuild_auth": lambda self, prepared, response: None}
    session = world.run(type("Mine", (world.requestx.Session,), {name: keep[name]}))
    url = f"{server.url}/redirect-to?url={other.url}/get"
    response = world.run(session.get, url, headers={"Authorization": "mine"})
    world.run(session.close)

    assert dict(map(tuple, response.json()["headers"])).get("Authorization") == "mine"


def test_a_send_may_look_at_its_response(world, server):
    """It is written as for requests: in the awaited world it runs in a worker thread, and blocks there."""

    class Mine(world.requestx.Session):
        def send(self, request, **more):
            response = super().send(request, **more)
            response.seen = (response.status_code, len(response.content))
            return response

    session = world.run(Mine)
    response = world.run(session.get, server.url + "/bytes/10")
    world.run(session.close)

    assert response.seen == (200, 10)


def test_an_async_request_is_awaited(awaited, server):
    """``async def request`` awaits ours, and may look at what it gave."""

    class Mine(awaited.requestx.Session):
        async def request(self, *arguments, **more):
            response = await super().request(*arguments, **more)
            response.seen = response.status_code
            return response

    async def scene():
        async with Mine() as session:
            return (await session.get(server.url + "/get")).seen

    assert awaited.run(scene) == 200


PREPARING = "prepare prepare_method prepare_url prepare_headers prepare_cookies prepare_body prepare_auth prepare_hooks"


@pytest.mark.parametrize("name", PREPARING.split())
@pytest.mark.parametrize("verb", ["get", "post"])
def test_who_prepares_in_the_place_of_ours_is_called(world, server, monkeypatch, name, verb):
    """Each time, for the plainest of calls as well."""
    prepared = world.requestx.PreparedRequest
    ours, calls = getattr(prepared, name), []

    def theirs(self, *arguments, **more):
        calls.append(name)
        return ours(self, *arguments, **more)

    monkeypatch.setattr(prepared, name, theirs)
    session = world.session()
    for _ in range(2):
        assert getattr(session, verb)(server.url + "/echo").ok
    assert calls == [name] * 2


def test_who_encodes_in_the_place_of_ours_is_asked(world, server, monkeypatch):
    """Queries and forms by one function, files by another."""
    mixin = world.requestx.models.RequestEncodingMixin
    monkeypatch.setattr(mixin, "_encode_params", staticmethod(lambda data: "mine=%s" % data["a"]))
    monkeypatch.setattr(mixin, "_encode_files", staticmethod(lambda files, data: (b"files", "text/mine")))
    form = world.post(server.url + "/echo", params={"a": "query"}, data={"a": "form"}).json()
    files = world.post(server.url + "/echo", files={"a": "b"}).json()

    assert (form["path"], form["body"], files["body"]) == ("/echo?mine=query", "mine=form", "files")


@pytest.mark.parametrize("path", ["/bytes/10", "/bytes/2000000", "/redirect/2"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_hook_may_replace_raw(world, server, path, stream):
    """The body is what that gives."""

    def replace(response, **more):
        response.raw = io.BytesIO(b"mine")

    response = world.session().get(server.url + path, hooks={"response": replace}, stream=stream)
    asked = [world.read(each) for each in (*response.history, response)]

    assert asked == [b"mine"] * (1 + len(response.history))
    assert response.raw.read() == b""


PLACES = ["hook", "auth", "adapter", "get_adapter"]


@pytest.mark.parametrize("place", PLACES)
def test_a_stop_iteration_comes_out(world, server, place):
    """As whatever else a user's code raises; awaited it is the cause of Python's RuntimeError (PEP 479)."""
    mine = StopIteration("mine")

    def stop(*arguments, **more):
        raise mine

    session = world.session()
    if place == "adapter":
        adapter = plain_adapter(world.requestx)
        adapter.send = stop
        session.mount("http://", adapter)
    elif place == "get_adapter":
        session.get_adapter = stop
    more = {"hook": {"hooks": {"response": stop}}, "auth": {"auth": stop}}.get(place, {})
    with pytest.raises(RuntimeError if world.awaits else StopIteration) as caught:
        session.get(server.url + "/get", **more)

    assert (caught.value.__cause__ if world.awaits else caught.value) is mine


def plain_adapter(requestx):
    """An adapter that never touches the core."""

    class Plain(requestx.adapters.BaseAdapter):
        threads, closed = [], False

        def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
            self.threads.append(threading.current_thread())
            response = requestx.Response()
            response.status_code, response.url, response.request = 200, request.url, request
            response.raw = io.BytesIO(b"one\ntwo\n")
            return response

        def close(self):
            self.closed = True

    return Plain()


@pytest.mark.parametrize("stream", [False, True])
def test_a_plain_adapter_works(world, stream):
    """A BaseAdapter with a send: all there is to it; awaited, it runs in a worker thread."""
    adapter = plain_adapter(world.requestx)
    session = world.session()
    session.mount("test://", adapter)
    response = session.get("test://a/b", stream=stream)

    assert world.lines(response) == [b"one", b"two"]
    assert (adapter.threads == [threading.current_thread()]) is not world.awaits
    assert world.awaits is False or adapter.threads[0] is not world.thread


def test_an_adapter_may_be_async(awaited):
    """``async def send`` is awaited."""

    class Mine(awaited.requestx.adapters.BaseAdapter):
        async def send(self, request, **more):
            await turn()
            response = awaited.requestx.Response()
            response.status_code, response._content = 200, threading.current_thread()
            return response

        def close(self):
            pass

    session = awaited.session()
    session.mount("test://", Mine())

    assert session.get("test://a").content is awaited.thread


async def ahook(response, **more):
    """A hook that waits."""
    await turn()
    response.seen = True


async def asign(request):
    """An auth that waits."""
    await turn()
    request.headers["X-Signed"] = "yes"
    return request


class Signer:
    """An auth object whose call waits."""

    async def __call__(self, request):
        return await asign(request)


@pytest.mark.parametrize("auth", [asign, Signer()])
@pytest.mark.parametrize("where", ["call", "session"])
def test_async_auth_and_hooks_are_awaited(awaited, server, auth, where):
    """Those of the call, and those of the session."""
    session = awaited.session()
    given = {"auth": auth, "hooks": {"response": ahook}}
    if where == "session":
        session.auth, session.hooks = auth, {"response": [ahook]}
    response = session.get(server.url + "/get", **(given if where == "call" else {}))

    assert response.seen
    assert dict(map(tuple, response.json()["headers"]))["X-Signed"] == "yes"


@pytest.mark.parametrize("given", [{"auth": asign}, {"auth": Signer()}, {"hooks": {"response": ahook}}])
def test_async_auth_and_hooks_are_refused_where_nobody_awaits(blocking, server, given):
    """A TypeError that says who can do it."""
    with pytest.raises(TypeError, match="awaited"):
        blocking.get(server.url + "/get", **given)


@pytest.mark.parametrize("prepare", ["session", "request"])
def test_async_auth_is_refused_where_a_request_is_only_prepared(world, prepare):
    """prepare blocks in both worlds."""
    request = world.requestx.Request("GET", "http://a.test/", auth=asign)
    call = request.prepare if prepare == "request" else lambda: world.requestx.Session().prepare_request(request)
    with pytest.raises(TypeError, match="awaited"):
        world.run(call)


def test_a_future_is_no_answer_of_a_hook(blocking, server):
    """Whatever has to be awaited is refused, not only coroutines."""

    class Later:
        def __await__(self):
            yield

    with pytest.raises(TypeError, match="awaited"):
        blocking.get(server.url + "/get", hooks={"response": lambda response, **more: Later()})
