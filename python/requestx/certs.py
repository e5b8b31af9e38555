"""
Where the trusted certificates are: certifi's bundle. ``python -m requestx.certs`` prints it.

Packagers who want the system's replace this module's `where`.
"""

from __future__ import annotations


def where() -> str:
    """
    The path of the bundle.
    """
    import certifi

    return certifi.where()


if __name__ == "__main__":
    import sys

    sys.stdout.write(where() + "\n")
