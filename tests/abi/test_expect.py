"""``Expect: 100-continue`` for C callers: the body waits for the server, on this thread and in the background."""

import subprocess

import pytest
from abi.toolchain import HEADER
from server.steps import answer, body, head, mark, send, serve, wait

if not HEADER.exists():
    pytest.skip("no header yet", allow_module_level=True)

ASKS = ["method=POST", "header=Expect:100-continue"]
BODIES = ["body=text", "upload=text"]


@pytest.fixture(params=["here", "background"])
def call(build, request):
    """``call(url, word...)`` runs call.c; ``result`` of what it gives is the first line."""
    where = ["background"] if request.param == "background" else []

    def made(url, *words):
        process = subprocess.Popen([build("call"), url, *where, *ASKS, *words], stdout=subprocess.PIPE)
        process.result = lambda: process.communicate(timeout=15)[0].decode().splitlines()[0]
        return process

    return made


@pytest.mark.parametrize("kind", BODIES)
def test_the_body_follows_when_the_server_wants_it(call, wire, kind):
    """Nothing but the head is sent before."""
    site = wire([head(), mark("head"), wait("go"), send(b"HTTP/1.1 100 Continue\r\n\r\n"), body(), send(answer())])
    pending = call(site.url, kind)
    site.wait("head")
    before = site.received
    site.set("go")

    assert pending.result() == "200  ok"
    assert before.endswith(b"\r\n\r\n")
    assert site.requests[0].body == b"text"


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("status", [b"413 Content Too Large", b"417 Expectation Failed"])
def test_no_body_is_sent_after_a_final_answer(call, wire, kind, status):
    """And the connection serves no further request."""
    site = wire([head(), send(answer(b"no", status=status))])

    assert call(site.url, kind).result() == "%s  no" % status[:3].decode()
    assert site.end() == "eof"
    assert site.received.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("kind", BODIES)
def test_the_body_goes_after_a_second_without_a_word(call, wire, kind):
    """Many servers never say 100."""
    site = wire(serve())

    assert call(site.url, kind).result() == "200  ok"
    assert site.requests[0].body == b"text"
