"""
A small server on loopback, http and https, for the demo and for the wheels' smoke tests.

It has its own throwaway certificate authority, made anew by trustme each time, so a client that is to trust
it must be handed ``ca``; a client that is not handed it must refuse.

    python examples/python/embedded_server.py        # serves until Ctrl-C and prints both addresses
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import trustme

PIECE = bytes(range(256)) * 256


class Handler(BaseHTTPRequestHandler):
    """
    Answers by path: ``/hello``, ``/echo``, ``/stream/N``, ``/redirect/N``, ``/status/N``, ``/slow``.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one write

    def do_GET(self) -> None:
        """
        Find the page that the path names.
        """
        name, _, argument = urlsplit(self.path).path.strip("/").partition("/")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        page = getattr(self, f"_{name}", None)
        if page is None:
            self._answer(404, b"no such page")
        else:
            page(argument, body)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *_: Any) -> None:
        """
        Say nothing: the client tells the story.
        """

    def _hello(self, *_: Any) -> None:
        self._answer(200, "hello from the embedded server: grüß Gott".encode())

    def _echo(self, _: str, body: bytes) -> None:
        asked = {
            "method": self.command,
            "query": dict(parse_qsl(urlsplit(self.path).query)),
            "json": json.loads(body) if body else None,
            "agent": self.headers["User-Agent"],
        }
        self._answer(200, json.dumps(asked).encode(), "application/json")

    def _stream(self, pieces: str, _: bytes) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _number in range(int(pieces)):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(PIECE), PIECE))
        self.wfile.write(b"0\r\n\r\n")

    def _redirect(self, left: str, _: bytes) -> None:
        further = int(left) - 1
        self.send_response(302)
        self.send_header("Location", f"/redirect/{further}" if further else "/hello")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _status(self, code: str, _: bytes) -> None:
        self._answer(int(code), b"as you asked")

    def _slow(self, *_: Any) -> None:
        self.server.closing.wait(30)  # type: ignore[attr-defined]
        self.close_connection = True

    def _answer(self, status: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, tls: ssl.SSLContext | None, closing: threading.Event) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.closing = closing
        self._tls = tls

    def finish_request(self, request: Any, client_address: Any) -> None:
        """
        Shake hands here, on the connection's own thread, so that a slow client holds up nobody.
        """
        if self._tls:
            request = self._tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)
        if self._tls:
            request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """
        A client that went away, or refused our certificate, is no news.
        """


class Server:
    """
    Both listeners, as a context manager.

    Attributes:
        http: Address of the plain one.
        https: Address of the one with TLS.
        ca: The file that ``verify=`` takes.
    """

    def __enter__(self) -> Server:
        self._folder = TemporaryDirectory(prefix="requestx-server-")
        self._closing = threading.Event()
        authority = trustme.CA()
        self.ca = str(Path(self._folder.name) / "ca.pem")
        authority.cert_pem.write_to_path(self.ca)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(tls)
        self._listeners = [_Listener(None, self._closing), _Listener(tls, self._closing)]
        for listener in self._listeners:
            threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True).start()
        plain, secure = (listener.server_address[1] for listener in self._listeners)
        self.http, self.https = f"http://127.0.0.1:{plain}", f"https://localhost:{secure}"
        return self

    def __exit__(self, *_: Any) -> None:
        self._closing.set()
        for listener in self._listeners:
            listener.shutdown()
            listener.server_close()
        self._folder.cleanup()


if __name__ == "__main__":
    with Server() as server:
        print(json.dumps({"http": server.http, "https": server.https, "ca": server.ca}), flush=True)
        try:
            sys.stdin.read()  # until Ctrl-C, or until the process that started this one closes its end
        except KeyboardInterrupt:
            pass
