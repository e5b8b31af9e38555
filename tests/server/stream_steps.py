"""The words that scripts of ``streams.py`` are written in; requests are counted from 1 on each connection.

``streams([request(1), answer(1, b"one")], [request(1), reset(1, "REFUSED_STREAM")])`` scripts two connections.
"""

from .steps import mark, send, wait

__all__ = ["answer", "close", "data", "head", "interim", "mark", "request", "reset", "send", "settings", "wait"]


def head(number=1):
    """Wait for the head of a request."""
    return ["head", number]


def request(number=1):
    """Wait for a whole request."""
    return ["request", number]


def answer(number=1, body=b"ok", *fields, status=200, end=True):
    """Answer it; ``fields`` are pairs. ``end=False`` leaves the body open."""
    return ["answer", number, body.decode("latin-1"), fields, status, end]


def interim(number, status, *fields):
    """An informational head before the answer to it."""
    return ["interim", number, status, fields]


def data(number, body, end=True):
    """More of its body."""
    return ["data", number, body.decode("latin-1"), end]


def reset(number, code):
    """Break it off, with the name of an error code."""
    return ["reset", number, code]


def settings(**values):
    """Change settings, as in ``settings(MAX_CONCURRENT_STREAMS=1)``."""
    return ["settings", values]


def close():
    """Close the connection."""
    return ["close"]
