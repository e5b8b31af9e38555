"""
URLs: one parser for all questions asked about a URL, and requests' rules for preparing one.

The rule that keeps this safe: whoever decides where a request goes, whose credentials it bears and what is
on the wire asks the same `split`, so no two parts can disagree about the host.
Everything here is linear in the URL's length, and pure, so the answers are cached.

What `prepare` does is RFC 3986 with requests' tolerance.
Characters that may not stand in a URL are escaped, escapes of unreserved ones are undone, dot segments are
resolved, the host is lower-cased and IDNA-encoded, and a URL that does not begin with "http" is left alone.
"""

from __future__ import annotations

import re
from functools import lru_cache, wraps
from typing import Any, Callable, NamedTuple, TypeVar
from urllib.parse import quote, unquote, urlencode

from ._causes import short
from .exceptions import InvalidURL, MissingSchema

UNRESERVED_SET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
DEFAULT_PORTS = {"http": 80, "https": 443}

_LONG = 2048

_SAFE = "!#$%&'()*+,/:;=?@[]~"
_SAFE_WITHOUT_PERCENT = "!#$&'()*+,/:;=?@[]~"
_USERINFO = "!$&'()*+,;=:~"
_PATH = _USERINFO + "@/"
_QUERY = _PATH + "?"

# A backslash ends the authority as a slash does: browsers read it so, and ``http://A\@B/`` must not go to B.
_PARTS = re.compile(
    r"(?:([a-zA-Z][a-zA-Z0-9+\-]*):)?(?://([^\\/?#]*))?([^?#]*)(?:\?([^#]*))?(?:\#(.*))?", re.DOTALL
).fullmatch
_HAS_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+\-]*:|/").match
_HOST_PORT = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(?::(?:0+(?=[0-9]))?([0-9]{0,5}))?", re.DOTALL).fullmatch
# WHATWG's forbidden host code points; a percent sign is among them (CVE-2022-27780).
_BAD_IN_HOST = re.compile(r'[\x00-\x20\x7f"#%/<>?@\\^`{|}]').search
_IPV6 = re.compile(r"([0-9a-fA-F:.]+)(?:%(?:25)?([^%\x00-\x20\x7f/?#\\@]+))?").fullmatch
_PERCENT = re.compile("%[0-9a-fA-F]{2}")
# The everyday URL that preparing would not change.
_NORMAL = re.compile(
    r"https?://(?!xn--)[a-z0-9_-]{1,63}(?:\.(?!xn--)[a-z0-9_-]{1,63})*(?::[1-9][0-9]{0,3})?"
    r"(?:/(?![.])[A-Za-z0-9._~!$&'()*+,;=:@-]*)+"
    r"(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]+)?(?:#[A-Za-z0-9._~!$&'()*+,;=:@/?-]+)?"
).fullmatch
_ESCAPE = re.compile(r"%([^\W_]{2})")


_Function = TypeVar("_Function", bound=Callable[[str], Any])


def _remember(count: int) -> Callable[[_Function], _Function]:
    """
    Cache a function of a URL, for URLs of everyday length: a server's redirects must not fill the memory.
    """

    def decorate(function: _Function) -> _Function:
        cached = lru_cache(maxsize=count)(function)

        @wraps(function)
        def ask(url: str) -> Any:
            return cached(url) if len(url) < _LONG else function(url)

        return ask  # type: ignore[return-value]

    return decorate


class Parts(NamedTuple):
    """
    A URL in pieces, as they stand in it; authority, query and fragment are None where their mark is missing.
    """

    scheme: str
    authority: str | None
    path: str
    query: str | None
    fragment: str | None


@_remember(512)
def split(url: str) -> Parts:
    """
    The pieces of `url`; the scheme is in lower case, "" if there is none.
    """
    if not _HAS_SCHEME(url):
        url = "//" + url
    found = _PARTS(url)
    assert found is not None  # every part may be empty and the last takes the rest
    scheme, authority, path, query, fragment = found.groups()
    return Parts((scheme or "").lower(), authority, path, query, fragment)


def _split_authority(authority: str, url: str) -> tuple[str | None, str, str]:
    """
    The userinfo (None if there is no @), host and port of an authority; the last @ counts.

    See CVE-2021-33503 and CVE-2020-8169.
    """
    userinfo, at, host_port = authority.rpartition("@")
    found = _HOST_PORT(host_port)
    if found is None:
        raise _unparsed(url)
    host, port = found.groups()
    return (userinfo if at else None), host, port or ""


