"""What a Session is made with goes to the adapter it begins with."""

import pickle

import pytest

import requestx
from requestx import aio, blocking

SESSIONS = [requestx.Session, blocking.Session, aio.Session]


@pytest.mark.parametrize("cls", SESSIONS)
def test_one_adapter_for_both_schemes_has_the_options(cls):
    """Both defaults are the same adapter, which takes any option of HTTPAdapter's."""
    session = cls(http2="only", pool_maxsize=3)
    adapter = session.get_adapter("https://a.example/")

    assert session.get_adapter("http://a.example/") is adapter
    assert (adapter.http2, adapter._pool_maxsize) == ("only", 3)


@pytest.mark.parametrize("cls", SESSIONS)
def test_an_unknown_option_is_named(cls):
    """Nothing is accepted and ignored."""
    with pytest.raises(TypeError, match="'htpp2'"):
        cls(htpp2=True)


def test_options_are_keywords():
    """requests' Session takes no argument by position, neither does ours."""
    with pytest.raises(TypeError):
        requestx.Session(False)


def test_a_pickled_session_keeps_them():
    """With its adapters, in another process as well."""
    session = pickle.loads(pickle.dumps(requestx.Session(http2=False)))

    assert session.get_adapter("https://a.example/").http2 is False


def test_a_value_that_means_nothing_is_refused():
    """When the session is made, not with its first request."""
    with pytest.raises(ValueError, match="http2 is True, False or \"only\", not 'never'"):
        requestx.Session(http2="never")
