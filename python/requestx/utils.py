"""
The functions that requests offers under this name; most live where we use them and are only named here.

What is defined here is what nothing of ours calls, or what callers patch on this module (`proxy_bypass`).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Iterator
from urllib.parse import quote, unquote, urlparse, urlunparse
from urllib.request import getproxies, getproxies_environment, parse_http_list, proxy_bypass

from . import _environ, _names, certs
from .__version__ import __version__
from ._body import guess_filename, rewind_body, super_len, to_key_val_list
from ._environ import (
    address_in_network,
    dotted_netmask,
    is_ipv4_address,
    is_valid_cidr,
    select_proxy,
)
from ._headers import (
    _parse_content_type_header,
    parse_dict_header,
    parse_header_links,
    parse_list_header,
    unquote_header_value,
)
from ._internal_utils import (
    _HEADER_VALIDATORS_BYTE,
    _HEADER_VALIDATORS_STR,
    HEADER_VALIDATORS,
    check_header_validity,
    to_native_string,
    unicode_is_ascii,
)
from ._netrc import NETRC_FILES, netrc_auth
from ._text import (
    get_encoding_from_headers,
    get_encodings_from_content,
    guess_json_utf,
    iter_slices,
    stream_decode_response_unicode,
)
from ._url import DEFAULT_PORTS, UNRESERVED_SET, requote_uri, split, unquote_unreserved
from ._url import get_auth_from_url as _get_auth_from_url
from .cookies import cookiejar_from_dict
from .exceptions import FileModeWarning, InvalidHeader, InvalidURL, UnrewindableBodyError
from .structures import CaseInsensitiveDict

if TYPE_CHECKING:
    from . import _types as _t

# What requests asks for. The core decodes br and zstd as well: set the header to get them.
DEFAULT_ACCEPT_ENCODING = "gzip, deflate"


def __getattr__(name: str) -> Any:
    # certifi is looked for when somebody asks.
    if name == "DEFAULT_CA_BUNDLE_PATH":
        return certs.where()
    return _names.find(__name__, name)


def default_user_agent(name: str = "python-requestx") -> str:
    """
    The User-Agent of a session that was given none.
    """
    return f"{name}/{__version__}"


def default_headers() -> CaseInsensitiveDict[Any]:
    """
    The headers of a new session.
    """
    return CaseInsensitiveDict(
        {
            "User-Agent": default_user_agent(),
            "Accept-Encoding": DEFAULT_ACCEPT_ENCODING,
            "Accept": "*/*",
            "Connection": "keep-alive",
        }
    )


def get_auth_from_url(url: Any) -> tuple[str, str]:
    """
    User name and password written in a URL, unescaped; two empty strings unless both are there.
    """
    if isinstance(url, bytes):
        url = url.decode("ascii")
    return _get_auth_from_url(url) if isinstance(url, str) else ("", "")


def get_netrc_auth(url: Any, raise_errors: bool = False) -> tuple[str, str] | None:
    """
    User and password from netrc for the host of a URL.

    Args:
        url: where the request goes.
        raise_errors: raise what went wrong with reading the file.
    """
    return netrc_auth(to_native_string(url), patient=False, raise_errors=raise_errors)


def should_bypass_proxies(url: str, no_proxy: str | None) -> bool:
    """
    Whether requests to a URL go without proxy.

    Args:
        url: where the request goes.
        no_proxy: in the place of the environment's NO_PROXY.
    """
    return _environ.bypasses(url, no_proxy, proxy_bypass)


def get_environ_proxies(url: str, no_proxy: str | None = None) -> dict[str, str]:
    """
    The proxies of the environment for a URL; empty if it bypasses them.
    """
    return {} if should_bypass_proxies(url, no_proxy=no_proxy) else getproxies()


def resolve_proxies(request: Any, proxies: _t.ProxiesType | None, trust_env: bool = True) -> dict[str, Any]:
    """
    The proxies for a request: the caller's, and the environment's for its scheme where the caller has none.
    """
    return _environ.resolve_proxies(request, proxies, trust_env)


def dict_to_sequence(d: Any) -> Any:
    """
    The items of a mapping; anything else as it is.
    """
    return d.items() if hasattr(d, "items") else d


def from_key_val_list(value: Any) -> Any:
    """
    An OrderedDict of pairs; None stays None.

    Raises:
        ValueError: `value` is a string or a number.
    """
    return None if value is None else OrderedDict(to_key_val_list(value))


def dict_from_cookiejar(cj: Any) -> dict[str, str | None]:
    """
    Names and values of a jar's cookies.
    """
    return {cookie.name: cookie.value for cookie in cj}


def add_dict_to_cookiejar(cj: Any, cookie_dict: dict[str, str]) -> Any:
    """
    Set a dict's items as cookies in a jar, which is returned.
    """
    return cookiejar_from_dict(cookie_dict, cj)


def get_unicode_from_response(r: Any) -> Any:
    """
    A response's content as text: by the encoding of its headers, or with replacement characters.
    """
    encoding = get_encoding_from_headers(r.headers)
    for errors in ("strict", "replace"):
        with contextlib.suppress(UnicodeError, TypeError, LookupError):
            return str(r.content, encoding or "", errors)
    return r.content


def prepend_scheme_if_needed(url: str, new_scheme: str) -> str:
    """
    A URL with `new_scheme`, unless it has a scheme.
    """
    parts = split(url)
    authority, path = parts.authority or "", parts.path
    if path and not path.startswith("/"):
        path = "/" + path
    query = "" if parts.query is None else f"?{parts.query}"
    fragment = "" if parts.fragment is None else f"#{parts.fragment}"
    return f"{parts.scheme or new_scheme}://{authority}{path}{query}{fragment}"


def urldefragauth(url: str) -> str:
    """
    A URL without its fragment, and without user and password.
    """
    scheme, netloc, path, params, query, _ = urlparse(url)
    if not netloc:
        netloc, path = path, netloc
    return urlunparse((scheme, netloc.rpartition("@")[2], path, params, query, ""))


_extracted: dict[str, str] = {}


def extract_zipped_paths(path: str) -> str:
    """
    The path of a file, which is taken out of a zip archive if it lies in one.

    It is put into a new directory that nobody else can write to (CVE-2026-25645), and stays for the next time.
    """
    if os.path.exists(path):
        return path
    if os.path.exists(_extracted.get(path, "")):
        return _extracted[path]
    archive, member = path, ""
    while archive and not os.path.exists(archive):
        archive, name = os.path.split(archive)
        if not name:
            return path
        member = f"{name}/{member}" if member else name

    import tempfile
    import zipfile

    if not os.path.isfile(archive) or not zipfile.is_zipfile(archive):
        return path
    with zipfile.ZipFile(archive) as opened:
        if member not in opened.namelist():
            return path
        extracted = os.path.join(tempfile.mkdtemp(prefix="requestx-"), os.path.basename(member))
        with open(extracted, "wb") as file:
            file.write(opened.read(member))
    _extracted[path] = extracted
    return extracted


@contextlib.contextmanager
def atomic_open(filename: str) -> Iterator[Any]:
    """
    Write a file that appears under its name only when it is complete.
    """
    import tempfile

    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(filename) or ".")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.replace(temporary, filename)
    except BaseException:
        os.remove(temporary)
        raise


@contextlib.contextmanager
def set_environ(env_name: str, value: str | None) -> Iterator[None]:
    """
    Set an environment variable for the length of the block; None leaves it alone.
    """
    if value is None:
        yield
        return
    before = os.environ.get(env_name)
    os.environ[env_name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[env_name]
        else:
            os.environ[env_name] = before


__all__ = [
    "DEFAULT_ACCEPT_ENCODING",
    "DEFAULT_PORTS",
    "HEADER_VALIDATORS",
    "NETRC_FILES",
    "UNRESERVED_SET",
    "_HEADER_VALIDATORS_BYTE",
    "_HEADER_VALIDATORS_STR",
    "CaseInsensitiveDict",
    "FileModeWarning",
    "InvalidHeader",
    "InvalidURL",
    "UnrewindableBodyError",
    "_parse_content_type_header",
    "add_dict_to_cookiejar",
    "address_in_network",
    "atomic_open",
    "check_header_validity",
    "cookiejar_from_dict",
    "default_headers",
    "default_user_agent",
    "dict_from_cookiejar",
    "dict_to_sequence",
    "dotted_netmask",
    "extract_zipped_paths",
    "from_key_val_list",
    "get_auth_from_url",
    "get_encoding_from_headers",
    "get_encodings_from_content",
    "get_environ_proxies",
    "get_netrc_auth",
    "get_unicode_from_response",
    "getproxies",
    "getproxies_environment",
    "guess_filename",
    "guess_json_utf",
    "is_ipv4_address",
    "is_valid_cidr",
    "iter_slices",
    "parse_dict_header",
    "parse_header_links",
    "parse_http_list",
    "parse_list_header",
    "prepend_scheme_if_needed",
    "proxy_bypass",
    "quote",
    "requote_uri",
    "resolve_proxies",
    "rewind_body",
    "select_proxy",
    "set_environ",
    "should_bypass_proxies",
    "stream_decode_response_unicode",
    "super_len",
    "sys",
    "to_key_val_list",
    "to_native_string",
    "unicode_is_ascii",
    "unquote",
    "unquote_header_value",
    "unquote_unreserved",
    "urldefragauth",
    "urlparse",
    "urlunparse",
]