def with_ascii_host(url: str) -> str:
    """
    A URL with its host as DNS knows it; nothing else of it changes.

    Raises:
        InvalidURL: the host can be no name.
    """
    authority = split(url).authority or ""
    if authority.isascii():
        return url
    _, host, _ = _split_authority(authority, url)
    if host.isascii():
        return url
    before, at, after = authority.rpartition("@")
    return url.replace(authority, before + at + to_ascii(host) + after[len(host) :], 1)


@_remember(512)
def origin(url: str) -> tuple[str, str, int | None]:
    """
    Scheme, host (lower case, without brackets) and port of a URL, the scheme's own port if none is written.

    Two URLs have the same origin exactly if these tuples are equal.
    """
    parts = split(url)
    try:
        _, host, port = _split_authority(parts.authority or "", url)
    except InvalidURL:
        # Only an unprepared URL gets here; no other URL has this origin.
        return parts.scheme, url, None
    return parts.scheme, host.strip("[]").lower(), int(port) if port else DEFAULT_PORTS.get(parts.scheme)


def hostname(url: str) -> str | None:
    """
    The host of a URL as `origin` has it, or None if it has none.
    """
    return origin(url)[1] or None if split(url).authority is not None else None


@_remember(512)
def userinfo(url: str) -> str | None:
    """
    What stands before the @ of the authority, still escaped; None if there is no @.
    """
    found, at, _ = (split(url).authority or "").rpartition("@")
    return found if at else None


def get_auth_from_url(url: str) -> tuple[str, str]:
    """
    User name and password written in a URL, unescaped; two empty strings unless both are there.
    """
    if "@" not in url:
        return "", ""
    name, colon, password = (userinfo(url) or "").partition(":")
    return (unquote(name), unquote(password)) if colon else ("", "")


def path_url(url: str) -> str:
    """
    The path and query of a URL: what a request line names.
    """
    parts = split(url)
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


@_remember(512)
def _without_userinfo_and_fragment(url: str) -> str:
    url = url.partition("#")[0]
    found = userinfo(url)
    return url if found is None else url.replace(found + "@", "", 1)


def wire_url(url: str) -> str:
    """
    A prepared URL without what never goes on the wire: userinfo and fragment.
    """
    return _without_userinfo_and_fragment(url) if "@" in url or "#" in url else url


def prepare(url: Any, params: Any = None, encode: Callable[[Any], Any] | None = None) -> str:
    """
    The URL as a request is sent to it, with `params` added to its query.

    Args:
        url: str or bytes (UTF-8), or anything whose `str` is a URL.
        params: mapping, pairs, str or bytes.
        encode: what to encode them by, in the place of `encode_params`.

    Returns:
        The URL, unchanged if it does not begin with "http".

    Raises:
        MissingSchema: it has no scheme.
        InvalidURL: it has no host, or no usable one, or is otherwise no URL.
    """
    if type(url) is not str:
        url = url.decode("utf8") if isinstance(url, bytes) else str(url)
    if not params:
        return _prepare(url)
    url = url.lstrip()
    if _is_foreign(url):
        return url  # type: ignore[no-any-return]
    if isinstance(params, bytes):
        params = params.decode("ascii")
    return _build(url, str((encode or encode_params)(params)))


@_remember(1024)
def _prepare(url: str) -> str:
    if _NORMAL(url):
        return url
    url = url.lstrip()
    return url if _is_foreign(url) else _build(url, "")


def _is_foreign(url: str) -> bool:
    return ":" in url and url[:4].lower() != "http"


def _build(url: str, added: str) -> str:
    parts = split(url)
    if not parts.scheme:
        shown = short(url)
        raise MissingSchema(f"Invalid URL {shown!r}: No scheme supplied. Perhaps you meant https://{shown}?")
    auth, host, port = _split_authority(parts.authority or "", url)
    if not host:
        raise InvalidURL(f"Invalid URL {short(url)!r}: No host supplied")
    if port and int(port) > 65535:
        raise _unparsed(url)

    path, query, fragment = parts.path, parts.query, parts.fragment
    if path[:1] not in ("", "/"):
        path = "/" + path
    if parts.scheme in DEFAULT_PORTS:
        # Other schemes that begin with http (http+unix) name no internet host: theirs stays as it is written.
        host = _prepare_host(host, url)
        path = _remove_dot_segments(_escape(path, _PATH))
        query = query and _escape(query, _QUERY)
        fragment = fragment and _escape(fragment, _QUERY)
        auth = auth and _escape(auth, _USERINFO)
    elif not host.isascii() or host.startswith(("*", ".")):
        host = _prepare_host(host, url)

    query = f"{query}&{added}" if query and added else query or added
    return requote_uri(
        "".join(
            (
                parts.scheme,
                "://",
                f"{auth}@" if auth else "",
                host,
                f":{int(port)}" if port else "",
                path or "/",
                f"?{query}" if query else "",
                f"#{fragment}" if fragment else "",
            )
        )
    )


