"""
What is measured, as values: the cases, the clients, and the ratios that the project has set itself.

A new case is a row here and, if it needs one, a location in `server.py`; a new client is a row here,
a module in `clients/` and a pin in the requirements.
"""

from dataclasses import dataclass

PAGE = 1024  # bytes of the small body
BIG = 100 * 1024 * 1024  # bytes of the large one

CLIENTS = (
    "requestx",
    "requests",
    "urllib3",
    "httpx",
    "aiohttp",
    "niquests",
    "pycurl",
    "curl_cffi",
    "primp",
    "httpr",
    "pyreqwest",
    "wreq",
)

APART = ("niquests",)
"""Clients that must not share a virtual environment with the others."""


@dataclass(frozen=True)
class Case:
    """One row of work: which loop drives it, against which port and path, how much is in flight."""

    name: str
    title: str
    world: str  # blocking, threads or awaited
    in_flight: int = 1
    port: str = "http"  # http, https, or once: https that closes after each answer
    read: str = "get"  # get or stream
    size: int = PAGE
    probe: int = 200  # requests of the uncounted run that fixes how many are counted

    @property
    def path(self):
        return "/page" if self.size == PAGE else "/big"

    @property
    def class_name(self):
        return "Awaited" if self.world == "awaited" else "Blocking"


CASES = (
    Case("keepalive", "blocking, keep-alive", "blocking"),
    Case("threads8", "blocking, 8 threads on one session", "threads", 8, probe=400),
    Case("await1", "awaited, 1 in flight", "awaited"),
    Case("await32", "awaited, 32 in flight", "awaited", 32, probe=640),
    Case("await256", "awaited, 256 in flight", "awaited", 256, probe=2560),
    Case("tls", "blocking, TLS, keep-alive", "blocking", port="https"),
    Case("tls-await32", "awaited, TLS, 32 in flight", "awaited", 32, port="https", probe=640),
    Case("tls-new", "blocking, a new TLS connection each", "blocking", port="once", probe=30),
    Case("tls-new-await1", "awaited, a new TLS connection each", "awaited", port="once", probe=30),
    Case("big", "blocking, 100 MB whole", "blocking", size=BIG, probe=1),
    Case("big-stream", "blocking, 100 MB in pieces", "blocking", read="stream", size=BIG, probe=1),
    Case("big-await", "awaited, 100 MB whole", "awaited", size=BIG, probe=1),
    Case("big-stream-await", "awaited, 100 MB in pieces", "awaited", read="stream", size=BIG, probe=1),
)

PLACES = ("one core", "free")
"""
Where client and server may run: both on one and the same core, or wherever the kernel puts them.

On one core nothing sleeps to be woken on another, so CPU figures repeat; free is daily life.
"""


@dataclass(frozen=True)
class Goal:
    """CPU a request of requestx, divided by that of the best of `peers`, is to be at most `limit`."""

    case: str
    peers: tuple
    limit: float


GOALS = (
    Goal("keepalive", ("requests",), 1 / 15),
    Goal("keepalive", ("pycurl", "primp", "httpr", "pyreqwest"), 1.0),
    Goal("await32", ("aiohttp",), 1 / 4),
    Goal("await32", ("wreq", "pyreqwest", "primp"), 1.0),
)
