"""Calls awaited in a trio run: scopes and nurseries, how a run ends, and what shares a session with it.

What every awaited world has to do is in the wire tests marked ``trio``.
"""

import asyncio
import sys
import threading

import pytest
from server.steps import head, request, send, serve

import requestx
import requestx.aio
import requestx.blocking


@pytest.fixture
def trio(module):
    """The library; without it the test is skipped by name."""
    return module("trio")


def test_the_plain_names_are_awaited(trio, server):
    """As in an asyncio loop; run itself and nurseries take the functions and methods."""
    session, seen = requestx.Session(), []

    async def scene():
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(session.get, server.url + "/get")
        seen.append((await requestx.post(server.url + "/post", data=b"body")).json()["body"])
        seen.append((await requestx.aio.get(server.url + "/get")).status_code)

    trio.run(scene)
    seen.append(trio.run(requestx.get, server.url + "/get").status_code)

    assert seen == ["body", 200, 200]
    assert len(server.requests) == 23


def test_where_no_task_runs_they_block(trio, server):
    """In a worker thread of trio's, once trio is imported, after a run; and ``requestx.blocking`` always."""
    seen = []

    async def scene():
        seen.append((await trio.to_thread.run_sync(requestx.get, server.url + "/get")).status_code)
        seen.append(requestx.blocking.get(server.url + "/get").status_code)

    seen.append(requestx.get(server.url + "/get").status_code)
    trio.run(scene)
    seen.append(requestx.get(server.url + "/get").status_code)

    assert seen == [200] * 4


@pytest.mark.parametrize("body", [None, b"x", b"x" * 3000000], ids=["ready", "body", "upload"])
def test_a_time_limit_closes_the_connection(trio, wire, body):
    """``fail_after`` raises what it raises for everything else, and not in a group."""
    site = wire([request()])

    async def scene():
        with trio.fail_after(0.3):
            try:
                await (requestx.get(site.url) if body is None else requestx.post(site.url, data=body))
            except trio.Cancelled:
                seen.append("cancelled")
                raise

    seen = []
    with pytest.raises(trio.TooSlowError):
        trio.run(scene)

    assert seen == ["cancelled"]
    assert site.end(0, limit=2) in ("eof", "reset")


@pytest.mark.parametrize("body", [None, b"x", b"x" * 3000000], ids=["ready", "body", "upload"])
def test_a_cancelled_scope_sends_nothing(trio, wire, body):
    """As every checkpoint of trio's: it is cancelled before it has any effect."""
    site = wire(serve())

    async def scene():
        with trio.CancelScope() as scope:
            scope.cancel()
            await (requestx.get(site.url) if body is None else requestx.post(site.url, data=body))
        return scope.cancelled_caught

    assert trio.run(scene)
    assert site.connections == []


def test_cancelling_while_a_stream_is_read(trio, wire):
    """The connection is closed, and whoever reads on is told that this was not the end."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")])

    async def scene():
        response = await requestx.get(site.url, stream=True)
        with trio.move_on_after(0.2) as scope:
            await response.aread()
        with pytest.raises(requestx.RequestException):
            await response.aread()
        return scope.cancelled_caught

    assert trio.run(scene)
    assert site.end(0, limit=2) in ("eof", "reset")


def test_cancelling_an_upload_ends_its_generator(trio, wire):
    """What it cleans up is cleaned up when the call has ended."""
    site, seen = wire([head()]), []

    async def chunks():
        try:
            yield b"some"
            await trio.sleep_forever()
        finally:
            seen.append("closed")

    async def scene():
        with trio.move_on_after(0.3):
            await requestx.post(site.url, data=chunks())
        return list(seen)

    assert trio.run(scene) == ["closed"]
    assert site.end(0, limit=2) in ("eof", "reset")


def test_what_an_upload_raises_is_raised_as_it_is(trio, wire):
    """The call's exception is the generator's own, and not in a group."""
    site = wire([head()])

    async def chunks():
        yield b"some"
        raise LookupError("mine")

    async def scene():
        await requestx.post(site.url, data=chunks())

    with pytest.raises(LookupError, match="mine"):
        trio.run(scene)


def test_tasks_that_read_one_response_get_the_same(trio, server):
    """One reads, the other finds the content."""
    seen = []

    async def read(response):
        seen.append(len(await response.aread()))

    async def scene():
        response = await requestx.get(server.url + "/bytes/3000000", stream=True)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read, response)
            nursery.start_soon(read, response)

    trio.run(scene)

    assert seen == [3000000] * 2


def test_a_response_may_go_from_one_loop_to_another(trio, server):
    """From trio to asyncio, and back: a thread waits for what this loop does not watch."""

    async def begin():
        return await requestx.get(server.url + "/bytes/100000", stream=True)

    async def read(response):
        return len(await response.aread())

    assert asyncio.run(read(trio.run(begin))) == 100000
    assert trio.run(read, asyncio.run(begin())) == 100000


def test_one_session_in_loops_and_threads(trio, server):
    """An asyncio loop, two trio runs and blocking calls, each in a thread of its own."""
    session, seen = requestx.Session(), []

    async def several():
        for number in range(20):
            answer = await session.get(server.url + "/get", params={"n": number})
            seen.append(answer.json()["args"]["n"] == str(number))

    def blocking():
        for number in range(20):
            answer = session.get(server.url + "/get", params={"n": number})
            seen.append(answer.json()["args"]["n"] == str(number))

    ways = [blocking, lambda: asyncio.run(several()), lambda: trio.run(several), lambda: trio.run(several)]
    threads = [threading.Thread(target=way) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.close()

    assert seen == [True] * 80


def test_trio_as_a_guest_of_asyncio(trio, server):
    """Each task is awaited by its own loop, though both run in one thread."""
    seen = []

    async def guest():
        response = await requestx.get(server.url + "/bytes/3000000", stream=True)
        seen.append(len(await response.aread()))

    async def host():
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        trio.lowlevel.start_guest_run(
            guest, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=ended.set_result
        )
        seen.append((await requestx.get(server.url + "/get")).status_code)
        (await ended).unwrap()
        seen.append((await requestx.get(server.url + "/get")).status_code)

    asyncio.run(host())

    assert sorted(seen) == [200, 200, 3000000]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio(trio, module, server, backend):
    """Task groups and cancel scopes of AnyIO's, whichever loop is beneath."""
    anyio = module("anyio")
    session, seen = requestx.Session(), []

    async def scene():
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(session.get, server.url + "/get")
        with anyio.move_on_after(0.2) as scope:
            await session.get(server.url + "/slow")
        seen.append(scope.cancelled_caught)
        async with session.get(server.url + "/bytes/3000000", stream=True) as response:
            seen.append(sum([len(piece) async for piece in response.aiter_content(65536)]))

    anyio.run(scene, backend=backend)

    assert seen == [True, 3000000]
    assert len(server.requests) == 7


