"""
WebSocket (RFC 6455) over `Response.upgrade`: enough of it to send a text and to hear the answer.

A whole client would use wsproto or the like for the frames; these few lines show where the bytes come from and go to.

    python examples/python/websocket.py http://127.0.0.1:8000/ "a text" "another"
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import struct
import sys
from typing import Any

import requestx

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Socket:
    """
    One end of a WebSocket.

    Args:
        session: what sends the request.
        url: http or https, which stand for ws and wss.

    Raises:
        requestx.HTTPError: the server does not speak it here.
        ValueError: it does not prove that it does.
    """

    def __init__(self, session: Any, url: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        asking = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
        }
        response = session.get(url, headers=asking)
        self.connection = response.upgrade()
        self.incoming = io.BufferedReader(self.connection)
        proof = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        if response.headers.get("Sec-WebSocket-Accept") != base64.b64encode(proof).decode():
            raise ValueError(f"{url} does not speak WebSocket")

    def send(self, text: str) -> None:
        """
        Send a message.
        """
        self._send(TEXT, text.encode())

    def receive(self) -> str | None:
        """
        The next message; None when the server has closed.
        """
        message = b""
        while True:
            first, length = self._exactly(2)
            if length == 126:
                (length,) = struct.unpack(">H", self._exactly(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self._exactly(8))
            data, kind = self._exactly(length), first & 15
            if kind == PING:
                self._send(PONG, data)
            elif kind == CLOSE:
                return None
            elif kind != PONG:
                message += data
                if first & 128:
                    return message.decode()

    def close(self) -> None:
        """
        Say goodbye, and wait for the server's.
        """
        self._send(CLOSE, struct.pack(">H", 1000))
        while self.receive() is not None:
            pass
        self.connection.close()

    def _send(self, kind: int, data: bytes) -> None:
        head = struct.pack(">B", 128 | kind)
        if len(data) < 126:
            head += struct.pack(">B", 128 | len(data))
        elif len(data) < 1 << 16:
            head += struct.pack(">BH", 128 | 126, len(data))
        else:
            head += struct.pack(">BQ", 128 | 127, len(data))
        mask = os.urandom(4)
        self.connection.write(head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data)))

    def _exactly(self, size: int) -> bytes:
        data = self.incoming.read(size)
        if len(data) < size:
            raise EOFError("the server ended the connection within a frame")
        return data


def main(url: str, *texts: str) -> None:
    with requestx.Session() as session:
        socket = Socket(session, url)
        for text in texts:
            socket.send(text)
            print(socket.receive())
        socket.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
