"""
Part of ``make test-all``: the tests that take long, on the wheel that ``make test`` has installed.
"""

from __future__ import annotations

import sys

import interpreters
from steps import Steps, environment


def main() -> int:
    """
    Run those that are marked so; 0 if they went well.
    """
    steps = Steps()
    python = environment(".venv-test", interpreters.newest())
    suite = [python, "-P", "-m", "pytest", "-q", "-rfEs", "--durations=10", "--slow", "-m", "slow", "tests"]
    steps.run("pytest, the slow tests", suite, "run the failing test alone, with --slow")
    steps.summary()
    return 1 if steps.failed else 0


if __name__ == "__main__":
    sys.exit(main())
