"""Handing completions over: whatever is raised on the way, each future is resolved, and with its own answer."""

import pytest
from server.steps import answer, request, send, wait
from worlds import turn

from requestx import _core

pytestmark = pytest.mark.trio


def raising_first(function, error):
    """
    `function`, which raises instead of its first result.
    """
    calls = []

    def instead(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise error
        return function(*arguments)

    return instead


@pytest.fixture
def sites(wire):
    """
    Five servers that answer with their number, once they are told to.
    """
    return [wire([request(), wait("go"), send(answer(b"%d" % number))]) for number in range(5)]


async def all_at_once(session, sites, turn):
    """
    Have the answers of all wait in the queue, before the loop looks at it.
    """
    stats = session.adapters["http://"]._client.stats
    while stats()["in_flight"] < len(sites):
        await turn()
    for site in sites:
        site.set("go")
    while stats()["idle_connections"] < len(sites):
        pass


@pytest.mark.parametrize("error", [MemoryError("no room"), TimeoutError("a signal's")])
def test_who_awaits_what_cannot_be_handed_over_is_told(awaited, sites, monkeypatch, error):
    """It is an exception, and no wait without end; the others get their own answers."""
    monkeypatch.setattr(_core, "Inline", raising_first(_core.Inline, error))
    session = awaited.session()
    calls = [session.start("get", site.url) for site in sites]
    awaited.run(all_at_once, session, sites, turn)
    outcomes = [call.exception() or call.result() for call in calls]
    bad = outcomes.index(error)

    assert [each.content for each in outcomes if each is not error] == [b"%d" % n for n in range(5) if n != bad]


def test_an_answer_that_cannot_be_handed_over_gives_its_connection_up(awaited, wire, monkeypatch):
    """Nobody has it, so nobody could close it."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")])
    monkeypatch.setattr(_core, "_informational_of", raising_first(lambda response: [], MemoryError("no room")))
    monkeypatch.setattr(_core, "_INFORMATIONAL", -1)
    with pytest.raises(MemoryError, match="no room"):
        awaited.get(site.url, stream=True)

    assert site.end(0, limit=2) in ("eof", "reset")


def test_an_interruption_is_raised_once_all_was_handed_over(child, server):
    """The loop ends by it; what was handed over before and after counts, and whose turn it was is told."""
    outcome = child(
        """
        from requestx import _core
        made = _core.Inline
        def interrupted(*arguments):
            _core.Inline = made
            raise KeyboardInterrupt
        _core.Inline = interrupted
        session, loop = requestx.aio.Session(), asyncio.new_event_loop()
        tasks = [loop.create_task(session.get(url)) for _ in range(5)]
        try:
            loop.run_until_complete(asyncio.wait(tasks))
        except KeyboardInterrupt:
            print("interrupted")
        loop.run_until_complete(asyncio.wait(tasks))
        print(sorted(type(task.exception()).__name__ for task in tasks))
        loop.close()
        """,
        server.url + "/get",
    )

    told = ["ConnectionError"] + ["NoneType"] * 4
    assert (outcome.out, outcome.clean) == ("interrupted\n%s\n" % told, True), outcome


def test_an_interruption_takes_nothing_along_in_silence(child, server):
    """Where it comes when all was taken and nothing handed over yet, whoever awaits it is told."""
    outcome = child(
        """
        from requestx import _core
        taking, taken = _core._take, []
        def interrupted(*arguments):
            code = taking(*arguments)
            if arguments[5][0] and not taken:
                taken.append(arguments[5][0])
                raise KeyboardInterrupt
            return code
        _core._take = interrupted
        session, loop = requestx.aio.Session(), asyncio.new_event_loop()
        more = [{}, {"headers": {"X-Long": "way"}}, {"stream": True}]
        tasks = [loop.create_task(session.get(url, **each)) for each in more * 2]
        try:
            loop.run_until_complete(asyncio.wait(tasks))
        except KeyboardInterrupt:
            loop.run_until_complete(asyncio.wait(tasks))
        lost = [task for task in tasks if task.exception()]
        print(len(lost) == taken[0], {type(task.exception()).__name__ for task in lost})
        loop.close()
        """,
        server.url + "/get",
    )

    assert (outcome.out, outcome.clean) == ("True {'ConnectionError'}\n", True), outcome
