"""An HTTP/2 server: plays a script on a connection, as ``wire.py`` does, or answers like a small application.

The words of its scripts are in ``stream_steps.py``.  One thread serves one connection: what has to wait is a generator
that yields the condition it waits for, and in between the socket is read.

Without a script these paths are answered (``n`` and ``s`` are numbers):

    /echo            JSON of what arrived: method, path, headers as pairs, body, length, connection, stream
    /bytes/n         n bytes
    /status/n        a status without a body
    /slow            holds the answer until the mark "release" is set
    /together/n      holds the answer, which is /echo's, until n such requests are held on the connection
    /stall/n         n bytes, and the end when "release" is set
    /early/n         a status at once, without reading the request's body, which is then reset with NO_ERROR
    /redirect        to /echo, with a cookie
    /trailers        "ok" with trailers
    /hints           two 103 before the answer
"""

import json
import select
import ssl

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings
from listener import Listener, notify

GONE = (ProtocolError, StreamClosedError)
BLOCK = bytes(range(256)) * 64


class Streams(Listener):
    """
    A listener that speaks HTTP/2, and records what it heard: requests, and in ``heard`` what else was said.

    Args:
        scripts: one for each connection, as in ``Wire``; without any, every connection is served by an application.
        settings: by name, as in ``{"MAX_CONCURRENT_STREAMS": 3}``.
        greedy: False leaves the client's window closed once it is used up.
    """

    def __init__(self, scripts=(), settings=None, greedy=True, **listening):
        self.scripts = scripts
        self.settings = settings or {}
        self.greedy = greedy
        self.done = 0
        super().__init__(**listening)

    def attend(self, connection):
        if self.scripts and connection.number >= len(self.scripts):
            return
        Conversation(connection, self).hold()


