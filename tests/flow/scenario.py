"""A call, stopped at every op: no socket, no clock, no loop.

``Scenario`` holds a session whose verbs return their flow instead of running it.  A test brings it to a state by
answering ops, and compares what the flow asks for next::

    play = Scenario()
    play.get("http://a.test/")          # play.op is the first op: Send
    play.answer(302, Location="/b")     # the op after that
"""

import io
from email.message import Message
from types import SimpleNamespace

from requestx._ops import Call, Drain, Read, Send
from requestx.adapters import BaseAdapter
from requestx.models import Response
from requestx.sessions import Session
from requestx.structures import CaseInsensitiveDict


class PausedSession(Session):
    """A session that hands its flows out."""

    _run = staticmethod(lambda flow: flow)


class NoAdapter(BaseAdapter):
    """Stands where an adapter stands; nobody sends through it."""

    def close(self):
        """Nothing to close."""


class Scenario:
    """
    One flow and where it stands: ``op`` is what it waits for, ``result`` what it returned.
    """

    def __init__(self, session=None):
        self.session = PausedSession() if session is None else session
        self.adapter = NoAdapter()
        for prefix in ("http://", "https://"):
            self.session.mount(prefix, self.adapter)
        self.op = self.result = self.flow = None
        self.ops = []
        self.sent = []

    def __getattr__(self, name):
        if name not in ("get", "post", "put", "head", "options", "delete", "request", "send"):
            raise AttributeError(name)

        def begin(*arguments, **more):
            self.flow = getattr(self.session, name)(*arguments, **more)
            return self.step()

        return begin

    def step(self, value=None):
        """Send an op's result; returns the next op, or None at the end."""
        return self._go(self.flow.send, value)

    def fail(self, error):
        """Let an op fail."""
        return self._go(self.flow.throw, error)

    def _go(self, resume, value):
        try:
            self.op = resume(value)
        except StopIteration as stop:
            self.op, self.result = None, stop.value
        else:
            self.ops.append(type(self.op).__name__)
            if isinstance(self.op, Send):
                self.sent.append(self.op.request)
        return self.op

    def answer(self, status=200, body=b"", **headers):
        """Answer a Send, and every Drain and Read after it, until something else is asked for."""
        assert isinstance(self.op, Send), self.op
        self.step(response_to(self.op.request, status, body, headers))
        return self.settle()

    def settle(self):
        """Let Drain and Read be done, until something else is asked for."""
        while isinstance(self.op, (Drain, Read)):
            self.step()
        return self.op

    def perform(self):
        """Perform a Call, as the blocking driver does."""
        assert isinstance(self.op, Call), self.op
        return self.step(self.op.perform())


def response_to(request, status=200, body=b"", headers=()):
    """
    A response as an adapter would give it; names of headers are written with underscores.
    """
    fields = Message()
    for name, value in dict(headers).items():
        for each in value if isinstance(value, list) else [value]:
            fields[name.replace("_", "-")] = each
    response = Response()
    response.status_code = status
    response.headers = CaseInsensitiveDict(fields.items())
    response.request = request
    response.url = request.url
    response.raw = io.BytesIO(body)
    response.raw._original_response = SimpleNamespace(msg=fields)
    response._content = body
    return response