def test_a_hook_in_a_worker_thread_uses_the_calls_connection(trio, server):
    """What a sync hook sends through the adapter is awaited by the run, on the same connection."""
    threads = []

    def again(response, **more):
        threads.append(threading.current_thread())
        response.content  # noqa: B018
        return response.connection.send(response.request)

    async def scene():
        async with requestx.Session() as session:
            return await session.get(server.url + "/get", hooks={"response": again})

    assert trio.run(scene).status_code == 200
    assert threads[0] is not threading.current_thread()
    assert len(server.connections) == 1
    assert len(server.requests) == 2


def test_a_shielded_system_task_gets_its_answer(trio, server):
    """A run that ends waits for it, as trio does; so the answer has to come."""
    seen = []

    async def late():
        with trio.CancelScope(shield=True):
            seen.append((await requestx.get(server.url + "/slow?s=0.3")).status_code)
            seen.append((await requestx.get(server.url + "/get")).status_code)

    async def scene():
        trio.lowlevel.spawn_system_task(late)
        await trio.lowlevel.checkpoint()

    trio.run(scene)

    assert seen == [200, 200]


def test_a_run_that_ends_closes_what_is_in_flight(trio, wire):
    """A system task's request is cancelled with it."""
    site = wire([request()])

    async def scene():
        trio.lowlevel.spawn_system_task(requestx.get, site.url)
        with trio.move_on_after(0.3):
            await trio.sleep_forever()

    trio.run(scene)

    assert site.end(0, limit=2) in ("eof", "reset")


def test_ctrl_c_in_a_run(child, server, module):
    """It is raised where the call is awaited, and leaves no connection."""
    module("trio")
    outcome = child(
        """
        import trio
        session = requestx.Session()

        async def scene():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(session.get, url + "/slow")
                await session.post(url + "/slow", data=b"x" * 3000000)

        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
        signal.setitimer(signal.ITIMER_REAL, 0.4)
        try:
            trio.run(scene)
        except BaseException as error:
            while hasattr(error, "exceptions"):
                error = error.exceptions[0]
            print(type(error).__name__)
        for _ in range(100):
            left = session.adapters["http://"]._client.stats()["open_connections"]
            if not left:
                break
            time.sleep(0.02)
        print(left)
        """,
        server.url,
    )

    assert (outcome.out, outcome.clean) == ("KeyboardInterrupt\n0\n", True), outcome


def test_runs_leave_nothing_behind(child, server, module):
    """One after the other: no descriptor stays; and asyncio is not even imported."""
    module("trio")
    outcome = child(
        """
        import subprocess
        code = '''
        import gc, os, sys
        import trio, requestx
        url = sys.argv[1]

        async def scene():
            async with requestx.Session() as session:
                await session.get(url + "/get")
                async with session.get(url + "/bytes/3000000", stream=True) as response:
                    async for piece in response.aiter_content(65536):
                        break

        def count():
            gc.collect()
            return len(os.listdir("/proc/self/fd"))

        trio.run(scene)
        before = count()
        for _ in range(20):
            trio.run(scene)
        print(count() - before <= 2, "asyncio" in sys.modules)
        '''
        import textwrap
        print(subprocess.check_output([sys.executable, "-c", textwrap.dedent(code), url], text=True), end="")
        """,
        server.url,
    )

    assert (outcome.out, outcome.clean) == ("True False\n", True), outcome


def test_trio_is_not_imported_for_it(child):
    """Nor anything for it, in a program that does without."""
    outcome = child("print({'trio', 'outcome', 'sniffio', 'requestx._wake_trio'} & set(sys.modules))")

    assert outcome.out == "set()\n", outcome


if sys.platform != "linux":
    del test_runs_leave_nothing_behind
