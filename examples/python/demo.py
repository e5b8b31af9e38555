"""
The main job, both ways: the same ``requestx.get``, blocking and awaited, over http and https.

`make demo` runs this in a fresh virtual environment. Each line below does one everyday thing four times, against
the embedded server beside this file, and what came back is compared: a tick means that all went as it should.
The exit code is 0 only if every one did.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import os
import platform
import sys
import time
from typing import Any, Callable

from embedded_server import PIECE, Server

import requestx

PIECES = 160
STREAMED = hashlib.sha256(PIECE * PIECES).hexdigest()
GREETING = "hello from the embedded server: grüß Gott"


# What a program would write, blocking.


def get(base: str, verify: Any) -> Any:
    r = requestx.get(base + "/hello", verify=verify)
    return r.status_code, r.text


def get_params(base: str, verify: Any) -> Any:
    r = requestx.get(base + "/echo", params={"q": "two words"}, headers={"User-Agent": "demo"}, verify=verify)
    return r.json()["query"], r.json()["agent"]


def post(base: str, verify: Any) -> Any:
    r = requestx.post(base + "/echo", json={"answer": 42}, verify=verify)
    return r.json()["method"], r.json()["json"]


def stream(base: str, verify: Any) -> Any:
    seen = hashlib.sha256()
    with requestx.get(f"{base}/stream/{PIECES}", stream=True, verify=verify) as r:
        for piece in r.iter_content(65536):
            seen.update(piece)
    return seen.hexdigest()


def redirect(base: str, verify: Any) -> Any:
    r = requestx.get(base + "/redirect/3", verify=verify)
    return len(r.history), r.url == base + "/hello", r.text


def session(base: str, verify: Any) -> Any:
    with requestx.Session() as s:
        s.verify = verify
        return [s.get(base + "/hello").status_code for _ in range(20)]


def not_found(base: str, verify: Any) -> Any:
    try:
        requestx.get(base + "/status/404", verify=verify).raise_for_status()
    except requestx.HTTPError as error:
        return type(error).__name__, error.response.status_code


def time_out(base: str, verify: Any) -> Any:
    try:
        requestx.get(base + "/slow", timeout=0.2, verify=verify)
    except requestx.Timeout as error:
        return type(error).__name__


def refused(base: str, verify: Any) -> Any:
    try:
        requestx.get(base + "/hello")
    except requestx.exceptions.SSLError as error:
        return type(error).__name__


# The same, awaited.


async def aget(base: str, verify: Any) -> Any:
    r = await requestx.get(base + "/hello", verify=verify)
    return r.status_code, r.text


async def aget_params(base: str, verify: Any) -> Any:
    r = await requestx.get(base + "/echo", params={"q": "two words"}, headers={"User-Agent": "demo"}, verify=verify)
    return r.json()["query"], r.json()["agent"]


async def apost(base: str, verify: Any) -> Any:
    r = await requestx.post(base + "/echo", json={"answer": 42}, verify=verify)
    return r.json()["method"], r.json()["json"]


async def astream(base: str, verify: Any) -> Any:
    seen = hashlib.sha256()
    async with requestx.get(f"{base}/stream/{PIECES}", stream=True, verify=verify) as r:
        async for piece in r.aiter_content(65536):
            seen.update(piece)
    return seen.hexdigest()


async def aredirect(base: str, verify: Any) -> Any:
    r = await requestx.get(base + "/redirect/3", verify=verify)
    return len(r.history), r.url == base + "/hello", r.text


async def asession(base: str, verify: Any) -> Any:
    async with requestx.Session() as s:
        s.verify = verify
        answers = await asyncio.gather(*(s.get(base + "/hello") for _ in range(20)))
    return [r.status_code for r in answers]


async def anot_found(base: str, verify: Any) -> Any:
    try:
        (await requestx.get(base + "/status/404", verify=verify)).raise_for_status()
    except requestx.HTTPError as error:
        return type(error).__name__, error.response.status_code


async def atime_out(base: str, verify: Any) -> Any:
    try:
        await requestx.get(base + "/slow", timeout=0.2, verify=verify)
    except requestx.Timeout as error:
        return type(error).__name__


async def arefused(base: str, verify: Any) -> Any:
    try:
        await requestx.get(base + "/hello")
    except requestx.exceptions.SSLError as error:
        return type(error).__name__


# The table.

Job = Callable[[str, Any], Any]
JOBS: list[tuple[str, Job, Job, Any]] = [
    ("GET a page", get, aget, (200, GREETING)),
    ("GET with params and a header", get_params, aget_params, ({"q": "two words"}, "demo")),
    ("POST json, answer echoed", post, apost, ("POST", {"answer": 42})),
    (f"stream {PIECES * len(PIECE) / 1e6:.0f} MB in pieces", stream, astream, STREAMED),
    ("follow three redirects", redirect, aredirect, (3, True, GREETING)),
    ("20 on one session (awaited: at once)", session, asession, [200] * 20),
    ("404 raises HTTPError", not_found, anot_found, ("HTTPError", 404)),
    ("no answer in 0.2 s: ReadTimeout", time_out, atime_out, "ReadTimeout"),
    ("unknown certificate: SSLError", refused, arefused, "SSLError"),
]
HTTPS_ONLY = {refused, arefused}


def main() -> int:
    """
    Run every job four times and print one line for each.

    Returns:
        The exit code: how many went wrong, at most 100.
    """
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        os.environ.pop(name, None)  # the demo's trust is what the demo says
    wrong: list[str] = []
    with Server() as server:
        _introduce(server)
        for title, blocking, awaited, expected in JOBS:
            cells = []
            for job in (blocking, awaited):
                for base in (server.http, server.https):
                    if base == server.http and job in HTTPS_ONLY:
                        cells.append("-".center(13))
                    else:
                        cells.append(_cell(job, base, server.ca, expected, wrong))
            print(f"  {title:<38}{cells[0]}{cells[1]}  {cells[2]}{cells[3]}".rstrip(), flush=True)
    print()
    for complaint in wrong:
        print(f"  {complaint}")
    print(f"{len(wrong)} of these went wrong." if wrong else "All as it should be, both ways.")
    return min(len(wrong), 100)


def _introduce(server: Server) -> None:
    what = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"\nrequestx {requestx.__version__} on {what}, {platform.system()} {platform.machine()}")
    print(f"embedded server: {server.http} and {server.https} (verify={server.ca})\n")
    print(f"  {'':<38}{'blocking':^26}  {'awaited':^26}".rstrip())
    print(f"  {'':<38}{'http':^13}{'https':^13}  {'http':^13}{'https':^13}".rstrip())


def _cell(job: Job, base: str, ca: str, expected: Any, wrong: list[str]) -> str:
    started = time.perf_counter()
    try:
        found = asyncio.run(job(base, ca)) if inspect.iscoroutinefunction(job) else job(base, ca)
    except Exception as error:  # whatever it is belongs on the page
        found = error
    took = (time.perf_counter() - started) * 1000
    if found != expected:
        wrong.append(f"{job.__name__} of {base}: expected {expected!r:.120}, found {found!r:.300}")
    return f"{_mark(found == expected)} {took:6.1f} ms  "


def _mark(well: bool) -> str:
    try:
        "✓✗".encode(sys.stdout.encoding or "ascii")
    except UnicodeError:
        return "+" if well else "X"
    return "✓" if well else "✗"


if __name__ == "__main__":
    sys.exit(main())
