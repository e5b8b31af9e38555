"""The everyday server: what an application's own server would answer, for tests that are not about bytes.

Paths (``n`` and ``s`` are numbers):

    /get /post /put /echo    JSON of what arrived: method, path, headers as a list of pairs, body
    /flood/n /drain          n bytes, as fast as may be; JSON: how many bytes arrived, none of them looked at
    /count                   JSON: how many bytes arrived, and how many of them were zeros; none is kept
    /status/n /bytes/n /stream/n /lines/n      a status; n bytes; n bytes chunked; n lines chunked
    /redirect/n /redirect-to?url=&status=      n redirects, then /get; anywhere
    /gzip /deflate /raw-deflate /br /zstd      TEXT in that coding
    /cookies /set-cookies?name=value           the Cookie header as JSON; sets cookies and redirects to /cookies
    /basic-auth                                401 unless user "ann" with password "s3cret: x" is given
    /slow  /slow?s=1                           holds the answer until the mark "release" is set, or for s seconds
    /trickle/n?s=1                             n bytes, one each s seconds
    /stall/n                                   n bytes of a body of n + 1, the last when "release" is set
    /close /close/n                            a body, of n bytes, ended by closing the connection
    /switch                                    426 unless "echo" is asked for in Upgrade; that is obeyed at every path:
                                               "hello", what comes, and "end" at its end
    /json /html /latin                         small documents in those types
"""

import base64
import json
import socket
import time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlsplit

from bodies import CODED, TEXT
from listener import Listener, notify

BLOCK = bytes(range(256)) * 256


class Everyday(Listener):
    """
    A listener whose connections are served by ``Handler``.
    """

    def attend(self, connection):
        Handler(connection, self)


