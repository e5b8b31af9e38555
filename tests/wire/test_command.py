"""``python -m requestx``: what it prints, and what it exits with."""

import os
import subprocess
import sys

from server.steps import serve

from requestx import __main__ as command
from requestx._timings import Timings


def run(*arguments):
    """The command line in a process of its own: its code, and what it printed."""
    import requestx

    place = os.path.dirname(os.path.dirname(os.path.abspath(requestx.__file__)))
    done = subprocess.run(
        [sys.executable, "-m", "requestx", *arguments],
        capture_output=True,
        env=dict(os.environ, PYTHONPATH=place, PYTHONIOENCODING="utf-8"),
        timeout=30,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_time_is_a_picture():
    """A bar for each phase that took time, each beginning where the last one ended."""
    seen = Timings(0.0, 0.0, 0.010, 0.0, 0.0, 0.0, 0.025, 0.005, 100, 2000, 1, False)

    assert command.picture(seen) == [
        "  connect      10.0 ms  ##########",
        "    await      25.0 ms            #########################",
        "     read       5.0 ms                                     #####",
    ]


def test_short_phases_are_seen():
    """One character is the least."""
    assert command.picture(Timings(*[0.0] * 6, 1.0, 1e-6, 0, 0, 1, True)) == [
        "    await    1000.0 ms  " + "#" * 40,
        "     read       0.0 ms  " + " " * 39 + "#",
    ]
    assert command.picture(Timings(*[0.0] * 8, 0, 0, 1, True)) == []


def test_both_worlds_and_every_hop_are_shown(wire):
    """A redirect's answer has a picture, too."""
    hops = serve(b"", b"Location: /next", status=b"302 Found") + serve(b"body")
    site = wire(hops, hops)
    code, printed, complaints = run(site.url)

    assert (code, complaints) == (0, "")
    assert printed.count("302") == printed.count("200 OK") == 2
    assert printed.count("connect ") == 2
    assert printed.count("await ") == 4


def test_the_version_of_http_is_shown(streams, wire, ca):
    """Which one was spoken, beside the status."""
    _, printed, _ = run(streams().url + "/echo", "--cacert", ca)
    assert printed.count("HTTP/2 200 OK") == 2

    site = wire(serve(b"body"), serve(b"body"))
    assert run(site.url)[1].count("HTTP/1.1 200 OK") == 2
