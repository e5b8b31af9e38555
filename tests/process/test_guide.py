"""The guide's examples run as they are printed."""

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "python.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(child, server, module, number):
    """Each in a process of its own, where `base` is the address of a server that answers anything."""
    if "import trio" in EXAMPLES[number]:
        module("trio")
    outcome = child("base = url\n" + EXAMPLES[number], server.url + "/echo")

    assert outcome.clean, EXAMPLES[number]
