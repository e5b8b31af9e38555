"""How a user would build against the header: paths and flags, for the tests of this folder."""

import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
INCLUDE = ROOT / "include"
HEADER = INCLUDE / "requestx.h"
TEXT = HEADER.read_text(encoding="utf-8") if HEADER.exists() else ""
MAJOR = "".join(re.findall(r"#define RQX_ABI_MAJOR (\d+)", TEXT))
FUNCTIONS = set(re.findall(r"^RQX_API .*?\b(rqx_\w+)\(", TEXT, re.M))

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
VALGRIND = [
    "--quiet",
    "--fair-sched=yes",
    "--error-exitcode=99",
    "--leak-check=full",
    "--show-leak-kinds=definite,indirect",
    "--errors-for-leak-kinds=definite,indirect",
    "--num-callers=30",
    "--suppressions=" + str(HERE / "valgrind.supp"),
]


def run(command, limit=15, **more):
    """Run it, fail with all it said, and return that."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit, **more)
    said = done.stdout.decode("utf-8", "replace")

    assert done.returncode == 0, "exit code %d\n%s" % (done.returncode, said[-6000:])
    return said
