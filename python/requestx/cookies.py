"""
Cookies: `http.cookiejar` with a dict's manners.

The jar follows the standard library's policies.
What none of them should accept is kept out all the same (`RequestsCookieJar.make_cookies`, `_cookie_rules`):
a Domain that is the tail of an IP address, control characters, and a plain-http response that replaces or
removes a Secure cookie (CVE-2014-3613, CVE-2022-35252, CVE-2025-9086; RFC 6265bis, 5.7).
"""

from __future__ import annotations

import copy
import threading
import time
from http import cookiejar as cookielib
from http.cookiejar import Cookie, CookieJar, CookiePolicy
from http.cookies import Morsel
from typing import TYPE_CHECKING, Any, Iterable, Iterator, MutableMapping, TypeVar

from . import _names
from ._cookie_rules import MOST_PER_DOMAIN, MOST_PER_RESPONSE, is_sound, overwrites, readable
from ._cookie_wire import (
    MockRequest,
    MockResponse,
    SetCookies,
    extract_cookies_to_jar,
    get_cookie_header,
    store_cookies,
)

_Jar = TypeVar("_Jar", bound=CookieJar)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        return _names.find(__name__, name)


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
        # All at once: another thread may change the jar meanwhile, which shows up to Python 3.10.
        with self._cookies_lock:
            return iter(list(super().__iter__()))

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
        headers = response.info()
        values = headers.get_all("Set-Cookie", ())
        # A mock's is none; the standard library warns of its own bug then.
        values = values if isinstance(values, (list, tuple)) else ()
        response = SetCookies([readable(value) for value in values], headers)
        # The standard library removes a cookie that expires right here, before any policy is asked.
        guarded = [] if request.get_type() in ("https", "wss") else [cookie for cookie in self if cookie.secure]
        made = [
            cookie
            for cookie in super().make_cookies(response, request)[:MOST_PER_RESPONSE]
            if is_sound(cookie, request) and self._has_room(cookie)
        ]
        if not guarded:
            return list(made)
        for cookie in guarded:
            self.set_cookie(cookie)
        return [cookie for cookie in made if not any(overwrites(cookie, secure) for secure in guarded)]

    def _has_room(self, cookie: Cookie) -> bool:
        paths: Any = self._cookies.get(cookie.domain, {})  # type: ignore[attr-defined]
        return sum(map(len, paths.values())) < MOST_PER_DOMAIN or cookie.name in paths.get(cookie.path, ())

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


def drop_call_cookies(jar: CookieJar, session_cookies: CookieJar) -> None:
    """
    Take from `jar` what was given for one call only, before a redirect leads to another origin (CVE-2026-47265).

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
        update = getattr(cookiejar, "update", None)
        if update is not None:
            update(cookies)
        else:
            for cookie in cookies:
                cookiejar.set_cookie(cookie)
    return cookiejar


__all__ = [
    "CookieConflictError",
    "MockRequest",
    "MockResponse",
    "RequestsCookieJar",
    "cookiejar_from_dict",
    "cookielib",
    "create_cookie",
    "drop_call_cookies",
    "extract_cookies_to_jar",
    "get_cookie_header",
    "merge_cookies",
    "morsel_to_cookie",
    "remove_cookie_by_name",
    "store_cookies",
]
