"""Switching protocols: what is asked for, and the connection that is handed over, in both worlds.

The everyday server's ``/switch`` speaks "echo": it says hello, sends back what comes, and says "end" at its end.
"""

import asyncio
import gc
import io
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from server.steps import answer, close, head, mark, notify, receive, request, rst, send, serve, wait

pytestmark = pytest.mark.trio

MIB = 1 << 20
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
ASKING = {"Connection": "Upgrade", "Upgrade": "echo"}
HYPERCORN = """
async def app(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] != "websocket.receive":
            return
        await send({"type": "websocket.send", "text": message["text"].upper()})
"""


class Conversation:
    """An upgraded connection in the words of a world: ``read`` blocks in one and is ``aread`` in the other."""

    def __init__(self, world, response):
        self.world = world
        self.connection = response.upgrade()

    def bound(self, verb):
        return getattr(self.connection, "a" * self.world.awaits + verb)

    def __getattr__(self, verb):
        return partial(self.world.run, self.bound(verb))

    def start(self, verb, *arguments):
        """Begin it elsewhere."""
        return self.world.start(self.bound(verb), *arguments)

    def exactly(self, size):
        """So many bytes, in however many pieces they come."""
        got = b""
        while len(got) < size:
            piece = self.read(size - len(got))
            assert piece, "it ended after %r" % got
            got += piece
        return got


def converse(world, url, session=None, **more):
    """An upgraded connection to the everyday server, which has said hello."""
    conversation = Conversation(world, (session or world.session()).get(url + "/switch", headers=ASKING, **more))
    assert conversation.exactly(5) == b"hello"
    return conversation


def upgraded(world, site, **more):
    """The same of a wire server."""
    return Conversation(world, world.session().get(site.url, headers=ASKING, **more))


def fails(world, work, *arguments, error="ConnectionError", **more):
    """What the call raises."""
    with pytest.raises(getattr(world.requestx.exceptions, error)) as caught:
        work(*arguments, **more)
    return caught.value


# The request and its answer


def test_bytes_go_as_they_are(world, wire):
    """The head as it was given, and then nothing but what is written."""
    site = wire([request(), send(SWITCH), receive(6), send(b"\0\xffpong"), mark("done")])
    session = world.session(trust_env=False)
    session.headers.clear()
    conversation = Conversation(world, session.get(site.url + "/chat", headers=ASKING))

    assert conversation.write(b"\0\xffping") == 6
    assert conversation.exactly(6) == b"\0\xffpong"
    host = site.netloc.encode()
    asked = b"GET /chat HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n" % host
    assert site.received == asked + b"\0\xffping"


@pytest.mark.parametrize("stream", [False, True])
def test_the_answer_has_no_body(world, server, stream):
    """Nothing waits for one, whether it was asked for as a stream or not."""
    response = world.get(server.url + "/switch", headers=ASKING, stream=stream)

    assert (response.status_code, response.headers["upgrade"], world.read(response)) == (101, "echo", b"")
    assert response.upgrade() is response.upgrade()
    assert (response.raw.read(), "open" in repr(response.upgrade())) == (b"", True)


def test_a_session_may_ask_each_time(world, server):
    """Its headers do: the request that it keeps ready is one like others."""
    session = world.session()
    session.headers.update(ASKING)

    for _ in range(2):
        assert Conversation(world, session.get(server.url)).exactly(5) == b"hello"


@pytest.mark.parametrize("size", [3, 5000, 300000])
def test_what_came_with_the_head_is_read_first(world, wire, size):
    """In the same packet or right behind it, whatever hyper had read of it."""
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    conversation = upgraded(world, wire([request(), send(SWITCH + body), wait("go")]))

    assert conversation.exactly(2) == body[:2]
    assert conversation.exactly(size - 2) == body[2:]


@pytest.mark.parametrize("status", [b"200 OK", b"426 Upgrade Required"])
def test_a_refusal_is_an_ordinary_answer(world, wire, status):
    """Its connection goes back to the pool, and who wants it nevertheless is told."""
    site = wire([request(), send(answer(b"no", status=status))] + serve(b"next"))
    session = world.session()
    response = session.get(site.url, headers=ASKING)

    assert response.content == b"no"
    assert "did not switch protocols" in str(fails(world, response.upgrade, error="HTTPError"))
    assert session.get(site.url).content == b"next"
    assert len(site.connections) == 1


