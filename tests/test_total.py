"""Nothing falls through: every number of the header is known where it matters.

The header is the list; these tests go through it, so that a new error or option without its row, test or page fails
here and not at a user's.  What each option does is seen in ``abi/test_effects.py``, which goes through the header too.
"""

import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEADER = ROOT / "include" / "requestx.h"

if not HEADER.exists():
    pytest.skip("no header yet", allow_module_level=True)

TEXT = HEADER.read_text(encoding="utf-8")
CODES = {name: int(number) for name, number in re.findall(r"#define (RQX_E_\w+) (\d+)", TEXT)}
OPTIONS = re.findall(r"#define (RQX_OPT_\w+) \d+", TEXT)
PHASES = {name: int(number) for name, number in re.findall(r"#define (RQX_PHASE_\w+) (\d+)", TEXT)}
FUNCTIONS = sorted(set(re.findall(r"\b(rqx_\w+)\(", re.sub(r"/\*.*?\*/|//[^\n]*", "", TEXT, flags=re.S))))


class Words(frozenset):
    """The words of some files, told briefly when a test fails."""

    def __repr__(self):
        return "<%d words>" % len(self)


@functools.lru_cache(None)
def words(*patterns):
    """Every identifier in these files."""
    paths = [path for pattern in patterns for path in ROOT.glob(pattern)]
    return Words(word for path in paths for word in re.findall(r"\b(?:rqx|RQX)_\w+", path.read_text(encoding="utf-8")))


def test_the_header_has_what_is_counted_here():
    """The patterns of this file match something."""
    assert len(CODES) > 20
    assert len(OPTIONS) > 10
    assert len(PHASES) == 9
    assert len(FUNCTIONS) > 30


@pytest.mark.parametrize("name", sorted(CODES))
def test_every_error_has_a_class_in_every_phase(name):
    """(kind, phase) is total, and every class is a RequestException."""
    from requestx import exceptions

    for phase in PHASES.values():
        cls = type(exceptions.from_core(CODES[name], phase, "message"))

        assert issubclass(cls, exceptions.RequestException)
        assert exceptions.TABLE[CODES[name], phase] is cls


def test_table_has_no_unknown_rows():
    """Every number of the table is the header's, or reserved in its text."""
    from requestx import exceptions

    known = set(CODES.values())

    assert {kind for kind, _ in exceptions.TABLE} <= known


def test_phases_have_the_headers_names():
    """``exceptions.PHASES[n]`` is the name of phase n."""
    from requestx import exceptions

    assert {name[len("RQX_PHASE_") :].lower(): number for name, number in PHASES.items()} == {
        name: number for number, name in enumerate(exceptions.PHASES)
    }


@pytest.mark.parametrize(
    "kind, phase, name",
    [
        ("RQX_E_TIMEOUT", "queue", "ConnectTimeout"),
        ("RQX_E_TIMEOUT", "resolve", "ConnectTimeout"),
        ("RQX_E_TIMEOUT", "connect", "ConnectTimeout"),
        ("RQX_E_TIMEOUT", "tunnel", "ConnectTimeout"),
        ("RQX_E_TIMEOUT", "secure", "ConnectTimeout"),
        ("RQX_E_TIMEOUT", "send", "Timeout"),
        ("RQX_E_TIMEOUT", "await", "ReadTimeout"),
        ("RQX_E_TIMEOUT", "read", "ReadTimeout"),
        ("RQX_E_TIMEOUT", "read", "ConnectionError"),
        ("RQX_E_INCOMPLETE", "read", "ChunkedEncodingError"),
        ("RQX_E_PROTOCOL", "read", "ChunkedEncodingError"),
        ("RQX_E_PROTOCOL", "await", "ConnectionError"),
        ("RQX_E_RESET", "await", "ConnectionError"),
        ("RQX_E_REFUSED", "connect", "ConnectionError"),
        ("RQX_E_DNS", "resolve", "ConnectionError"),
        ("RQX_E_TLS", "secure", "SSLError"),
        ("RQX_E_TLS_VERIFY", "secure", "SSLError"),
        ("RQX_E_DECODE", "read", "ContentDecodingError"),
        ("RQX_E_INVALID_URL", "none", "InvalidURL"),
        ("RQX_E_INVALID_HEADER", "none", "InvalidHeader"),
        ("RQX_E_INVALID_METHOD", "none", "InvalidMethod"),
        ("RQX_E_UNSUPPORTED_SCHEME", "none", "InvalidSchema"),
    ],
)
def test_errors_have_the_class_that_callers_catch(kind, phase, name):
    """The rows that users' code depends on."""
    from requestx import exceptions

    made = exceptions.from_core(CODES[kind], exceptions.PHASES.index(phase), "message")

    assert isinstance(made, getattr(exceptions, name))
    assert (made.kind, made.phase) == (CODES[kind], phase)


def test_unknown_kinds_are_still_requestexceptions():
    """A newer library may have errors this package does not know."""
    from requestx import exceptions

    assert isinstance(exceptions.from_core(9999, 99, "message"), exceptions.RequestException)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_has_a_line_in_the_docs(name):
    """A row of a table in docs/abi begins with it, and says what it takes."""
    lines = [line for path in (ROOT / "docs" / "abi").glob("*.md") for line in path.read_text("utf-8").splitlines()]

    assert any("`%s`" % name in line.split("|")[1] for line in lines if line.startswith("|"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_called_by_a_c_test(name):
    """A new export is: safe body, boundary, one doc comment, one C test."""
    assert name in words("tests/abi/*.c", "tests/abi/*.h")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_comment(name):
    """Who owns, which thread, what errors: in the comment right above it, with its version."""
    at = re.search(r"\nRQX_API [^\n]*\b%s\(" % name, TEXT).start()
    above = TEXT[:at].rstrip()

    assert above.endswith("*/") or above.splitlines()[-1].startswith("//")
    assert "Since 1." in above[-2000:].split("/**")[-1].split("/*")[-1]


@pytest.mark.parametrize("name", sorted(CODES))
def test_every_error_is_provoked_by_a_test(name):
    """Some test makes it happen, here or in C."""
    internal = {"RQX_E_INTERNAL", "RQX_E_IO"}  # a fault of ours, and what has no better number
    if name in internal:
        pytest.skip("cannot be provoked from outside")

    assert name in words("tests/abi/*.c", "tests/abi/*.h", "tests/abi/*.py")
