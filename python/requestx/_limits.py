"""
Time limits: what ``timeout=`` may be, and how much of a total one is left.

requests takes seconds or a pair of them. `TimeLimits` says each limit by its name and may have a total, the deadline
of a whole call: redirects, hooks that ask again and the body included.
The flow has it started (`begun`); from then on its `total` is what is left, whoever asks, and however late.
Objects shaped like urllib3's Timeout are taken as well.

The class is not called Timeout, as urllib3's is, because requests has an exception of that name, and people catch it;
``Timeout(connect=, read=, total=)`` gives it all the same.
"""

from __future__ import annotations

from time import monotonic
from typing import Any, Callable

_NEVER = 9e9
_MOST = (1 << 63) - 1


class TimeLimits:
    """
    How long a call may take, in seconds; what is None has no limit.

    ``TimeLimits()`` is no limit at all: for one call of a session that has a `timeout`.
    It never changes, and is equal to another with the same limits.

    Args:
        connect: for resolving, connecting and the TLS handshake together.
        read: for each wait: until the server takes more of the request, until it answers, between pieces of the body.
        total: for the whole call, to the last byte of the body, over all redirects.
    """

    __slots__ = ("connect", "read", "total")

    connect: float | None
    read: float | None
    total: float | None

    def __init__(self, connect: float | None = None, read: float | None = None, total: float | None = None) -> None:
        for name, seconds in (("connect", connect), ("read", read), ("total", total)):
            object.__setattr__(self, name, seconds)
        nanoseconds(self)

    @property
    def connect_timeout(self) -> float | None:
        """
        `connect`, by the name that urllib3 has for it.
        """
        return self.connect

    @property
    def read_timeout(self) -> float | None:
        """
        `read`, by the name that urllib3 has for it.
        """
        return self.read

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} does not change: make another one")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and _parts(other) == _parts(self)

    def __hash__(self) -> int:
        return hash(_parts(self))

    def __repr__(self) -> str:
        return "TimeLimits(connect={!r}, read={!r}, total={!r})".format(*_parts(self))

    def __reduce__(self) -> Any:
        return TimeLimits, _parts(self)


class _Running(TimeLimits):
    """
    Limits whose total has begun: `total` is what is left of it.
    """

    __slots__ = ("_ends",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, connect: float | None, read: float | None, ends: float) -> None:
        for name, value in (("connect", connect), ("read", read), ("_ends", ends)):
            object.__setattr__(self, name, value)

    @property
    def total(self) -> float:  # type: ignore[override]
        """
        What is left; never nothing, since a limit has to be greater than 0.
        """
        ends: float = self._ends  # type: ignore[attr-defined]
        return max(ends - monotonic(), 1e-9)


def _parts(limits: Any) -> tuple[float | None, float | None, float | None]:
    return limits.connect, limits.read, limits.total


def begun(timeout: Any, spent: Callable[[], float] = float) -> Any:
    """
    The same limits, their total running.

    Args:
        timeout: whatever a caller gave; what has no total comes back as it is.
        spent: gives the seconds since the call began.
    """
    if getattr(timeout, "total", None) is None or isinstance(timeout, _Running):
        return timeout
    connect, read = _pair(timeout)
    nanoseconds(timeout)
    return _Running(connect, read, monotonic() + float(timeout.total) - spent())


def to_connect(timeout: Any) -> float | None:
    """
    Seconds until there has to be a connection: of the limit for that, or what is left of the total.
    """
    connect, _, total = nanoseconds(timeout)
    limits = [limit for limit in (connect, total) if limit is not None]
    return min(limits) / 1e9 if limits else None


def after(timeout: Any, seconds: float) -> Any:
    """
    The same limits when so much of the one for connecting is gone.
    """
    running = begun(timeout)
    connect, read = _pair(running)
    if connect is None:
        return running
    connect = max(float(connect) - seconds, 1e-9)
    ends = getattr(running, "_ends", None)
    return TimeLimits(connect, read) if ends is None else _Running(connect, read, ends)


def nanoseconds(timeout: Any) -> tuple[int | None, int | None, int | None]:
    """
    The limits for connecting, for each wait and for the whole, as the core takes them.

    Raises:
        ValueError: it is none of what `timeout` may be, or not greater than 0.
    """
    connect, read = _pair(timeout)
    total = getattr(timeout, "total", None)
    return _whole(connect, timeout), _whole(read, timeout), _whole(total, timeout)


def _pair(timeout: Any) -> tuple[Any, Any]:
    if isinstance(timeout, tuple):
        if len(timeout) != 2:
            raise ValueError(
                f"Invalid timeout {timeout!r}. Pass a (connect, read) timeout tuple, or a single float to set both "
                "timeouts to the same value."
            )
        return timeout
    if not hasattr(timeout, "connect_timeout"):
        return timeout, timeout
    if hasattr(timeout, "start_connect"):  # urllib3's says what is left for reading once it was started
        timeout = timeout.clone()
        timeout.start_connect()
    default = getattr(timeout, "DEFAULT_TIMEOUT", None)  # urllib3's for "not said"
    connect, read = timeout.connect_timeout, timeout.read_timeout
    return None if connect is default else connect, None if read is default else read


def _whole(seconds: Any, timeout: Any) -> int | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not hasattr(seconds, "__float__"):
        raise ValueError(f"Timeout value was {timeout!r}, but it must be an int, float or None.")
    seconds = float(seconds)
    if not seconds > 0:
        raise ValueError(
            f"Attempted to set a timeout of {timeout!r}: a timeout has to be greater than 0; None is for no limit."
        )
    return min(int(seconds * 1e9), _MOST) or 1 if seconds < _NEVER else None
