"""
When to send again, and how long to wait before: a value without I/O.

`Retry` has the names, defaults and arithmetic of urllib3's class, whose objects users hand to
``HTTPAdapter(max_retries=...)``; such an object is taken as it is, and asked the same questions as ours.
Each attempt makes a new object with one try less, so one may serve many requests at once.

What the questions mean:

    is_retry    an answer came: is its status one to try again for?
    increment   it failed: the object for the next try, or what to raise if there is none
    pause       how long to wait before it

A status is only retried for methods that may be repeated (`allowed_methods`), and so is an error after the request
was sent; an error before it (no connection) is retried for every method.
"""

from __future__ import annotations

import random
import re
import sys
import threading
import time
from operator import index
from typing import Any, Collection, NamedTuple

from . import _causes


class RequestHistory(NamedTuple):
    """
    One try that was not the last.
    """

    method: str | None
    url: str | None
    error: Exception | None
    status: int | None
    redirect_location: str | None


_IDEMPOTENT = frozenset(("HEAD", "GET", "PUT", "DELETE", "OPTIONS", "TRACE"))
_CREDENTIALS = frozenset(("Cookie", "Authorization", "Proxy-Authorization"))
_COUNTS = ("total", "connect", "read", "redirect", "status", "other")
_SETTINGS = (
    *_COUNTS,
    "allowed_methods",
    "status_forcelist",
    "backoff_factor",
    "backoff_max",
    "raise_on_redirect",
    "raise_on_status",
    "history",
    "respect_retry_after_header",
    "remove_headers_on_redirect",
    "backoff_jitter",
    "retry_after_max",
)