@pytest.mark.parametrize(
    "headers, why",
    [
        ({}, "was not asked for"),
        ({"Upgrade": "echo"}, "was not asked for"),
        ({"Connection": "Upgrade"}, "was not asked for"),
        ({"Connection": "Upgrade", "Upgrade": "websocket, echo/2"}, 'to "echo", which was not offered'),
    ],
)
def test_a_switch_that_nobody_asked_for_is_an_error(world, wire, headers, why):
    """What follows is not what it is taken for, so the connection is closed."""
    site = wire([request(), send(SWITCH)])

    assert why in str(fails(world, world.session().get, site.url, headers=headers))
    assert site.end(0) in ("eof", "reset")


@pytest.mark.parametrize(
    "offered, switch",
    [
        ("a, Echo", SWITCH),
        ("echo", SWITCH.replace(b"Upgrade: echo", b"UPGRADE: other, ECHO")),
        ("echo", SWITCH.replace(b"Upgrade: echo\r\n", b"")),
    ],
)
def test_case_and_lists_make_no_difference(world, wire, offered, switch):
    """A server that names what was offered, or nothing, is believed."""
    site = wire([request(), send(switch + b"ok")])
    headers = {"connection": "keep-alive, upgrade", "upgrade": offered}

    assert Conversation(world, world.get(site.url, headers=headers)).exactly(2) == b"ok"


@pytest.mark.parametrize("body", [b"body", [b"bo", b"dy"]])
def test_a_body_is_sent_before_that(world, wire, body):
    """RFC 9110 section 7.8: the request has to be whole."""
    site = wire([request(), send(SWITCH), receive(4), send(b"done")])
    data = body if isinstance(body, bytes) else iter(body)
    conversation = Conversation(world, world.post(site.url, data=data, headers=ASKING))
    conversation.write(b"more")

    assert conversation.exactly(4) == b"done"
    assert site.requests[0].body == b"body"


def test_a_switch_in_the_place_of_the_body_is_an_error(world, wire):
    """The server has to say 100 first, and then have the body: RFC 9110 section 7.8."""
    site = wire([head(), send(SWITCH)])
    headers = dict(ASKING, Expect="100-continue")

    assert "body" in str(fails(world, world.session().post, site.url, data=b"body", headers=headers))


def test_a_switch_within_the_body_is_an_error(world, wire):
    """When the server then takes no more of it, nobody waits for ever."""
    site = wire([head(), send(SWITCH), rst()])

    fails(world, world.session().post, site.url, data=b"x" * 64 * MIB, headers=ASKING)


def test_early_hints_come_before_it(world, wire):
    """101 is final, and those before it are not."""
    site = wire([request(), send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + SWITCH + b"ok")])
    response = world.get(site.url, headers=ASKING)

    assert [status for status, _ in response.informational] == [103]
    assert Conversation(world, response).exactly(2) == b"ok"


# Which connection it is


def test_it_serves_no_other_request(world, wire):
    """While it is open, and when it is closed."""
    site = wire([request(), send(SWITCH)], serve(b"other") * 2)
    session = world.session()
    conversation = Conversation(world, session.get(site.url, headers=ASKING))
    assert session.get(site.url).content == b"other"
    conversation.close()

    assert session.get(site.url).content == b"other"
    assert site.end(0) == "eof"
    assert len(site.connections) == 2


def test_what_follows_a_refusal_is_not_the_next_answer(world, wire):
    """Bytes that were sent as if the protocol had been switched belong to nobody."""
    site = wire([request(), send(answer(b"no", status=b"426 x") + answer(b"smuggled"))], serve(b"two"))
    session = world.session()

    assert session.get(site.url, headers=ASKING).content == b"no"
    assert session.get(site.url).content == b"two"


