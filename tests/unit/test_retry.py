"""When to send again: the arithmetic of Retry, and that it stands where urllib3's does."""

import pickle
import time

import pytest

from requestx import _causes, _retry, adapters
from requestx._retry import Retry


class Answer:
    """What a Retry looks at in an answer."""

    def __init__(self, status=503, location=None, **headers):
        self.status = status
        self.location = location
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def get_redirect_location(self):
        return self.location


def failed(retry, times, error=None, method="GET"):
    for _ in range(times):
        retry = retry.increment(method, "/", error=error, response=None if error else Answer())
    return retry


def test_each_try_is_counted_down():
    """`total` goes down with every try, and the count of its kind as well; the object itself stays as it is."""
    retry = Retry(total=5, connect=2, read=3, status=4)
    after = retry.increment("GET", "/", error=_causes.ConnectTimeoutError())

    assert (after.total, after.connect, after.read, after.status) == (4, 1, 3, 4)
    assert retry.total == 5
    assert failed(retry, 1).status == 3
    assert failed(retry, 1, _causes.ProtocolError()).read == 2


@pytest.mark.parametrize(
    "kind, error",
    [
        ("connect", _causes.ConnectTimeoutError()),
        ("connect", _causes.NewConnectionError(None, "refused")),
        ("connect", _causes.NameResolutionError("h", None, "no")),
        ("connect", _causes.ProxyError("no", _causes.ConnectTimeoutError())),
        ("read", _causes.ReadTimeoutError(None, "/", "late")),
        ("read", _causes.ProtocolError("broken")),
        ("other", _causes.SSLError("bad")),
    ],
)
def test_errors_have_their_kind(kind, error):
    """Before the request was sent, after it was, or neither."""
    assert getattr(Retry(total=None, **{kind: 1}).increment("GET", "/", error=error), kind) == 0
    with pytest.raises(_causes.MaxRetryError) as caught:
        Retry(total=None, **{kind: 0}).increment("GET", "/", error=error)

    assert caught.value.reason is error


def test_no_try_left_is_a_maxretryerror():
    """With pool, url and reason; a status is told as urllib3 tells it."""
    with pytest.raises(_causes.MaxRetryError, match="Max retries exceeded with url: /x .*too many 503 error responses"):
        Retry(0).increment("GET", "/x", response=Answer(503), _pool="pool")


def test_errors_after_sending_are_not_retried_for_other_methods():
    """The server may have done what a POST asked."""
    error = _causes.ReadTimeoutError(None, "/", "late")
    with pytest.raises(_causes.ReadTimeoutError):
        Retry(3).increment("POST", "/", error=error)

    assert Retry(3, allowed_methods=None).increment("POST", "/", error=error).total == 2


@pytest.mark.parametrize("count", ["total", "connect", "read"])
def test_false_raises_the_error_itself(count):
    """No MaxRetryError around it."""
    error = _causes.ProtocolError() if count == "read" else _causes.ConnectTimeoutError()
    with pytest.raises(type(error)) as caught:
        Retry(**{count: False}).increment("GET", "/", error=error)

    assert caught.value is error


@pytest.mark.parametrize(
    "method, status, asks, expected",
    [
        ("GET", 500, False, True),
        ("get", 500, False, True),
        ("POST", 500, False, False),
        ("GET", 404, False, False),
        ("GET", 503, True, True),
        ("GET", 503, False, False),
        ("POST", 503, True, False),
    ],
)
def test_statuses_to_try_again_for(method, status, asks, expected):
    """Those that are listed, and those that ask for it by Retry-After, if the method may be repeated."""
    assert Retry(3, status_forcelist=[500]).is_retry(method, status, asks) is expected


def test_waits_double():
    """The first second try comes at once."""
    retry = Retry(10, backoff_factor=0.1, backoff_max=0.5)

    assert [round(failed(retry, n).get_backoff_time(), 3) for n in range(1, 6)] == [0, 0.2, 0.4, 0.5, 0.5]


def test_jitter_is_added():
    """Up to so many seconds."""
    retry = failed(Retry(10, backoff_factor=1, backoff_jitter=0.5), 2)

    assert all(2 <= retry.get_backoff_time() < 2.5 for _ in range(20))