class Retry:
    """
    How often to try again, and after what.

    Args:
        total: tries after the first, whatever the reason; None for no such limit, False to raise the first error.
        connect: those for errors before the request was sent; None leaves it to `total`.
        read: those for errors after it was sent; False never.
        redirect: unused here, since the session follows redirects.
        status: those for statuses in `status_forcelist`.
        other: those for other errors, of TLS say.
        allowed_methods: methods that may be sent again after they were sent; None for every one.
        status_forcelist: statuses to try again for.
        backoff_factor: seconds; waits double with each try: factor * 2, * 4, ... after the second.
        backoff_max: the longest of these waits.
        raise_on_redirect: unused here.
        raise_on_status: False to return the last answer instead of raising RetryError.
        history: what was tried before.
        respect_retry_after_header: wait as long as the server asks, and try again for 413, 429 and 503 that ask.
        remove_headers_on_redirect: unused here.
        backoff_jitter: seconds; up to so many more are waited, at random.
        retry_after_max: the longest wait that a server may ask for.
    """

    DEFAULT_ALLOWED_METHODS = _IDEMPOTENT
    RETRY_AFTER_STATUS_CODES = frozenset((413, 429, 503))
    DEFAULT_REMOVE_HEADERS_ON_REDIRECT = _CREDENTIALS
    DEFAULT_BACKOFF_MAX = 120
    DEFAULT_RETRY_AFTER_MAX = 6 * 60 * 60
    DEFAULT: Retry

    def __init__(
        self,
        total: Any = 10,
        connect: Any = None,
        read: Any = None,
        redirect: Any = None,
        status: Any = None,
        other: Any = None,
        allowed_methods: Collection[str] | None = _IDEMPOTENT,
        status_forcelist: Collection[int] | None = None,
        backoff_factor: float = 0,
        backoff_max: float = DEFAULT_BACKOFF_MAX,
        raise_on_redirect: bool = True,
        raise_on_status: bool = True,
        history: tuple[Any, ...] | None = None,
        respect_retry_after_header: bool = True,
        remove_headers_on_redirect: Collection[str] = _CREDENTIALS,
        backoff_jitter: float = 0.0,
        retry_after_max: float = DEFAULT_RETRY_AFTER_MAX,
    ) -> None:
        if total is False or redirect is False:
            redirect, raise_on_redirect = 0, False
        self.total = total
        self.connect = connect
        self.read = read
        self.redirect = redirect
        self.status = status
        self.other = other
        self.allowed_methods = allowed_methods
        self.status_forcelist = status_forcelist or set()
        self.backoff_factor = backoff_factor
        self.backoff_max = backoff_max
        self.raise_on_redirect = raise_on_redirect
        self.raise_on_status = raise_on_status
        self.history = history or ()
        self.respect_retry_after_header = respect_retry_after_header
        self.remove_headers_on_redirect = frozenset(name.lower() for name in remove_headers_on_redirect)
        self.backoff_jitter = backoff_jitter
        self.retry_after_max = retry_after_max

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={getattr(self, name)}" for name in _COUNTS[:5])
        return f"{type(self).__name__}({counts})"

    def __reduce__(self) -> Any:
        # The class may be one that exists only where urllib3 is loaded.
        if type(self) is Retry or type(self) in _MIXED.values():
            return _restore, (self.__dict__,)
        return object.__reduce_ex__(self, 2)

    @classmethod
    def from_int(cls, retries: Any, redirect: Any = True, default: Any = None) -> Any:
        """
        A Retry for a number of tries; what is one already stays as it is.
        """
        if retries is None:
            retries = default if default is not None else cls.DEFAULT
        if hasattr(retries, "increment"):
            return retries
        if hasattr(retries, "__index__") and not isinstance(retries, bool):  # False is another thing than 0
            retries = index(retries)
        return cls(retries, redirect=None if redirect else False)

    def new(self, **changes: Any) -> Any:
        """
        The same with some settings changed.
        """
        settings = {name: getattr(self, name) for name in _SETTINGS}
        settings.update(changes)
        return type(self)(**settings)

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """
        Whether to try again after an answer with this status.
        """
        if not self._is_method_retryable(method):
            return False
        if status_code in self.status_forcelist:
            return True
        asked = self.respect_retry_after_header and has_retry_after and status_code in self.RETRY_AFTER_STATUS_CODES
        return bool(self.total and asked)

    def is_exhausted(self) -> bool:
        """
        Whether a count is below zero.
        """
        return any(count and count < 0 for count in (getattr(self, name) for name in _COUNTS))

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Any:
        """
        The Retry for the next try.

        Raises:
            MaxRetryError: there is none; `reason` is the error, or a ResponseError.
            Exception: `error` itself, where such an error is not retried.
        """
        if error is not None and self.total is False:
            raise error
        status = getattr(response, "status", None)
        target = response.get_redirect_location() if response is not None else None
        kind = self._count_of(error, target, status)
        left = {name: getattr(self, name) for name in ("total", kind) if name}
        never = kind in ("connect", "read") and left[kind] is False
        if error is not None and (
            never or (kind == "read" and not (method is not None and self._is_method_retryable(method)))
        ):
            raise error
        changes: dict[str, Any] = {name: count - 1 for name, count in left.items() if count is not None}
        seen = RequestHistory(method, url, error, status, target or None)
        following = self.new(history=(*self.history, seen), **changes)
        if following.is_exhausted():
            reason = error or _causes.shape("ResponseError")(_told(status, target))
            raise _causes.shape("MaxRetryError")(_pool, url, reason) from reason
        return following

    def _count_of(self, error: Exception | None, target: Any, status: Any) -> str:
        if error is None:
            return "redirect" if target else "status" if status else ""
        if self._is_connection_error(error):
            return "connect"
        return "read" if self._is_read_error(error) else "other"

    def _is_connection_error(self, err: Any) -> bool:
        if isinstance(err, _causes.ProxyError):
            err = err.original_error
        return isinstance(err, _causes.ConnectTimeoutError)

    def _is_read_error(self, err: Any) -> bool:
        return isinstance(err, (_causes.ReadTimeoutError, _causes.ProtocolError))

    def _is_method_retryable(self, method: str) -> bool:
        return not self.allowed_methods or method.upper() in self.allowed_methods

    def get_backoff_time(self) -> float:
        """
        Seconds to wait before the next try, if the server asked for none.
        """
        tries = 0
        for seen in reversed(self.history):
            if seen.redirect_location is not None:
                break
            tries += 1
        if tries <= 1:
            return 0
        seconds = self.backoff_factor * (2 ** (tries - 1))
        if self.backoff_jitter:
            seconds += random.random() * self.backoff_jitter
        return float(max(0, min(self.backoff_max, seconds)))

    def parse_retry_after(self, retry_after: str) -> float:
        """
        The seconds that a Retry-After field asks for, from now; at most `retry_after_max`.

        Raises:
            InvalidHeader: it is neither a number nor a date.
        """
        digits = re.fullmatch(r"\s*([0-9]+)\s*", retry_after)
        try:
            seconds = float(digits.group(1)) if digits else _date(retry_after) - time.time()
        except (ValueError, OverflowError, TypeError):
            told = f"Invalid Retry-After header: {_causes.short(retry_after)}"
            raise _causes.shape("InvalidHeader")(told) from None
        return min(max(seconds, 0), self.retry_after_max)

    def get_retry_after(self, response: Any) -> float | None:
        """
        The seconds that a response asks for, or None.
        """
        asked = response.headers.get("Retry-After")
        return None if asked is None else self.parse_retry_after(asked)

    def sleep_for_retry(self, response: Any) -> bool:
        """
        Wait as long as the response asks; whether it asked.
        """
        seconds = self.get_retry_after(response)
        if seconds:
            time.sleep(seconds)
        return bool(seconds)

    def _sleep_backoff(self) -> None:
        seconds = self.get_backoff_time()
        if seconds > 0:
            time.sleep(seconds)

    def sleep(self, response: Any = None) -> None:
        """
        Wait before the next try; a signal's handler may run meanwhile.
        """
        if self.respect_retry_after_header and response and self.sleep_for_retry(response):
            return
        self._sleep_backoff()


