"""HTTP/2 by hand: frames as bytes, for peers that send what no library would.

A wire test of an attack reads as bytes, too::

    site = wire([receive(len(PREFACE)), send(SETTINGS + head(1)), repeat(frame(DATA, 0, 1), 10**6)])
"""

import struct

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS_FRAME, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1
MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 0x3, 0x4, 0x5

#: What a client says first.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#: `:status: 200`, in HPACK's static table.
OK = b"\x88"


def frame(kind, flags=0, stream=0, payload=b""):
    """The bytes of one frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(**values):
    """A SETTINGS frame, as in ``settings(MAX_FRAME_SIZE=16384)``."""
    pairs = (struct.pack(">HI", globals()[name], value) for name, value in values.items())
    return frame(SETTINGS_FRAME, payload=b"".join(pairs))


def field(name, value):
    """One header field in HPACK, neither indexed nor compressed; both shorter than 127 bytes."""
    return b"\x00%c%s%c%s" % (len(name), name, len(value), value)


def head(stream, *fields, end=False):
    """A whole head with status 200; ``fields`` are made by `field`."""
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, OK + b"".join(fields))


def data(stream, body=b"", end=False):
    """A DATA frame."""
    return frame(DATA, END_STREAM if end else 0, stream, body)


def reset(stream, code):
    """RST_STREAM."""
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def goaway(last, code=0):
    """GOAWAY."""
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code))


SETTINGS = settings()
