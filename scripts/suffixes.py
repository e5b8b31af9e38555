"""
Writes the public suffixes that cookies are judged by, in the form the core searches them in.

    python scripts/suffixes.py public_suffix_list.dat     # from https://publicsuffix.org, or /usr/share/publicsuffix

What is written is committed: a build needs no network.
"""

from __future__ import annotations

import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "requestx-core" / "src" / "policy" / "suffixes.txt"
HEAD = """\
// The rules of the Public Suffix List, https://publicsuffix.org, sorted, in ASCII; written by scripts/suffixes.py.
// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy of the MPL was not
// distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""


def rules(text: str) -> set[str]:
    """
    The rules of a list, without its comments, names of other scripts in their ASCII form.
    """
    lines = (line.split()[0] for line in text.splitlines() if line.strip() and not line.startswith("//"))
    return {ascii_form(rule.lower()) for rule in lines}


def ascii_form(rule: str) -> str:
    """
    Label by label; "*" and "!" are no part of a name.
    """
    mark = "!" if rule.startswith("!") else ""
    return mark + ".".join(label.encode("idna").decode() for label in rule[len(mark) :].split("."))


def main() -> int:
    """
    Write the file, and say how many rules it has.
    """
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    found = sorted(rules(Path(sys.argv[1]).read_text(encoding="utf-8")), key=str.encode)
    TARGET.write_text(HEAD + "\n" + "".join(rule + "\n" for rule in found), encoding="utf-8")
    print("%d rules" % len(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
