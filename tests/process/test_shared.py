"""What several tasks, loops or signals do to one response, one upload, one loop."""

import asyncio

import pytest
from server.steps import request, send


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
