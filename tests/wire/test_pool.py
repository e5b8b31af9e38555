"""Connections: when one is used again, when another is opened, and what is sent a second time.

The rule behind the second half: a request is sent again on its own only if the server cannot have acted on it twice.
"""

import unittest.mock

import pytest
from server.steps import answer, close, fin, mark, notify, request, rst, send, serve, wait


def test_one_connection_serves_many_requests(world, wire):
    """A session keeps its connection."""
    site = wire(serve(b"1") + serve(b"2") + serve(b"3"))
    session = world.session()

    assert [session.get(site.url).content for _ in range(3)] == [b"1", b"2", b"3"]
    assert len(site.connections) == 1


def test_pool_connections_limits_the_hosts_with_idle_connections(world, wire):
    """The connection of the host that was used least lately is closed."""
    first, second = wire(serve(b"1")), wire(serve(b"2"))
    session = world.session()
    session.mount("http://", world.requestx.adapters.HTTPAdapter(pool_connections=1))
    session.get(first.url)
    session.get(second.url)

    assert first.end(0) == "eof"
    assert session.get_adapter(second.url)._client.stats()["idle_connections"] == 1


def test_connection_is_kept_after_a_body_of_any_kind(world, server):
    """It goes back however the body was framed or coded, if it was read to its end."""
    session = world.session()
    for path in ("/get", "/bytes/2000000", "/stream/2000000", "/gzip", "/redirect/2", "/status/404"):
        session.get(server.url + path)
    response = session.get(server.url + "/stream/100000", stream=True)
    world.chunks(response, 1000)
    session.get(server.url + "/get")

    assert len(server.connections) == 1


def test_functions_close_what_they_opened(world, server):
    """``requestx.get`` leaves no connection behind."""
    world.get(server.url + "/get")

    assert server.end(0) == "eof"


def test_closing_a_session_closes_its_idle_connections(world, server):
    """The server sees the end at once."""
    session = world.session()
    session.get(server.url + "/get")
    world.run(session.close)

    assert server.end(0) == "eof"


def test_session_may_be_used_after_close(world, server):
    """close() drops connections; as in requests, the session itself goes on."""
    session = world.session()
    session.get(server.url + "/get")
    world.run(session.close)

    assert session.get(server.url + "/get").ok
    assert len(server.connections) == 2


def test_sessions_do_not_share_connections(world, server):
    """Two sessions, two connections."""
    world.session().get(server.url + "/get")
    world.session().get(server.url + "/get")

    assert len(server.connections) == 2


def test_hosts_do_not_share_connections(world, server):
    """The same address under another name is another origin."""
    session = world.session()
    session.get(server.at("127.0.0.1") + "/get")
    session.get(server.at("localhost") + "/get")

    assert len(server.connections) == 2


def test_connection_close_in_the_answer_is_obeyed(world, wire):
    """A server that says close is not asked again on that connection, even if it leaves it open."""
    site = wire(serve(b"1", b"Connection: close"), serve(b"2"))
    session = world.session()

    assert [session.get(site.url).content for _ in range(2)] == [b"1", b"2"]
    assert site.end(0) == "eof"


def test_connection_close_of_the_caller_is_obeyed(world, wire):
    """So is a caller that says it."""
    site = wire(serve(b"1"), serve(b"2"))
    session = world.session()

    session.get(site.url, headers={"Connection": "close"})
    assert session.get(site.url).content == b"2"
    assert site.requests[0].field(b"connection") == [b"close"]


def test_http_1_0_closes_unless_it_says_otherwise(world, wire):
    """HTTP/1.0 keeps a connection only when the answer says keep-alive."""
    site = wire(
        serve(b"1", b"Connection: keep-alive", version=b"HTTP/1.0") + serve(b"2", version=b"HTTP/1.0"), serve(b"3")
    )
    session = world.session()

    assert [session.get(site.url).content for _ in range(3)] == [b"1", b"2", b"3"]
    assert len(site.connections) == 2


def test_in_flight_requests_have_connections_of_their_own(world, wire):
    """A connection that waits for an answer is not given to another request."""
    site = wire([request(), wait("go"), send(answer(b"slow"))], serve(b"quick"))
    session = world.session()
    slow = session.start("get", site.url)
    site.wait("request 1")

    assert session.get(site.url).content == b"quick"
    site.set("go")
    assert slow.result().content == b"slow"


def test_limit_per_host_makes_requests_wait(world, server):
    """With pool_block and pool_maxsize=1 there is one connection, and everybody is served over it."""
    session = world.session()
    session.mount("http://", world.requestx.adapters.HTTPAdapter(pool_maxsize=1, pool_block=True))
    calls = [session.start("get", server.url + "/get", params={"n": str(number)}) for number in range(8)]

    assert [call.result().json()["args"]["n"] for call in calls] == [str(number) for number in range(8)]
    assert len(server.connections) == 1


