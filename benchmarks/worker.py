"""
One run: one client, one case, one fresh process; the figures go out as one line of JSON.

Started by `measure.py` in the client's own virtual environment as `python -I worker.py '{...}'`.
The rule that keeps it fair: every client is driven by the same three loops below, each answer's status
and length is checked inside the loop, and CPU and wall are read right before and right after it.
CPU is user + system of the whole process, so threads that a client runs behind the scenes are counted.
The garbage collector stays as Python has it.
"""

import importlib
import json
import os
import resource
import sys
import threading
import time


def main():
    job = json.loads(sys.argv[1])
    if job["cpus"]:
        os.sched_setaffinity(0, job["cpus"])
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    try:
        adapter = importlib.import_module("clients." + job["client"])
        result = about(adapter, job) if job["about"] else LOOPS[job["world"]](adapter, job)
    except Exception as error:  # whatever a client raises is its result
        result = {"error": f"{type(error).__name__}: {error}"[:300]}
    print(json.dumps(result), flush=True)


def about(adapter, job):
    from importlib.metadata import version

    return {
        "version": version(adapter.PACKAGE),
        "detail": adapter.detail() if hasattr(adapter, "detail") else "",
        "notes": getattr(adapter, "NOTES", ""),
        "worlds": [name for name in ("Blocking", "Awaited") if hasattr(adapter, name)],
        "handshake": handshake(adapter, job),
    }


def handshake(adapter, job):
    """What the third new TLS connection to the same server does: full handshake, or session resumed."""
    import asyncio

    async def thrice():
        client = adapter.Awaited(1, job["ca"])
        return [await client.get(job["url"]) for _ in range(3)]

    try:
        if hasattr(adapter, "Blocking"):
            client = adapter.Blocking(1, job["ca"])
            answers = [client.get(job["url"]) for _ in range(3)]
        else:
            answers = asyncio.run(thrice())
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:200]
    return {len("full"): "full", len("resumed"): "resumed"}.get(answers[-1][1], "unknown")


class Meter:
    """CPU, wall and context switches between `with` and its end; peak memory of the process so far."""

    def __enter__(self):
        self.usage, self.wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        return self

    def __exit__(self, *failed):
        wall, usage, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF), self.usage
        self.result = {
            "wall": wall - self.wall,
            "user": usage.ru_utime - before.ru_utime,
            "sys": usage.ru_stime - before.ru_stime,
            "switches": usage.ru_nvcsw + usage.ru_nivcsw - before.ru_nvcsw - before.ru_nivcsw,
            "peak": peak_memory(usage),
        }


def peak_memory(usage):
    """Bytes. Linux carries ru_maxrss over from the process that started this one, VmHWM not."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def check(status, length, expected):
    if status != 200 or length != expected:
        raise RuntimeError(f"answer of status {status} with {length} bytes, {expected} were asked for")


def repeat(call, url, expected, times):
    for _ in range(times):
        status, length = call(url)
        if status != 200 or length != expected:
            check(status, length, expected)


def blocking(adapter, job):
    client = adapter.Blocking(1, job["ca"])
    call, url, expected = getattr(client, job["read"]), job["url"], job["bytes"]
    repeat(call, url, expected, job["warmup"])
    with Meter() as meter:
        repeat(call, url, expected, job["requests"])
    client.close()
    return meter.result


def threads(adapter, job):
    """One session, several threads; they wait at a barrier, so that starting them is not measured."""
    count = job["in_flight"]
    client = adapter.Blocking(count, job["ca"])
    ready, begin = threading.Barrier(count + 1), threading.Barrier(count + 1)
    done, failures = threading.Barrier(count + 1), []

    def lane():
        mine = client.in_thread() if hasattr(client, "in_thread") else client
        call = getattr(mine, job["read"])
        for barrier, times in ((ready, job["warmup"]), (begin, 0), (done, job["requests"])):
            try:
                repeat(call, job["url"], job["bytes"], times // count)
            except Exception as error:
                failures.append(error)
            barrier.wait()

    lanes = [threading.Thread(target=lane, daemon=True) for _ in range(count)]
    for thread in lanes:
        thread.start()
    ready.wait()
    begin.wait()
    with Meter() as meter:
        done.wait()
    for thread in lanes:
        thread.join()
    if failures:
        raise failures[0]
    client.close()
    return meter.result


def awaited(adapter, job):
    import asyncio

    return asyncio.run(await_all(adapter, job, asyncio.gather))


async def await_all(adapter, job, gather):
    """A number of tasks take requests from one counter: that many are in flight all the time."""
    count = job["in_flight"]
    client = adapter.Awaited(count, job["ca"])
    call, url, expected = getattr(client, job["read"]), job["url"], job["bytes"]

    async def lane(counter):
        for _ in counter:
            status, length = await call(url)
            if status != 200 or length != expected:
                check(status, length, expected)

    async def all_of(times):
        counter = iter(range(times))
        await gather(*(lane(counter) for _ in range(count)))

    await all_of(job["warmup"])
    with Meter() as meter:
        await all_of(job["requests"])
    await client.close()
    return meter.result


LOOPS = {"blocking": blocking, "threads": threads, "awaited": awaited}

if __name__ == "__main__":
    main()
