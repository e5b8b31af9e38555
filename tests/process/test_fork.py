"""os.fork before and after use: parent and child both go on, and neither breaks the other's connections.

The forked child ends by ``os._exit`` unless the test is about its exit.  From Python 3.12 on fork warns when there are
other threads; that is the point here.
"""

import os

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

FORK = """
warnings.simplefilter("ignore", DeprecationWarning)

def in_child(function):
    "Run it in a forked child with a limit of its own; 0 if it returned."
    pid = os.fork()
    if not pid:
        code = 1
        try:
            signal.alarm(8)
            function()
            code = 0
        except BaseException as problem:
            print("child:", repr(problem), file=sys.stderr)
        finally:
            sys.stderr.flush()
            sys.stdout.flush()
            os._exit(code)
    return os.waitpid(pid, 0)[1]

def ok(session=requestx):
    assert session.get(url + "/get").status_code == 200

async def aok(session=requestx):
    assert (await session.get(url + "/get")).status_code == 200
"""


def test_fork_before_use(child, server):
    """An imported library and an unused session are as good in the child."""
    source = "session = requestx.Session()\nprint(in_child(lambda: ok(session)))\nok(session)"
    outcome = child(FORK + source, server.url)

    assert (outcome.out, outcome.clean) == ("0\n", True), outcome


def test_fork_after_use(child, server):
    """The child opens its own connection; the parent's goes on as if nothing had happened."""
    source = """
session = requestx.Session()
ok(session)
print(in_child(lambda: (ok(session), ok(session))))
ok(session)
"""
    outcome = child(FORK + source, server.url)

    assert (outcome.out, outcome.clean) == ("0\n", True), outcome
    assert [len(each["requests"]) for each in server.connections] == [2, 2]


def test_fork_after_use_over_tls(child, tls_server, ca):
    """Over TLS the child sends no close_notify on the parent's connection, however it ends."""
    source = """
url = url.replace("127.0.0.1", "localhost")
session = requestx.Session()
session.verify = sys.argv[2]
ok(session)
def use_and_drop():
    global session
    ok(session)
    session.close()
    del session
    gc.collect()
print(in_child(use_and_drop))
ok(session)
"""
    outcome = child(FORK + source, tls_server.url, ca)

    assert (outcome.out, outcome.clean) == ("0\n", True), outcome
    assert [len(each["requests"]) for each in tls_server.connections] == [2, 1]


def test_child_that_exits_normally(child, server):
    """The child's own interpreter exit, with inherited sessions and streams, is quiet and harmless."""
    source = """
session = requestx.Session()
ok(session)
stream = session.get(url + "/bytes/5000000", stream=True)
pid = os.fork()
if not pid:
    signal.alarm(8)
    ok(session)
    sys.exit(0)
print(os.waitpid(pid, 0)[1])
print(sum(map(len, stream.iter_content(65536))))
ok(session)
"""
    outcome = child(FORK + source, server.url)

    assert (outcome.out, outcome.clean) == ("0\n5000000\n", True), outcome


def test_stream_of_the_parent_is_an_error_in_the_child(child, server):
    """What the parent is reading cannot be read in the child; the parent reads on."""
    source = """
stream = requestx.get(url + "/bytes/5000000", stream=True)
def read():
    try:
        stream.content
    except requestx.exceptions.ConnectionError:
        return
    raise AssertionError("the child took the parent's bytes")
print(in_child(read))
print(len(stream.content))
"""
    outcome = child(FORK + source, server.url)

    assert (outcome.out, outcome.clean) == ("0\n5000000\n", True), outcome


def test_fork_after_awaited_use(child, server):
    """A child may run a loop of its own, and block; so may the parent afterwards."""
    source = """
session = requestx.Session()
asyncio.run(aok(session))
def both():
    asyncio.run(aok(session))
    ok(session)
print(in_child(both))
asyncio.run(aok(session))
ok(session)
"""
    outcome = child(FORK + source, server.url)

    assert (outcome.out, outcome.clean) == ("0\n", True), outcome


def test_fork_inside_a_running_loop(child, server):
    """With awaited requests in flight the child may block, and the parent's answers arrive."""
    source = """
async def scene():
    tasks = [asyncio.ensure_future(requestx.get(url + "/slow?s=0.5")) for _ in range(4)]
    await asyncio.wait(tasks, timeout=0.2)
    from requestx import blocking
    print(in_child(lambda: ok(blocking)))
    return [(await task).status_code for task in tasks]
print(asyncio.run(scene()))
"""
    outcome = child(FORK + source, server.url)

    assert (outcome.out, outcome.clean) == ("0\n[200, 200, 200, 200]\n", True), outcome


@pytest.mark.bare
def test_fork_in_a_process_with_many_threads(child, server):
    """Forks at any moment of other threads' requests: no lock stays held in the child."""
    source = """
session = requestx.Session()
stop = threading.Event()
def hammer():
    while not stop.is_set():
        ok(session)
threads = [threading.Thread(target=hammer) for _ in range(6)]
for thread in threads:
    thread.start()
codes = [in_child(lambda: (ok(session), ok())) for _ in range(15)]
stop.set()
for thread in threads:
    thread.join()
print(set(codes))
"""
    outcome = child(FORK + source, server.url, limit=30)

    assert (outcome.out, outcome.clean) == ("{0}\n", True), outcome


def test_fork_of_a_fork(child, server):
    """Grandchildren too."""
    source = """
session = requestx.Session()
ok(session)
def again():
    ok(session)
    assert in_child(lambda: ok(session)) == 0
    ok(session)
print(in_child(again))
ok(session)
"""
    outcome = child(FORK + source, server.url)

    assert (outcome.out, outcome.clean) == ("0\n", True), outcome


def test_multiprocessing_by_fork(child, server):
    """A pool of forked workers shares a session that was used before."""
    source = """
import multiprocessing
session = requestx.Session()
ok(session)
def work(number):
    return session.get(url + "/get").status_code
with multiprocessing.get_context("fork").Pool(3) as pool:
    print(pool.map(work, range(12)) == [200] * 12)
ok(session)
"""
    outcome = child(FORK + source, server.url)

    assert (outcome.out, outcome.code) == ("True\n", 0), outcome


def test_a_hundred_forks_deep(child, server):
    """However long the line of ancestors, nothing is shared with one that is still there."""
    source = """
import asyncio
def deeper(left):
    requestx.get(url + "/get")
    asyncio.run(aok())
    if left:
        code = in_child(lambda: deeper(left - 1))
        assert code == 0
        ok()
deeper(100)
print("done")
"""
    outcome = child(FORK.replace("signal.alarm(8)", "signal.alarm(30)") + source, server.url)

    assert (outcome.out, outcome.clean) == ("done\n", True), outcome
