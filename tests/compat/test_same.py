"""The matrix: what requests and requestx make of the same calls, in both worlds.

The tables are in ``cases/``, the comparison is in ``compare.py``, what differs on purpose in ``differences.py``.
"""

import pytest
from compat.cases import auths, bodies, environments, jars, redirects, sessions, texts, urls
from compat.compare import Reference, check, play, surround

TABLES = (bodies, urls, redirects, auths, jars, texts, sessions, environments)
CASES = {case.name: case for table in TABLES for case in table.CASES}


@pytest.fixture(scope="module")
def mirrors(servers):
    """
    Two mirrors, which all cases share: the same ports give the same bytes.
    """
    sites = servers.open("mirror"), servers.open("mirror")
    yield sites
    for site in sites:
        site.close()


@pytest.fixture(scope="module")
def expected(mirrors):
    """
    What requests makes of a case; it is asked once.
    """
    known = {}

    def ask(case):
        if case.name not in known:
            known[case.name] = play(case, Reference(), *mirrors)
        return known[case.name]

    return ask


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_same_as_requests(name, world, expected, mirrors, monkeypatch, tmp_path):
    """Status, headers, body, URL, history, cookies, exception, and the bytes that the server saw."""
    case = CASES[name]
    surround(case, *mirrors, monkeypatch, tmp_path)

    check(case, expected(case), play(case, world, *mirrors))
