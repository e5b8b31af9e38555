"""What a call held goes with the call: no connection waits for the collector of cycles."""

import gc
import sys
import weakref

import pytest
from server.steps import close, request, send, serve

pytestmark = [
    pytest.mark.trio,
    pytest.mark.skipif(sys.implementation.name != "cpython", reason="counts no references"),
]

HALF = [request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")]


class Refused(Exception):
    pass


@pytest.fixture(autouse=True)
def no_collector():
    """
    Only what is counted is freed.
    """
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def failed(world, session, *arguments, **settings):
    """
    Weak references to a failed call's exception and its request; the exception ends where it was caught.
    """
    get = session.session.get

    def blocking():
        try:
            get(*arguments, **settings)
        except Exception as error:
            return weakref.ref(error), weakref.ref(getattr(error, "request", world))

    async def awaited():
        try:
            await get(*arguments, **settings)
        except Exception as error:
            return weakref.ref(error), weakref.ref(getattr(error, "request", world))

    return world.run(awaited if world.awaits else blocking)


def test_an_answer_that_a_hook_refuses_gives_its_connection_up(world, wire):
    """Once its exception is gone, nobody has the answer that was not read."""
    site = wire(HALF, serve(b"ok"))
    session = world.session(transport={"max_connections": 1, "pool_timeout": 5})

    def refuse(response, **more):
        raise Refused

    error, _ = failed(world, session, site.url, stream=True, hooks={"response": refuse})

    assert error() is None
    assert session.get(site.url).content == b"ok"


@pytest.mark.parametrize("settings", [{}, {"headers": {"X-Long": "way"}}, {"data": b"x" * (2 << 20)}])
def test_an_error_takes_along_what_it_was_about(world, settings):
    """The request of a call that failed is gone when its exception is; the second one was kept ready."""
    session = world.session()

    for _ in range(2):
        error, about = failed(world, session, "http://127.0.0.1:1/", **settings)
        assert (error(), about()) == (None, None)


@pytest.mark.parametrize("total, more", [(2, {}), (False, {}), (2, {"connect": False})])
def test_tries_that_failed_are_gone(world, total, more):
    """The same of the last of several errors, and of one that was not tried again."""
    session, retries = world.session(), world.requestx.adapters.Retry(total, **more)
    session.mount("http://", world.requestx.adapters.HTTPAdapter(max_retries=retries))
    error, about = failed(world, session, "http://127.0.0.1:1/")

    assert (error(), about()) == (None, None)


def test_a_broken_body_is_no_cycle(world, wire):
    """As little is left of one that was read to where it broke off."""
    site = wire(HALF + [close()])
    session = world.session()
    error, about = failed(world, session, site.url)

    assert (error(), about()) == (None, None)


def test_a_session_is_no_cycle(world):
    """One that nobody has is gone at once, with its adapter and the settings of its pools."""
    session = world.requestx.Session()
    seen = weakref.ref(session.adapters["http://"].poolmanager)
    del session

    assert seen() is None