def test_limit_in_all_makes_requests_wait(world, listen):
    """max_connections counts those to all hosts, and one that is idle makes room."""
    sites = [listen("everyday"), listen("everyday")]
    session = world.session(transport={"max_connections": 1})
    calls = [session.start("get", sites[number % 2].url + "/get") for number in range(8)]

    assert all(call.result().ok for call in calls)
    assert session.get_adapter(sites[0].url)._client.stats()["open_connections"] == 1


@pytest.mark.parametrize(
    "limits, told",
    [
        ({"pool_maxsize": 2, "pool_block": True}, "with 2 of 2 connections to this host in use"),
        ({"max_connections": 2}, "with 2 of 2 connections in all in use"),
    ],
)
def test_full_pool_is_an_error_after_its_time(world, server, limits, told):
    """It says for which host, how many there are and how long it was waited for; then somebody makes room."""
    session = world.session(transport={"pool_timeout": 0.2, **limits})
    held = [session.get(server.url + "/bytes/3000000", stream=True) for _ in range(2)]
    with pytest.raises(world.requestx.exceptions.ConnectTimeout, match=told) as caught:
        session.get(server.url + "/get")

    assert (caught.value.phase, type(caught.value.args[0].reason).__name__) == ("queue", "EmptyPoolError")
    assert "GET %s/get" % server.url in str(caught.value) and "after 0.2" in str(caught.value)
    world.close(held[0])
    assert session.get(server.url + "/get").ok


