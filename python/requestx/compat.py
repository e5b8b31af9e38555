"""
Names that requests' compat module has, and code reaches for; nothing here is needed by us.
"""

from __future__ import annotations

import json
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping
from http import cookiejar as cookielib
from http.cookies import Morsel
from io import StringIO
from json import JSONDecodeError
from typing import Any
from urllib.parse import (
    quote,
    quote_plus,
    unquote,
    unquote_plus,
    urldefrag,
    urlencode,
    urljoin,
    urlparse,
    urlsplit,
    urlunparse,
)
from urllib.request import getproxies, getproxies_environment, parse_http_list
from urllib.request import proxy_bypass as proxy_bypass
from urllib.request import proxy_bypass_environment as proxy_bypass_environment  # type: ignore[attr-defined]

_ver = sys.version_info
is_py2 = False
is_py3 = True
is_urllib3_1 = False
has_simplejson = False

builtin_str = str
str = str  # noqa: A001, PLW0127
bytes = bytes  # noqa: A001, PLW0127
basestring = (str, bytes)
numeric_types = (int, float)
integer_types = (int,)


def _resolve_char_detection() -> Any:
    """
    The module that detects encodings, or None; loaded when somebody asks.
    """
    for name in ("chardet", "charset_normalizer"):
        try:
            return __import__(name)
        except ImportError:
            continue
    return None


def __getattr__(name: builtin_str) -> Any:
    if name == "chardet":
        found = globals()["chardet"] = _resolve_char_detection()
        return found
    if name == "urllib3_version":
        from .packages import urllib3

        return urllib3.__version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Callable",
    "JSONDecodeError",
    "Mapping",
    "Morsel",
    "MutableMapping",
    "OrderedDict",
    "StringIO",
    "basestring",
    "builtin_str",
    "bytes",
    "cookielib",
    "getproxies",
    "getproxies_environment",
    "has_simplejson",
    "integer_types",
    "is_py2",
    "is_py3",
    "is_urllib3_1",
    "json",
    "numeric_types",
    "parse_http_list",
    "proxy_bypass",
    "proxy_bypass_environment",
    "quote",
    "quote_plus",
    "str",
    "unquote",
    "unquote_plus",
    "urldefrag",
    "urlencode",
    "urljoin",
    "urlparse",
    "urlsplit",
    "urlunparse",
]
