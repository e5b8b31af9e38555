"""
Where the trusted certificates are: certifi's bundle. ``python -m requestx.certs`` prints it.

Packagers who want another bundle replace this module's `where`.
``verify=PLATFORM`` trusts whom the system trusts instead.
"""

from __future__ import annotations

from enum import Enum


class Trust(Enum):
    """
    What ``verify=`` may be that is neither yes, no nor a path.
    """

    #: Those whom this system trusts; those of `where` if it says nothing of any.
    PLATFORM = "platform"

    def __repr__(self) -> str:
        return f"requestx.certs.{self.name}"


PLATFORM = Trust.PLATFORM


def where() -> str:
    """
    The path of the bundle.
    """
    import certifi

    return certifi.where()


if __name__ == "__main__":
    import sys

    sys.stdout.write(where() + "\n")
