"""``python -m requestx``: what it prints, and what it exits with."""

import os
import subprocess
import sys

import pytest
from server.steps import serve

from requestx import __main__ as command
from requestx._timings import Timings

COMMAND = [sys.executable, "-m", "requestx"]


def environment():
    """The test's own, with requestx importable as it is here."""
    import requestx

    place = os.path.dirname(os.path.dirname(os.path.abspath(requestx.__file__)))
    return dict(os.environ, PYTHONPATH=place, PYTHONIOENCODING="utf-8")


def run(*arguments, **variables):
    """The command line in a process of its own: its code, and what it printed."""
    settings = dict(environment(), **variables)
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, env=settings, timeout=30)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_time_is_a_picture():
    """A bar for each phase that took time, each beginning where the last one ended."""
    seen = Timings(0.0, 0.0, 0.010, 0.0, 0.0, 0.0, 0.025, 0.005, 100, 2000, 1, False)

    assert command.picture(seen) == [
        "  connect      10.0 ms  ##########",
        "    await      25.0 ms            #########################",
        "     read       5.0 ms                                     #####",
    ]


def test_a_body_on_its_way_is_a_picture():
    """A bar where the length is known, else a count."""
    assert command.bar(1_500, 2_000) == "          1,500 bytes  [" + "#" * 30 + "." * 10 + "]  75 %"
    assert command.bar(1_500, None) == "          1,500 bytes"


def test_output_is_saved(wire, tmp_path):
    """``-o`` gets it once; a bar is for terminals, so nothing is said of it here."""
    path = tmp_path / "body"
    code, printed, complaints = run(wire(serve(b"body" * 1000)).url, "-o", str(path))

    assert (code, complaints) == (0, "")
    assert path.read_bytes() == b"body" * 1000
    assert "200 OK" in printed and "4,000 bytes" in printed


@pytest.mark.parametrize("wrong", ["soon", "-1", "0", "nan"])
def test_what_is_no_time_limit_is_refused(wrong):
    """With what is wrong, and not with a traceback."""
    code, printed, complaints = run("http://127.0.0.1:1/", "--timeout", wrong)

    assert (code, printed) == (2, "")
    assert "--timeout: " in complaints and "Traceback" not in complaints


def test_a_terminal_shows_a_bar(wire, tmp_path):
    """It is drawn over and over on one line, and ends full."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    url = wire(serve(b"body" * 100_000)).url
    try:
        subprocess.run([*COMMAND, url, "-o", str(tmp_path / "body")], env=environment(), stderr=theirs, timeout=30)
        shown = os.read(ours, 100_000).decode()
    finally:
        os.close(ours)
        os.close(theirs)

    assert shown.rstrip().endswith("400,000 bytes  [" + "#" * 40 + "] 100 %")


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


def test_who_reads_may_have_seen_enough(server):
    """As ``| head`` has, which goes away: no traceback."""
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        done = subprocess.run(
            [*COMMAND, server.url + "/get"], env=environment(), stdout=theirs, stderr=subprocess.PIPE, timeout=30
        )
    finally:
        os.close(theirs)

    assert (done.returncode, done.stderr) == (1, b"")


def test_whom_the_system_trusts_is_asked_for(tls_server, ca, tmp_path):
    """``--ca-native``, as curl has it; without it certifi's bundle counts."""
    url = tls_server.at("localhost") + "/get"
    system = {"SSL_CERT_FILE": ca, "SSL_CERT_DIR": str(tmp_path)}

    assert run(url, "--ca-native", **system)[0] == 0
    assert run(url, **system)[0] == 1


def test_the_version_of_http_is_shown(streams, wire, ca):
    """Which one was spoken, beside the status."""
    _, printed, _ = run(streams().url + "/echo", "--cacert", ca)
    assert printed.count("HTTP/2 200 OK") == 2

    site = wire(serve(b"body"), serve(b"body"))
    assert run(site.url)[1].count("HTTP/1.1 200 OK") == 2
