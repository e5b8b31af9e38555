"""
Authentication: Basic, for proxies too, and Digest.

An auth object is any callable that takes the prepared request and returns it.
Digest answers a challenge in a response hook. All it decides is in `answer`, which sends nothing.
What the hook sends it yields as ops (`_answering`), so it is part of the flow in both worlds (`_flow`).

What belongs to one request is kept on that request, so that one object serves many tasks and threads:
whether it is already an answer, and the URL for which the caller gave these credentials.
A challenge from any other origin is not answered, wherever redirects lead
(GHSA-hpj7-wq8m-9hgp, CVE-2026-11856, CVE-2021-21240).
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import warnings
from base64 import b64encode
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Callable, Generator
from urllib.parse import quote
from weakref import WeakKeyDictionary

from . import _names
from ._body import has_to_be_rewound, rewind
from ._drive import drive
from ._headers import parse_dict_header
from ._loops import here
from ._ops import Read, Send, caller_of_thread
from ._redirect import should_strip_auth
from ._url import path_url
from .cookies import extract_cookies_to_jar

Flow = Generator[Any, Any, Any]

CONTENT_TYPE_FORM_URLENCODED = "application/x-www-form-urlencoded"
CONTENT_TYPE_MULTI_PART = "multipart/form-data"

_DIGEST = re.compile(r"(?:^|,)\s*digest\s+", re.IGNORECASE)


if TYPE_CHECKING:
    from ._prepare import PreparedRequest
    from .models import Response
else:

    def __getattr__(name: str) -> Any:
        return _names.find(__name__, name)


def _basic_auth_str(username: str | bytes, password: str | bytes) -> str:
    """
    The value of a Basic Authorization header; str is encoded as latin-1, as servers expect it.
    """
    both = []
    for which, value in (("usernames", username), ("passwords", password)):
        if not isinstance(value, (str, bytes)):
            # The password's own text is not told.
            shown = repr(value) if which == "usernames" else type(value)
            warnings.warn(
                f"Non-string {which} are deprecated: pass str or bytes, not {shown}.",
                category=DeprecationWarning,
                stacklevel=3,
            )
            value = str(value)
        both.append(value.encode("latin1") if isinstance(value, str) else value)
    return "Basic " + b64encode(b":".join(both)).decode("ascii")


class AuthBase:
    """
    Base of auth objects: called with the prepared request, which it returns.
    """

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        raise NotImplementedError("Auth hooks must be callable.")


def _credentials(auth: Any) -> tuple[Any, Any]:
    return getattr(auth, "username", None), getattr(auth, "password", None)


class HTTPBasicAuth(AuthBase):
    """
    Basic authentication.

    Args:
        username: str or bytes.
        password: str or bytes.
    """

    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        self.username = username
        self.password = password

    def __eq__(self, other: object) -> bool:
        return bool(_credentials(self) == _credentials(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers["Authorization"] = _basic_auth_str(self.username, self.password)
        return r


class HTTPProxyAuth(HTTPBasicAuth):
    """
    Basic authentication to a proxy.
    """

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers["Proxy-Authorization"] = _basic_auth_str(self.username, self.password)
        return r


class _Places:
    """
    A namespace for each thread, and one for each event loop, which the worker threads of its calls share.
    """

    def __init__(self) -> None:
        self.__dict__.update(_threads=threading.local(), _loops=WeakKeyDictionary())

    def _here(self) -> Any:
        caller = caller_of_thread()
        loop = here() if caller is None else caller.loop
        return self._threads if loop is None else self._loops.setdefault(loop.identity, SimpleNamespace())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._here(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._here(), name, value)


class HTTPDigestAuth(AuthBase):
    """
    Digest authentication (RFC 7616, and RFC 2069 where the server offers no qop).

    The last challenge is kept, for each thread and for each event loop: later requests are answered before they are
    challenged.

    Args:
        username: str or bytes.
        password: str or bytes.
    """

    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        self.username = username
        self.password = password
        self._thread_local = _Places()

    def init_per_thread_state(self) -> None:
        """
        Make sure that this thread has a place for its challenge.
        """
        state = self._thread_local
        if not hasattr(state, "init"):
            state.init = True
            state.last_nonce = ""
            state.nonce_count = 0
            state.chal = {}
            state.pos = None
            state.num_401_calls = None
            state.url = None

    def build_digest_header(self, method: str, url: str, body: Any = None) -> str | None:
        """
        The Authorization header that answers the last challenge.

        Args:
            method: the request's method.
            url: its URL.
            body: its body, which only qop=auth-int asks for.

        Returns:
            The header's value, or None if the challenge cannot be answered.
        """
        state = self._thread_local
        chal = state.chal
        realm, nonce, qop = chal.get("realm"), chal.get("nonce"), chal.get("qop")
        digest = _hash_function(chal.get("algorithm"))
        if realm is None or nonce is None or digest is None:
            return None
        quality = _choose_quality(qop, body)
        if qop and quality is None:
            return None

        state.nonce_count = state.nonce_count + 1 if nonce == state.last_nonce else 1
        state.last_nonce = nonce
        count = f"{state.nonce_count:08x}"
        cnonce = _client_nonce()
        uri = path_url(url)

        secret = digest(_joined(self.username, realm, self.password))
        if str(chal.get("algorithm")).lower().endswith("-sess"):
            secret = digest(_joined(secret, nonce, cnonce))
        asked = _joined(method, uri)
        if quality == "auth-int":
            asked = _joined(method, uri, digest(_as_bytes(body or b"")))
        told = (nonce, count, cnonce, quality) if quality else (nonce,)
        response = digest(_joined(secret, *told, digest(asked)))

        name = _username(self.username)
        fields = [("realm", realm), ("nonce", nonce), ("uri", uri)]
        fields += [
            ("response", response),
            ("opaque", chal.get("opaque")),
            ("algorithm", chal.get("algorithm")),
        ]
        header = ", ".join([name, *(f'{key}="{_quoted(value)}"' for key, value in fields if value is not None)])
        if quality:
            header += f', qop="{quality}", nc={count}, cnonce="{cnonce}"'
        return f"Digest {header}"

    def handle_redirect(self, r: Response, **kwargs: Any) -> None:
        """
        Hook: a redirect's target may challenge anew.
        """
        self.init_per_thread_state()
        if r.is_redirect:
            self._thread_local.num_401_calls = 1

    def handle_401(self, r: Response, **kwargs: Any) -> Any:
        """
        Hook: answer a challenge by sending the request again, once.

        Returns:
            The response to the answer, or `r` if there is none.
        """
        return drive(self._answering(r, kwargs))

    def _answering(self, r: Any, settings: dict[str, Any]) -> Flow:
        """
        The flow of `handle_401`.
        """
        prepared = self.answer(r)
        if prepared is None:
            return r
        # The connection is free only when the body was read.
        yield Read(r)
        r.close()
        again = yield Send(r.connection, prepared, settings)
        again.history.append(r)
        again.request = prepared
        self._look_ahead(again)
        return again

    handle_401._flow = _answering  # type: ignore[attr-defined]

    def answer(self, r: Any) -> Any:
        """
        The request that answers the challenge in a response.

        Returns:
            A new PreparedRequest, or None if there is no challenge for us or none that can be answered.
        """
        self.init_per_thread_state()
        state = self._thread_local
        request = r.request
        state.num_401_calls = 1
        self._look_ahead(r)
        if not 400 <= r.status_code < 500:
            return None
        challenge = _find_challenge(r.headers.get("www-authenticate", ""))
        if not challenge or request.__dict__.get("_digest_answered") is self or self._is_foreign(request):
            return None
        state.chal = challenge
        header = self.build_digest_header(request.method, request.url, request.body)
        if header is None:
            return None
        state.url = request.url
        state.num_401_calls = 2
        if has_to_be_rewound(request):
            rewind(request, r)
        prepared = request.copy()
        extract_cookies_to_jar(prepared._cookies, request, r.raw)
        prepared.prepare_cookies(prepared._cookies)
        prepared.headers["Authorization"] = header
        prepared._digest_answered = self
        return prepared

    def _look_ahead(self, r: Any) -> None:
        """
        Keep the nonce that the server wants next time (RFC 7616, 3.5), in an answer to what it was told.
        """
        info, state = r.headers.get("authentication-info"), self._thread_local
        if not info or not state.chal or self._is_foreign(r.request):
            return
        if f'nonce="{_quoted(state.last_nonce)}"' in str(r.request.headers.get("Authorization", "")):
            said = {name.lower(): value for name, value in parse_dict_header(info).items()}
            state.chal = {**state.chal, "nonce": said.get("nextnonce") or state.last_nonce}

    def _is_foreign(self, request: Any) -> bool:
        given = [url for auth, url in request.__dict__.get("_digest_given", ()) if auth is self]
        return bool(given) and all(should_strip_auth(url, request.url) for url in given)

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        self.init_per_thread_state()
        state = self._thread_local
        # A nonce is told only to the server that gave it.
        if state.last_nonce and state.url is not None and not should_strip_auth(state.url, r.url):
            header = self.build_digest_header(r.method, r.url, r.body)
            if header is not None:
                r.headers["Authorization"] = header
        r.__dict__["_digest_given"] = (*r.__dict__.get("_digest_given", ()), (self, r.url))
        r.register_hook("response", self.handle_401)
        r.register_hook("response", self.handle_redirect)
        state.num_401_calls = 1
        return r

    def __eq__(self, other: object) -> bool:
        return bool(_credentials(self) == _credentials(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        return {"username": self.username, "password": self.password}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._thread_local = _Places()


_ALGORITHMS = {
    "MD5": "md5",
    "SHA": "sha1",
    "SHA-256": "sha256",
    "SHA-512": "sha512",
    "SHA-512-256": "sha512_256",
}


def _find_challenge(header: str) -> dict[str, str | None]:
    """
    The first Digest challenge of a WWW-Authenticate header that can be answered, or an empty dict.
    """
    for found in map(parse_dict_header, _DIGEST.split(header)[1:]):
        challenge = {name.lower(): value for name, value in found.items()}
        if "realm" in challenge and "nonce" in challenge and _hash_function(challenge.get("algorithm")):
            return challenge
    return {}


def _hash_function(algorithm: str | None) -> Callable[[bytes], str] | None:
    name = (algorithm or "MD5").upper()
    if name.endswith("-SESS"):
        name = name[:-5]
    found = _ALGORITHMS.get(name)
    if found is None:
        return None
    try:
        hashlib.new(found)
    except ValueError:  # not in this build of the library
        return None
    return lambda data: hashlib.new(found, data).hexdigest()


def _choose_quality(qop: str | None, body: Any) -> str | None:
    """
    `auth` if it is offered, else `auth-int` where the body can be hashed without reading a stream.
    """
    offered = [quality.strip() for quality in (qop or "").split(",")]
    if "auth" in offered:
        return "auth"
    if "auth-int" in offered and (body is None or isinstance(body, (str, bytes, bytearray))):
        return "auth-int"
    return None


def _client_nonce() -> str:
    # RFC 7616 asks for a value that the server cannot have chosen.
    return os.urandom(8).hex()


def _joined(*values: Any) -> bytes:
    return b":".join(_as_bytes(value) for value in values)


def _as_bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, (bytes, bytearray)) else str(value).encode("utf-8")


def _username(value: Any) -> str:
    """
    The field that names the user: extended where a header cannot have the name (RFC 7616, 3.4).
    """
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return f"username*=UTF-8''{quote(text, safe='')}"
    return f'username="{_quoted(text)}"'


def _quoted(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.replace("\\", "\\\\").replace('"', '\\"')