def test_where_it_is_led_to_nobody_learns_who_asks(world, wire):
    """Credentials and cookies of one call are for the origin that it asked (CVE-2026-47265)."""
    there = wire([request(), send(SWITCH)])
    here = wire([request(), send(answer(b"", b"Location: " + there.at("localhost").encode(), status=b"302 Found"))])
    secrets = {"auth": ("ann", "s3cret"), "cookies": {"s3cret": "1"}}

    assert world.session().get(here.url, headers=ASKING, **secrets).status_code == 101
    assert (here.received.count(b"s3cret"), b"Authorization: Basic" in here.received) == (1, True)
    assert (b"s3cret" in there.received, b"Authorization" in there.received) == (False, False)


@pytest.mark.parametrize("name", ["Upgrade", "Connection"])
def test_nothing_can_be_put_into_its_head(world, wire, name):
    """A line end is no part of a protocol's name."""
    site = wire(serve())
    with pytest.raises(world.requestx.exceptions.InvalidHeader):
        world.session().get(site.url, headers={**ASKING, name: "upgrade\r\nX-Smuggled: 1"})

    assert site.received == b""


def test_an_idle_connection_may_be_switched(world, wire):
    """On plain connections there is nothing to negotiate."""
    site = wire([*serve(b"first"), request(), send(SWITCH + b"ok")])
    session = world.session()
    session.get(site.url)

    assert Conversation(world, session.get(site.url, headers=ASKING)).exactly(2) == b"ok"


def test_over_tls_http_1_1_is_agreed_upon(world, streams, wire, certs, ca):
    """The server could speak HTTP/2, which has no such word."""
    tls = {"chain": certs.good, "alpn": ["h2", "http/1.1"]}
    site = wire([request(), send(SWITCH + b"ok"), receive(2), send(b"bye"), notify()], tls=tls)
    conversation = Conversation(world, world.get(site.at("localhost"), headers=ASKING, verify=ca))
    assert conversation.exactly(2) == b"ok"
    conversation.write(b"so")

    assert (conversation.exactly(3), conversation.read(9), conversation.read(9)) == (b"bye", b"", b"")
    assert site.connections[0]["tls"]["alpn"] == "http/1.1"


def test_http_2_alone_cannot(world, wire):
    """That is told before anything is sent."""
    site = wire()
    session = world.session({"http2": "only"})

    assert "HTTP/1.1" in str(fails(world, session.get, site.url, headers=ASKING, error="InvalidHeader"))
    assert site.connections == []


def test_tls_that_is_cut_off_has_not_ended(world, wire, certs, ca):
    """Without close_notify anybody on the way could have ended it."""
    site = wire([request(), send(SWITCH + b"half"), close()], tls={"chain": certs.good})
    conversation = Conversation(world, world.get(site.at("localhost"), headers=ASKING, verify=ca))
    assert conversation.exactly(4) == b"half"

    assert "close_notify" in str(fails(world, conversation.read, 9))


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_through_a_tunnel(world, listen, tls_server, ca, scheme):
    """The proxy sees none of it."""
    proxy = listen("proxy")
    proxies = {"all": "%s://127.0.0.1:%d" % (scheme, proxy.port)}
    conversation = converse(world, tls_server.at("localhost"), proxies=proxies, verify=ca)
    conversation.write(b"through")

    assert conversation.exactly(7) == b"through"
    conversation.shutdown()
    assert conversation.read() == b"end"


def test_a_proxy_that_forwards_is_asked_as_the_server_would_be(world, wire):
    """Whether it can is its business."""
    site = wire([request(), send(SWITCH + b"ok")])
    response = world.get("http://origin.test/chat", headers=ASKING, proxies={"http": site.url})

    assert Conversation(world, response).exactly(2) == b"ok"
    assert site.requests[0].line == b"GET http://origin.test/chat HTTP/1.1"
    assert site.requests[0].field(b"upgrade") == [b"echo"]


def test_over_a_unix_socket(world, wire, tmp_path):
    """It is a connection like others."""
    path = str(tmp_path / "socket")
    wire([request(), send(SWITCH + b"ok")], path=path)
    response = world.session({"unix_socket": path}).get("http://docker/attach", headers=ASKING)

    assert Conversation(world, response).exactly(2) == b"ok"


