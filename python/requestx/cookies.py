"""
Cookies: `http.cookiejar` with a dict's manners, and the adapters between it and our requests and responses.

The jar follows the standard library's policies.
Three things that it would let pass are kept out whatever the policy (`RequestsCookieJar.make_cookies`):
a Domain that is the tail of an IP address, control characters, and a plain-http response that replaces or
removes a Secure cookie (threats 75, 79, 80; RFC 6265bis, 5.7).
"""

from __future__ import annotations

import copy
import re
import threading
import time
from http import cookiejar as cookielib
from http.cookiejar import Cookie, CookieJar, CookiePolicy
from http.cookies import Morsel
from typing import Any, Iterable, Iterator, MutableMapping, TypeVar

from ._internal_utils import to_native_string
from ._url import split

_Jar = TypeVar("_Jar", bound=CookieJar)

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]").search
# What a browser takes at most, about: a server cannot make later requests too big to be answered (threat 78).
_LONGEST = 4096
_MOST_PER_RESPONSE = 100
_MOST_PER_DOMAIN = 200

_HUGE = re.compile(r"(;\s*max-age\s*=\s*-?)[0-9]{10,}", re.IGNORECASE)


class MockRequest:
    """
    A prepared request as `http.cookiejar` wants to see one; new headers are collected, not set.

    Args:
        request: the PreparedRequest.
    """

    def __init__(self, request: Any) -> None:
        self._r = request
        self._new_headers: dict[str, str] = {}
        parts = split(self._r.url)
        self.type = parts.scheme
        self._host = parts.authority or ""

    def get_type(self) -> str:
        """
        The URL's scheme.
        """
        return self.type

    def get_host(self) -> str:
        """
        The URL's host and port.
        """
        return self._host

    def get_origin_req_host(self) -> str:
        """
        The host again: every request stands for itself.
        """
        return self._host

    def get_full_url(self) -> str:
        """
        The URL, with the caller's Host header in the place of its host.
        """
        url: str = self._r.url
        host = self._r.headers.get("Host")
        if not host:
            return url
        return url.replace("//" + self._host, "//" + to_native_string(host, encoding="utf-8"), 1)

    def is_unverifiable(self) -> bool:
        """
        Always true, as nobody looked at the URL before.
        """
        return True

    def has_header(self, name: str) -> bool:
        """
        Whether the request bears such a header, or was given one here.
        """
        return name in self._r.headers or name in self._new_headers

    def get_header(self, name: str, default: str | None = None) -> Any:
        """
        A header's value.
        """
        return self._r.headers.get(name, self._new_headers.get(name, default))

    def add_header(self, key: str, val: str) -> None:
        """
        Not offered: the jar has no business with other headers.
        """
        raise NotImplementedError("Cookie headers should be added with add_unredirected_header()")

    def add_unredirected_header(self, name: str, value: str) -> None:
        """
        Keep a header for `get_new_headers`.
        """
        self._new_headers[name] = value

    def get_new_headers(self) -> dict[str, str]:
        """
        The headers that the jar wants set.
        """
        return self._new_headers

    @property
    def unverifiable(self) -> bool:
        """
        See `is_unverifiable`.
        """
        return self.is_unverifiable()

    @property
    def origin_req_host(self) -> str:
        """
        See `get_origin_req_host`.
        """
        return self.get_origin_req_host()

    @property
    def host(self) -> str:
        """
        See `get_host`.
        """
        return self.get_host()


class MockResponse:
    """
    A response's headers as `http.cookiejar` wants to see them.

    Args:
        headers: an object with `get_all`, such as an `email.message.Message`.
    """

    def __init__(self, headers: Any) -> None:
        self._headers = headers

    def info(self) -> Any:
        """
        The headers.
        """
        return self._headers

    def getheaders(self, name: str) -> Any:
        """
        All values of one header.
        """
        return self._headers.getheaders(name)


class _SetCookies:
    """
    Set-Cookie headers as a message has them.
    """

    def __init__(self, values: list[str], others: Any = None) -> None:
        self._values = values
        self._others = others

    def info(self) -> _SetCookies:
        return self

    def get_all(self, name: str, default: Any = None) -> Any:
        if name == "Set-Cookie":
            return self._values
        return default if self._others is None else self._others.get_all(name, default)


def store_cookies(jar: CookieJar, request: Any, values: list[str]) -> None:
    """
    Put a response's cookies into `jar`.

    Args:
        jar: any CookieJar.
        request: the PreparedRequest that was answered.
        values: the values of its Set-Cookie headers.
    """
    if values:
        jar.extract_cookies(_SetCookies(values), MockRequest(request))  # type: ignore[arg-type]


