"""The two worlds a test runs in, with one vocabulary, and processes for what a test must not do in its own.

``Awaited`` keeps its event loop in a thread, so that ``start`` means the same in both worlds: the call runs elsewhere,
and the test goes on.
"""

import asyncio
import inspect
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

VERBS = ("get", "options", "head", "post", "put", "patch", "delete", "request", "send")


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

    def session(self, **attributes):
        """
        A Session whose verbs run in this world, with these attributes set.
        """
        session = self.run(self.requestx.Session)
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


class Awaited(World):
    """
    Calls are awaited in an event loop that lives as long as the test.
    """

    awaits = True

    def __init__(self):
        super().__init__()
        self.problems = []
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda loop, context: self.problems.append(context))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, function, *arguments, **more):
        return self.start(function, *arguments, **more).result()

    def start(self, function, *arguments, **more):
        async def call():
            result = function(*arguments, **more)
            return await result if inspect.isawaitable(result) else result

        return asyncio.run_coroutine_threadsafe(call(), self.loop)

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

    def end(self):
        super().end()
        self.run(self.loop.shutdown_asyncgens)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

        assert self.problems == []


PREAMBLE = """\
import asyncio, gc, os, signal, socket, sys, threading, time
import requestx
url = sys.argv[1] if len(sys.argv) > 1 else ""
"""


class Outcome:
    """
    How a child process ended: ``code``, ``out``, ``err`` and the ``seconds`` it took.
    """

    def __init__(self, code, out, err, seconds):
        self.code = code
        self.out = out.decode("utf-8", "replace").replace("\r\n", "\n")
        self.err = err.decode("utf-8", "replace")
        self.seconds = seconds

    def __repr__(self):
        return "exit code %r\n--- stdout\n%s\n--- stderr\n%s" % (self.code, self.out, self.err)


def child_command(folder, source, *arguments):
    """
    The command line that runs ``PREAMBLE`` and ``source``, with every warning an error.
    """
    import textwrap

    script = folder / "child.py"
    script.write_text(PREAMBLE + textwrap.dedent(source), encoding="utf-8")
    return [sys.executable, "-X", "faulthandler", "-W", "error", str(script)] + [str(each) for each in arguments]


def child_environment(**changes):
    """
    The environment of a child: the test's own, and requestx importable as it is here.
    """
    import requestx

    place = os.path.dirname(os.path.dirname(os.path.abspath(requestx.__file__)))
    path = os.pathsep.join(filter(None, [place, os.environ.get("PYTHONPATH")]))
    return dict(os.environ, PYTHONPATH=path, PYTHONUTF8="1", **changes)


def run_child(folder, source, *arguments, **more):
    """
    Run Python source in a process of its own and return its ``Outcome``.

    Raises:
        AssertionError: it did not end within ``limit`` seconds; it is killed then.
    """
    limit = more.pop("limit", 15)
    start = time.monotonic()
    process = subprocess.Popen(
        child_command(folder, source, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=child_environment(**more),
    )
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError("the child hung: %r" % Outcome(None, out, err, limit)) from None
    return Outcome(process.returncode, out, err, time.monotonic() - start)
