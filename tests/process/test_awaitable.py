"""What a call returns inside a running loop: a coroutine that also opens an ``async with``, and nothing else."""

import asyncio
import collections.abc
import gc
import inspect
import warnings

import pytest


def test_it_is_a_coroutine(awaited, server):
    """create_task, gather and wait_for take it as it is."""

    async def scene():
        call = awaited.requestx.get(server.url + "/get")
        assert isinstance(call, collections.abc.Coroutine)
        assert inspect.isawaitable(call)
        task = asyncio.get_event_loop().create_task(call)
        repr(task)
        return (await task).status_code

    assert awaited.run(scene) == 200


def test_nothing_is_sent_before_it_is_awaited(awaited, server):
    """Making it is not doing it."""

    async def scene():
        call = awaited.requestx.get(server.url + "/get")
        await asyncio.sleep(0.1)
        call.close()

    awaited.run(scene)

    assert server.connections == []


def test_a_task_says_what_it_waits_for(awaited):
    """Who looks for what hangs is told that it is a call."""

    async def scene():
        task = asyncio.ensure_future(awaited.requestx.get("http://127.0.0.1:1/"))
        task.cancel()
        return repr(task)

    assert "requestx call" in awaited.run(scene)


def test_second_await_is_an_error(awaited, server):
    """As with any coroutine."""

    async def scene():
        call = awaited.requestx.get(server.url + "/get")
        await call
        with pytest.raises(RuntimeError):
            await call

    awaited.run(scene)

    assert len(server.requests) == 1


def test_one_never_awaited_warns(awaited, server):
    """A forgotten await is not silent."""

    async def scene():
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            awaited.requestx.get(server.url + "/get")
            gc.collect()
        return [(each.category, str(each.message)) for each in seen]

    ((category, message),) = awaited.run(scene)
    assert category is RuntimeWarning
    assert "never awaited" in message
    assert server.connections == []


def test_one_that_was_awaited_does_not_warn(awaited, server):
    """Nor does one that was closed."""

    async def scene():
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            await awaited.requestx.get(server.url + "/get")
            awaited.requestx.get(server.url + "/get").close()
            gc.collect()
        return seen

    assert awaited.run(scene) == []


@pytest.mark.parametrize("name", ["status_code", "text", "json", "content", "headers", "ok", "raise_for_status"])
def test_attributes_of_a_response_say_await_it(awaited, server, name):
    """Touching what only the response has is an AttributeError that says what is missing."""

    async def scene():
        call = awaited.requestx.get(server.url + "/get")
        with pytest.raises(AttributeError, match="await it"):
            getattr(call, name)
        call.close()

    awaited.run(scene)


def test_async_with_opens_the_response(awaited, server):
    """``async with requestx.get(...) as r`` gives the response and closes it."""

    async def scene():
        async with awaited.requestx.get(server.url + "/bytes/3000000", stream=True) as response:
            return response.status_code, len(await response.aread())

    assert awaited.run(scene) == (200, 3000000)


def test_exceptions_are_raised_where_it_is_awaited(awaited):
    """Bad input too is found when the call begins, not when it is made."""

    async def scene():
        call = awaited.requestx.get("http://")
        with pytest.raises(awaited.requestx.exceptions.InvalidURL):
            await call

    awaited.run(scene)


def test_a_method_of_a_session_is_awaitable_too(awaited, server):
    """Every verb of a session, under the same names."""

    async def scene():
        async with awaited.requestx.Session() as session:
            verbs = ["get", "post", "put", "patch", "delete", "head", "options"]
            return [(await getattr(session, verb)(server.url + "/echo")).status_code for verb in verbs]

    assert awaited.run(scene) == [200] * 7


def test_blocking_module_blocks_in_a_loop(awaited, server):
    """``requestx.blocking`` is for notebooks and sync code under a loop."""

    async def scene():
        import requestx.blocking

        with requestx.blocking.Session() as session:
            return requestx.blocking.get(server.url + "/get").status_code, session.get(server.url + "/get").status_code

    assert awaited.run(scene) == (200, 200)


def test_aio_module_awaits_outside_a_loop(server):
    """``requestx.aio`` gives an awaitable wherever it is called."""
    import requestx.aio

    call = requestx.aio.get(server.url + "/get")

    async def scene():
        async with requestx.aio.Session() as session:
            return (await call).status_code, (await session.get(server.url + "/get")).status_code

    assert asyncio.run(scene()) == (200, 200)


def test_cancelled_error_passes_through(awaited, server):
    """Nobody turns a cancellation into an exception of ours."""

    async def scene():
        task = asyncio.ensure_future(awaited.requestx.get(server.url + "/slow"))
        await asyncio.wait([task], timeout=0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    awaited.run(scene)


def test_hooks_run_off_the_loop_and_may_be_async(awaited, server):
    """A sync hook runs in a worker thread, an ``async def`` one is awaited."""
    import threading

    seen = []

    async def on_response(response, **more):
        await asyncio.sleep(0)
        seen.append(response.status_code)

    hooks = {"response": [on_response, lambda response, **more: seen.append(threading.current_thread())]}
    awaited.get(server.url + "/get", hooks=hooks)

    assert seen[0] == 200
    assert seen[1] is not awaited.thread


def test_loop_is_not_blocked_while_a_request_waits(awaited, server):
    """Other tasks run while the answer is awaited."""

    async def scene():
        task = asyncio.ensure_future(awaited.requestx.get(server.url + "/slow"))
        turns = 0
        while turns < 100:
            await asyncio.sleep(0)
            turns += 1
        server.set("release")
        return (await task).status_code

    assert awaited.run(scene) == 200


def test_functions_are_pickled_by_name():
    """Process pools are given them."""
    import pickle

    import requestx.aio
    import requestx.blocking

    for module in (requestx, requestx.blocking, requestx.aio):
        for name in ("get", "post", "request", "session"):
            function = getattr(module, name)
            assert pickle.loads(pickle.dumps(function)) is function