def extract_cookies_to_jar(jar: CookieJar, request: Any, response: Any) -> None:
    """
    Put a raw response's cookies into `jar`.

    Args:
        jar: any CookieJar.
        request: the PreparedRequest that was answered.
        response: an object shaped like urllib3's, with the message at `_original_response.msg`.
    """
    original = getattr(response, "_original_response", None)
    if original:
        jar.extract_cookies(MockResponse(original.msg), MockRequest(request))  # type: ignore[arg-type]


def get_cookie_header(jar: CookieJar, request: Any) -> str | None:
    """
    The Cookie header that `jar` has for a request, or None; None too if the request bears one already.
    """
    asking = MockRequest(request)
    jar.add_cookie_header(asking)  # type: ignore[arg-type]
    return asking.get_new_headers().get("Cookie")


def remove_cookie_by_name(cookiejar: CookieJar, name: str, domain: str | None = None, path: str | None = None) -> None:
    """
    Remove all cookies of a name, of all domains and paths unless one is given.
    """
    found = [
        (cookie.domain, cookie.path, cookie.name)
        for cookie in cookiejar
        if cookie.name == name and (domain is None or domain == cookie.domain) and (path is None or path == cookie.path)
    ]
    for place in found:
        cookiejar.clear(*place)


class CookieConflictError(RuntimeError):
    """
    Two cookies have the name that was asked for; say which domain and path.
    """