# Both ways


def test_half_closed_it_can_be_read(world, server, tls_server, ca):
    """The peer sees the end and has the last word, with TLS and without."""
    for url in (server.url, tls_server.at("localhost")):
        conversation = converse(world, url, verify=ca)
        conversation.write(b"last")
        conversation.shutdown()
        conversation.shutdown()

        assert (conversation.read(), conversation.read(9)) == (b"lastend", b"")
        assert "after the end" in str(fails(world, conversation.write, b"x", error="RequestException"))


@pytest.mark.parametrize("secure", [False, True])
def test_much_goes_both_ways_at_once(world, server, tls_server, ca, secure):
    """One writes while another reads: neither waits for the other, and nothing is lost."""
    conversation = converse(world, tls_server.at("localhost") if secure else server.url, verify=ca)
    data = bytes(range(251)) * 50000  # 12 MB, far more than all that lies between
    writing = conversation.start("write", data)
    got = conversation.exactly(len(data))

    assert writing.result() == len(data)
    assert got == data


def test_writes_are_not_mixed(world, server):
    """Each is sent whole, however many write."""
    conversation = converse(world, server.url)
    texts = [bytes([65 + n]) * 300000 for n in range(4)]
    writing = [conversation.start("write", text) for text in texts]
    got = conversation.exactly(1200000)
    [each.result() for each in writing]

    assert sorted(got[at : at + 300000] for at in range(0, 1200000, 300000)) == texts


def test_the_peers_end_is_told_again(world, wire):
    """As of a file."""
    conversation = upgraded(world, wire([request(), send(SWITCH + b"bye"), close()]))

    assert (conversation.read(), conversation.read(9), conversation.read()) == (b"bye", b"", b"")


def test_a_reset_is_an_error(world, wire):
    """No end, and said so."""
    conversation = upgraded(world, wire([request(), send(SWITCH), rst()]))

    error = fails(world, conversation.read, 9)
    assert not isinstance(error, world.requestx.exceptions.ChunkedEncodingError)


def test_a_write_that_fails_leaves_what_came_before(world, wire):
    """A server may say why it will have no more, and then hear no more."""
    site = wire([request(), send(SWITCH + b"go away"), close()])
    conversation = upgraded(world, site)
    site.wait("closed 0")

    def write_on():
        while True:
            conversation.write(b"x" * 100000)

    fails(world, write_on)
    assert conversation.exactly(2) == b"go"


def test_a_read_that_takes_too_long_can_go_on(world, wire):
    """The limit on reading is how long each read waits."""
    site = wire([request(), send(SWITCH), wait("go"), send(b"at last")])
    conversation = upgraded(world, site, timeout=(5, 0.2))
    error = fails(world, conversation.read, 9, error="ReadTimeout")
    site.set("go")

    assert conversation.exactly(7) == b"at last"
    assert "nothing came for 0." in str(error)


def test_the_total_limit_ends_with_the_answer(world, wire):
    """It is the call's, and a conversation may last."""
    site = wire([request(), send(SWITCH), wait("go"), send(b"late")])
    conversation = upgraded(world, site, timeout=world.requestx.TimeLimits(total=0.4))
    reading = conversation.start("read", 9)
    threading.Timer(0.6, site.set, ("go",)).start()

    assert reading.result(10) == b"late"


def test_a_peer_that_takes_nothing(world, wire):
    """A write that waits for too long closes the connection."""
    conversation = upgraded(world, wire([request(), send(SWITCH), wait("never")]), timeout=(5, 0.3))
    fails(world, conversation.write, b"x" * 64 * MIB, error="Timeout")

    assert conversation.connection.closed
    assert "took too long" in str(fails(world, conversation.read, 1))


# Closing, cancelling


def test_closing_it_ends_what_waits(world, wire):
    """A read in another thread or task."""
    site = wire([request(), send(SWITCH)])
    conversation = upgraded(world, site)
    reading = conversation.start("read", 9)
    conversation.close()

    assert "it was closed" in str(fails(world, reading.result))
    assert conversation.connection.closed
    fails(world, conversation.write, b"x")
    fails(world, conversation.shutdown)
    assert site.end(0) == "eof"