def test_full_pool_is_not_asked_again(world, server):
    """No retry makes room; a limit that is set later holds from then on."""
    session = world.session(transport={"pool_timeout": 0.2, "max_retries": 5})
    session.get_adapter(server.url).max_connections = 1
    held = session.get(server.url + "/bytes/3000000", stream=True)
    with pytest.raises(world.requestx.exceptions.ConnectTimeout, match="after 0.2"):
        session.get(server.url + "/get")

    world.close(held)
    for wrong in ({"max_connections": 0}, {"max_connections": True}, {"pool_timeout": -1}, {"max_head_bytes": 10}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            world.requestx.adapters.HTTPAdapter(**wrong)


@pytest.mark.trio
def test_who_gives_up_waiting_leaves_the_line(awaited, wire):
    """Cancelled before its turn, or in the moment of it: those behind it are served."""
    site = wire([request(), send(answer(b"held")[:-1]), wait("go"), send(b"d")] + serve() * 3, serve() * 2)
    session = awaited.session({"max_connections": 1})
    held = session.get(site.url, stream=True)
    first, second, third, fourth = [session.start("get", site.url) for _ in range(4)]
    stats = session.get_adapter(site.url)._client.stats
    while stats()["queued"] < 4:
        pass
    first.cancel()
    site.set("go")
    awaited.read(held)
    third.cancel()

    assert second.result().content == fourth.result().content == b"ok"
    while stats()["queued"] or stats()["in_flight"]:
        pass
    assert len(site.requests) <= 4
    assert stats()["open_connections"] == 1


def test_idle_connections_are_kept_up_to_a_limit(world, server):
    """Of four that ran at once, pool_maxsize=2 remain."""
    session = world.session()
    session.mount("http://", world.requestx.adapters.HTTPAdapter(pool_maxsize=2))
    calls = [session.start("get", server.url + "/slow") for _ in range(4)]
    for number in range(4):
        server.wait("open %d" % number)
    server.set("release")
    for call in calls:
        call.result()
    session.get(server.url + "/get")

    assert len(server.connections) == 4
    assert len([each for each in server.connections if not each["end"]]) <= 2


@pytest.mark.parametrize("size", [0, -1, 1 << 80])
def test_a_pool_of_no_size_has_no_limit(world, server, size):
    """As urllib3's; with pool_block nobody has to wait."""
    session = world.session()
    session.mount("http://", world.requestx.adapters.HTTPAdapter(size, size, pool_block=True))
    calls = [session.start("get", server.url + "/get") for _ in range(4)]

    assert all(call.result().ok for call in calls)


@pytest.mark.parametrize("setting", ["pool_connections", "pool_maxsize"])
@pytest.mark.parametrize("wrong", [None, "10", 1.5])
def test_a_size_is_a_whole_number(world, setting, wrong):
    """It is said where it is set, by its name."""
    with pytest.raises(TypeError, match=setting + " is a whole number"):
        world.requestx.adapters.HTTPAdapter(**{setting: wrong})


def test_what_stands_in_for_a_pool_manager_says_nothing(world):
    """Tests of libraries put a mock in its place, which has every attribute."""

    class Mocked(world.requestx.adapters.HTTPAdapter):
        def init_poolmanager(self, *sizes, **more):
            self.poolmanager = unittest.mock.MagicMock()

    assert "0 connections" in repr(world.run(Mocked))
    with pytest.raises(TypeError, match="pool_maxsize is a whole number"):
        world.run(Mocked, pool_maxsize="10")


def test_unread_body_gives_its_connection_up(world, wire):
    """A streamed response closed early closes its connection: the rest is not read."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nsome")], serve(b"next"))
    session = world.session()
    response = session.get(site.url, stream=True)
    world.close(response)

    assert site.end(0) in ("eof", "reset")
    assert session.get(site.url).content == b"next"


def test_forgotten_response_gives_its_connection_up(world, wire):
    """Dropping the last reference to an unread response closes its connection."""
    import gc

    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nsome")])
    session = world.session()
    response = session.get(site.url, stream=True)
    del response
    gc.collect()

    assert site.end(0) in ("eof", "reset")


def test_connection_lost_while_idle_is_replaced(world, wire):
    """FIN while idle: the next request, of any method, goes out on a new connection, once."""
    site = wire(serve(b"1") + [fin(), mark("idle")], serve(b"2"))
    session = world.session()
    session.get(site.url)
    site.wait("idle")

    assert session.post(site.url, data=b"x").content == b"2"
    assert [each.line for each in site.requests] == [b"GET / HTTP/1.1", b"POST / HTTP/1.1"]


@pytest.mark.parametrize("end", [close, rst], ids=["close", "rst"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_connection_closed_while_idle_is_replaced(world, wire, end, method):
    """The same when the server has closed altogether, or reset."""
    site = wire(serve(b"1") + [wait("go"), end()], serve(b"2"))
    session = world.session()
    session.get(site.url)
    site.set("go")
    site.wait("closed 0")

    assert session.request(method, site.url).content == b"2"
    assert len(site.requests) == 2


def test_streamed_body_survives_a_lost_idle_connection(world, wire):
    """A body that can be produced only once is not spent on a connection that was gone before."""
    site = wire(serve(b"1") + [fin(), mark("idle")], serve(b"2"))
    session = world.session()
    session.get(site.url)
    site.wait("idle")

    assert session.post(site.url, data=iter([b"only ", b"once"])).content == b"2"
    assert site.requests[1].body == b"only once"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_idempotent_request_lost_on_a_reused_connection_is_sent_again(world, wire, method):
    """The server took the request and closed without a byte of answer: safe to repeat, and repeated once."""
    site = wire(serve(b"1") + [request(), close()], serve(b""))
    session = world.session()
    session.get(site.url)

    assert session.request(method, site.url).status_code == 200
    assert len(site.requests) == 3


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_unsafe_request_is_never_sent_again(world, wire, method):
    """The same with a method that must not be repeated is the caller's to decide: ConnectionError."""
    site = wire(serve(b"1") + [request(), close()], serve(b"2"))
    session = world.session()
    session.get(site.url)
    with pytest.raises(world.requestx.exceptions.ConnectionError):
        session.request(method, site.url, data=b"x")

    assert len(site.requests) == 2


def test_request_is_sent_again_only_once(world, wire):
    """A second failure, on a connection that was new, is an error."""
    site = wire(serve(b"1") + [request(), close()], [request(), close()], serve(b"3"))
    session = world.session()
    session.get(site.url)
    with pytest.raises(world.requestx.exceptions.ConnectionError):
        session.get(site.url)

    assert len(site.requests) == 3


def test_nothing_is_sent_again_once_the_answer_began(world, wire):
    """One byte of an answer is an answer."""
    site = wire(serve(b"1") + [request(), send(b"HTTP/1.1 200 OK\r\nConte"), close()], serve(b"3"))
    session = world.session()
    session.get(site.url)
    with pytest.raises(world.requestx.exceptions.ConnectionError):
        session.get(site.url)

    assert len(site.requests) == 2


def test_answer_before_the_body_was_sent(world, wire):
    """A server that refuses early and closes is heard, though the body could not be sent to its end."""
    site = wire([["head"], send(answer(b"too large", b"Connection: close", status=b"413 Too Large")), fin()])
    response = world.post(site.url, data=b"x" * (8 << 20), timeout=10)

    assert (response.status_code, response.content) == (413, b"too large")


@pytest.mark.parametrize("pushed", [False, True])
def test_answer_of_a_server_that_closes_at_once(world, wire, pushed):
    """The reset that follows breaks the upload off, and not what was answered before."""
    refusal = send(answer(b"too large", b"Connection: close", status=b"413 Too Large"))
    site = wire(*[[["head"], refusal, close()]] * 20)
    session = world.session()
    for _ in range(20):
        body = (b"x" * 100000 for _ in range(80)) if pushed else b"x" * (8 << 20)
        assert session.post(site.url, data=body, timeout=10).content == b"too large"


def test_a_reset_is_no_end_of_an_answer(world, wire):
    """Where only the end says that the answer is whole, one that comes while the request is sent does not."""
    site = wire([["head"], send(answer(b"half of", length=False)), rst()])
    with pytest.raises(world.requestx.exceptions.RequestException):
        world.post(site.url, data=b"x" * (8 << 20), timeout=10)


def test_close_notify_while_idle_is_an_end(world, wire, certs):
    """Over TLS the same holds for close_notify."""
    tls = {"chain": certs.good}
    site = wire(serve(b"1") + [wait("go"), notify()], serve(b"2"), tls=tls)
    session = world.session(verify=certs.ca)
    session.get(site.url)
    site.set("go")
    site.wait("closed 0")

    assert session.post(site.url, data=b"x").content == b"2"
    assert len(site.requests) == 2
