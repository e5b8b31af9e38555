"""
Runs the workers: which, when, where, and how often.

Every (case, client, place) is run once in each round, in a new order each round, so that whatever else
the machine does falls on all alike. How many requests are counted is fixed before the first round by a run
that is not counted, and stays the same in all rounds.
A worker that fails or hangs is a result too: its reason stands where the figure would be.
"""

import json
import os
import random
import subprocess
import threading
import time
from pathlib import Path

from benchmarks import cases

HERE = Path(__file__).resolve().parent
PATIENCE = 60
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
"""What a worker sees of the environment: no proxy and no authority of this machine's."""

FEWEST = 100
"""Requests of one run at least; new connections and large bodies have limits of their own."""


class Bench:
    """The server, the interpreters, and the runs made so far."""

    def __init__(self, server, python_of, seconds):
        self.server, self.python_of, self.seconds = server, python_of, seconds
        self.cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self.counts, self.runs, self.starts = {}, [], []

    def places(self):
        return cases.PLACES if self.cpus else cases.PLACES[1:]

    def about(self, client):
        """Version, worlds and TLS resumption of one client, or {"error": reason}."""
        return self.worker(client, {"about": True, "url": self.server.url("once", "/handshake")}, [])

    def fix_counts(self, chosen, client, about):
        """Time an uncounted run of every case that this client can do, and fix its number of requests."""
        for case in chosen:
            if about.get("error") or case.class_name not in about["worlds"]:
                continue
            result = self.run(case, client, self.places()[0], case.probe, case.probe)
            each = result.get("wall", self.seconds) / case.probe
            wanted = max(fewest(case), int(self.seconds / each))
            self.counts[case.name, client] = -(-wanted // case.in_flight) * case.in_flight

    def round(self, number, chosen, say):
        """One round over everything whose count is fixed."""
        for case in chosen:
            able = [client for name, client in self.counts if name == case.name]
            jobs = [(client, place) for client in able for place in self.places()]
            random.Random(f"{number} {case.name}").shuffle(jobs)
            for client, place in jobs:
                count = self.counts[case.name, client]
                result = self.run(case, client, place, count, warmup(case, count))
                which = {"round": number, "case": case.name, "client": client, "place": place}
                self.runs.append({**which, "requests": count, **result})
                say(self.runs[-1])

    def run(self, case, client, place, requests, warmup):
        """One worker; its figures, what the server counted, and what the rest of the machine did meanwhile."""
        pinned = self.cpus[-1:] if place == "one core" else self.cpus
        if self.cpus:
            self.server.pin(pinned)
        job = {
            "world": case.world,
            "in_flight": case.in_flight,
            "read": case.read,
            "url": self.server.url(case.port, case.path),
            "ca": None if case.port == "http" else self.server.ca,
            "bytes": case.size,
            "requests": requests,
            "warmup": warmup,
        }
        before, machine = self.server.counters(), Machine(self.server)
        result = self.worker(client, job, pinned)
        others = machine.others()
        after = self.server.counters()
        connections = after[0] - before[0] - 1  # asking for the counters is one
        return {**result, "connections": connections, "others": others}

    def worker(self, client, job, cpus):
        job = {"about": False, "ca": self.server.ca, "client": client, "cpus": cpus, **job}
        command = [self.python_of(client), "-I", str(HERE / "worker.py"), json.dumps(job)]
        try:
            done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            return {"error": f"not finished after {PATIENCE} s"}
        lines = done.stdout.splitlines()
        if not lines:
            last = (done.stderr.strip().splitlines() or ["nothing said"])[-1]
            return {"error": f"ended with {done.returncode}: {last}"[:300]}
        result = json.loads(lines[-1])
        if done.returncode and "error" not in result:
            result["ended"] = done.returncode
        return result

    def start_up(self, number, clients, times):
        """Whole processes that import a client and make one request, and a Python that does nothing."""
        if self.cpus:
            self.server.pin(self.cpus[-1:])
        jobs = [(client, world(about)) for client, about in clients.items() if "error" not in about]
        jobs = [("-", "-"), *jobs] * times
        random.Random(number).shuffle(jobs)
        for client, kind in jobs:
            self.starts.append({"round": number, "client": client, "world": kind, **self.start(client, kind)})

    def start(self, client, kind):
        python = self.python_of(client)
        command = [python, "-I", str(HERE / "first.py"), client, kind, self.server.url("http", "/page")]
        pin = (lambda: os.sched_setaffinity(0, self.cpus[-1:])) if self.cpus else None
        begin = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=pin
        )
        patience = threading.Timer(PATIENCE, process.kill)
        patience.start()
        said = process.stderr.read().decode(errors="replace").strip().splitlines()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        patience.cancel()
        process.stderr.close()
        process.returncode = status
        if status:
            return {"error": (said or ["ended by a signal"])[-1][:300]}
        return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime}


def fewest(case):
    return 3 if case.size == cases.BIG else 30 if case.port == "once" else max(FEWEST, 2 * case.in_flight)


def warmup(case, requests):
    return max(1, requests // 10) if case.size == cases.BIG else max(case.in_flight * 2, requests // 10)


def world(about):
    return "blocking" if "Blocking" in about["worlds"] else "awaited"


def environment():
    return {name: os.environ[name] for name in KEPT if name in os.environ}


class Machine:
    """How much of the machine's CPU went to neither client nor server nor this program in some time."""

    def __init__(self, server):
        self.server = server
        self.start = self.now()

    def now(self):
        try:
            fields = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        except (OSError, ValueError):
            return None
        own = os.times()
        ours = own.user + own.system + own.children_user + own.children_system + self.server.cpu()
        ticks = os.sysconf("SC_CLK_TCK")
        return sum(fields) / ticks, (sum(fields) - fields[3] - fields[4]) / ticks, ours

    def others(self):
        """A share between 0 and 1, or None where the system does not tell."""
        end = self.now()
        if self.start is None or end is None or end[0] <= self.start[0]:
            return None
        total, busy, ours = (after - before for after, before in zip(end, self.start))
        return max(0.0, round((busy - ours) / total, 3))