@pytest.mark.parametrize("taken", [False, True])
def test_it_is_closed_with_its_response(world, wire, taken):
    """Whether somebody has taken it or not."""
    site = wire([request(), send(SWITCH)])
    response = world.get(site.url, headers=ASKING)
    connection = response.upgrade() if taken else None
    world.close(response)

    assert site.end(0) == "eof"
    assert connection is None or connection.closed


def test_it_closes_itself_when_nobody_has_it(world, wire):
    """But not before: it outlives its response."""
    site = wire([request(), send(SWITCH), receive(2)])
    conversation = Conversation(world, world.get(site.url, headers=ASKING))
    conversation.write(b"ok")
    assert site.connections[0]["end"] == ""
    del conversation

    assert site.end(0) == "eof"


def test_an_error_does_not_keep_it(blocking, wire):
    """Nor does it wait for the garbage collector then."""
    site = wire([request(), send(SWITCH)])
    gc.disable()
    try:
        with pytest.raises(blocking.requestx.exceptions.ReadTimeout):
            blocking.get(site.url, headers=ASKING, timeout=(5, 0.1)).upgrade().read(9)

        assert site.end(0) == "eof"
    finally:
        gc.enable()


def test_it_counts_until_it_is_closed(world, wire):
    """For limits on connections it is one like the others."""
    site = wire([request(), send(SWITCH)], serve())
    session = world.session({"pool_maxsize": 1, "pool_block": True})
    conversation = Conversation(world, session.get(site.url, headers=ASKING))
    waiting = session.start("get", site.url)
    assert not waiting.done()
    conversation.close()

    assert waiting.result().ok


async def in_time(world, work, seconds=0.1):
    """Await it for a while; None if that is not enough."""
    if asyncio._get_running_loop() is not None:
        try:
            return await asyncio.wait_for(work, seconds)
        except asyncio.TimeoutError:
            return None
    with world.trio.move_on_after(seconds):
        return await work


def test_a_read_that_is_cancelled_loses_nothing(awaited, server):
    """What comes meanwhile is the next one's."""

    async def scene():
        connection = (await awaited.requestx.get(server.url + "/switch", headers=ASKING)).upgrade()
        assert await connection.aread(5) == b"hello"
        assert await in_time(awaited, connection.aread(100)) is None
        await connection.awrite(b"echo")
        await awaited.sleep(0.1)
        return await connection.aread(2) + await connection.aread(100)

    assert awaited.run(scene) == b"echo"


def test_a_read_that_a_signals_handler_ends_loses_nothing(blocking, wire, monkeypatch):
    """What had come when it raised is the next one's."""
    core = blocking.requestx._core
    site = wire([request(), send(SWITCH), send(b"echo")])
    connection = blocking.get(site.url, headers=ASKING, timeout=5).upgrade()

    class Interrupting:
        def __getattr__(self, name):
            return getattr(library, name)

        def rqx_upgrade_read(self, *arguments):
            if library.rqx_upgrade_read(*arguments) == core._OK:
                raise KeyboardInterrupt
            return core._PENDING

    library = core._lib
    with monkeypatch.context() as patched:
        patched.setattr(core, "_lib", Interrupting())
        with pytest.raises(KeyboardInterrupt):
            connection.read(100)

    assert connection.read(2) + connection.read(100) == b"echo"


def test_a_write_that_is_cancelled_closes(awaited, wire):
    """Nobody knows how much of it the peer has."""
    site = wire([request(), send(SWITCH), wait("never")])

    async def scene():
        connection = (await awaited.requestx.get(site.url, headers=ASKING)).upgrade()
        assert await in_time(awaited, connection.awrite(b"x" * 64 * MIB)) is None
        assert connection.closed
        await connection.aread(9)

    fails(awaited, awaited.run, scene)


