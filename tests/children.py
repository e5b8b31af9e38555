"""Processes for what a test must not do in its own: fork, signals, exit, and anything that may hang or crash.

A child is Python source; it gets a few imports, ``url`` and ``peak()`` for free (see ``PREAMBLE``), and every warning
is an error in it.
"""

import os
import signal
import subprocess
import sys
import textwrap
import time

PREAMBLE = """\
import asyncio, gc, os, signal, socket, sys, threading, time, warnings
import requestx
url = sys.argv[1] if len(sys.argv) > 1 else ""

def peak():
    # In MB. Not ru_maxrss: in that Linux carries over what the parent has had, and a test of less could not fail.
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024
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

    @property
    def clean(self):
        """True if it ended well and had nothing to complain about."""
        return self.code == 0 and self.err == ""


class Child:
    """
    A running child; ``finish`` waits for its end.
    """

    def __init__(self, command, environment):
        self.start = time.monotonic()
        pipe = subprocess.PIPE
        # A session of its own: what it forked is killed with it, and keeps no pipe open.
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True
        )

    def kill(self):
        """Kill it and what it forked."""
        if hasattr(os, "killpg"):
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        return self.process.communicate()

    def signal(self, number):
        """Send a signal; returns the moment, on the clock that ``time.monotonic`` reads in the child as well."""
        moment = time.monotonic()
        self.process.send_signal(number)
        return moment

    def finish(self, limit=40):
        """
        Wait for the end.

        Raises:
            AssertionError: it did not end within ``limit`` seconds; it is killed then.
        """
        try:
            out, err = self.process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            out, err = self.kill()
            raise AssertionError("the child hung: %r" % Outcome(None, out, err, limit)) from None
        return Outcome(self.process.returncode, out, err, time.monotonic() - self.start)


class Children:
    """
    ``child(source, *arguments)`` runs a child to its end, ``child.start(...)`` leaves it running.
    """

    def __init__(self, folder):
        self.folder = folder
        self.count = 0
        self.running = []

    def start(self, source, *arguments, **environment):
        self.count += 1
        script = self.folder / ("child%d.py" % self.count)
        script.write_text(PREAMBLE + textwrap.dedent(source), encoding="utf-8")
        flags = ["-X", "faulthandler", "-X", "utf8", "-W", "error"]
        made = Child([sys.executable] + flags + [str(script)] + list(map(str, arguments)), _environment(environment))
        self.running.append(made)
        return made

    def __call__(self, source, *arguments, **more):
        limit = more.pop("limit", 40)
        return self.start(source, *arguments, **more).finish(limit)

    def end(self):
        """Kill what a failed test left behind."""
        for each in self.running:
            if each.process.poll() is None:
                each.kill()


def _environment(changes):
    """The test's own environment, with requestx importable as it is here."""
    import requestx

    place = os.path.dirname(os.path.dirname(os.path.abspath(requestx.__file__)))
    path = os.pathsep.join(filter(None, [place, os.environ.get("PYTHONPATH")]))
    return dict(os.environ, PYTHONPATH=path, **changes)
