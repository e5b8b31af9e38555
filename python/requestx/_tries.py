"""
Trying again: the flow around one try of an adapter, for whoever asked for retries.

What a Retry decides is in `_retry`; here is the order of things, once for both worlds: try, ask, wait, rewind.
An error is retried only where that is possible: what a generator gave once cannot be sent a second time.
When no try is left, the exception is of the class that requests gives it, and its `args[0]` is the Retry's own
MaxRetryError.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Generator, Iterator

from . import _explain, _retry
from ._body import rewind_body
from ._causes import is_a
from ._limits import begun
from ._ops import Drain, Pause, Read
from .exceptions import ConnectionError, InvalidHeader, RequestException, RetryError

#: More of an answer's body than this is not read to keep its connection.
DRAIN_LIMIT = 64 * 1024

#: RQX_E_*: no connection, no TLS, a time-out, or a connection or stream that died.
_OF_THE_NETWORK = frozenset((20, 21, 22, 23, 30, 31, 40, 50, 51, 52, 53, 56))
_BEFORE_SENDING = ("resolve", "connect", "tunnel", "secure")


class Try:
    """
    One try of a request.

    Args:
        adapter: with `_send` and `_asend_once`.
        request: the PreparedRequest.
        settings: stream, timeout, verify, cert and proxies.
    """

    __slots__ = ("adapter", "request", "settings")

    def __init__(self, adapter: Any, request: Any, settings: tuple[Any, ...]) -> None:
        self.adapter = adapter
        self.request = request
        self.settings = settings

    def perform(self) -> Any:
        """
        Blocking.
        """
        return self.adapter._send(self.request, *self.settings)

    async def aperform(self) -> Any:
        """
        Awaited.
        """
        return await self.adapter._asend_once(self.request, *self.settings)


def is_single(retries: Any) -> bool:
    """
    Whether there is one try, and its error is told as it is: the default.
    """
    return (
        type(retries).__module__ == _retry.__name__
        and retries.total == 0
        and retries.read is False
        and not retries.status_forcelist
    )


def retrying(adapter: Any, retries: Any, request: Any, settings: tuple[Any, ...]) -> Generator[Any, Any, Any]:
    """
    Send until there is an answer to be taken, or no try is left.

    Args:
        adapter: with `_send`, `_asend_once` and `_budget`.
        retries: a Retry, or a number.
        request: the PreparedRequest.
        settings: of `send`.
    """
    retries = _retry.retry_class().from_int(retries)
    pool, url = _explain.where(request)
    stream, timeout, *others = settings
    settings = (True, begun(timeout), *others)  # as a stream, since an answer that is not taken need not be whole
    while True:
        try:
            response = yield Try(adapter, request, settings)
        except RequestException as error:
            retries, answer = _after_error(retries, error, request, pool, url), None
            if _comes_too_late(retries, None, settings) or not adapter._budget.take():
                raise
        else:
            answer = response.raw
            following = _after_answer(retries, response, request, pool, url)
            with _readable(request, response):
                if following is None:
                    adapter._budget.refill()
                    break
                if _comes_too_late(following, answer, settings) or not adapter._budget.take():
                    break
            retries = following
            yield Drain(response, DRAIN_LIMIT)
        with _readable(request, None):
            yield Pause(retries, answer)
        if getattr(request, "_body_position", None) is not None:
            rewind_body(request)
    if not stream:
        yield Read(response)
    return response


@contextmanager
def _readable(request: Any, response: Any) -> Iterator[None]:
    """
    A Retry-After that a Retry cannot read is the request's InvalidHeader, as in requests.

    Nobody gets the answer that it is in, so it is closed.
    """
    try:
        yield
    except Exception as error:
        if response is not None:
            response.close()
        if not is_a(error, "InvalidHeader"):
            raise
        raise InvalidHeader(error, request=request) from error


def _comes_too_late(retries: Any, answer: Any, settings: tuple[Any, ...]) -> bool:
    """
    Whether the next try would begin when the total of the call's time limit has passed.
    """
    left = getattr(settings[1], "total", None)
    if left is None:
        return False
    seconds = _retry.pause(retries, answer)
    return seconds is not None and seconds >= left


def _after_error(retries: Any, error: RequestException, request: Any, pool: Any, url: str) -> Any:
    """
    The Retry for the next try; else the error is raised, as it is or as the last of several.
    """
    reason = _reason(error, request)
    if reason is None:
        raise error
    try:
        return retries.increment(request.method, url, error=reason, _pool=pool)
    except Exception as last:
        told = error if last is reason else _exhausted(last, error, request)
        if told is not last:  # which only explains, and would lead back to it
            last.__traceback__ = last.__context__ = None
    try:
        raise told from error.__cause__
    finally:
        del told, error  # their tracebacks lead back here


def _after_answer(retries: Any, response: Any, request: Any, pool: Any, url: str) -> Any:
    """
    The Retry for the next try, or None if this answer is the one.
    """
    raw = response.raw
    if "_by_pool" in response.__dict__:
        return None  # a pool of a user's own has retried by itself
    raw.retries = retries
    asks = bool(response.headers.get("Retry-After"))
    if not retries.is_retry(request.method, response.status_code, asks) or not _can_be_sent_again(request):
        return None
    try:
        return retries.increment(request.method, url, response=raw, _pool=pool)
    except Exception as last:
        if not retries.raise_on_status:
            return None
        told = _exhausted(last, None, request)
    response.close()
    raise told


def _reason(error: RequestException, request: Any) -> Any:
    """
    What a Retry is to judge; None for an error that no second try would mend, or that no second try is possible for.
    """
    if error.kind not in _OF_THE_NETWORK or error.phase not in (*_BEFORE_SENDING, "send", "await"):
        return None
    if error.phase not in _BEFORE_SENDING and not _can_be_sent_again(request):
        return None
    told = error.args[0]
    return getattr(told, "reason", told)


def _can_be_sent_again(request: Any) -> bool:
    body = request.body
    if body is None or isinstance(body, (bytes, str, bytearray, memoryview)):
        return True
    return isinstance(request._body_position, int) or (hasattr(body, "__iter__") and iter(body) is not body)


def _exhausted(last: Any, error: Any, request: Any) -> Any:
    """
    The exception for the last try.
    """
    reason = getattr(last, "reason", None)
    if reason is None:
        return last  # a Retry with exceptions of its own
    if is_a(reason, "ResponseError"):
        return RetryError(last, request=request)
    cls = type(error) if isinstance(error, ConnectionError) else ConnectionError
    told = cls(last, request=request)
    told.kind, told.phase, told.errno = error.kind, error.phase, error.errno
    return told
