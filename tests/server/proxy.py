"""A proxy that works: forwards http, opens tunnels by CONNECT, and speaks SOCKS4, SOCKS4a and SOCKS5.

What it was asked for is in the record of its connections, one request each: the head of an HTTP request, or a line such
as ``SOCKS5 NAME host:port user:password``.  Names under ``.test`` lead to 127.0.0.1 here and to nowhere else, so who
resolves a name shows.
"""

import base64
import http.client
import select
import socket
import ssl
import struct
from urllib.parse import urlsplit

from listener import Listener

WHO = b'HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm="tests"\r\nContent-Length: 6\r\n\r\nlog in'
OWN_FIELDS = ("proxy-authorization", "proxy-connection", "connection", "transfer-encoding", "content-length")


class Proxy(Listener):
    """
    A listener that serves as a proxy.

    Args:
        login: ``"user:password"`` that it asks for; anybody is served where there is none.
        refuse: status line and more of the answer to every CONNECT, as text.
    """

    def __init__(self, login=None, refuse=None, **listening):
        self.login = login
        self.refuse = refuse
        super().__init__(**listening)

    def attend(self, connection):
        connection.sock.settimeout(30)
        first = connection.sock.recv(1)
        if not first:
            return
        serve = {b"\x04": self.socks4, b"\x05": self.socks5}.get(first, self.http)
        serve(connection, connection.sock, first)

    def note(self, connection, text):
        connection.requests.append({"head": text, "body": ""})
        with self.lock:
            self.marks.set("request %d" % sum(len(each.requests) for each in self.connections))

    def http(self, connection, sock, first):
        while True:
            head = first + until(sock, b"\r\n\r\n", first)
            first = b""
            if not head:
                return
            self.note(connection, head.decode("latin-1"))
            line, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
            method, target, _ = line.split(" ", 2)
            fields = [tuple(each.split(": ", 1)) for each in lines]
            given = {name.lower(): value for name, value in fields}
            wanted = self.login and "Basic " + base64.b64encode(self.login.encode()).decode()
            if wanted and given.get("proxy-authorization") != wanted:
                sock.sendall(WHO)
            elif method == "CONNECT" and self.refuse:
                sock.sendall(self.refuse.encode("latin-1"))
                return
            elif method == "CONNECT":
                host, _, port = target.rpartition(":")
                with reach(host.strip("[]"), int(port)) as origin:
                    sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    return relay(sock, origin)
            else:
                forward(sock, method, target, fields, exactly(sock, int(given.get("content-length", 0))))

    def socks4(self, connection, sock, first):
        command, port, address = struct.unpack(">BH4s", exactly(sock, 7))
        user = until(sock, b"\0")[:-1].decode("latin-1")
        kind, host = "ADDRESS", socket.inet_ntoa(address)
        if address[:3] == b"\0\0\0":
            kind, host = "NAME", until(sock, b"\0")[:-1].decode("latin-1")
        self.note(connection, "SOCKS4 %s %s:%d %s" % (kind, host, port, user))
        if self.login and user != self.login.partition(":")[0]:
            return sock.sendall(b"\0\x5b" + bytes(6))
        with reach(host, port) as origin:
            sock.sendall(b"\0\x5a" + bytes(6))
            relay(sock, origin)

    def socks5(self, connection, sock, first):
        methods, login = exactly(sock, exactly(sock, 1)[0]), ""
        if self.login:
            if 2 not in methods:
                return sock.sendall(b"\x05\xff")
            sock.sendall(b"\x05\x02")
            user, password = (exactly(sock, exactly(sock, size)[-1]).decode("latin-1") for size in (2, 1))
            login = "%s:%s" % (user, password)
            sock.sendall(b"\x01\x00" if login == self.login else b"\x01\x01")
            if login != self.login:
                return self.note(connection, "SOCKS5 REFUSED %s" % login)
        else:
            sock.sendall(b"\x05\x00")
        kind = exactly(sock, 4)[3]
        if kind == 3:
            kind, host = "NAME", exactly(sock, exactly(sock, 1)[0]).decode("latin-1")
        else:
            family = socket.AF_INET if kind == 1 else socket.AF_INET6
            kind, host = "ADDRESS", socket.inet_ntop(family, exactly(sock, 4 if kind == 1 else 16))
        port = struct.unpack(">H", exactly(sock, 2))[0]
        self.note(connection, "SOCKS5 %s %s:%d %s" % (kind, host, port, login))
        try:
            origin = reach(host, port)
        except OSError:
            return sock.sendall(b"\x05\x05\x00\x01" + bytes(6))
        with origin:
            sock.sendall(b"\x05\x00\x00\x01" + bytes(6))
            relay(sock, origin)


def reach(host, port):
    return socket.create_connection(("127.0.0.1" if host.endswith(".test") else host, port), 10)


def until(sock, mark, before=b""):
    """Everything up to the mark; nothing if the client has gone."""
    taken = b""
    while not (before + taken).endswith(mark):
        piece = sock.recv(1)
        if not piece:
            return b""
        taken += piece
    return taken


def exactly(sock, size):
    taken = b""
    while len(taken) < size:
        piece = sock.recv(size - len(taken))
        if not piece:
            raise ConnectionResetError("the client ended the connection within a message")
        taken += piece
    return taken


def forward(sock, method, url, fields, body):
    parts = urlsplit(url)
    host = "127.0.0.1" if parts.hostname.endswith(".test") else parts.hostname
    origin = http.client.HTTPConnection(host, parts.port or 80, timeout=30)
    origin.putrequest(method, parts.path + ("?" + parts.query if parts.query else ""), True, True)
    for name, value in fields:
        if name.lower() not in OWN_FIELDS:
            origin.putheader(name, value)
    if body:
        origin.putheader("Content-Length", str(len(body)))
    origin.endheaders(body)
    answer = origin.getresponse()
    content = answer.read()
    lines = ["HTTP/1.1 %d %s" % (answer.status, answer.reason)]
    lines += ["%s: %s" % pair for pair in answer.getheaders() if pair[0].lower() not in OWN_FIELDS]
    lines += ["Content-Length: %d" % len(content), "Via: 1.1 tests", "", ""]
    sock.sendall("\r\n".join(lines).encode("latin-1") + content)
    origin.close()


def relay(one, other):
    """Carry bytes both ways, and the end of each, until both sides have ended."""
    across = {one: other, other: one}
    while across:
        waiting = [sock for sock in across if isinstance(sock, ssl.SSLSocket) and sock.pending()]
        for sock in waiting or select.select(list(across), [], [], 60)[0]:
            piece = sock.recv(65536)
            if piece:
                across[sock].sendall(piece)
            else:
                across.pop(sock).shutdown(socket.SHUT_WR)
