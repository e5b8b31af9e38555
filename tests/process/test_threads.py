"""Threads: one session for many, and no thread where none can be had."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from server.steps import request, send, wait


def test_thirty_two_threads_on_one_session(blocking, server):
    """Every answer goes to the thread that asked, over no more connections than threads."""
    session = blocking.session()
    session.mount("http://", blocking.requestx.adapters.HTTPAdapter(pool_maxsize=32))

    def work(number):
        answers = [session.get(server.url + "/get", params={"n": "%d.%d" % (number, turn)}) for turn in range(10)]
        return [answer.json()["args"]["n"] for answer in answers]

    with ThreadPoolExecutor(32) as pool:
        seen = list(pool.map(work, range(32)))

    assert seen == [["%d.%d" % (number, turn) for turn in range(10)] for number in range(32)]
    assert len(server.connections) <= 32


def test_first_sessions_of_many_threads(child, server):
    """What is made once and kept may be asked for by many threads at the same first moment."""
    outcome = child(
        """
        gate, seen = threading.Barrier(16), []
        def work():
            gate.wait()
            seen.append(requestx.get(url + "/get").status_code)
        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(seen == [200] * 16)
        """,
        server.url,
    )

    assert (outcome.out, outcome.clean) == ("True\n", True), outcome


def test_session_closed_by_another_thread(blocking, server):
    """Closing while others wait ends their calls with an error or an answer, and never hangs."""
    session = blocking.session()
    calls = [session.start("get", server.url + "/slow") for _ in range(4)]
    server.wait("request /slow")
    session.close()
    server.set("release")
    for call in calls:
        try:
            assert call.result(5).ok
        except blocking.requestx.exceptions.ConnectionError:
            pass


def test_stream_read_by_another_thread(blocking, server):
    """A response may be handed to another thread."""
    response = blocking.session().get(server.url + "/bytes/3000000", stream=True)
    with ThreadPoolExecutor(1) as pool:
        assert len(pool.submit(lambda: response.content).result()) == 3000000


def test_threads_that_share_a_response_get_the_same_content(blocking, wire):
    """One reads, the others find it."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf"), wait("go"), send(b"rest")])
    response = blocking.get(site.url, stream=True)
    gate = threading.Barrier(5)

    def read():
        gate.wait()
        return response.content

    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(read) for _ in range(4)]
        gate.wait()
        site.set("go")

        assert [call.result() for call in calls] == [b"halfrest"] * 4
    assert response.content == b"halfrest"


def test_a_thread_does_not_read_what_another_waits_for(blocking, wire):
    """It is told at once, and the other gets all of it."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf"), wait("go"), send(b"rest")])
    response = blocking.get(site.url, stream=True)
    assert response.raw.read(4) == b"half"
    with ThreadPoolExecutor(1) as pool:
        rest = pool.submit(lambda: response.content)
        while not response.raw._answer._stream._lock.locked():
            pass
        with pytest.raises(RuntimeError, match="being read already"):
            response.raw.read(4)
        site.set("go")

        assert rest.result() == b"rest"


def test_session_made_in_a_thread_that_ended(blocking, server):
    """Nothing of a session is bound to the thread that made it."""
    made = []
    thread = threading.Thread(target=lambda: made.append(blocking.session()))
    thread.start()
    thread.join()

    assert made[0].get(server.url + "/get").ok


def test_no_thread_to_be_had_is_an_error(child, server):
    """Under a limit on processes the call works, or raises; nothing panics and nothing hangs."""
    pytest.importorskip("resource")
    outcome = child(
        """
        import resource
        requestx.get(url + "/get")  # what is imported when needed may be out of nobody's reach
        try:
            requestx.get("http://127.0.0.1:1/")
        except requestx.exceptions.ConnectionError:
            pass
        if os.getuid() == 0:
            os.setgid(65534), os.setuid(65534)
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        async def scene():
            return (await requestx.get(url + "/get")).status_code
        named = url.replace("127.0.0.1", "localhost")
        for call in (lambda: asyncio.run(scene()), lambda: requestx.get(named + "/get").status_code):
            try:
                print(call() == 200)
            except requestx.exceptions.RequestException as problem:
                print("panic" not in str(problem))
        """,
        server.url,
    )

    assert outcome.out == "True\nTrue\n", outcome
    assert "panicked" not in outcome.err


def test_no_descriptor_to_be_had_is_an_error(child, server):
    """Under a limit on open files the call raises a ConnectionError, and works again when there are some."""
    outcome = child(
        """
        import resource
        session = requestx.Session()
        session.get(url + "/get").status_code
        session.close()
        held = []
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        try:
            while True:
                held.append(os.dup(0))
        except OSError:
            pass
        try:
            session.get(url + "/get")
        except requestx.exceptions.ConnectionError:
            print("error")
        for each in held:
            os.close(each)
        print(session.get(url + "/get").status_code)
        """,
        server.url,
    )

    assert (outcome.out, outcome.clean) == ("error\n200\n", True), outcome


@pytest.mark.parametrize("more", ["", ", headers={'X-Long': 'way'}", ", data=b'x' * (2 << 20)"])
def test_no_descriptor_for_a_loop_is_an_error(child, server, more):
    """The first awaited call of a loop raises a ConnectionError where its queue has none, and the next one works."""
    outcome = child(
        f"""
        import resource
        session = requestx.aio.Session()

        async def scene():
            await asyncio.sleep(0)
            held = []
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
            try:
                while True:
                    held.append(os.dup(0))
            except OSError:
                pass
            try:
                await session.request("GET", url{more})
            except requestx.exceptions.ConnectionError as error:
                print(error.request.url == url)
            for each in held:
                os.close(each)
            print((await session.get(url)).status_code)

        async def first():
            await session.request("GET", url{more})

        asyncio.run(first())
        session.close()
        asyncio.run(scene())
        """,
        server.url + "/get",
    )

    assert (outcome.out, outcome.clean) == ("True\n200\n", True), outcome
