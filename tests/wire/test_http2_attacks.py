"""Peers of HTTP/2 that mean harm: each is met in a process of its own, with limits on time and memory.

A safe outcome is an answer or an exception of requestx's, in good time and in little memory.  Floods of frames that
mean nothing are endured until time is up: they cost no memory, and a server that is merely slow sends some of them.
"""

import struct

import pytest
from server.frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    HEADERS,
    OK,
    PING,
    PREFACE,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    SETTINGS_FRAME,
    WINDOW_UPDATE,
    data,
    field,
    frame,
    goaway,
    head,
    reset,
    settings,
)
from server.steps import receive, repeat, send

MIB = 1 << 20
MANY = 1 << 21

#: A field of 4,000 bytes that enters HPACK's table, and then as many references to it as fit in one frame.
BOMB = b"\x40\x01x\x7f" + b"\xa1\x1e" + b"v" * 4000 + b"\xbe" * 12000
NEVER_ENDS = frame(HEADERS, 0, 1, OK)
INFORMATIONAL = frame(HEADERS, END_HEADERS, 1, b"\x08\x03103" + field(b"link", b"</a>"))
PUSH = frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 2) + b"\x82\x84\x86\x41\x01a")
#: The client's SETTINGS and WINDOW_UPDATE, and some of its request, so that its stream is open.
OF_THE_CLIENT = 60
REFUSED, ANSWERED, ENDURED = {"refused"}, {"ok"}, {"refused", "late"}

# What the server does after its SETTINGS, and what may come of it.
ATTACKS = {
    "continuation_flood": (
        [send(NEVER_ENDS), repeat(frame(CONTINUATION, 0, 1, field(b"x-a", b"b" * 100)), MANY)],
        REFUSED,
    ),
    "continuation_empty_flood": ([send(NEVER_ENDS), repeat(frame(CONTINUATION, 0, 1), MANY)], REFUSED),
    "empty_data_flood": ([send(head(1)), repeat(data(1), MANY)], REFUSED),
    "ping_flood": ([repeat(frame(PING, 0, 0, bytes(8)), MANY)], ENDURED),
    "settings_flood": ([repeat(SETTINGS, MANY)], ENDURED),
    "window_update_flood": ([repeat(frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1"), MANY)], ENDURED),
    "priority_flood": ([repeat(frame(PRIORITY, 0, 1, bytes(5)), MANY)], ENDURED),
    "unknown_frame_flood": ([repeat(frame(0xBB, 0, 0, b"x" * 100), MANY)], ENDURED),
    "informational_flood": ([repeat(INFORMATIONAL, MANY)], REFUSED),
    "reset_flood": ([repeat(reset(1, 8), MANY)], REFUSED),
    "trailers_flood": ([send(head(1)), repeat(frame(HEADERS, END_HEADERS, 1, field(b"x", b"y")), MANY)], REFUSED),
    "hpack_bomb": ([send(frame(HEADERS, END_HEADERS, 1, OK + BOMB))], REFUSED),
    "hpack_garbage": ([send(frame(HEADERS, END_HEADERS, 1, b"\xff" * 100))], REFUSED),
    "max_frame_size_0": ([send(settings(MAX_FRAME_SIZE=0))], REFUSED),
    "initial_window_too_large": ([send(settings(INITIAL_WINDOW_SIZE=2**32 - 1))], REFUSED),
    "window_overflow": ([repeat(frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"), 2)], REFUSED),
    "window_update_of_nothing": ([send(frame(WINDOW_UPDATE, 0, 0, bytes(4)))], REFUSED),
    "frame_larger_than_allowed": ([send(head(1) + frame(DATA, 1, 1, b"x" * 20000))], REFUSED),
    "frame_of_a_stream_never_opened": ([send(data(7, b"x", end=True))], REFUSED),
    "data_before_the_head": ([send(data(1, b"x", end=True))], REFUSED),
    "ping_of_another_size": ([send(frame(PING, 0, 0, bytes(7)))], REFUSED),
    "settings_of_another_size": ([send(frame(SETTINGS_FRAME, 0, 0, bytes(5)))], REFUSED),
    "reset_of_another_size": ([send(frame(RST_STREAM, 0, 1, bytes(3)))], REFUSED),
    "padding_longer_than_the_frame": ([send(head(1) + frame(DATA, 0x9, 1, b"\xffx"))], REFUSED),
    "push_promise": ([send(PUSH)], REFUSED),
    "upper_case_name": ([send(head(1, field(b"X-A", b"b")) + data(1, b"ok", end=True))], REFUSED),
    "line_break_in_a_value": (
        [send(head(1, field(b"x-a", b"b\r\nset-cookie: a=1")) + data(1, b"ok", end=True))],
        REFUSED,
    ),
    "connection_field": ([send(head(1, field(b"connection", b"close")) + data(1, b"ok", end=True))], REFUSED),
    "two_lengths": (
        [send(head(1, field(b"content-length", b"2"), field(b"content-length", b"5")) + data(1, b"ok", end=True))],
        REFUSED,
    ),
    "no_status": ([send(frame(HEADERS, END_HEADERS, 1, field(b"a", b"b")) + data(1, b"ok", end=True))], REFUSED),
    "goaway_with_megabytes": ([send(frame(7, 0, 0, bytes(8) + b"x" * 16000))], REFUSED),
    "goaway_again_and_again": ([repeat(goaway(0), MANY)], REFUSED),
    "unknown_frames": ([send(frame(0xBB, 0xFF, 1, b"?") + head(1) + frame(0xFA) + data(1, b"ok", end=True))], ANSWERED),
    "unknown_settings": (
        [send(frame(SETTINGS_FRAME, 0, 0, b"\xab\xcd" + bytes(4)) + head(1) + data(1, b"ok", True))],
        ANSWERED,
    ),
    "padding": ([send(head(1) + frame(DATA, 0x9, 1, b"\x05ok" + bytes(5)))], ANSWERED),
    "trailers": ([send(head(1) + data(1, b"ok") + frame(HEADERS, 0x5, 1, field(b"x-sum", b"1")))], ANSWERED),
}

CHILD = """
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    session = requestx.Session(http2="only")

    async def awaited():
        return (await session.get(url, timeout=TimeLimits)).text

    TimeLimits = requestx.TimeLimits(read=1, total=2)
    before = peak()
    try:
        said = asyncio.run(awaited()) if sys.argv[2] == "awaited" else session.get(url, timeout=TimeLimits).text
    except requestx.exceptions.RequestException as problem:
        said = "late" if isinstance(problem, requestx.Timeout) else "refused"
        sys.stderr.write("%s: %s" % (type(problem).__name__, problem))
    print(said, peak() - before)
"""


@pytest.mark.limit(40)
@pytest.mark.parametrize("way", ["blocking", "awaited"])
@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_a_peer_that_means_harm(child, wire, name, way):
    """In good time, in little memory, and with the outcome that is written beside it."""
    steps, outcomes = ATTACKS[name]
    site = wire([receive(len(PREFACE) + OF_THE_CLIENT), send(SETTINGS)] + steps)
    outcome = child(CHILD, site.url, way, limit=30)
    said, grown = outcome.out.split()

    assert said in outcomes, outcome
    assert float(grown) < 64, outcome
    assert outcome.seconds < 15, outcome
