"""
The wheel's smoke test: what everyday code does, in both worlds, in whatever interpreter runs this file.

Plain Python with asserts, since it runs in environments that hold the wheel, its dependencies and nothing else.
The server is another process (``--http``, ``--https``, ``--ca``); without them it is started here, which takes
trustme. It prints one line.

    python tests/wheels/smoke.py [--http URL --https URL --ca FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any, Callable

GREETING = "hello from the embedded server: grüß Gott"
PIECES, PIECE = 40, 65536


class Site:
    """
    Where the server is, and how it is trusted.
    """

    def __init__(self, http: str, https: str, ca: str) -> None:
        self.http, self.https, self.ca = http, https, ca


def blocking(site: Site) -> None:
    """
    The blocking world.
    """
    import requestx

    for base in (site.http, site.https):
        r = requestx.get(base + "/hello", params={"a": "b"}, verify=site.ca, timeout=10)
        assert (r.status_code, r.ok, r.reason, r.text) == (200, True, "OK", GREETING), r
        assert r.headers["content-type"] == "text/plain; charset=utf-8", r.headers
        r = requestx.post(base + "/echo", json={"answer": 42}, verify=site.ca, timeout=10)
        assert r.json()["json"] == {"answer": 42}, r.text
        with requestx.get("%s/stream/%d" % (base, PIECES), stream=True, verify=site.ca, timeout=10) as r:
            assert sum(map(len, r.iter_content(10000))) == PIECES * PIECE
        r = requestx.get("%s/stream/%d" % (base, PIECES), stream=True, verify=site.ca, timeout=10)
        assert len(r.content) == PIECES * PIECE
        r = requestx.get(base + "/redirect/2", verify=site.ca, timeout=10)
        assert len(r.history) == 2 and r.text == GREETING, r.history
    with requestx.Session() as session:
        for _ in range(3):
            assert session.get(site.http + "/hello", timeout=10).text == GREETING
    failure = _raised(requestx.HTTPError, lambda: requestx.get(site.http + "/status/503").raise_for_status())
    assert failure.response.status_code == 503
    _raised(requestx.exceptions.SSLError, lambda: requestx.get(site.https + "/hello", timeout=10))
    _raised(requestx.ConnectionError, lambda: requestx.get("http://127.0.0.1:1/", timeout=10))
    started = time.time()
    _raised(requestx.ReadTimeout, lambda: requestx.get(site.http + "/slow", timeout=0.2))
    assert time.time() - started < 3


async def awaited(site: Site) -> None:
    """
    The awaited world.
    """
    import requestx

    for base in (site.http, site.https):
        r = await requestx.get(base + "/hello", verify=site.ca, timeout=10)
        assert (r.status_code, r.text) == (200, GREETING), r
        r = await requestx.post(base + "/echo", json={"answer": 42}, verify=site.ca, timeout=10)
        assert r.json()["json"] == {"answer": 42}, r.text
        url = "%s/stream/%d" % (base, PIECES)
        async with requestx.get(url, stream=True, verify=site.ca, timeout=10) as r:
            assert sum([len(piece) async for piece in r.aiter_content(10000)]) == PIECES * PIECE
        r = await requestx.get(base + "/redirect/2", verify=site.ca, timeout=10)
        assert len(r.history) == 2 and r.text == GREETING, r.history
        async with requestx.Session() as session:
            session.verify = site.ca
            many = await asyncio.gather(*(session.get(base + "/hello", timeout=10) for _ in range(20)))
        assert [r.text for r in many] == [GREETING] * 20
    for expected, path in (
        (requestx.exceptions.SSLError, site.https + "/hello"),
        (requestx.ConnectionError, "http://127.0.0.1:1/"),
        (requestx.ReadTimeout, site.http + "/slow"),
    ):
        try:
            await requestx.get(path, timeout=0.2 if "slow" in path else 10)
        except expected:
            pass
        else:
            raise AssertionError("%s: no %s" % (path, expected.__name__))
    task = asyncio.ensure_future(requestx.get(site.http + "/slow", timeout=20))
    await asyncio.sleep(0.1)
    task.cancel()
    started = time.time()
    try:
        await task
    except asyncio.CancelledError:
        assert time.time() - started < 1
    else:
        raise AssertionError("the cancelled request went on")


def _raised(expected: type[Exception], call: Callable[[], Any]) -> Any:
    try:
        found = call()
    except expected as error:
        return error
    raise AssertionError("%s expected, got %r" % (expected.__name__, found))


def main(site: Site) -> None:
    """
    Both worlds, then one line about it.
    """
    for name in [*os.environ]:
        if name.lower().endswith("_proxy") or name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            del os.environ[name]
    started = time.time()
    blocking(site)
    between = time.time()
    asyncio.run(awaited(site))
    import requestx

    who = "%s %s" % (platform.python_implementation(), platform.python_version())
    took = "blocking %.1f s, awaited %.1f s" % (between - started, time.time() - between)
    print("%-16s requestx %s: %s" % (who, requestx.__version__, took))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for option in ("--http", "--https", "--ca"):
        parser.add_argument(option)
    arguments = parser.parse_args()
    if arguments.http:
        main(Site(arguments.http, arguments.https, arguments.ca))
    else:
        sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "python"))
        from embedded_server import Server

        with Server() as server:
            main(Site(server.http, server.https, server.ca))
