"""What several tasks, loops or signals do to one response, one upload, one loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from server.steps import request, send, wait
from worlds import turn

from requestx._core import Busy

HALF = [request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf"), wait("go"), send(b"rest")]


def test_two_tasks_that_read_one_response_get_the_same(awaited, server):
    """One reads, the other finds the content."""
    size = 3 << 20

    async def scene():
        response = await awaited.requestx.get(server.url + "/bytes/%d" % size, stream=True)
        return await asyncio.gather(response.aread(), response.aread())

    first, second = awaited.run(scene)

    assert len(first) == size
    assert first == second


def test_a_cancelled_read_is_no_end(awaited, wire):
    """Its connection is closed, and whoever reads on is told so, and gets no short body for a whole one."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")])

    async def scene():
        response = await awaited.requestx.get(site.url, stream=True)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(response.aread(), 0.1)
        return response

    response = awaited.run(scene)

    assert site.end(0, limit=2) in ("eof", "reset")
    for _ in range(2):
        with pytest.raises(awaited.requestx.exceptions.RequestException):
            response.content  # noqa: B018


def test_a_read_that_failed_fails_again(world, wire):
    """A body that ended early is no empty body the second time."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\nhalf"), ["close"]])
    response = world.get(site.url, stream=True)

    for _ in range(2):
        with pytest.raises(world.requestx.exceptions.ChunkedEncodingError):
            world.read(response)


def test_an_upload_is_asked_for_once_a_chunk(awaited, server, monkeypatch):
    """A producer that takes its time is waited for, not asked again and again."""
    import requestx._wake

    asked = []
    room = requestx._wake.Wake.has_room
    monkeypatch.setattr(requestx._wake.Wake, "has_room", lambda self, token: asked.append(token) or room(self, token))

    async def chunks():
        for _ in range(5):
            yield b"chunk"
            await asyncio.sleep(0.01)

    assert awaited.post(server.url + "/post", data=chunks()).json()["body"] == "chunk" * 5
    assert len(asked) <= 6


def test_a_response_of_another_loop_can_be_read(server):
    """A thread waits for what this loop does not watch."""
    import requestx

    async def begin():
        return await requestx.get(server.url + "/bytes/100000", stream=True)

    async def read(response):
        return await response.aread()

    assert len(asyncio.run(read(asyncio.run(begin())))) == 100000


async def turns():
    """Time for another task to set out."""
    for _ in range(5):
        await turn()


def in_pieces(response):
    async def scene():
        return b"".join([piece async for piece in response.aiter_content(3)])

    return scene()


FOREIGN = {
    "aread": lambda response: asyncio.run(response.aread()),
    "aiter_content": lambda response: asyncio.run(in_pieces(response)),
    "content": lambda response: response.content,
    "iter_content": lambda response: b"".join(response.iter_content(3)),
}


@pytest.mark.trio
@pytest.mark.parametrize("way", sorted(FOREIGN))
def test_a_response_is_read_wherever_it_is_taken(awaited, wire, way):
    """By another loop or by a thread, while its own loop runs; also one of which its loop has read a part."""
    for begin in (0, 3):
        site = wire(HALF)
        response = awaited.get(site.url, stream=True)
        first = awaited.run(response.raw.anext, begin) if begin else b""
        site.set("go")

        assert first + FOREIGN[way](response) == b"halfrest"


@pytest.mark.trio
@pytest.mark.parametrize("way", sorted(FOREIGN))
def test_a_body_that_is_awaited_is_read_by_nobody_else(awaited, wire, way):
    """Whoever tries is told at once, and the one that waits gets all of it."""
    site = wire(HALF)
    response = awaited.get(site.url, stream=True)
    assert awaited.run(response.raw.anext, 4) == b"half"
    rest = awaited.start(response.aread)
    awaited.run(turns)
    with pytest.raises(RuntimeError, match="being read already"):
        FOREIGN[way](response)
    site.set("go")

    assert rest.result() == b"rest"


@pytest.mark.trio
@pytest.mark.parametrize("way", ["aread", "aiter_content"])
def test_a_loop_does_not_wait_for_a_thread_that_reads(awaited, wire, way):
    """It has others to look after; the thread gets all of it."""
    site = wire(HALF)
    response = awaited.get(site.url, stream=True)
    assert awaited.run(response.raw.anext, 4) == b"half"
    with ThreadPoolExecutor(1) as pool:
        rest = pool.submit(response.raw.read, 4)
        while not response.raw._answer._stream._lock.locked():
            pass
        with pytest.raises(RuntimeError, match="being read already"):
            awaited.run({"aread": response.aread, "aiter_content": lambda: in_pieces(response)}[way])
        site.set("go")

        assert rest.result() == b"rest"


@pytest.mark.trio
def test_what_is_closed_while_it_is_awaited_says_so(awaited, wire):
    """The piece that came went with the response; nobody looks at memory that has been freed."""
    site = wire(HALF)
    response = awaited.get(site.url, stream=True)
    assert awaited.run(response.raw.anext, 4) == b"half"
    lane = response.raw._answer._stream.lane
    read = lane.read

    async def read_and_close(*arguments):
        piece = await read(*arguments)
        response.close()
        return piece

    lane.read = read_and_close
    site.set("go")
    with pytest.raises(awaited.requestx.exceptions.ConnectionError, match="closed before the end"):
        awaited.run(response.aread)


@pytest.mark.trio
def test_a_body_that_two_have_read_is_no_whole_one(awaited, wire):
    """Where a thread comes in between two pieces, the rest is not taken for all of it."""
    site = wire(HALF)
    response = awaited.get(site.url, stream=True)
    lane = response.raw._answer._stream.lane
    read, pieces = lane.read, []

    async def read_once(*arguments):
        if pieces:
            raise Busy
        pieces.append(await read(*arguments))
        return pieces[0]

    lane.read = read_once
    with pytest.raises(RuntimeError, match="being read already"):
        awaited.run(response.aread)
    lane.read = read
    site.set("go")
    for way in (response.aread, lambda: response.content):
        with pytest.raises(awaited.requestx.RequestException, match="somebody else"):
            awaited.run(way)


def test_many_threads_may_close_what_others_read(child, server):
    """It ends with an error or the body, never with a crash."""
    outcome = child(
        """
        def attempt(function):
            try:
                return function()
            except (requestx.RequestException, RuntimeError):  # the latter where another one reads
                pass
        async def begin():
            return await requestx.get(url, stream=True)
        async def read(response):
            run = asyncio.get_running_loop().run_in_executor
            await asyncio.gather(response.aread(), run(None, response.close), run(None, response.close))
        for number in range(200):
            response = requestx.get(url, stream=True)
            jobs = [lambda: response.content, response.close, response.close, lambda: response.raw.read(9)]
            threads = [threading.Thread(target=attempt, args=(job,)) for job in jobs[number % 2:]]
            [each.start() for each in threads]
            [each.join() for each in threads]
            response.timings, response.trailers, response.raw.tell()
            attempt(lambda: asyncio.run(read(response := asyncio.run(begin()))))
        """,
        server.url + "/bytes/3000000",
        limit=60,
    )

    assert outcome.clean, outcome


def test_closed_loops_are_let_go(child, wire):
    """A loop that was closed with a request in flight is freed, and its connection closed."""
    site = wire(*[[request()]] * 4)
    outcome = child(
        """
        import gc, weakref
        loops = []
        def leave():
            loop = asyncio.new_event_loop()
            task = loop.create_task(requestx.aio.get(url))
            loop.run_until_complete(asyncio.sleep(0.1))
            task._log_destroy_pending = False
            loop.close()
            loops.append(weakref.ref(loop))
        for _ in range(4):
            leave()
        asyncio.run(asyncio.sleep(0))
        gc.collect()
        print(sum(loop() is not None for loop in loops))
        """,
        site.url,
    )

    assert int(outcome.out) <= 1, outcome


def test_an_interrupted_call_leaves_nothing(child, wire):
    """A signal's exception in the first slice of a call frees its exchange: no connection stays."""
    site = wire(*[[request()]] * 8)
    outcome = child(
        """
        def stop(*_):
            raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, stop)
        session = requestx.Session()
        for _ in range(8):
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            try:
                session.get(url)
            except KeyboardInterrupt:
                pass
        print(session.adapters["http://"]._client.stats()["open_connections"])
        """,
        site.url,
    )

    assert outcome.out == "0\n", outcome
