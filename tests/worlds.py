"""The worlds a test runs in, with one vocabulary.

``Awaited`` keeps its event loop in a thread, so that ``start`` means the same in both worlds: the call runs elsewhere,
and the test goes on.  ``Trio`` is the awaited world in a trio run, for the tests marked with its name.
"""

import asyncio
import inspect
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

VERBS = ("get", "options", "head", "post", "put", "patch", "delete", "request", "send")


async def turn():
    """Let the loop go round, whichever it is."""
    if asyncio._get_running_loop() is not None:
        await asyncio.sleep(0)
    else:
        import trio

        await trio.lowlevel.checkpoint()


class World:
    """
    What both worlds can do.  The HTTP verbs are attributes: ``world.get(url)`` gives the response.
    """

    def __init__(self):
        import requestx

        self.requestx = requestx
        self.sessions = []

    def __getattr__(self, name):
        if name in VERBS:
            return partial(self.run, getattr(self.requestx, name))
        raise AttributeError(name)

    def session(self, transport=None, **attributes):
        """
        A Session whose verbs run in this world, with these attributes set; ``transport`` is what it is made with.
        """
        session = self.run(self.requestx.Session, **transport or {})
        for name, value in attributes.items():
            setattr(session, name, value)
        self.sessions.append(session)
        return WorldSession(self, session)

    def chunks(self, response, size=1):
        """The body in pieces of at most ``size``, as a list."""
        return list(self.pieces(response, size))

    def end(self):
        """Close the sessions, then the world."""
        for session in self.sessions:
            self.run(getattr(session, "aclose", session.close) if self.awaits else session.close)


class WorldSession:
    """
    A Session seen from a world: everything is the Session's own, but its verbs give responses.
    """

    def __init__(self, world, session):
        self.__dict__.update(world=world, session=session)

    def __getattr__(self, name):
        value = getattr(self.session, name)
        return partial(self.world.run, value) if name in VERBS else value

    def __setattr__(self, name, value):
        setattr(self.session, name, value)

    def start(self, verb, *arguments, **more):
        """Begin a call elsewhere; ``result()`` of what it returns is the response."""
        return self.world.start(getattr(self.session, verb), *arguments, **more)


class Blocking(World):
    """
    Calls block the thread of the test.
    """

    awaits = False

    def __init__(self):
        super().__init__()
        self.pool = None

    def run(self, function, *arguments, **more):
        return function(*arguments, **more)

    def start(self, function, *arguments, **more):
        self.pool = self.pool or ThreadPoolExecutor(32)
        return self.pool.submit(function, *arguments, **more)

    def read(self, response):
        return response.content

    def pieces(self, response, size=1):
        return response.iter_content(size)

    def lines(self, response):
        return list(response.iter_lines())

    def close(self, response):
        response.close()

    def end(self):
        if self.pool:
            self.pool.shutdown()
        super().end()


class Awaiting(World):
    """
    What the awaited worlds share; each has a loop in a thread.
    """

    awaits = True

    def run(self, function, *arguments, **more):
        return self.start(function, *arguments, **more).result()

    def read(self, response):
        return self.run(response.aread)

    def pieces(self, response, size=1):
        source = response.aiter_content(size)
        while True:
            try:
                yield self.run(source.__anext__)
            except StopAsyncIteration:
                return

    def lines(self, response):
        async def collect():
            return [line async for line in response.aiter_lines()]

        return self.run(collect)

    def close(self, response):
        self.run(response.aclose)


class Awaited(Awaiting):
    """
    Calls are awaited in an event loop that lives as long as the test.
    """

    def __init__(self):
        super().__init__()
        self.problems = []
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda loop, context: self.problems.append(context))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)

    def start(self, function, *arguments, **more):
        async def call():
            result = function(*arguments, **more)
            return await result if inspect.isawaitable(result) else result

        return asyncio.run_coroutine_threadsafe(call(), self.loop)

    def end(self):
        super().end()
        self.run(self.loop.shutdown_asyncgens)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

        assert self.problems == []


class Trio(Awaiting):
    """
    Calls are awaited in a trio run that lives as long as the test.
    """

    def __init__(self):
        import trio

        super().__init__()
        self.trio = trio
        self.ready = threading.Event()
        self.thread = threading.Thread(target=trio.run, args=(self.live,), daemon=True)
        self.thread.start()
        self.ready.wait()

    async def live(self):
        self.token = self.trio.lowlevel.current_trio_token()
        async with self.trio.open_nursery() as self.nursery:
            self.ready.set()
            await self.trio.sleep_forever()

    async def sleep(self, seconds):
        await self.trio.sleep(seconds)

    def start(self, function, *arguments, **more):
        call = TrioCall(self, partial(function, *arguments, **more))
        self.token.run_sync_soon(self.nursery.start_soon, call.run)
        return call

    def end(self):
        super().end()
        self.token.run_sync_soon(self.nursery.cancel_scope.cancel)
        self.thread.join()


class TrioCall(Future):
    """
    A call in a trio run, to be waited for and cancelled from elsewhere.
    """

    def __init__(self, world, function):
        super().__init__()
        self.world = world
        self.function = function
        self.scope = world.trio.CancelScope()

    async def run(self):
        with self.scope:
            try:
                result = self.function()
                self.set_result(await result if inspect.isawaitable(result) else result)
            except BaseException as error:
                self.set_exception(error)
                if not isinstance(error, Exception):
                    raise

    def cancel(self):
        self.world.token.run_sync_soon(self.scope.cancel)
        return True
