"""The differences from requests that we want: read from ``docs/from-requests.md``, which is the only list of them.

A row of a table on that page begins with the difference's name in backticks::

    | `name` | what requests does | what requestx does | why |

A case of the matrix that comes out differently on purpose says so by that name, ``differs="name"``; it fails if the
page has no such row, and it fails as well if nothing differs any more.
Rows that no case names are for what the matrix cannot show.
"""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "from-requests.md"

_ROW = re.compile(r"^\| `([a-z0-9-]+)` \|(.+)\|(.+)\|(.+)\|$", re.MULTILINE)


def wanted():
    """
    The page's rows: name to (what requests does, what requestx does, why).
    """
    return {row[0]: tuple(cell.strip() for cell in row[1:]) for row in _ROW.findall(PAGE.read_text(encoding="utf-8"))}