def test_a_write_that_is_cancelled_before_its_turn_does_not(awaited, wire):
    """Nothing of it was sent."""
    size = 16 * MIB
    site = wire([request(), send(SWITCH), wait("go"), receive(size), send(b"all")])

    async def scene():
        connection = (await awaited.requestx.get(site.url, headers=ASKING)).upgrade()
        first = awaited.start(connection.awrite, b"x" * size)
        await awaited.sleep(0.1)
        assert await in_time(awaited, connection.awrite(b"y")) is None
        site.set("go")
        while not first.done():
            await awaited.sleep(0.01)
        return await connection.aread(9)

    assert awaited.run(scene) == b"all"


def test_one_task_reads(awaited, wire):
    """Two would not know who gets what."""
    site = wire([request(), send(SWITCH), wait("go"), send(b"ok")])
    conversation = upgraded(awaited, site)
    first = conversation.start("read", 9)

    async def second():
        await awaited.sleep(0.05)
        with pytest.raises(RuntimeError, match="another task"):
            await conversation.connection.aread(9)

    awaited.run(second)
    site.set("go")
    assert first.result() == b"ok"


# Files, other worlds, and protocols


def test_it_is_a_raw_file(blocking, wire):
    """What reads files makes lines of it, or exactly so many bytes."""
    site = wire([request(), send(SWITCH + b"one\ntwo\n12"), wait("go"), send(b"34"), close()])
    connection = blocking.get(site.url, headers=ASKING).upgrade()
    lines = io.BufferedReader(connection)

    assert [lines.readline(), lines.readline()] == [b"one\n", b"two\n"]
    site.set("go")
    assert (lines.read(4), lines.read(4)) == (b"1234", b"")
    assert connection.readable() and connection.writable() and not connection.seekable()
    with pytest.raises((TypeError, BufferError)):
        connection.readinto(b"fixed")


def test_each_world_can_use_the_others(awaited, server):
    """A connection of the other world is awaited in a thread, or blocks."""
    blocking = awaited.requestx.blocking

    async def scene():
        connection = blocking.get(server.url + "/switch", headers=ASKING).upgrade()
        async with connection:
            assert await connection.aread(5) == b"hello"
            assert await connection.awrite(b"echo") == 4
            assert await connection.aread(9) == b"echo"
            await connection.ashutdown()
            assert await connection.aread() == b"end"
        return (await awaited.requestx.get(server.url + "/switch", headers=ASKING)).upgrade()

    with awaited.run(scene) as connection:
        assert connection.read(5) == b"hello"
        connection.write(b"echo")
        assert connection.read(9) == b"echo"
        connection.shutdown()
        assert connection.read() == b"end"


@pytest.fixture
def websockets(module, launch, tmp_path):
    """A server of another's, which sends back each text in upper case."""
    module("hypercorn")
    (tmp_path / "application.py").write_text(HYPERCORN)
    command = [sys.executable, "-m", "hypercorn", "-b", "127.0.0.1:{port}", "application:app"]
    return "http://127.0.0.1:%d/" % launch(command, cwd=str(tmp_path))


def test_websocket(world, websockets, module):
    """Another's server, and another's frames, with the bytes in between ours."""
    wsproto = module("wsproto")
    from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage

    socket = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
    lines = socket.send(Request(host=websockets[7:-1], target="/")).decode().split("\r\n")
    response = world.get(websockets, headers=dict(line.split(": ", 1) for line in lines[2:] if line))
    conversation = Conversation(world, response)
    fields = "".join("%s: %s\r\n" % field for field in response.headers.items())
    socket.receive_data(("HTTP/1.1 101 \r\n%s\r\n" % fields).encode())

    def hear():
        while True:
            for event in socket.events():
                return event
            socket.receive_data(conversation.read(65536) or None)

    assert isinstance(hear(), AcceptConnection)
    conversation.write(socket.send(TextMessage("grüße " * 10000)))
    text = ""
    while len(text) < 70000:
        text += hear().data
    assert text == "GRÜSSE " * 10000
    conversation.write(socket.send(CloseConnection(1000)))
    assert isinstance(hear(), CloseConnection)


def test_the_example_speaks_websocket(websockets):
    """examples/python/websocket.py does what its first lines say."""
    command = [sys.executable, str(Path(__file__).parents[2] / "examples" / "python" / "websocket.py"), websockets]
    done = subprocess.run(command + ["grüße", "x" * 70000], stdout=subprocess.PIPE, timeout=15)

    assert (done.returncode, done.stdout.decode().split()) == (0, ["GRÜSSE", "X" * 70000])


