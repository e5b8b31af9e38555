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
    """Nothing is accepted and ignored; the error says what there is."""
    known = "known are timeout, .* http2, .*, proxy_cert"
    with pytest.raises(TypeError, match="Session.. has no setting 'htpp2': " + known):
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


@pytest.mark.parametrize(
    "setting, value, error",
    [
        ("trust_proxy", "no", ValueError),
        ("trust_proxy", None, ValueError),
        ("http2", [], ValueError),
        ("progress", 5, TypeError),
        ("max_retries", "3", TypeError),
        ("retry_budget", 0, ValueError),
        ("retry_budget", True, ValueError),
        ("resolve", "example.org:10.0.0.1", TypeError),
        ("resolve", {5: "10.0.0.1"}, TypeError),
        ("resolver", 5, TypeError),
        ("dns_cache", True, ValueError),
        ("pool_timeout", True, ValueError),
        ("proxy_verify", 5, TypeError),
        ("proxy_cert", 5, TypeError),
        ("json_loads", 5, TypeError),
        ("json_dumps", "json", TypeError),
        ("unix_socket", 5, TypeError),
        ("unix_socket", "a\0b", ValueError),
    ],
)
def test_it_is_refused_by_its_name(setting, value, error):
    """Of whatever kind it is; what is no answer must not be taken for yes."""
    with pytest.raises(error, match="^%s " % setting):
        requestx.Session(**{setting: value})
    if not setting.startswith("json"):
        adapter = requestx.Session().get_adapter("http://a.example/")
        with pytest.raises(error):
            setattr(adapter, setting, value)


@pytest.mark.parametrize("call", [requestx.get, requestx.Session().post, blocking.put, aio.Session().delete])
def test_an_unknown_argument_of_a_call_is_named(call):
    """Where it is called, awaited or not."""
    with pytest.raises(TypeError, match="'tiemout'"):
        call("http://127.0.0.1:1/", tiemout=5)


class Number:
    """
    A whole number that is no int, as numpy has them.
    """

    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value


def test_numbers_of_requests_need_not_be_ints():
    """Whatever can be an index is a whole number."""
    adapter = requestx.adapters.HTTPAdapter(Number(3), Number(4), max_retries=Number(5), pool_block=True)

    assert adapter._limits() == requestx.adapters.HTTPAdapter(3, 4, pool_block=True)._limits()
    assert adapter.max_retries.total == 5


def test_retries_count_whatever_the_class_has_by_that_name():
    """A subclass may say what its retries are, and an instance that they are others."""

    class Adapter(requestx.adapters.HTTPAdapter):
        max_retries = None

    adapter = Adapter()
    adapter.max_retries = requestx.adapters.Retry(5)

    assert not adapter._is_simple()