class RequestsCookieJar(CookieJar, MutableMapping[str, Any]):
    """
    A CookieJar that is also a mapping from names to values.

    Iterating yields Cookie objects, as a CookieJar does; `keys`, `values` and `items` are those of a dict.
    A name that several domains or paths have is a CookieConflictError; say which with `get` or `get_dict`.
    """

    _policy: CookiePolicy

    def get(self, name: str, default: Any = None, domain: str | None = None, path: str | None = None) -> Any:
        """
        The value of a cookie, or `default`.
        """
        try:
            return self._find_no_duplicates(name, domain, path)
        except KeyError:
            return default

    def set(self, name: str, value: Any, **kwargs: Any) -> Cookie | None:
        """
        Set a cookie; a value of None removes it.

        Args:
            name: its name.
            value: str, Morsel or None.
            **kwargs: what `create_cookie` takes.
        """
        if value is None:
            remove_cookie_by_name(self, name, domain=kwargs.get("domain"), path=kwargs.get("path"))
            return None
        cookie = morsel_to_cookie(value) if isinstance(value, Morsel) else create_cookie(name, value, **kwargs)
        self.set_cookie(cookie)
        return cookie

    def iterkeys(self) -> Iterator[str]:
        """
        The cookies' names.
        """
        return (cookie.name for cookie in iter(self))

    def keys(self) -> list[str]:  # type: ignore[override]
        """
        The cookies' names.
        """
        return list(self.iterkeys())

    def itervalues(self) -> Iterator[str | None]:
        """
        The cookies' values.
        """
        return (cookie.value for cookie in iter(self))

    def values(self) -> list[str | None]:  # type: ignore[override]
        """
        The cookies' values.
        """
        return list(self.itervalues())

    def iteritems(self) -> Iterator[tuple[str, str | None]]:
        """
        Names and values.
        """
        return ((cookie.name, cookie.value) for cookie in iter(self))

    def items(self) -> list[tuple[str, str | None]]:  # type: ignore[override]
        """
        Names and values.
        """
        return list(self.iteritems())

    def list_domains(self) -> list[str]:
        """
        The domains, each once.
        """
        return list(dict.fromkeys(cookie.domain for cookie in iter(self)))

    def list_paths(self) -> list[str]:
        """
        The paths, each once.
        """
        return list(dict.fromkeys(cookie.path for cookie in iter(self)))

    def multiple_domains(self) -> bool:
        """
        Whether there are cookies of more than one domain.
        """
        return len(self.list_domains()) > 1

    def get_dict(self, domain: str | None = None, path: str | None = None) -> dict[str, str | None]:
        """
        A dict of the cookies, of one domain or path if given.
        """
        return {
            cookie.name: cookie.value
            for cookie in iter(self)
            if (domain is None or cookie.domain == domain) and (path is None or cookie.path == path)
        }

    def __iter__(self) -> Iterator[Cookie]:  # type: ignore[override]
        return super().__iter__()

    def __contains__(self, name: object) -> bool:
        return any(cookie.name == name for cookie in iter(self))

    def __getitem__(self, name: str) -> Any:
        return self._find_no_duplicates(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        remove_cookie_by_name(self, name)

    def set_cookie(self, cookie: Cookie, *args: Any, **kwargs: Any) -> None:
        """
        Set a Cookie; quotes that are escaped within a quoted value are dropped.
        """
        value = cookie.value
        if isinstance(value, str) and value[:1] == value[-1:] == '"':
            cookie.value = value.replace('\\"', "")
        super().set_cookie(cookie, *args, **kwargs)

    def update(self, other: Any) -> None:  # type: ignore[override]
        """
        Take over the cookies of a jar, or the items of a mapping.
        """
        if isinstance(other, CookieJar):
            for cookie in other:
                self.set_cookie(copy.copy(cookie))
        else:
            super().update(other)

    def make_cookies(self, response: Any, request: Any) -> list[Cookie]:
        """
        The cookies that a response sets, without those that no policy should accept.
        """
        # A number too large for a float would lose all cookies of the response.
        headers = response.info()
        values = [_HUGE.sub(r"\g<1>999999999", value) for value in headers.get_all("Set-Cookie", ())]
        response = _SetCookies(values, headers)
        # The standard library removes a cookie that expires right here, before any policy is asked.
        guarded = [] if request.get_type() in ("https", "wss") else [cookie for cookie in self if cookie.secure]
        made = [
            cookie
            for cookie in super().make_cookies(response, request)[:_MOST_PER_RESPONSE]
            if _is_sound(cookie, request) and self._has_room(cookie)
        ]
        if not guarded:
            return list(made)
        for cookie in guarded:
            self.set_cookie(cookie)
        return [cookie for cookie in made if not any(_overwrites(cookie, secure) for secure in guarded)]

    def _has_room(self, cookie: Cookie) -> bool:
        paths: Any = self._cookies.get(cookie.domain, {})  # type: ignore[attr-defined]
        return sum(map(len, paths.values())) < _MOST_PER_DOMAIN or cookie.name in paths.get(cookie.path, ())

    def _find(self, name: str, domain: str | None = None, path: str | None = None) -> str | None:
        for cookie in self._matching(name, domain, path):
            return cookie.value
        raise KeyError(f"name={name!r}, domain={domain!r}, path={path!r}")

    def _find_no_duplicates(self, name: str, domain: str | None = None, path: str | None = None) -> str | None:
        found = list(self._matching(name, domain, path))
        if len(found) > 1:
            raise CookieConflictError(f"There are multiple cookies with name, {name!r}")
        if not found:
            raise KeyError(f"name={name!r}, domain={domain!r}, path={path!r}")
        return found[0].value

    def _matching(self, name: str, domain: str | None, path: str | None) -> Iterator[Cookie]:
        return (
            cookie
            for cookie in iter(self)
            if cookie.name == name
            and (domain is None or cookie.domain == domain)
            and (path is None or cookie.path == path)
        )

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_cookies_lock", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_cookies_lock" not in self.__dict__:
            self._cookies_lock = threading.RLock()

    def copy(self) -> RequestsCookieJar:
        """
        A new jar with copies of the cookies and the same policy.
        """
        new = RequestsCookieJar(self._policy)
        new.update(self)
        return new

    def get_policy(self) -> CookiePolicy:
        """
        The policy that decides which cookies are taken and sent.
        """
        return self._policy


def _is_sound(cookie: Cookie, request: Any) -> bool:
    """
    Whether a cookie may be kept at all: not too long, no control characters, no tail of an IP address as domain.
    """
    if len(cookie.name) + len(cookie.value or "") > _LONGEST:
        return False
    if _CONTROL(cookie.name) or _CONTROL(cookie.value or "") or _CONTROL(cookie.path):
        return False
    if not cookie.domain_specified:
        return True
    host = cookielib.request_host(request)  # type: ignore[attr-defined]
    is_name = cookielib.is_HDN(host) and not host.startswith("[")  # type: ignore[attr-defined]
    return bool(is_name) or host == cookie.domain.lstrip(".")


def _overwrites(cookie: Cookie, secure: Cookie) -> bool:
    """
    Whether `cookie` would stand in for a Secure one of its name, whose domain and path it touches.
    """
    if cookie.name != secure.name:
        return False
    mine, theirs = cookie.domain.lstrip("."), secure.domain.lstrip(".")
    if not (mine == theirs or mine.endswith("." + theirs) or theirs.endswith("." + mine)):
        return False
    path = secure.path.rstrip("/")
    return cookie.path.rstrip("/") == path or cookie.path.startswith(path + "/")


def drop_call_cookies(jar: CookieJar, session_cookies: CookieJar) -> None:
    """
    Take from `jar` what was given for one call only, before a redirect leads to another origin (threat 13).

    That are the cookies without a domain which the session does not hold: they would go to any host.

    Args:
        jar: the cookies of the request that follows the redirect; changed in place.
        session_cookies: the session's own.
    """
    held = {(cookie.name, cookie.path, cookie.value) for cookie in session_cookies if not cookie.domain}
    given = [cookie for cookie in jar if not cookie.domain]
    for cookie in given:
        if (cookie.name, cookie.path, cookie.value) not in held:
            jar.clear(cookie.domain, cookie.path, cookie.name)


def _copy_cookie_jar(jar: Any) -> Any:
    if jar is None or hasattr(jar, "copy"):
        return None if jar is None else jar.copy()
    new = copy.copy(jar)
    new.clear()
    for cookie in jar:
        new.set_cookie(copy.copy(cookie))
    return new


def create_cookie(name: str, value: str, **kwargs: Any) -> Cookie:
    """
    A Cookie: by default one for the session, for all hosts and paths.

    Args:
        name: its name.
        value: its value.
        **kwargs: version, port, domain, path, secure, expires, discard, comment, comment_url, rest, rfc2109.

    Raises:
        TypeError: another keyword argument.
    """
    settings: dict[str, Any] = {
        "version": 0,
        "name": name,
        "value": value,
        "port": None,
        "domain": "",
        "path": "/",
        "secure": False,
        "expires": None,
        "discard": True,
        "comment": None,
        "comment_url": None,
        "rest": {"HttpOnly": None},
        "rfc2109": False,
    }
    unknown = set(kwargs) - set(settings)
    if unknown:
        raise TypeError(f"create_cookie() got unexpected keyword arguments: {sorted(unknown)}")
    settings.update(kwargs)
    settings["port_specified"] = bool(settings["port"])
    settings["domain_specified"] = bool(settings["domain"])
    settings["domain_initial_dot"] = settings["domain"].startswith(".")
    settings["path_specified"] = bool(settings["path"])
    return Cookie(**settings)


def morsel_to_cookie(morsel: Morsel[Any]) -> Cookie:
    """
    The Cookie for a Morsel of `http.cookies`.

    Raises:
        TypeError: max-age is no number, or expires no str.
        ValueError: expires is no date.
    """
    expires: float | None = None
    if morsel["max-age"]:
        try:
            expires = int(time.time() + int(morsel["max-age"]))
        except ValueError:
            raise TypeError(f"max-age: {morsel['max-age']} must be integer") from None
    elif morsel["expires"]:
        expires = cookielib.http2time(morsel["expires"])  # type: ignore[attr-defined]
        if expires is None:
            raise ValueError(f"expires: {morsel['expires']!r} is no date")
    return create_cookie(
        morsel.key,
        morsel.value,
        comment=morsel["comment"],
        comment_url=bool(morsel["comment"]),
        discard=False,
        domain=morsel["domain"],
        expires=expires,
        path=morsel["path"],
        rest={"HttpOnly": morsel["httponly"]},
        secure=bool(morsel["secure"]),
        version=morsel["version"] or 0,
    )


def cookiejar_from_dict(cookie_dict: Any, cookiejar: Any = None, overwrite: bool = True) -> Any:
    """
    Put a dict's items into a jar as cookies.

    Args:
        cookie_dict: names and values, or None.
        cookiejar: the jar; a new one if None.
        overwrite: whether a cookie of the same name is replaced.

    Returns:
        The jar.
    """
    jar = RequestsCookieJar() if cookiejar is None else cookiejar
    if cookie_dict:
        kept = () if overwrite else {cookie.name for cookie in jar}
        for name in cookie_dict:
            if name not in kept:
                jar.set_cookie(create_cookie(name, cookie_dict[name]))
    return jar


def merge_cookies(cookiejar: _Jar, cookies: dict[str, str] | Iterable[Any] | None) -> _Jar:
    """
    Add cookies to a jar: those of a dict where it has none of the name, all those of a jar.

    Raises:
        ValueError: `cookiejar` is no CookieJar.
    """
    if not isinstance(cookiejar, CookieJar):
        raise ValueError("You can only merge into CookieJar")
    if isinstance(cookies, dict):
        cookiejar_from_dict(cookies, cookiejar=cookiejar, overwrite=False)
    elif isinstance(cookies, CookieJar):
        if hasattr(cookiejar, "update"):
            cookiejar.update(cookies)
        else:
            for cookie in cookies:
                cookiejar.set_cookie(cookie)
    return cookiejar
