"""Tasks and event loops: cancelling, several loops, other loops, and loops that end too early."""

import asyncio
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from server.steps import mark, request, send, serve, wait


def test_cancelling_a_task_closes_its_connection(awaited, wire):
    """The server sees the end at once, not when the answer would have come."""
    site = wire([request()])
    call = awaited.start(awaited.requestx.get, site.url)
    site.wait("request 1")
    call.cancel()

    assert site.end(0, limit=2) in ("eof", "reset")


def test_cancelling_one_leaves_the_others(awaited, wire):
    """Of two requests on one session, the other gets its answer."""
    site = wire([request(), wait("go"), send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")], [request()])
    session = awaited.session()
    first = session.start("get", site.url)
    site.wait("request 1")
    second = session.start("get", site.url)
    site.wait("request 2")
    second.cancel()

    assert site.end(1, limit=2) in ("eof", "reset")
    site.set("go")
    assert first.result().content == b"ok"


def test_cancelling_while_a_body_is_read(awaited, wire):
    """The same in the middle of a body."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")])
    call = awaited.start(awaited.requestx.get, site.url)
    site.wait("request 1")
    call.cancel()

    assert site.end(0, limit=2) in ("eof", "reset")


def test_cancelling_while_a_stream_is_read(awaited, wire):
    """And of a body that is pulled."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), mark("sent")])

    async def scene():
        response = await awaited.requestx.get(site.url, stream=True)
        pieces = response.aiter_content(4)
        assert await pieces.__anext__() == b"half"
        task = asyncio.ensure_future(pieces.__anext__())
        await asyncio.wait([task], timeout=0.1)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert awaited.run(scene)
    assert site.end(0, limit=2) in ("eof", "reset")


def test_cancelling_while_connecting(awaited, listen):
    """The same before there is a connection: the task ends at once."""
    site = listen("wire", accept=False, backlog=0)

    async def scene():
        task = asyncio.ensure_future(awaited.requestx.get(site.url))
        await asyncio.sleep(0.05)  # long enough to be within connect(2), which nobody else can see
        task.cancel()
        await asyncio.wait([task], timeout=1)
        return task.cancelled()

    assert awaited.run(scene)


def test_wait_for_is_a_time_limit(awaited, wire):
    """asyncio's own time limits work as with any coroutine, and close the connection."""
    site = wire([request()])

    async def scene():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(awaited.requestx.get(site.url), 0.2)

    awaited.run(scene)

    assert site.end(0, limit=2) in ("eof", "reset")


def test_task_cancelled_before_it_began_sends_nothing(awaited, wire):
    """A task that never ran has no effects."""
    site = wire(serve())

    async def scene():
        task = asyncio.ensure_future(awaited.requestx.get(site.url))
        task.cancel()
        await asyncio.wait([task])

    awaited.run(scene)

    assert site.connections == []


def test_session_goes_on_after_a_cancel(awaited, wire):
    """The cancelled request's connection is not given to the next one."""
    site = wire([request()], serve(b"next"))
    session = awaited.session()
    call = session.start("get", site.url)
    site.wait("request 1")
    call.cancel()
    site.end(0)

    assert session.get(site.url).content == b"next"


def test_many_at_once(awaited, server):
    """gather over one session; every answer goes to who asked."""
    session = awaited.session()

    async def scene():
        calls = [session.session.get(server.url + "/get", params={"n": str(number)}) for number in range(100)]
        return [answer.json()["args"]["n"] for answer in await asyncio.gather(*calls)]

    assert awaited.run(scene) == [str(number) for number in range(100)]


def test_a_loop_in_each_of_two_threads(awaited, server):
    """One session, two loops at the same time: completions find their own loop."""
    import requestx

    session, seen = requestx.Session(), []

    async def scene():
        for _ in range(5):
            answers = await asyncio.gather(*[session.get(server.url + "/get") for _ in range(10)])
            seen.extend(answer.status_code for answer in answers)

    threads = [threading.Thread(target=asyncio.run, args=(scene(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.close()

    assert seen == [200] * 100


def test_loops_of_threads_come_and_go_together(server):
    """A loop that looks for closed ones is not troubled by one that another thread begins meanwhile."""
    import requestx

    class Watched(asyncio.SelectorEventLoop):
        def is_closed(self):
            if seen and not others:
                others.append(threading.Thread(target=live, args=(asyncio.SelectorEventLoop(),)))
                others[0].start()
                others[0].join()
            return super().is_closed()

    def live(loop):
        seen.append(loop.run_until_complete(requestx.aio.get(server.url + "/get")).status_code)
        loop.close()

    seen, others, watched = [], [None], Watched()
    live(watched)
    others.clear()
    live(asyncio.SelectorEventLoop())

    assert seen == [200, 200, 200]


def test_one_loop_after_another(server):
    """A session outlives the loop it was used in."""
    import requestx

    session = requestx.Session()

    async def scene():
        return (await session.get(server.url + "/get")).status_code

    assert [asyncio.run(scene()) for _ in range(3)] == [200] * 3
    session.close()


def test_blocking_and_awaited_use_of_one_session(server):
    """Outside of a loop the same session blocks."""
    import requestx

    session = requestx.Session()

    async def scene():
        return (await session.get(server.url + "/get")).status_code

    assert session.get(server.url + "/get").status_code == 200
    assert asyncio.run(scene()) == 200
    assert session.get(server.url + "/get").status_code == 200
    session.close()


def test_loop_that_closes_with_requests_in_flight(child, server):
    """Closing the loop is quiet, and the next loop works."""
    outcome = child(
        """
        async def scene():
            tasks = [asyncio.ensure_future(requestx.get(url + "/slow")) for _ in range(8)]
            await asyncio.wait(tasks, timeout=0.3)

        async def quick():
            return (await requestx.get(url + "/get")).status_code

        asyncio.run(scene())
        print(asyncio.run(quick()))
        """,
        server.url,
    )

    assert (outcome.out, outcome.clean) == ("200\n", True), outcome


def test_loop_that_is_abandoned_with_requests_in_flight(child, server):
    """A loop that was simply stopped and closed, tasks and all, breaks nothing of ours."""
    outcome = child(
        """
        async def begin():
            return asyncio.ensure_future(requestx.get(url + "/slow"))

        loop = asyncio.new_event_loop()
        task = loop.run_until_complete(begin())
        loop.call_later(0.2, loop.stop)
        loop.run_forever()
        task._log_destroy_pending = False
        loop.close()
        del task, loop
        gc.collect()

        async def quick():
            return (await requestx.get(url + "/get")).status_code

        print(asyncio.run(quick()), requestx.get(url + "/get").status_code)
        """,
        server.url,
    )

    assert (outcome.out, outcome.code) == ("200 200\n", 0), outcome


def test_uvloop(child, server, module):
    """The same calls under uvloop: many at once, a cancel, a stream."""
    module("uvloop")
    outcome = child(
        """
        import uvloop

        async def scene():
            answers = await asyncio.gather(*[requestx.get(url + "/get") for _ in range(50)])
            task = asyncio.ensure_future(requestx.get(url + "/slow"))
            await asyncio.wait([task], timeout=0.1)
            task.cancel()
            response = await requestx.get(url + "/bytes/3000000", stream=True)
            size = sum([len(piece) async for piece in response.aiter_content(65536)])
            return {answer.status_code for answer in answers}, size

        loop = uvloop.new_event_loop()
        print(loop.run_until_complete(scene()))
        loop.close()
        """,
        server.url,
    )

    assert (outcome.out, outcome.code) == ("({200}, 3000000)\n", 0), outcome


def test_nothing_is_left_behind(child, server):
    """Loops and sessions that came and went leave no descriptor and no thread for each."""
    outcome = child(
        """
        def count():
            gc.collect()
            return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

        async def scene():
            async with requestx.Session() as session:
                await asyncio.gather(*[session.get(url + "/get") for _ in range(4)])

        def blocking():
            with requestx.Session() as session:
                session.get(url + "/get")

        asyncio.run(scene()), blocking()
        before = count()
        for _ in range(20):
            asyncio.run(scene()), blocking()
        time.sleep(0.1)
        after = count()
        print(after[0] - before[0] <= 2, after[1] - before[1] <= 1, before, after)
        """,
        server.url,
    )

    assert outcome.out.startswith("True True"), outcome


def test_hook_that_asks_again_ends_with_its_call(child, server):
    """What it waits for in its thread goes with the loop, and keeps nobody from leaving."""
    source = """
    def again(response, **more):
        slow = response.request.copy()
        slow.url = url + "/slow"
        slow.hooks = {"response": []}
        return response.connection.send(slow, **more)

    async def scene():
        try:
            await asyncio.wait_for(requestx.get(url + "/get", hooks={"response": again}), 0.5)
        except asyncio.TimeoutError:
            print("gone")

    asyncio.run(scene())
    """
    outcome = child(source, server.url)

    assert (outcome.out, outcome.clean) == ("gone\n", True), outcome
    assert outcome.seconds < 10


def test_cancelling_a_call_cancels_what_its_hook_has_sent(awaited, wire):
    """The server sees the end at once, although a thread waits for the answer."""
    site = wire(serve(), [request()])

    def again(response, **more):
        other = response.request.copy()
        other.headers["Connection"] = "close"
        other.hooks = {"response": []}
        return response.connection.send(other, **more)

    call = awaited.start(awaited.requestx.get, site.url, headers={"Connection": "close"}, hooks={"response": again})
    site.wait("request 2")
    call.cancel()

    assert site.end(1, limit=2) in ("eof", "reset")


def test_an_upload_in_the_only_worker_thread(awaited, server):
    """A thread that waits for its request does not keep the body of that request from being read."""

    class Adapter(awaited.requestx.adapters.HTTPAdapter):
        def send(self, request, **more):
            return super().send(request, **more)

        def add_headers(self, request, **more):
            request.headers["X-Added"] = "1"

    async def scene():
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        session = awaited.requestx.Session()
        session.mount("http://", Adapter())
        return (await session.post(server.url + "/echo", data=io.BytesIO(b"x" * 600000), timeout=5)).json()

    assert awaited.run(scene)["length"] == 600000
