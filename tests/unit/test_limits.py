"""Time limits: what ``timeout=`` may be, and what is left of a total."""

import pickle
from decimal import Decimal
from fractions import Fraction

import pytest

import requestx
from requestx import TimeLimits, _limits


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets: ``clock.now = 7``."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(_limits, "monotonic", lambda: Clock.now)
    return Clock


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        (None, (None, None, None)),
        (2, (2, 2, None)),
        (0.5, (0.5, 0.5, None)),
        ((1, None), (1, None, None)),
        (TimeLimits(), (None, None, None)),
        (TimeLimits(connect=1, read=2, total=3), (1, 2, 3)),
        (requestx.Timeout(read=2, total=3), (None, 2, 3)),
        (1e12, (None, None, None)),
        (Decimal("0.5"), (0.5, 0.5, None)),
    ],
)
def test_what_a_timeout_may_be(timeout, expected):
    """Seconds, a pair of them, or limits by name; more than two centuries is none."""
    seconds = tuple(each and each / 1e9 for each in _limits.nanoseconds(timeout))

    assert expected == seconds


@pytest.mark.parametrize("timeout", ["1", True, 0, -1, (1,), (1, 2, 3), [1, 2], float("nan")])
def test_what_it_may_not_be(timeout):
    """A ValueError that shows what was given."""
    with pytest.raises(ValueError, match="[Tt]imeout"):
        _limits.nanoseconds(timeout)


@pytest.mark.parametrize("name", ["connect", "read", "total"])
def test_limits_are_checked_when_they_are_made(name):
    """Where the mistake is, not where it is sent."""
    with pytest.raises(ValueError, match="greater than 0"):
        TimeLimits(**{name: 0})


def test_limits_are_values():
    """Equal by what they say, never changed, pickled, shown."""
    limits = TimeLimits(connect=1, total=2.5)

    assert limits == TimeLimits(1, None, 2.5) == pickle.loads(pickle.dumps(limits))
    assert len({limits, TimeLimits(1, None, 2.5), TimeLimits()}) == 2
    assert repr(limits) == "TimeLimits(connect=1, read=None, total=2.5)"
    with pytest.raises(AttributeError):
        limits.total = 9


def test_a_total_runs(clock):
    """From the moment it begins; what is left is never nothing, since a limit is greater than 0."""
    running = _limits.begun(TimeLimits(connect=1, total=10))
    again = _limits.begun(running)
    clock.now += 4
    assert (running.connect, running.read, running.total) == (1, None, 6)
    assert again is running
    clock.now += 9

    assert _limits.nanoseconds(running) == (1_000_000_000, None, 1)


def test_a_total_may_have_begun_before(clock):
    """What was spent counts."""
    assert _limits.begun(TimeLimits(total=10), spent=lambda: 3).total == 7


@pytest.mark.parametrize("timeout", [None, 3, (1, 2), TimeLimits(1, 2)])
def test_without_a_total_nothing_runs(timeout):
    """An adapter gets what the caller gave."""
    assert _limits.begun(timeout) is timeout


@pytest.mark.parametrize(
    ("given", "expected"),
    [({"connect": 1, "read": 2}, (1, 2, None)), ({"total": 5}, (5, 5, 5)), ({}, (None, None, None))],
)
def test_an_object_of_urllib3_is_taken(given, expected):
    """Its total is one here, too."""
    urllib3 = pytest.importorskip("urllib3")
    seconds = [each and each / 1e9 for each in _limits.nanoseconds(urllib3.Timeout(**given))]

    assert seconds == pytest.approx(list(expected), abs=0.1)


def test_timeout_stays_the_exception():
    """Only limits given by their names make limits of it."""
    error = requestx.Timeout("slow", request=None)

    assert isinstance(error, requestx.Timeout) and error.args == ("slow",)
    assert isinstance(pickle.loads(pickle.dumps(error)), requestx.Timeout)
    assert isinstance(requestx.Timeout(), requestx.RequestException)
    with pytest.raises(TypeError):
        requestx.ReadTimeout(total=1)


@pytest.mark.parametrize("kind", [Decimal, Fraction])
def test_seconds_may_be_of_any_number(clock, kind):
    """Wherever something is taken off."""
    running = _limits.begun(TimeLimits(connect=kind(3), read=kind(2), total=kind(10)))
    clock.now += 1
    later = _limits.after(running, 1.0)

    assert (_limits.to_connect(running), later.connect, later.read, later.total) == (3, 2, 2, 9)


def test_what_is_no_time_is_refused_before_a_resolver_is_asked():
    """As it is where there is none."""
    with pytest.raises(ValueError, match="it must be an int, float or None"):
        _limits.to_connect("5")
