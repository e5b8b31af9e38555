"""How the outcomes of other people's tests are judged, and the list of those that cannot pass."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "scripts"))
suites = pytest.importorskip("suites")

LISTED = """\
# What this file is.

[one]

# Because of this,
# and that.
tests/test_a.py::test_x
tests/test_a.py::test_y[a b]

# For another reason.
tests/test_a.py::test_z

[two]

# The same again.
test_b.py::test_x
"""


def outcomes(**of):
    return [{"id": name, "outcome": outcome} for name, outcome in of.items()]


def test_the_list_is_read_with_its_reasons():
    """A block is a reason and the tests below it."""
    assert suites.read_known(LISTED) == {
        "one": {
            "tests/test_a.py::test_x": "Because of this, and that.",
            "tests/test_a.py::test_y[a b]": "Because of this, and that.",
            "tests/test_a.py::test_z": "For another reason.",
        },
        "two": {"test_b.py::test_x": "The same again."},
    }


@pytest.mark.parametrize("text", ["# why\ntest_a\n", "[one]\ntest_a\n", "[one]\n# why\n\ntest_a\n"])
def test_no_test_is_listed_without_suite_and_reason(text):
    """Whoever adds one says why."""
    with pytest.raises(ValueError, match="test_a has no suite or no reason"):
        suites.read_known(text)


def test_the_list_of_the_project_can_be_read():
    """It is the one that `make test` goes by."""
    assert suites.OWN in suites.read_known(suites.KNOWN.read_text(encoding="utf-8"))


def test_what_fails_as_listed_is_well():
    """The others pass, and tests that do not pass with requests do not count."""
    verdict = suites.judge(["a", "b"], outcomes(a="passed", b="failed", c="failed"), ["b"])

    assert verdict.well
    assert (verdict.passed, verdict.expected) == (1, 2)


def test_what_fails_unlisted_is_not():
    """Nor is a test that was not run, or skipped."""
    assert suites.judge(["a", "b", "c"], outcomes(a="failed", b="skipped"), []).unlisted == ["a", "b", "c"]


def test_what_passes_and_is_listed_is_not():
    """The list would go on excusing it."""
    verdict = suites.judge(["a"], outcomes(a="passed"), ["a", "gone"])

    assert not verdict.well
    assert verdict.stale == ["a", "gone"]


@pytest.mark.parametrize("folder", ["/tmp/eco-x.1234/b", f"{suites.SCRATCH}/venvs/x/lib"])
def test_names_of_temporary_files_do_not_count(folder):
    """They differ from run to run, and from checkout to checkout."""
    row = {"id": f"test_a[{folder}/file]", "outcome": "passed"}

    assert suites.judge(["test_a[<tmp>/file]"], [row], []).well
