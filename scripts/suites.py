"""
Other people's tests, run on requestx in the place of requests: requests' own, and those of projects that build on it.

    python scripts/suites.py                  # every project's, on the wheel in dist/
    python scripts/suites.py requests-suite   # these only

How they are run lies beside the checkout, in ``shared/requests-suite``: pinned sdists from the registry, a virtual
environment for each, a network namespace from which nothing leaves, and the list of what passes with requests itself.
What of that cannot pass with requestx is in ``tests/suites.txt``, by name and with the reason.
The comparison is exact: a test that fails and is not listed is a failure, and so is a listed one that passes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterable, NamedTuple

import interpreters
import programs
from programs import Program
from steps import ROOT, Steps

SHARED = ROOT.parent / "shared" / "requests-suite"
KNOWN = ROOT / "tests" / "suites.txt"
SCRATCH = ROOT / "build" / "suites"
OWN = "requests-suite"

TOOLS = [
    Program("ip", "iproute2", "the network namespace of other people's tests"),
    Program("krb5-config", "libkrb5-dev", "tests of kerberos and keystoneauth"),
    Program("cc", "gcc", "tests of kerberos and keystoneauth"),
]

#: Tests named for one suite; where it did not run at all, all are missing.
MOST_LINES = 60


class Verdict(NamedTuple):
    """
    How a suite's outcomes differ from what was expected of it.
    """

    passed: int
    expected: int
    unlisted: list[str]
    stale: list[str]

    @property
    def well(self) -> bool:
        """
        Whether they do not.
        """
        return not (self.unlisted or self.stale)


def main() -> int:
    """
    Run the suites that are named, or all but requests' own, which ``make test`` has run.
    """
    wheel = next(iter(sorted((ROOT / "dist").glob("*.whl"))), None)
    if wheel is None:
        print("there is no wheel in dist/: `make test` builds one")
        return 1
    steps = Steps()
    programs.provide(steps, programs.missing(TOOLS))
    run(steps, wheel, sys.argv[1:] or projects())
    steps.summary()
    return 1 if steps.failed else 0


def projects() -> list[str]:
    """
    The names of the projects whose tests there are.
    """
    return [path.stem for path in sorted(SHARED.glob("expected/*.txt")) if path.stem != OWN]


def run(steps: Steps, wheel: Path, names: Iterable[str]) -> None:
    """
    Run suites on a wheel, one step each; where that cannot be done it is said, and under CI it is a failure.
    """
    lacking = _lacking()
    if lacking:
        print(f"other people's tests: skipped, {lacking}", flush=True)
        if os.environ.get("CI") == "true":
            steps.add("other people's tests", False, lacking)
        return
    shutil.rmtree(SCRATCH / "venvs", ignore_errors=True)  # they hold an older wheel
    known = read_known(KNOWN.read_text(encoding="utf-8"))
    for name in names:
        print(f"\n==== tests of {name}, on requestx", flush=True)
        began = time.monotonic()
        verdict = _run_one(name, wheel, known.get(name, {}))
        repair = f"see {SCRATCH / 'out'}, and {KNOWN.relative_to(ROOT)} for what is known"
        steps.add(f"tests of {name}, on requestx", verdict.well, repair, time.monotonic() - began)


def _lacking() -> str:
    """
    What is missing to run them here, or "".
    """
    if not (SHARED / "run_requests_suite.sh").is_file():
        return f"{SHARED} is not there"
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "their network namespace needs Linux, and root"
    if not (shutil.which("ip") and shutil.which("unshare")):
        return "their network namespace needs iproute2 and util-linux"
    boxed = subprocess.run(["unshare", "-n", "-m", "true"], stderr=subprocess.DEVNULL)
    return "network namespaces are not allowed here" if boxed.returncode else ""


def _run_one(name: str, wheel: Path, known: dict[str, str]) -> Verdict:
    pythons = interpreters.find()
    settings = {
        "RQX_SUITE_CACHE": str(SCRATCH),
        # What passes with requests was found with this one.
        "PY": pythons.get("cpython3.12") or interpreters.newest(),
        "FILL": "0",
    }
    script = [str(SHARED / "run_requests_suite.sh"), "requestx", str(wheel)]
    outcomes = SCRATCH / "out" / f"{OWN}.requestx.strict.jsonl"
    if name != OWN:
        script = [str(SHARED / "run_ecosystem.sh"), name, "requestx", str(wheel)]
        outcomes = SCRATCH / "out" / f"eco.{name}.requestx.strict.jsonl"
    outcomes.unlink(missing_ok=True)
    inherited = {name: value for name, value in os.environ.items() if name not in ("VENV", "OUT", "NONET", "TAG")}
    subprocess.run(script, env={**inherited, **settings})
    expected = (SHARED / "expected" / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    rows = outcomes.read_text(encoding="utf-8").splitlines() if outcomes.is_file() else []
    verdict = judge(filter(None, expected), map(json.loads, rows), known)
    print(f"{verdict.passed} of {verdict.expected} pass, {len(known)} are known not to")
    lines = [f"FAILED, and not listed: {test}" for test in verdict.unlisted]
    lines += [f"listed, and passes or is gone: {test}" for test in verdict.stale]
    more = [f"... and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
    print(*lines[:MOST_LINES], *more, sep="\n", flush=True)
    return verdict


def read_known(text: str) -> dict[str, dict[str, str]]:
    """
    The tests that are known to fail: suite to test to reason.

    A line in brackets names the suite. A block is lines of reason, each after a ``#``, and the tests below them.

    Raises:
        ValueError: a test has no suite or no reason.
    """
    known: dict[str, dict[str, str]] = {}
    suite, reason, named = "", "", False
    for number, line in enumerate(text.splitlines(), 1):
        heading = re.fullmatch(r"\[([\w-]+)\]", line)
        if heading:
            suite, reason = heading[1], ""
        elif line.startswith("#"):
            reason, named = line[1:].strip() if named else f"{reason} {line[1:].strip()}".strip(), False
        elif line.strip():
            if not (suite and reason):
                raise ValueError(f"line {number}: {line} has no suite or no reason")
            known.setdefault(suite, {})[line.strip()] = reason
            named = True
        else:
            reason, named = "", False
    return known


def judge(expected: Iterable[str], outcomes: Iterable[dict[str, str]], known: Iterable[str]) -> Verdict:
    """
    Compare what was expected to pass, what did, and what is known not to.

    Args:
        expected: tests that pass with requests.
        outcomes: of the tests that were run, with `id` and `outcome`.
        known: tests that are known to fail.
    """
    wanted, listed = set(expected), set(known)
    passed = wanted & {_steady(row["id"]) for row in outcomes if row["outcome"] == "passed"}
    failed = wanted - passed
    return Verdict(len(passed), len(wanted), sorted(failed - listed), sorted(listed - failed))


def _steady(test: str) -> str:
    # Names of temporary files, and of files of their virtual environments, get into the parameters of some.
    return re.sub(r"/tmp/[^\]]*/", "<tmp>/", test.replace(str(SCRATCH), "/tmp"))


if __name__ == "__main__":
    sys.exit(main())
