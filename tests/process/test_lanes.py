"""A response that was got in one world can be read in the other, and neither stops the loop."""

import asyncio

import pytest

SIZE = 3_000_000


@pytest.mark.parametrize("way", ["async for", "aiter_content", "aread"])
def test_a_blocking_response_is_read_awaiting(awaited, blocking, server, way):
    """It keeps its connection, which is the blocking lane's."""
    response = blocking.get(f"{server.url}/bytes/{SIZE}", stream=True)

    async def scene():
        if way == "aread":
            return len(await response.aread())
        source = response if way == "async for" else response.aiter_content(65536)
        return sum([len(piece) async for piece in source])

    assert awaited.run(scene) == SIZE


@pytest.mark.parametrize("way", ["content", "iter_content"])
def test_an_awaited_response_is_read_blocking(awaited, server, way):
    """A worker thread may read what a task has asked for."""
    response = awaited.get(f"{server.url}/bytes/{SIZE}", stream=True)
    size = len(response.content) if way == "content" else sum(map(len, response.iter_content(65536)))

    assert size == SIZE


def test_the_loop_goes_on_while_a_blocking_response_is_awaited(awaited, blocking, server):
    """The last byte comes only after the loop has turned."""
    response = blocking.get(server.url + "/stall/5", stream=True)

    async def scene():
        reading = asyncio.ensure_future(response.aread())
        for _ in range(100):
            await asyncio.sleep(0)
        server.set("release")
        return len(await reading)

    assert awaited.run(scene) == 6


def test_a_response_opens_by_async_with_and_is_iterated(awaited, server):
    """``async with session.get(..., stream=True)``, then ``async for`` over the response itself."""

    async def scene():
        async with awaited.requestx.Session() as session, session.get(server.url + "/bytes/1000", stream=True) as found:
            return [len(piece) async for piece in found]

    assert sum(awaited.run(scene)) == 1000