class Conversation:
    """
    One connection.
    """

    def __init__(self, connection, listener):
        self.connection = connection
        self.listener = listener
        self.sock = connection.sock
        self.over = False
        self.together = 0
        self.requests = []
        self.by_stream = {}
        self.h2 = H2Connection(
            H2Configuration(
                client_side=False,
                header_encoding="latin-1",
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        values = dict({"MAX_CONCURRENT_STREAMS": 250}, **listener.settings)
        self.h2.local_settings = Settings(False, {getattr(SettingCodes, name): values[name] for name in values})
        self.h2.initiate_connection()
        # What exceeds that is refused, stream by stream; h2 itself would break the connection off.
        self.limit = values["MAX_CONCURRENT_STREAMS"]
        values["MAX_CONCURRENT_STREAMS"] = 1000
        self.h2.local_settings = Settings(False, {getattr(SettingCodes, name): values[name] for name in values})
        self.tasks = []

    def hold(self):
        """
        Serve until the client ends the connection, or the script does.
        """
        if self.listener.scripts:
            self.begin(self.play(self.listener.scripts[self.connection.number]))
        while not self.over:
            self.go_on()
            self.flush()
            if not self.over and not self.read():
                self.connection.finish("eof")
                return

    def begin(self, task):
        self.tasks.append([task, lambda: True])

    def go_on(self):
        for entry in list(self.tasks):
            try:
                while entry[1]():
                    entry[1] = next(entry[0])
            except StopIteration:
                self.tasks.remove(entry)
            except GONE:  # the client has reset the stream
                self.tasks.remove(entry)

    def flush(self):
        out = self.h2.data_to_send()
        if out and not self.over:
            self.sock.settimeout(30)
            self.sock.sendall(out)
            self.connection.sent += len(out)

    def read(self):
        """What the client sends; False at its end."""
        pending = isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()
        # Marks are set elsewhere, and are looked for between two reads.
        if not pending and not select.select([self.sock], [], [], 0.01)[0]:
            return True
        data = self.sock.recv(65536)
        if not data:
            return False
        self.connection.received += data[: max(0, 4096 - len(self.connection.received))]
        for event in self.h2.receive_data(data):
            self.take(event)
        return True

    def take(self, event):
        if isinstance(event, events.RequestReceived):
            if self.h2.open_inbound_streams > self.limit:
                self.h2.reset_stream(event.stream_id, ErrorCodes.REFUSED_STREAM)
                self.connection.heard.append("one too many")
                return
            self.requests.append(Request(event))
            self.by_stream[event.stream_id] = self.requests[-1]
            if event.stream_ended is None:
                self.answer(self.requests[-1], "early")
        elif isinstance(event, events.DataReceived):
            request = self.by_stream.get(event.stream_id)
            if request is None:
                return
            request.take(event.data)
            if self.listener.greedy and event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, events.StreamEnded):
            request = self.by_stream.get(event.stream_id)
            if request is None:
                return
            request.whole = True
            self.connection.requests.append({"head": request.head, "body": request.body.decode("latin-1")})
            with self.listener.lock:
                self.listener.done += 1
                self.listener.marks.set("request %d" % self.listener.done)
            self.answer(request)
        elif isinstance(event, events.StreamReset):
            self.hear("RST_STREAM %d %s" % (event.stream_id, name_of(event.error_code)))
        elif isinstance(event, events.ConnectionTerminated):
            self.hear("GOAWAY %s" % name_of(event.error_code))

    def hear(self, what):
        self.connection.heard.append(what)
        self.listener.marks.set(what)

    def end(self):
        self.connection.finish("closed")
        self.over = True

    # the application

    def answer(self, request, only=None):
        noun, _, rest = request.path.partition("?")[0][1:].partition("/")
        if not self.listener.scripts and (only is None or noun == only):
            if only is not None or noun != "early":
                self.begin(getattr(self, "at_" + noun)(request, rest))

    def reply(self, request, body=b"", *fields, status=200, length=True, end=True):
        head = [(":status", str(status))] + ([("content-length", str(len(body)))] if length else [])
        whole = end and (not body or request.method == "HEAD")
        self.h2.send_headers(request.stream, head + list(fields), end_stream=whole)
        if body and not whole:
            yield from self.pour(request, body, end)

    def pour(self, request, body, end=True):
        view = memoryview(body)
        while view:
            room = min(self.h2.local_flow_control_window(request.stream), self.h2.max_outbound_frame_size)
            if room <= 0:
                yield lambda: self.h2.local_flow_control_window(request.stream) > 0
                continue
            piece, view = view[:room], view[room:]
            self.h2.send_data(request.stream, bytes(piece), end_stream=end and not view)
            if len(body) > 1 << 20:
                yield lambda: True  # so that large ones are not all made before any is sent
                self.flush()

    def met(self, name):
        return lambda: self.listener.marks.wait(name, 0)

    def at_echo(self, request, rest):
        said = {
            "method": request.method,
            "path": request.path,
            "headers": [pair for pair in request.fields if pair[0][0] != ":"],
            "pseudo": dict(pair for pair in request.fields if pair[0][0] == ":"),
            "body": request.body[:100000].decode("latin-1"),
            "length": request.length,
            "connection": self.connection.number,
            "stream": request.stream,
        }
        yield from self.reply(request, json.dumps(said).encode(), ("content-type", "application/json"))

    def at_bytes(self, request, rest):
        size = int(rest)
        yield from self.reply(request, (BLOCK * (size // len(BLOCK) + 1))[:size])

    def at_status(self, request, rest):
        yield from self.reply(request, status=int(rest), length=False)

    def at_slow(self, request, rest):
        yield self.met("release")
        yield from self.at_echo(request, rest)

    def at_together(self, request, rest):
        self.together += 1
        yield lambda: self.together >= int(rest)
        yield from self.at_echo(request, rest)

    def at_stall(self, request, rest):
        yield from self.reply(request, b"x" * int(rest), length=False, end=False)
        yield self.met("release")
        self.h2.end_stream(request.stream)

    def at_early(self, request, rest):
        yield from self.reply(request, b"enough", status=int(rest))
        self.h2.reset_stream(request.stream, ErrorCodes.NO_ERROR)

    def at_redirect(self, request, rest):
        fields = [("location", "/echo"), ("set-cookie", "a=1"), ("set-cookie", "b=2")]
        yield from self.reply(request, b"", *fields, status=302)

    def at_trailers(self, request, rest):
        yield from self.reply(request, b"ok", length=False, end=False)
        self.h2.send_headers(request.stream, [("x-sum", "1")], end_stream=True)

    def at_hints(self, request, rest):
        for _ in range(2):
            self.h2.send_headers(request.stream, [(":status", "103"), ("link", "</a>")])
        yield from self.reply(request, b"ok")

    # scripts

    def play(self, script):
        for verb, *arguments in script:
            yield from getattr(self, "do_" + verb)(*arguments)

    def do_head(self, number):
        """Wait for the head of the n-th request."""
        yield lambda: len(self.requests) >= number

    def do_request(self, number):
        """Wait for the whole of the n-th request."""
        yield lambda: len(self.requests) >= number and self.requests[number - 1].whole

    def do_answer(self, number, body, fields, status, end):
        """Answer the n-th request."""
        body = body.encode("latin-1")
        pairs = [tuple(pair) for pair in fields]
        yield from self.reply(self.requests[number - 1], body, *pairs, status=status, length=False, end=end)

    def do_interim(self, number, status, fields):
        """An informational head before the answer to the n-th request."""
        head = [(":status", str(status))] + [tuple(pair) for pair in fields]
        self.h2.send_headers(self.requests[number - 1].stream, head)
        yield lambda: True

    def do_data(self, number, body, end):
        """More of a body."""
        yield from self.pour(self.requests[number - 1], body.encode("latin-1"), end)

    def do_reset(self, number, code):
        """RST_STREAM to the n-th request."""
        self.h2.reset_stream(self.requests[number - 1].stream, ErrorCodes[code])
        yield lambda: True

    def do_settings(self, values):
        """Change settings."""
        self.h2.update_settings({getattr(SettingCodes, name): value for name, value in values.items()})
        yield lambda: True

    def do_send(self, text):
        """Bytes, past the library."""
        self.flush()
        self.sock.sendall(text.encode("latin-1"))
        yield lambda: True

    def do_wait(self, name):
        """Wait for a mark."""
        yield self.met(name)

    def do_mark(self, name):
        """Set a mark."""
        self.flush()
        self.listener.marks.set(name)
        yield lambda: True

    def do_close(self):
        """Close, over TLS with close_notify."""
        self.flush()
        notify(self.sock)
        self.end()
        yield lambda: True


class Request:
    """
    A request, as far as it has come.
    """

    KEPT = 1 << 20

    def __init__(self, event):
        self.stream = event.stream_id
        self.fields = [tuple(pair) for pair in event.headers]
        pseudo = dict(self.fields)
        self.method, self.path = pseudo[":method"], pseudo.get(":path", "")
        lines = ["%s %s HTTP/2" % (self.method, self.path)] + ["%s: %s" % pair for pair in self.fields]
        self.head = "\r\n".join(lines) + "\r\n\r\n"
        self.body = bytearray()
        self.length = 0
        self.whole = False

    def take(self, data):
        self.length += len(data)
        self.body += data[: max(0, self.KEPT - len(self.body))]


def name_of(code):
    return getattr(code, "name", "0x%x" % code)
