"""
``python -m requestx URL``: one GET, blocking and awaited, what came of it, and where the time went.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from typing import Any

from . import Response, Session, __version__, _core
from ._limits import TimeLimits
from ._timings import Timings
from .adapters import HTTPAdapter
from .certs import PLATFORM
from .exceptions import RequestException

# Of a picture, in characters.
_WIDTH = 40


def main(arguments: list[str] | None = None) -> int:
    """
    Run the command line; 0 if both worlds got the same answer.
    """
    parser = argparse.ArgumentParser(
        prog="python -m requestx",
        description="Gets a URL twice, blocking and awaited, and shows both answers.",
        epilog=f"requestx {__version__}, core {_core.version()}",
    )
    parser.add_argument("url", help="http:// or https://")
    parser.add_argument(
        "--timeout", type=_seconds, default=30, metavar="SECONDS", help="for connecting and between bytes"
    )
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument("--cacert", metavar="FILE", help="trust these CA certificates, and no others")
    trust.add_argument("--ca-native", action="store_true", help="trust the CA certificates of this system")
    trust.add_argument("--insecure", action="store_true", help="do not verify the server's certificate")
    parser.add_argument("-o", "--output", metavar="FILE", help="get it once and put the body into this file")
    chosen = parser.parse_args(arguments)
    url = chosen.url if "://" in chosen.url else f"http://{chosen.url}"
    verify = PLATFORM if chosen.ca_native else False if chosen.insecure else chosen.cacert
    settings = {"timeout": chosen.timeout, "verify": verify}
    if chosen.output is not None:
        return 0 if _save(url, settings, chosen.output) is not None else 1
    seen = [_show("blocking", *_blocking(url, settings)), _show("awaited", *asyncio.run(_awaited(url, settings)))]
    return 0 if seen[0] is not None and seen[0] == seen[1] else 1


def _seconds(text: str) -> float:
    try:
        TimeLimits(total=float(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return float(text)


def _save(url: str, settings: dict[str, Any], path: str) -> int | None:
    began, bar, outcome = time.perf_counter(), _Bar(), None
    try:
        with Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(progress=bar.show))
            with session.get(url, stream=True, **settings) as response, open(path, "wb") as file:
                for piece in response.iter_content(None):
                    file.write(piece)
                outcome, size = response, file.tell()
    except (RequestException, OSError) as error:
        bar.end()
        return _show("saved", error, time.perf_counter() - began)
    bar.end()
    return _show("saved", outcome, time.perf_counter() - began, size)


class _Bar:
    """
    A line on a terminal that says how far a body has come; nothing anywhere else.
    """

    def __init__(self) -> None:
        self._shown = False
        self._last = 0.0

    def show(self, request: Any, phase: str, done: int, total: int | None) -> None:
        """
        An adapter's `progress`; ten times a second is enough.
        """
        now = time.perf_counter()
        if phase == "read" and sys.stderr.isatty() and (done == total or now - self._last >= 0.1):
            self._shown, self._last = True, now
            print(f"\r{bar(done, total)}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """
        Go on below it.
        """
        if self._shown:
            print(file=sys.stderr)


def bar(done: int, total: int | None) -> str:
    """
    How far a body has come, as a picture where it is known.
    """
    if not total:
        return f"{done:>15,} bytes"
    filled = min(_WIDTH * done // total, _WIDTH)
    return f"{done:>15,} bytes  [{'#' * filled}{'.' * (_WIDTH - filled)}] {min(100 * done // total, 100):3d} %"


def _blocking(url: str, settings: dict[str, Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    try:
        with Session() as session:
            return session.get(url, **settings), time.perf_counter() - began
    except (RequestException, OSError) as error:
        return error, time.perf_counter() - began


async def _awaited(url: str, settings: dict[str, Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    try:
        async with Session() as session:
            return await session.get(url, **settings), time.perf_counter() - began
    except (RequestException, OSError) as error:
        return error, time.perf_counter() - began


def _show(world: str, outcome: Any, seconds: float, size: int | None = None) -> int | None:
    if isinstance(outcome, Exception):
        print(f"{world:>9}  failed after {seconds * 1000:.0f} ms: {type(outcome).__name__}: {outcome}", file=sys.stderr)
        return None
    kind = outcome.headers.get("content-type", "no content type")
    answer, size = f"{outcome.status_code} {outcome.reason}", len(outcome.content) if size is None else size
    version = outcome.raw.version_string
    print(f"{world:>9}  {version} {answer}  {seconds * 1000:.0f} ms  {size:,} bytes  {kind}")
    for hop in outcome.history:
        print(f"{'':>9}  {hop.status_code} {hop.url} ->")
        _show_times(hop)
    print(f"{'':>9}  {outcome.url}")
    _show_times(outcome)
    return int(outcome.status_code)


def _show_times(response: Response) -> None:
    timings = response.timings
    for line in picture(timings) if timings is not None else ():
        print(f"{'':>9}  {line}")


def picture(timings: Timings) -> list[str]:
    """
    A bar for each phase that took time, one after the other.
    """
    lines, at, scale = [], 0.0, timings.total / _WIDTH
    for name, seconds in timings.phases.items():
        if seconds:
            begin, end = min(round(at / scale), _WIDTH - 1), round((at + seconds) / scale)
            lines.append(f"{name:>9}  {seconds * 1000:8.1f} ms  {' ' * begin}{'#' * max(end - begin, 1)}")
            at += seconds
    return lines


def _run() -> int:
    try:
        code = main()
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # who reads has seen enough, as `| head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(_run())
