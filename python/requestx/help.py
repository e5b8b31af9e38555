"""
What to put into a bug report: ``python -m requestx.help`` prints it as JSON.
"""

from __future__ import annotations

import json
import platform
import ssl
import sys
from typing import Any

from .__version__ import __version__ as requestx_version

try:
    import idna
except ImportError:  # it is needed for names that are not ASCII only
    idna = None  # type: ignore[assignment]


def _implementation() -> dict[str, str]:
    """
    Which Python this is.
    """
    name = platform.python_implementation()
    version = platform.python_version()
    if name == "PyPy":
        found = sys.pypy_version_info  # type: ignore[attr-defined]
        version = f"{found.major}.{found.minor}.{found.micro}"
        if found.releaselevel != "final":
            version += found.releaselevel
    return {"name": name, "version": version}


def _version_of(name: str) -> str | None:
    """
    An installed distribution's version, without importing it.
    """
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def info() -> dict[str, Any]:
    """
    The versions of what takes part in a request.
    """
    chardet = _version_of("chardet")
    return {
        "platform": {"system": platform.system(), "release": platform.release()},
        "implementation": _implementation(),
        "system_ssl": {"version": f"{ssl.OPENSSL_VERSION_NUMBER:x}"},
        "using_pyopenssl": False,
        "using_charset_normalizer": chardet is None,
        "pyOpenSSL": {"version": None, "openssl_version": ""},
        "urllib3": {"version": _version_of("urllib3")},
        "chardet": {"version": chardet},
        "charset_normalizer": {"version": _version_of("charset_normalizer")},
        "cryptography": {"version": _version_of("cryptography") or ""},
        "idna": {"version": getattr(idna, "__version__", "")},
        "requests": {"version": requestx_version},
        "requestx": {"version": requestx_version},
    }


def main() -> None:
    """
    Print `info`.
    """
    print(json.dumps(info(), sort_keys=True, indent=2))


if __name__ == "__main__":
    main()