def _unparsed(url: str) -> InvalidURL:
    return InvalidURL(f"Failed to parse: {short(url)}")


def _prepare_host(host: str, url: str) -> str:
    if host.startswith("["):
        return _prepare_ipv6(host[1:-1], url)
    if _BAD_IN_HOST(host):
        raise _unparsed(url)
    host = host.lower() if host.isascii() else to_ascii(host)
    labels = (host[:-1] if host.endswith(".") else host).split(".")
    if host.startswith("*") or not all(0 < len(label) < 64 for label in labels):
        raise InvalidURL("URL has an invalid label.")
    if "xn--" in host and any(_hides_ascii(label) for label in labels):
        raise InvalidURL("URL has an invalid label.")
    return host


def to_ascii(host: str) -> str:
    """
    An international name as the wire has it.

    Raises:
        InvalidURL: it has no such form.
    """
    # Old versions of idna take quadratic time: no name of more than 253 characters has an encoding anyway.
    if len(host) > 253:
        raise InvalidURL("URL has an invalid label.")
    import idna

    try:
        # IDNA 2008, so ß stays ß (CVE-2016-8625); without the mapping of UTS 46, as in requests.
        return idna.encode(host.lower(), strict=True, std3_rules=True).decode("ascii")
    except UnicodeError:
        raise InvalidURL("URL has an invalid label.") from None


def _hides_ascii(label: str) -> bool:
    """
    Whether an ``xn--`` label stands for plain ASCII: a second spelling of another host (RUSTSEC-2024-0421).
    """
    if not label.startswith("xn--"):
        return False
    try:
        return label[4:].encode("ascii").decode("punycode").isascii()
    except UnicodeError:
        return True


def _prepare_ipv6(address: str, url: str) -> str:
    found = _IPV6(address)
    if found is not None:
        from ipaddress import AddressValueError, IPv6Address

        literal, zone = found.groups()
        try:
            IPv6Address(literal)
        except AddressValueError:
            pass
        else:
            # RFC 6874: %25 is a zone's mark. With % alone the zone "41" would read as an escape, of a letter.
            return f"[{literal.lower()}%25{_escape(zone, '')}]" if zone else f"[{literal.lower()}]"
    raise _unparsed(url)


def _escape(component: str, allowed: str) -> str:
    """
    Escape what may not stand in a component; its own escapes are kept if all its percent signs begin one.
    """
    component, escapes = _PERCENT.subn(lambda found: found.group().upper(), component)
    safe = allowed + "%" if escapes == component.count("%") else allowed
    return quote(component, safe=safe, errors="surrogatepass")


def _remove_dot_segments(path: str) -> str:
    """
    RFC 3986, 5.2.4, in one pass.
    """
    if "." not in path:
        return path
    segments = path.split("/")
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if path.startswith("/") and (not kept or kept[0]):
        kept.insert(0, "")
    if path.endswith(("/.", "/..")):
        kept.append("")
    return "/".join(kept)


def unquote_unreserved(uri: str) -> str:
    """
    Undo the escapes of characters that never need one.

    Raises:
        InvalidURL: an escape is not hexadecimal.
    """
    return _ESCAPE.sub(_unescape, uri) if "%" in uri else uri


def _unescape(found: re.Match[str]) -> str:
    digits = found.group(1)
    try:
        char = chr(int(digits, 16))
    except ValueError:
        raise InvalidURL(f"Invalid percent-escape sequence: '{digits}'") from None
    return char if char in UNRESERVED_SET else found.group()


def requote_uri(uri: str) -> str:
    """
    Escape a URI once, however much of it was escaped before.
    """
    try:
        return quote(unquote_unreserved(uri), safe=_SAFE)
    except InvalidURL:
        # A percent sign stands for itself somewhere, so all of them do.
        return quote(uri, safe=_SAFE_WITHOUT_PERCENT)


def encode_params(data: Any) -> Any:
    """
    Form-encode pairs: a mapping or a sequence of 2-tuples, where a value may be a list.

    Strings, bytes and files come back as they are.
    """
    if isinstance(data, (str, bytes)) or hasattr(data, "read") or not hasattr(data, "__iter__"):
        return data
    pairs = []
    for key, values in data.items() if hasattr(data, "items") else data:
        if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
            values = (values,)
        for value in values:
            if value is not None:
                pairs.append((key, value))
    return urlencode(pairs, doseq=True)