def test_retry_after_is_seconds_or_a_date():
    """Never below zero, never above the limit."""
    retry = Retry(retry_after_max=100)

    assert retry.parse_retry_after(" 7 ") == 7
    assert retry.parse_retry_after("500") == 100
    assert retry.parse_retry_after("Mon, 01 Jan 2001 00:00:00 GMT") == 0
    assert retry.get_retry_after(Answer(Retry_After="7")) == 7
    assert retry.get_retry_after(Answer()) is None
    assert retry.parse_retry_after("9" * 5000) == 100


@pytest.mark.parametrize("value", ["soon", "", "-1", "1.5", "Wed, 21 Oct 99999999999 07:28:00 GMT"])
def test_another_retry_after_is_an_invalid_header(value):
    """Whatever Python makes of its numbers."""
    with pytest.raises(_causes.InvalidHeader):
        Retry().parse_retry_after(value)


def test_pauses():
    """What the server asks for goes before our own; a Retry that sleeps in its own way is left to it."""

    class Own(Retry):
        def sleep(self, response=None):
            pass

    retry = failed(Retry(9, backoff_factor=1), 2)

    assert _retry.pause(retry, Answer(Retry_After="7")) == 7
    assert _retry.pause(retry, None) == 2
    assert _retry.pause(retry.new(respect_retry_after_header=False), Answer(Retry_After="7")) == 2
    assert _retry.pause(Own(), None) is None


def test_sleep_waits(monkeypatch):
    """By `time.sleep`, which lets signals through."""
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    retry = failed(Retry(9, backoff_factor=1), 2)
    retry.sleep()
    retry.sleep(Answer(Retry_After="7"))
    Retry().sleep()

    assert slept == [2, 7]


def test_history_tells_of_each_try():
    """In the order of time."""
    error = _causes.ConnectTimeoutError()
    retry = Retry(5).increment("GET", "/", error=error).increment("GET", "/", response=Answer(503))

    assert [(seen.method, seen.url, seen.error, seen.status) for seen in retry.history] == [
        ("GET", "/", error, None),
        ("GET", "/", None, 503),
    ]


def test_redirects_are_counted_apart():
    """An answer that leads elsewhere is no failure of the server's."""
    retry = Retry(5, redirect=2, status=0).increment("GET", "/", response=Answer(302, "/there"))

    assert (retry.redirect, retry.history[0].redirect_location) == (1, "/there")


def test_from_int():
    """A number, a Retry, or whatever has its shape."""
    retry = Retry(7)

    assert Retry.from_int(retry) is retry
    assert Retry.from_int(2).total == 2
    assert Retry.from_int(None).total == 3
    assert Retry.from_int(None, default=4).total == 4


def test_retries_pickle():
    """Settings and counts."""
    retry = pickle.loads(pickle.dumps(Retry(3, status_forcelist={500}, backoff_factor=0.5)))

    assert (retry.total, retry.status_forcelist, retry.backoff_factor) == (3, {500}, 0.5)


def test_the_adapters_retry_is_also_urllib3s(module):
    """In a program that has imported it, isinstance answers as with requests."""
    theirs = module("urllib3").Retry
    made = adapters.HTTPAdapter(max_retries=3).max_retries

    assert isinstance(made, theirs)
    assert isinstance(made, adapters.Retry)
    assert pickle.loads(pickle.dumps(made)).total == 3


@pytest.mark.parametrize("settings", [{"total": 2}, {"total": 4, "connect": 1, "status_forcelist": [500, 503]}])
def test_it_counts_as_urllib3s(module, settings):
    """The same failures, the same counts."""
    theirs = module("urllib3").Retry(**settings)
    ours = Retry(**settings)
    for status, asks in [(500, False), (503, True), (429, True), (404, False)]:
        assert ours.is_retry("GET", status, asks) == theirs.is_retry("GET", status, asks)
    error = _causes.shape("ConnectTimeoutError")()
    ours, theirs = ours.increment("GET", "/", error=error), theirs.increment("GET", "/", error=error)

    assert {name: getattr(ours, name) for name in _retry._COUNTS} == {
        name: getattr(theirs, name) for name in _retry._COUNTS
    }


def test_retries_without_limit_wait_for_nobody():
    """All adapters share one stock without limit: its lock, taken while a process forks, would stay so in the child."""
    budget = _retry.Budget(None)

    with budget._lock:
        assert budget.take()
        budget.refill()