def test_uvloop(child, server, module):
    """The same under uvloop: both ways, a read given up, the end."""
    module("uvloop")
    outcome = child(
        """
        import uvloop

        async def scene():
            asking = {"Connection": "Upgrade", "Upgrade": "echo"}
            async with (await requestx.get(url + "/switch", headers=asking)).upgrade() as connection:
                said = [await connection.aread(5)]
                try:
                    await asyncio.wait_for(connection.aread(9), 0.05)
                except asyncio.TimeoutError:
                    pass
                await connection.awrite(b"echo")
                said.append(await connection.aread(9))
                await connection.ashutdown()
                return said + [await connection.aread()]

        loop = uvloop.new_event_loop()
        print(loop.run_until_complete(scene()))
        loop.close()
        """,
        server.url,
    )

    assert (outcome.out, outcome.code) == ("[b'hello', b'echo', b'end']\n", 0), outcome


def test_an_exit_does_not_wait_for_it(child, wire):
    """A read that nobody awaits any more, and a connection in use, end with the process and without a word."""
    site = wire([request(), send(SWITCH)], [request(), send(SWITCH)])
    outcome = child(
        """
        asking = {"Connection": "Upgrade", "Upgrade": "echo"}
        kept = requestx.get(url, headers=asking).upgrade()
        threading.Thread(target=kept.read, args=(9,), daemon=True).start()

        async def scene():
            connection = (await requestx.get(url, headers=asking)).upgrade()
            asyncio.ensure_future(connection.aread(9))
            await asyncio.sleep(0.05)
            return connection

        other = asyncio.run(scene())
        print("done")
        """,
        site.url,
    )

    assert (outcome.out, outcome.err, outcome.code) == ("done\n", "", 0), outcome


@pytest.mark.skipif(sys.platform == "win32", reason="no fork here")
def test_a_forked_child_leaves_it_alone(child, server):
    """The child is told whose it is, and the parent goes on."""
    outcome = child(
        """
        warnings.simplefilter("ignore", DeprecationWarning)
        asking = {"Connection": "Upgrade", "Upgrade": "echo"}
        connection = requestx.get(url + "/switch", headers=asking).upgrade()
        pid = os.fork()
        if not pid:
            try:
                connection.read(5)
            except requestx.ConnectionError as error:
                print("parent process" in str(error), flush=True)
            connection.close()
            del connection
            gc.collect()
            os._exit(0)
        os.waitpid(pid, 0)
        connection.write(b"echo")
        print(connection.read(5), connection.read(9))
        """,
        server.url,
    )

    assert (outcome.out, outcome.code) == ("True\nb'hello' b'echo'\n", 0), outcome


@pytest.mark.bare
def test_memory_stays_flat(child, server):
    """Whatever passes: 100 MB there and back, blocking and awaited, in 32 MB."""
    outcome = child(
        """
        asking = {"Connection": "Upgrade", "Upgrade": "echo"}
        block = bytes(4 << 20)

        def blocking():
            def write():
                for _ in range(25):
                    connection.write(block)
                connection.shutdown()

            with requestx.get(url + "/switch", headers=asking).upgrade() as connection:
                threading.Thread(target=write).start()
                return sum(len(piece) for piece in iter(lambda: connection.read(1 << 20), b""))

        async def awaited():
            async def write():
                for _ in range(25):
                    await connection.awrite(block)
                await connection.ashutdown()

            async with (await requestx.get(url + "/switch", headers=asking)).upgrade() as connection:
                writing = asyncio.ensure_future(write())
                total, piece = 0, b"x"
                while piece:
                    piece = await connection.aread(1 << 20)
                    total += len(piece)
                await writing
                return total

        before = peak()
        print(blocking() >> 20, asyncio.run(awaited()) >> 20, peak() - before < 32)
        """,
        server.url,
    )

    assert (outcome.out, outcome.code) == ("100 100 True\n", 0), outcome
