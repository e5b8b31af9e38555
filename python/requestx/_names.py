"""
Names that requests' modules hold only because they import them, and that code reaches for or patches all the same:
``requests.models.urlencode``, ``requests.adapters.MaxRetryError``, ``requests.sessions.cookielib``.

They are found when they are named, so nobody else pays for them, and what belongs to urllib3 comes from
`packages`: urllib3's own where that is installed.
What our modules use themselves is not here, and needs no entry.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

_OUR_EXCEPTIONS = ".exceptions"
_THEIR_EXCEPTIONS = ".packages.urllib3.exceptions"

# module -> where its names come from -> the names; "name=other" is the other under this name.
_TABLE: dict[str, dict[str, str]] = {
    "requestx": {
        _OUR_EXCEPTIONS: "RequestsDependencyWarning",
        _THEIR_EXCEPTIONS: "DependencyWarning",
        ".packages": "urllib3",
        "logging": "NullHandler",
        "ssl": "",
        "warnings": "",
    },
    "adapters": {
        _OUR_EXCEPTIONS: "ConnectTimeout ConnectionError InvalidHeader InvalidProxyURL InvalidSchema ProxyError "
        "ReadTimeout RetryError SSLError",
        _THEIR_EXCEPTIONS: "ClosedPoolError ConnectTimeoutError LocationValueError MaxRetryError NewConnectionError "
        "ProtocolError ReadTimeoutError ResponseError _HTTPError=HTTPError _InvalidHeader=InvalidHeader "
        "_ProxyError=ProxyError _SSLError=SSLError",
        ".compat": "basestring urlparse",
        ".cookies": "extract_cookies_to_jar",
        ".packages.urllib3.contrib.socks": "SOCKSProxyManager",
        ".packages.urllib3.poolmanager": "PoolManager proxy_from_url",
        ".packages.urllib3.util": "TimeoutSauce=Timeout parse_url",
        ".structures": "CaseInsensitiveDict",
        ".utils": "DEFAULT_CA_BUNDLE_PATH get_auth_from_url get_encoding_from_headers prepend_scheme_if_needed "
        "urldefragauth",
        "socket": "",
        "warnings": "",
    },
    "auth": {
        ".compat": "basestring str urlparse",
        "._internal_utils": "to_native_string",
        "time": "",
    },
    "api": {
        ".models": "Response",
    },
    "cookies": {
        ".compat": "urlparse urlunparse",
        "._internal_utils": "to_native_string",
        "calendar": "",
    },
    "models": {
        _OUR_EXCEPTIONS: "InvalidJSONError MissingSchema RequestsSSLError=SSLError",
        _THEIR_EXCEPTIONS: "DecodeError LocationParseError ProtocolError ReadTimeoutError SSLError",
        ".auth": "HTTPBasicAuth",
        ".compat": "JSONDecodeError Mapping basestring builtin_str chardet complexjson=json cookielib urlencode "
        "urlsplit urlunparse",
        ".cookies": "_copy_cookie_jar cookiejar_from_dict get_cookie_header",
        ".hooks": "default_hooks",
        ".packages.urllib3.fields": "RequestField",
        ".packages.urllib3.filepost": "encode_multipart_formdata",
        ".packages.urllib3.util": "parse_url",
        ".utils": "check_header_validity get_auth_from_url guess_filename requote_uri super_len to_key_val_list "
        "to_native_string unicode_is_ascii",
        "encodings": "",
        "io": "UnsupportedOperation",
    },
    "sessions": {
        ".compat": "cookielib urljoin urlparse",
        "os": "",
        "sys": "",
    },
    "structures": {
        ".compat": "OrderedDict",
    },
    "utils": {
        ".compat": "Mapping bytes integer_types is_urllib3_1 proxy_bypass_environment str",
        ".packages.urllib3.util": "make_headers parse_url",
        "urllib.request": "_parse_list_header=parse_http_list",
        "codecs": "",
        "io": "",
        "re": "",
        "socket": "",
        "struct": "",
        "tempfile": "",
        "warnings": "",
        "zipfile": "",
    },
}


def find(module: str, name: str) -> Any:
    """
    A name that one of our modules has in requests; the module keeps it.

    Args:
        module: the module's own name.
        name: what was looked for there.

    Raises:
        AttributeError: requests' module has no such name either, or the package it comes from is not installed.
    """
    for source, names in _TABLE[module.rpartition(".")[2]].items():
        for entry in names.split():
            given, _, other = entry.partition("=")
            if given == name:
                value = vars(sys.modules[module])[name] = _take(source, other or name)
                return value
        if not names and source == name:
            return import_module(source)
    raise AttributeError(f"module {module!r} has no attribute {name!r}")


def _take(source: str, name: str) -> Any:
    try:
        return getattr(import_module(source, __package__), name)
    except ModuleNotFoundError as error:
        raise AttributeError(f"{name} is another package's: {error}") from error
