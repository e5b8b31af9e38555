"""The words a script is written in: each returns one step of ``wire.py``.

A wire test reads as a table of what travels::

    site = wire([request(), send(answer(b"one"))], [request(), rst()])

and a script without a list is the script of the only connection.
"""


def request():
    """Receive one whole request."""
    return ["request"]


def head():
    """Receive one request head, and leave its body unread."""
    return ["head"]


def body():
    """Receive the body that belongs to the last head."""
    return ["body"]


def receive(size):
    """Receive exactly ``size`` bytes of whatever comes."""
    return ["receive", size]


def send(data):
    """Send these bytes."""
    return ["send", data.decode("latin-1")]


def echo():
    """Answer with the body of the last head while it is still coming."""
    return ["echo"]


def repeat(data, times):
    """Send these bytes ``times`` times, or until the client will have no more."""
    return ["repeat", data.decode("latin-1"), times]


def rekey(times, data, asks=False):
    """Change TLS 1.3's keys so often, and then send these bytes; the listener needs ``keylog`` and no tickets."""
    return ["rekey", times, asks, data.decode("latin-1")]


def wait(name):
    """Go on when the test says ``site.set(name)``."""
    return ["wait", name]


def mark(name):
    """Let the test's ``site.wait(name)`` go on."""
    return ["mark", name]


def secure():
    """Start TLS."""
    return ["secure"]


def fin():
    """Half-close: send FIN and go on reading."""
    return ["fin"]


def close():
    """Close; over TLS without close_notify."""
    return ["close"]


def notify():
    """Close; over TLS with close_notify, as one should."""
    return ["notify"]


def rst():
    """Close with RST."""
    return ["rst"]


def answer(body=b"ok", *fields, status=b"200 OK", version=b"HTTP/1.1", length=True):
    """
    The bytes of a response.

    Args:
        body: the body as it travels.
        *fields: whole field lines, as in ``b"X-Name: value"``.
        status: code and reason phrase.
        version: of the protocol.
        length: False leaves Content-Length out.
    """
    lines = [version + b" " + status]
    lines.extend(fields)
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def serve(body=b"ok", *fields, **more):
    """
    Steps of one ordinary exchange: a request, then ``answer(...)``.
    """
    return [request(), send(answer(body, *fields, **more))]
