"""The end of the interpreter, with anything still under way: exit code 0, and not a word on stderr.

Such bugs show once in a few runs, so every case is run twenty times, several at a time.
"""

import pytest

RUNS = 20
AT_ONCE = 4


CASES = {
    "a daemon thread in a blocking call": """
    threading.Thread(target=requestx.get, args=(url + "/slow",), daemon=True).start()
    time.sleep(0.1)
    """,
    "several daemon threads on one session": """
    session = requestx.Session()
    for _ in range(6):
        threading.Thread(target=session.get, args=(url + "/slow",), daemon=True).start()
    time.sleep(0.1)
    """,
    "awaited requests in a daemon thread's loop": """
    async def scene():
        await asyncio.gather(*[requestx.get(url + "/slow") for _ in range(6)])
    threading.Thread(target=asyncio.run, args=(scene(),), daemon=True).start()
    time.sleep(0.1)
    """,
    "a loop that was stopped": """
    warnings.simplefilter("ignore", ResourceWarning)  # asyncio's own, for the loop that nobody closed
    async def scene():
        return [asyncio.ensure_future(requestx.get(url + "/slow")) for _ in range(6)]
    loop = asyncio.new_event_loop()
    tasks = loop.run_until_complete(scene())
    for task in tasks:
        task._log_destroy_pending = False
    loop.call_later(0.1, loop.stop)
    loop.run_forever()
    """,
    "completions arriving during exit": """
    async def scene():
        while True:
            await asyncio.gather(*[requestx.get(url + "/get") for _ in range(8)])
    threading.Thread(target=asyncio.run, args=(scene(),), daemon=True).start()
    time.sleep(0.2)
    """,
    "an open stream and an open session": """
    session = requestx.Session()
    stream = session.get(url + "/bytes/50000000", stream=True)
    next(stream.iter_content(1000))
    """,
    "a response in a cycle": """
    class Holder:
        pass
    holder = Holder()
    holder.me = holder
    holder.stream = requestx.Session().get(url + "/bytes/50000000", stream=True)
    """,
    "an upload under way": """
    def pieces():
        while True:
            yield bytes(1000)
    threading.Thread(target=requestx.post, args=(url + "/post",), kwargs={"data": pieces()}, daemon=True).start()
    time.sleep(0.1)
    """,
}


@pytest.mark.limit(90)
@pytest.mark.parametrize("case", sorted(CASES))
def test_exit_is_quiet(child, server, case):
    """Twenty runs, none with an exit code or a message."""
    source, odd = CASES[case], []
    for _ in range(RUNS // AT_ONCE):
        running = [child.start(source, server.url) for _ in range(AT_ONCE)]
        odd += [outcome for outcome in (each.finish(30) for each in running) if not outcome.clean]

    assert odd == []


def test_exit_does_not_wait_for_answers(child, server):
    """Requests in flight do not hold the interpreter up."""
    outcome = child(
        """
        async def scene():
            task = asyncio.ensure_future(requestx.get(url + "/slow"))
            await asyncio.wait([task], timeout=0.1)
            task.cancel()
        asyncio.run(scene())
        print(time.monotonic(), flush=True)
        """,
        server.url,
    )

    assert outcome.clean, outcome
    assert outcome.seconds < 5


def test_sys_exit_from_within_a_loop(child, server):
    """SystemExit in a coroutine ends the process with its code."""
    outcome = child(
        """
        async def scene():
            tasks = [asyncio.ensure_future(requestx.get(url + "/slow")) for _ in range(4)]
            await asyncio.wait(tasks, timeout=0.1)
            sys.exit(3)
        asyncio.run(scene())
        """,
        server.url,
    )

    assert (outcome.code, outcome.err) == (3, ""), outcome


def test_at_exit_functions_may_still_ask(child, server):
    """A request made by an atexit function is answered."""
    outcome = child(
        """
        import atexit
        atexit.register(lambda: print(requestx.get(url + "/get").status_code))
        requestx.get(url + "/get")
        """,
        server.url,
    )

    assert (outcome.out, outcome.clean) == ("200\n", True), outcome
