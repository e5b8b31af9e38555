"""Answers before the end of the request, for C callers: a server that is content gets all of it none the less."""

import subprocess

import pytest
from abi.toolchain import HEADER
from server.steps import answer, body, echo, head, send

if not HEADER.exists():
    pytest.skip("no header yet", allow_module_level=True)

SIZE = 8_000_000


@pytest.fixture(params=["here", "background"])
def post(build, request):
    """``post(url)`` sends a large body and gives what call.c prints of the answer."""
    where = ["background"] if request.param == "background" else []
    words = [*where, "method=POST", "size=%d" % SIZE]
    return lambda url: subprocess.check_output([build("call"), url, *words], timeout=15).decode().splitlines()[0]


def test_the_request_is_sent_whole(post, wire):
    """Although its answer has come."""
    site = wire([head(), send(answer(b"early")), body()])

    assert post(site.url) == "200  early"
    site.wait("request 1")
    assert len(site.requests[0].body) == SIZE


def test_an_echo_is_taken_while_the_request_is_sent(post, wire):
    """A server that gives back what it reads would else wait."""
    assert post(wire([head(), echo()]).url) == "200  "  # what is longer than a megabyte is pulled