Retry.DEFAULT = Retry(3)


class Budget:
    """
    Retries in stock, for all requests of an adapter: when a server is down, its clients do not add to its load.

    In the long run a fifth of the answers at most are retries, as in the core's own policy.

    Args:
        most: retries in stock; None for no limit.
    """

    ANSWERS = 5

    __slots__ = ("_left", "_lock", "_most")

    def __init__(self, most: int | None) -> None:
        self._most = self._left = None if most is None else most * self.ANSWERS
        self._lock = threading.Lock()

    def take(self) -> bool:
        """
        Take one, if one is left.
        """
        if self._left is None:  # and no lock, which a forked child might find taken
            return True
        with self._lock:
            if self._left < self.ANSWERS:
                return False
            self._left -= self.ANSWERS
            return True

    def refill(self) -> None:
        """
        An answer came that need not be asked for again: five of them are a retry.
        """
        if self._left is None or self._most is None:
            return
        with self._lock:
            self._left = min(self._left + 1, self._most)


def _date(text: str) -> float:
    from email.utils import mktime_tz, parsedate_tz

    return mktime_tz(parsedate_tz(text))  # type: ignore[arg-type]


def _told(status: Any, target: Any) -> str:
    if target:
        return "too many redirects"
    return f"too many {status} error responses" if status else "too many error responses"


def pause(retries: Any, response: Any) -> float | None:
    """
    Seconds to wait before the next try; None where only the object's own `sleep` knows.
    """
    for name in ("sleep", "sleep_for_retry", "_sleep_backoff"):
        owner = getattr(getattr(type(retries), name, None), "__module__", None)
        if name in vars(retries) or owner not in (__name__, "urllib3.util.retry"):
            return None
    asked = retries.get_retry_after(response) if response is not None and retries.respect_retry_after_header else None
    return float(asked or retries.get_backoff_time())


_MIXED: dict[type, Any] = {}


def retry_class() -> Any:
    """
    `Retry`: ours, or if the program has imported urllib3 one that is also urllib3's (see `_causes`).
    """
    loaded = sys.modules.get("urllib3.util.retry")
    theirs = getattr(loaded, "Retry", None)
    if not isinstance(theirs, type) or issubclass(Retry, theirs):
        return Retry
    if theirs not in _MIXED:
        mixed: Any = type("Retry", (Retry, theirs), {"__doc__": Retry.__doc__, "__module__": __name__})
        _MIXED[theirs] = mixed
        mixed.DEFAULT = mixed(3)
    return _MIXED[theirs]


def _restore(state: dict[str, Any]) -> Any:
    cls = retry_class()
    new = cls.__new__(cls)
    new.__dict__.update(state)
    return new
