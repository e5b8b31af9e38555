"""Status codes by name."""

import pytest

from requestx.status_codes import _codes, codes


@pytest.mark.parametrize(
    "name, code",
    [("ok", 200), ("OK", 200), ("\\o/", 200), ("teapot", 418), ("TOO_EARLY", 425), ("✗", 500), ("not_found", 404)],
)
def test_names_have_their_codes(name, code):
    """In lower and in upper case, by item and by attribute."""
    assert codes[name] == getattr(codes, name) == code


def test_all_names_are_there_in_both_cases():
    """Every title of the table leads to a code that bears it."""
    for code, titles in _codes.items():
        for title in titles:
            assert title in _codes[codes[title]] and code
            assert codes[title.upper()] == codes[title] or title.startswith(("/", "\\"))
