"""
netrc: user and password for the host that a request really goes to.

Never for what stands before an @ (CVE-2024-47081); and an entry without a password, or for another user than the URL
names, gives nothing (CVE-2024-11053, CVE-2026-8926).
"""

from __future__ import annotations

import os
import time
from typing import Any

from ._environ import Environment, environment, silent_home
from ._url import hostname, userinfo

NETRC_FILES = (".netrc", "_netrc")

#: How long a ~/.netrc that was not there, or was read, is taken to be so still.
NETRC_SECONDS = 1.0


class _Netrc:
    """
    The netrc file as it was last read.
    """

    def __init__(self) -> None:
        self.environment: Environment | None = None
        self.checked = 0.0
        #: Until then there is no file, for who has this HOME and no NETRC.
        self.absent_until = 0.0
        self.home: Any = None
        self.path: str | None = None
        self.stamp: Any = None
        self.parsed: Any = None
        self.error: Exception | None = None

    def look(self, found: Environment, now: float, patient: bool) -> Any:
        """
        The parsed file, or None if there is none.
        """
        if patient and found is self.environment and found.netrc is None and now - self.checked < NETRC_SECONDS:
            return self.parsed
        path, stamp = _find_netrc(found.netrc)
        if (path, stamp) != (self.path, self.stamp):
            self.parsed, self.error = _read_netrc(path)
            self.path, self.stamp = path, stamp
        self.environment, self.checked = found, now
        self.home = silent_home(False) if self.parsed is None and found.netrc is None else None
        self.absent_until = now + NETRC_SECONDS
        return self.parsed


_netrc = _Netrc()
_monotonic = time.monotonic


def _find_netrc(named: str | None) -> tuple[str | None, Any]:
    for name in (named,) if named is not None else [f"~/{name}" for name in NETRC_FILES]:
        path = os.path.expanduser(name)
        try:
            stat = os.stat(path)
        except (OSError, ValueError):
            continue
        return path, (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return None, None


def _read_netrc(path: str | None) -> tuple[Any, Exception | None]:
    if path is None:
        return None, None
    from netrc import NetrcParseError, netrc

    try:
        return netrc(path), None
    except (NetrcParseError, OSError, ValueError) as error:
        return None, error


def netrc_auth(
    url: str, found: Environment | None = None, *, patient: bool = True, raise_errors: bool = False
) -> tuple[str, str] | None:
    """
    User and password from netrc for the host of a URL.

    Args:
        url: where the request goes.
        found: the environment, if the caller looked already.
        patient: do not look at ~/.netrc again within a second; a file that NETRC names is looked at always.
        raise_errors: raise what went wrong with reading the file.

    Returns:
        The pair, or None.
    """
    parsed = _netrc.look(found or environment(), time.monotonic(), patient)
    if parsed is None:
        if raise_errors and _netrc.error is not None:
            raise _netrc.error
        return None
    host = hostname(url)
    entry = parsed.authenticators(host) if host else None
    if not entry or not entry[2]:
        return None
    login = entry[0] or entry[1] or ""
    named = userinfo(url)
    if named and ":" not in named and named != login:
        return None
    return login, entry[2]


def is_quiet(found: Environment | None, url: str, secure: bool) -> bool:
    """
    Whether the environment is as it was, and netrc has nothing for the host of a URL.

    Args:
        found: the environment then; None if it said nothing.
        url: where the request goes.
        secure: it goes over https.
    """
    if found is None:
        home = silent_home(secure)
        if home is None:
            return False
        if _monotonic() < _netrc.absent_until and home == _netrc.home:
            return True
    elif environment() is not found:
        return False
    return netrc_auth(url, found) is None
