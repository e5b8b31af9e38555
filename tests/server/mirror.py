"""The mirror: gives the answers it was told to give, and shows every request as it came.

``play`` tells it the pages of one case: a path, or ``*`` for every other, and its answers, the last of which is
repeated.  What it saw before is forgotten, so one mirror, and one port, serves any number of cases.
An answer is the bytes of a response as text in latin-1; one that ends with ``CLOSE`` ends the connection.
"""

import re

from listener import Listener

LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.I)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked", re.I)
CLOSE = "\0close"
OK = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class Mirror(Listener):
    """
    A listener that answers by the pages it was told last.
    """

    def __init__(self, **listening):
        self.pages = {}
        self.seen = []
        super().__init__(**listening)

    def play(self, pages):
        with self.lock:
            self.pages = {path: list(answers) for path, answers in pages.items()}
            self.seen = []
            self.connections = []

    def record(self):
        with self.lock:
            return {"seen": self.seen}

    def answer_to(self, head, body):
        with self.lock:
            self.seen.append({"head": head.decode("latin-1"), "body": body.decode("latin-1")})
            target = head.split(b" ", 2)[1].decode("latin-1")
            answers = self.pages.get(target) or self.pages.get(target.partition("?")[0]) or self.pages.get("*") or [OK]
            return answers.pop(0) if len(answers) > 1 else answers[0]

    def attend(self, connection):
        stream = connection.sock.makefile("rwb")
        while True:
            head = read_head(stream)
            if not head.endswith(b"\r\n\r\n"):
                return connection.finish("eof")
            answer = self.answer_to(head, read_body(stream, head))
            stream.write(answer.partition(CLOSE)[0].encode("latin-1"))
            stream.flush()
            if CLOSE in answer:
                return connection.finish("closed")


def read_head(stream):
    head = b""
    for line in stream:
        head += line
        if line == b"\r\n":
            break
    return head


def read_body(stream, head):
    """
    The body as it came, the framing of its chunks included (their sizes in lower case, which means nothing).
    """
    if not CHUNKED.search(head) or LENGTH.search(head):
        return stream.read(int((LENGTH.search(head) or [0, 0])[1]))
    body, size = b"", 1
    while size:
        line = stream.readline()
        size = int(line.split(b";")[0], 16)
        body += line.lower() + stream.read(size + 2)
    return body