class Handler(BaseHTTPRequestHandler):
    """
    Serves one connection, request after request.
    """

    protocol_version = "HTTP/1.1"

    def __init__(self, connection, listener):
        self.record = connection
        self.listener = listener
        super().__init__(connection.sock, ("", 0), None)

    def log_message(self, *arguments):
        pass

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            pass
        self.record.finish("closed" if self.close_connection and not self.gone() else "eof")

    def gone(self):
        """True if the client has ended the connection."""
        try:
            self.connection.setblocking(False)
            return self.connection.recv(1) == b""
        except (OSError, ValueError):
            return False

    def answer(self):
        parts = urlsplit(self.path)
        noun, _, rest = parts.path[1:].partition("/")
        self.query = dict(parse_qsl(parts.query))
        self.body = b"" if noun in ("count", "drain") else self.read_body()
        self.record.requests.append({"head": "%s %s" % (self.command, self.path), "body": ""})
        self.listener.marks.set("request " + parts.path)
        if self.headers.get("Upgrade", "").lower() == "echo":
            return self.switch()
        if noun in CODED:
            return self.reply(CODED[noun], "text/plain", ("Content-Encoding", noun.replace("raw-", "")))
        method = getattr(self, "at_" + noun.replace("-", "_"), None)
        if method is None:
            return self.reply(b"no such page", "text/plain", status=404)
        return method(rest)

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            pieces = []
            while True:
                line = self.rfile.readline()
                if not line:
                    raise ConnectionResetError("the client ended the connection within a body")
                size = int(line.split(b";")[0], 16)
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
                if not size:
                    return b"".join(pieces)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def reply(self, body, kind="application/json", *fields, status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in fields:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reply_json(self, value, *fields, status=200):
        self.reply(json.dumps(value).encode(), "application/json", *fields, status=status)

    def at_echo(self, rest):
        self.reply_json(
            {
                "method": self.command,
                "path": self.path,
                "args": self.query,
                "headers": list(self.headers.items()),
                "body": self.body.decode("latin-1") if len(self.body) < 100000 else "",
                "length": len(self.body),
                "connection": self.record.number,
            }
        )

    at_get = at_post = at_put = at_patch = at_delete = at_echo

    def at_count(self, rest):
        left, zeros = int(self.headers["Content-Length"]), 0
        block = bytearray(1 << 20)
        while left > 0:
            n = self.rfile.readinto(memoryview(block)[:left])
            if not n:
                return
            left -= n
            zeros += block.count(0, 0, n)
        self.reply_json({"length": int(self.headers["Content-Length"]), "zeros": zeros})

    def at_drain(self, rest):
        left, block = int(self.headers["Content-Length"]), memoryview(bytearray(1 << 20))
        while left > 0:
            n = self.rfile.readinto(block[:left])
            if not n:
                return
            left -= n
        self.reply_json({"length": int(self.headers["Content-Length"])})

    def at_flood(self, rest):
        left, block = int(rest), memoryview(BLOCK * 16)
        self.send_response(200)
        self.send_header("Content-Length", rest)
        self.end_headers()
        while left > 0:
            self.wfile.write(block[:left])
            left -= len(block)

    def at_status(self, rest):
        self.reply(b"", "text/plain", status=int(rest))

    def at_bytes(self, rest):
        left = int(rest)
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", rest)
        self.end_headers()
        while left > 0:
            self.wfile.write(BLOCK[:left])
            left -= len(BLOCK)

    def chunked(self, pieces):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def at_stream(self, rest):
        left = int(rest)
        whole, part = divmod(left, len(BLOCK))
        self.chunked([BLOCK] * whole + ([BLOCK[:part]] if part else []))

    def at_lines(self, rest):
        self.chunked(b"line %d\n" % i for i in range(int(rest)))

    def at_redirect(self, rest):
        left = int(rest)
        target = "/redirect/%d" % (left - 1) if left > 1 else "/get"
        self.reply(b"elsewhere", "text/plain", ("Location", target), status=302)

    def at_redirect_to(self, rest):
        self.reply(b"", "text/plain", ("Location", self.query["url"]), status=int(self.query.get("status", 302)))

    def at_cookies(self, rest):
        pairs = (pair.partition("=") for pair in self.headers.get("Cookie", "").split("; ") if pair)
        self.reply_json({name: value for name, _, value in pairs})

    def at_set_cookies(self, rest):
        fields = [("Set-Cookie", "%s=%s; Path=/" % pair) for pair in self.query.items()]
        self.reply(b"", "text/plain", ("Location", "/cookies"), *fields, status=302)

    def at_basic_auth(self, rest):
        wanted = "Basic " + base64.b64encode(b"ann:s3cret: x").decode()
        if self.headers.get("Authorization") == wanted:
            self.reply_json({"user": "ann"})
        else:
            self.reply_json({}, ("WWW-Authenticate", 'Basic realm="tests"'), status=401)

    def at_slow(self, rest):
        if "s" in self.query:
            time.sleep(float(self.query["s"]))
        else:
            self.listener.marks.wait("release", 30)
        self.reply_json({"slow": True})

    def at_trickle(self, rest):
        self.send_response(200)
        self.send_header("Content-Length", rest)
        self.end_headers()
        for _ in range(int(rest)):
            time.sleep(float(self.query["s"]))
            self.wfile.write(b"x")

    def at_stall(self, rest):
        self.send_response(200)
        self.send_header("Content-Length", str(int(rest) + 1))
        self.end_headers()
        self.wfile.write((BLOCK * (int(rest) // len(BLOCK) + 1))[: int(rest)])
        self.listener.marks.wait("release", 30)
        self.wfile.write(b"!")

    def at_close(self, rest):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"x" * int(rest) if rest else TEXT)
        self.close_connection = True
        notify(self.connection)
        self.connection.shutdown(socket.SHUT_WR)

    def at_switch(self, rest):
        self.reply(b"say echo", "text/plain", ("Upgrade", "echo"), status=426)

    def switch(self):
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello")
        self.close_connection = True
        while True:
            piece = self.rfile.read1(65536)
            if not piece:
                self.wfile.write(b"end")
                return notify(self.connection)
            self.wfile.write(piece)

    def at_json(self, rest):
        self.reply_json({"name": "value", "list": [1, 2, 3], "text": "gr\u00fc\u00dfe"})

    def at_html(self, rest):
        self.reply("<p>gr\u00fc\u00dfe</p>".encode("utf-8"), "text/html; charset=utf-8")

    def at_latin(self, rest):
        self.reply("gr\u00fc\u00dfe".encode("latin-1"), "text/html")
