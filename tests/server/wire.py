"""The wire server: plays one script a connection and records every byte.

A script is a list of steps, each ``[verb, argument...]``; ``steps.py`` has the words for the tests.  After its last
step a connection is kept, still recording, until the client ends it: how it ended is part of the record.
"""

import re
import socket
import ssl
import struct

from listener import Listener, notify
from rekey import DATA, Sender

LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.I)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked", re.I)


class Wire(Listener):
    """
    A listener whose n-th connection follows the n-th script; further ones are closed at once.
    """

    def __init__(self, scripts=(), **listening):
        self.scripts = scripts
        self.done = 0
        super().__init__(**listening)

    def attend(self, connection):
        if connection.number >= len(self.scripts):
            return
        player = Player(connection, self)
        for step in self.scripts[connection.number]:
            getattr(player, "do_" + step[0])(*step[1:])
            if player.over:
                return
        player.do_eof()


class Player:
    """
    Performs the steps of one script on one connection.
    """

    def __init__(self, connection, listener):
        self.connection = connection
        self.listener = listener
        self.pending = b""
        self.over = False
        connection.sock.settimeout(30)

    def _more(self):
        piece = self.connection.sock.recv(65536)
        self.connection.received += piece
        self.pending += piece
        return piece

    def _until(self, mark):
        while mark not in self.pending:
            if not self._more():
                raise ConnectionResetError("the client ended the connection within a message")
        at = self.pending.index(mark) + len(mark)
        taken, self.pending = self.pending[:at], self.pending[at:]
        return taken

    def _exactly(self, size):
        while len(self.pending) < size:
            if not self._more():
                raise ConnectionResetError("the client ended the connection within a message")
        taken, self.pending = self.pending[:size], self.pending[size:]
        return taken

    def do_head(self):
        """Receive one request head."""
        try:
            head = self._until(b"\r\n\r\n")
        except ConnectionResetError:
            self.connection.finish("eof")
            raise
        self._note({"head": head.decode("latin-1"), "body": ""})

    def do_request(self):
        """Receive one whole request."""
        self.do_head()
        self.do_body()

    def do_body(self):
        """Receive the body of the last head."""
        head = self.connection.requests[-1]["head"].encode("latin-1")
        body = self._chunks() if CHUNKED.search(head) else self._exactly(int((LENGTH.search(head) or [0, 0])[1]))
        self.connection.requests[-1]["body"] = body.decode("latin-1")
        with self.listener.lock:
            self.listener.done += 1
            self.listener.marks.set("request %d" % self.listener.done)

    def _chunks(self):
        body = b""
        while True:
            size = int(self._until(b"\r\n").split(b";")[0], 16)
            data = self._exactly(size + 2)[:-2]
            if not size:
                return body
            body += data

    def _note(self, request):
        self.connection.requests.append(request)

    def do_receive(self, size):
        """Receive exactly so many bytes of whatever comes."""
        self._exactly(size)

    def do_send(self, text):
        """Send these bytes."""
        data = text.encode("latin-1")
        self.connection.sock.sendall(data)
        self.connection.sent += len(data)

    def do_echo(self):
        """Answer with the body of the last head, as it comes."""
        left = int(LENGTH.search(self.connection.requests[-1]["head"].encode("latin-1"))[1])
        self.connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % left)
        data, self.pending = self.pending, b""
        while left > 0:
            self.connection.sock.sendall(data)
            left -= len(data)
            data = left and self.connection.sock.recv(min(left, 1 << 16))
            if data == b"":
                raise ConnectionResetError("the client ended the connection within a message")

    def do_repeat(self, text, times):
        """Send these bytes again and again, until the client will have no more of them."""
        data = text.encode("latin-1")
        block = data * max(1, 16384 // len(data))
        left = len(data) * times
        while left > 0:
            self.connection.sock.sendall(block[:left])
            self.connection.sent += min(left, len(block))
            left -= len(block)

    def do_rekey(self, times, asks, text):
        """Change the keys again and again, until the client will have no more of it, and then send these bytes."""
        secured = self.connection.sock
        sender = Sender(self.listener.context.keylog_filename, secured.cipher()[0])
        while times > 0:
            records = [sender.update(asks) for _ in range(min(times, 500))]
            socket.socket.sendall(secured, b"".join(records))
            times -= len(records)
        socket.socket.sendall(secured, sender.record(DATA, text.encode("latin-1")))

    def do_wait(self, name):
        """Wait for a mark."""
        if not self.listener.marks.wait(name, 30):
            raise TimeoutError(name)

    def do_mark(self, name):
        """Set a mark."""
        self.listener.marks.set(name)

    def do_secure(self):
        """Start TLS here (the listener was opened with ``later=True``)."""
        self.listener.secure(self.connection)

    def do_fin(self):
        """Send FIN and go on reading."""
        self.connection.sock.shutdown(socket.SHUT_WR)

    def do_close(self):
        """Close both ways; over TLS without close_notify."""
        self.connection.finish("closed")
        sock = self.connection.sock
        if isinstance(sock, ssl.SSLSocket):
            # A TLS socket's shutdown is TCP's alone: exactly the truncation that is wanted.
            sock.shutdown(socket.SHUT_WR)
        sock.close()
        self.over = True

    def do_notify(self):
        """Send close_notify, then close."""
        notify(self.connection.sock)
        self.do_close()

    def do_rst(self):
        """Close with RST."""
        self.connection.finish("closed")
        sock = self.connection.sock
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        self.over = True

    def do_eof(self):
        """Read on until the client closes."""
        self.connection.sock.settimeout(120)
        while self._more():
            self.pending = b""
        self.connection.finish("eof")
        self.over = True
