"""The tests' side of the server process: start it, open listeners on it, read what they saw."""

import json
import os
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


class Servers:
    """
    The server process; ``open`` gives a ``Site``.
    """

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-X", "utf8", HERE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=True
        )
        self.port = int(self.process.stdout.readline())

    def order(self, verb, **more):
        """
        Give one command and return its answer.

        Raises:
            RuntimeError: the server could not do it.
        """
        with socket.create_connection(("127.0.0.1", self.port), 60) as peer, peer.makefile("rwb") as lines:
            lines.write(json.dumps(dict(more, do=verb)).encode() + b"\n")
            lines.flush()
            answer = json.loads(lines.readline().decode())
        if "problem" in answer:
            raise RuntimeError(answer["problem"])
        return answer

    def open(self, kind, **more):
        scheme = "https" if more.get("tls") else "http"
        return Site(self, self.order("open", kind=kind, **more)["id"], scheme, more.get("host", "127.0.0.1"))

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)


class Site:
    """
    One listener: where it is, and what it saw.
    """

    def __init__(self, servers, number, scheme, host):
        self.servers = servers
        self.number = number
        self.port = number
        self.scheme = scheme
        self.host = "[%s]" % host if ":" in host else host
        self.netloc = "%s:%d" % (self.host, self.port)
        self.url = "%s://%s" % (scheme, self.netloc)

    def __repr__(self):
        return "<Site %s>" % self.url

    def at(self, host):
        """The URL of this site under another name, as in ``https://localhost:port``."""
        return "%s://%s:%d" % (self.scheme, host, self.port)

    def set(self, name):
        """Let a script's ``wait(name)`` go on."""
        self.servers.order("set", id=self.number, name=name)

    def wait(self, name, limit=10.0):
        """
        Wait for a mark: ``open N``, ``request N`` (the N-th of the site), ``closed N``, or a script's own.

        Raises:
            AssertionError: it was not met in time.
        """
        met = self.servers.order("wait", id=self.number, name=name, limit=limit)["met"]
        assert met, "the server did not see %r within %s s: %r" % (name, limit, self.connections)

    def play(self, pages):
        """The answers that a mirror gives from now on; what it saw is forgotten."""
        self.servers.order("play", id=self.number, pages=pages)

    @property
    def seen(self):
        """What a mirror saw since then: pairs of head and body as they came."""
        record = self.servers.order("record", id=self.number)["seen"]
        return [(each["head"].encode("latin-1"), each["body"].encode("latin-1")) for each in record]

    @property
    def connections(self):
        """What every connection saw, in the order they were accepted."""
        record = self.servers.order("record", id=self.number)["connections"]
        for connection in record:
            connection["received"] = connection["received"].encode("latin-1")
            connection["requests"] = [Request(**request) for request in connection["requests"]]
        return record

    @property
    def requests(self):
        """Every request the site saw, connection by connection."""
        return [request for connection in self.connections for request in connection["requests"]]

    @property
    def received(self):
        """Every byte the site saw."""
        return b"".join(connection["received"] for connection in self.connections)

    def end(self, number=0, limit=10.0):
        """
        How the connection ended, waiting for it: ``eof`` and ``reset`` are the client's doing, ``closed`` ours.
        """
        self.wait("closed %d" % number, limit)
        return self.connections[number]["end"]

    def close(self):
        """Close the listener and all its connections."""
        self.servers.order("close", id=self.number)


class Request:
    """
    One request as it came: ``head`` and ``body`` are bytes, ``fields`` the header lines as pairs.
    """

    def __init__(self, head, body):
        self.head = head.encode("latin-1")
        self.body = body.encode("latin-1")

    def __repr__(self):
        return "<Request %r>" % self.line

    @property
    def line(self):
        return self.head.split(b"\r\n")[0]

    @property
    def fields(self):
        lines = self.head.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        return [tuple(line.split(b": ", 1)) for line in lines]

    def field(self, name):
        """Every value of a header, whatever the case of its name."""
        return [value for key, value in self.fields if key.lower() == name.lower()]
