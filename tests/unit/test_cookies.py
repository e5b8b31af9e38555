"""A CookieJar with a dict's manners, and what it does not accept."""

import copy
import pickle
import time
from http.cookiejar import CookieJar, DefaultCookiePolicy
from http.cookies import Morsel, SimpleCookie
from types import SimpleNamespace
from unittest import mock

import pytest

from requestx._prepare import Request
from requestx.cookies import (
    CookieConflictError,
    RequestsCookieJar,
    cookiejar_from_dict,
    create_cookie,
    drop_call_cookies,
    extract_cookies_to_jar,
    get_cookie_header,
    merge_cookies,
    morsel_to_cookie,
    remove_cookie_by_name,
    store_cookies,
)


def request(url, **kwargs):
    return Request("GET", url, **kwargs).prepare()


def received(url, *values, jar=None):
    """A jar after a response from `url` with these Set-Cookie headers."""
    jar = RequestsCookieJar() if jar is None else jar
    store_cookies(jar, request(url), list(values))
    return jar


def sent(jar, url):
    return get_cookie_header(jar, request(url))


def test_cookies_go_back_to_their_host():
    """And to no other, as the standard library's policy has it; the path counts."""
    jar = received("http://a.example/x/", "a=1; Path=/", "b=2; Path=/x", "c=3; Domain=.a.example; Path=/")

    assert sent(jar, "http://a.example/x") == "b=2; a=1; c=3"
    assert sent(jar, "http://a.example/") == "a=1; c=3"
    assert sent(jar, "http://b.example/") is None


def test_the_callers_host_header_counts_as_host():
    """As it does for the server."""
    jar = RequestsCookieJar()
    store_cookies(jar, request("http://h.h/", headers={"Host": b"other.example"}), ["a=1"])

    assert jar.list_domains() == ["other.example"]


def test_raw_responses_of_urllib3s_shape_are_read():
    """The message is at `_original_response.msg`."""
    from email.message import Message

    message = Message()
    message["Set-Cookie"] = "a=1"
    message["Set-Cookie"] = "b=2"
    jar = RequestsCookieJar()
    extract_cookies_to_jar(jar, request("http://h/"), SimpleNamespace(_original_response=SimpleNamespace(msg=message)))
    extract_cookies_to_jar(jar, request("http://h/"), SimpleNamespace())

    assert jar.get_dict() == {"a": "1", "b": "2"}


def test_a_mock_sets_no_cookies():
    """Tests put one in the place of `response.raw`, and it has every attribute."""
    jar = RequestsCookieJar()
    extract_cookies_to_jar(jar, request("http://h/"), mock.Mock())

    assert jar.get_dict() == {}


@pytest.mark.parametrize("domain", [".0.0.1", "0.0.1", ".1"])
def test_the_tail_of_an_address_is_no_domain(domain):
    """127.0.0.1 may not set a cookie for 10.0.0.1 (CVE-2014-3613)."""
    assert not received("http://127.0.0.1/", f"a=1; Domain={domain}")
    assert received("http://127.0.0.1/", "a=1").get_dict() == {"a": "1"}


@pytest.mark.parametrize(
    "host, domain",
    [("a.co.uk", "co.uk"), ("a.co.uk", ".co.UK"), ("a.example.com", "com"), ("ann.github.io", "github.io")],
)
def test_a_public_suffix_is_no_domain(host, domain):
    """Everybody below it would be sent the cookie (CVE-2014-3620, CVE-2023-46218)."""
    assert len(received("http://%s/" % host, "a=1; Domain=%s" % domain)) == 0
    assert sent(received("http://%s/" % host, "a=1; Domain=%s" % host), "http://x.%s/" % host) == "a=1"


def test_a_public_suffixs_own_host_may_have_cookies():
    """It has nobody above it."""
    assert sent(received("http://github.io/", "a=1; Domain=github.io"), "http://github.io/") == "a=1"


def test_a_name_that_ends_alike_is_another():
    """ample.com is no domain of example.com (CVE-2013-1944)."""
    assert len(received("http://example.com/", "a=1; Domain=ample.com")) == 0
    assert sent(received("http://ample.com/", "a=1; Domain=ample.com"), "http://example.com/") is None


@pytest.mark.parametrize("value", ["a=x\x01y", "a\x07=1", "a=\x7f"])
def test_control_characters_are_not_stored(value):
    """They would be sent back (CVE-2022-35252)."""
    assert not received("http://h.example/", value)


@pytest.mark.parametrize(
    "attack",
    [
        "s=evil",
        "s=evil; Secure",
        "s=evil; Domain=h.example",
        "s=; Max-Age=0",
        "s=; Expires=Thu, 01 Jan 1970 00:00:01 GMT",
        "s=evil; Path=/deeper",
    ],
)
def test_http_leaves_secure_cookies_alone(attack):
    """A plain response neither replaces, shadows nor removes one (CVE-2025-9086; RFC 6265bis, 5.7)."""
    jar = received("https://h.example/", "s=good; Secure; Path=/")
    received("http://h.example/", attack, jar=jar)

    assert [(cookie.name, cookie.value) for cookie in jar] == [("s", "good")]
    assert sent(jar, "https://h.example/deeper") == "s=good"


def test_http_may_set_other_cookies():
    """Another name, another host's, or over https: as ever."""
    jar = received("https://h.example/", "s=good; Secure")
    received("http://h.example/", "t=1", jar=jar)
    received("http://other.example/", "s=2", jar=jar)
    received("https://h.example/", "s=better", jar=jar)

    assert sorted(jar.items()) == [("s", "2"), ("s", "better"), ("t", "1")]


@pytest.mark.parametrize(
    "value",
    [
        "a=1; Max-Age=" + "9" * 400,
        "a=1; Max-Age=-" + "9" * 400,
        "a=1; Max-Age=+" + "9" * 400,
        'a=1; Max-Age=" ' + "9" * 400 + '"',
        "a=1; Max-Age=" + "9_9" * 400,
        "a=1; Max-Age=x",
        "a=1; Expires=Thu, 99 Foo 99999999 99:99:99 GMT",
        "a=1; Expires=" + "1" * 10_000,
        "a" * 100_000 + "=1",
        "a=" + "\\" * 100_000,
        "=",
        ";;;",
        "",
        "a=" + '"' * 50_000,
    ],
)
def test_absurd_cookies_raise_nothing(value):
    """Neither when stored nor when sent (RUSTSEC-2017-0005)."""
    jar = received("http://h.example/", "before=1; Path=/", value, "after=1; Path=/")

    assert jar["before"] == jar["after"] == "1"
    assert "before=1" in sent(jar, "http://h.example/")


def test_user_and_password_are_no_part_of_a_cookies_host():
    """A jar does not keep them, and its cookies go to the host however its URL is written."""
    jar = received("http://me:secret@h.example:8080/", "a=1", "b=2; Domain=h.example")

    assert [cookie.domain for cookie in jar] == ["h.example", ".h.example"]
    assert sent(jar, "http://h.example/") == sent(jar, "http://me:secret@h.example/") == "a=1; b=2"
    assert sent(jar, "http://h.example@other.example/") is None


@pytest.mark.parametrize(
    "url, cookie, taken",
    [
        ("https://h.example/", "__Host-a=1; Secure; Path=/", True),
        ("https://h.example/", "__Host-a=1; Secure; Path=/; Domain=h.example", False),
        ("https://h.example/", "__Host-a=1; Secure; Path=/x", False),
        ("https://h.example/x/", "__host-a=1; Secure", False),
        ("https://h.example/", "__Host-a=1; Path=/", False),
        ("http://h.example/", "__Host-a=1; Secure; Path=/", False),
        ("https://h.example/x/", "__Secure-a=1; Secure; Domain=h.example", True),
        ("https://h.example/", "__Secure-a=1", False),
        ("http://h.example/", "__Secure-a=1; Secure", False),
        ("http://h.example/", "__a=1", True),
    ],
)
def test_a_name_that_promises_something_is_held_to_it(url, cookie, taken):
    """A server that gets such a cookie takes it as set by itself, over TLS (RFC 6265bis, 4.1.3)."""
    assert bool(len(received(url, cookie))) is taken


def test_a_jar_may_be_read_while_it_is_emptied():
    """Another thread of its session may do that."""
    jar = cookiejar_from_dict({"a": "1", "b": "2"})
    seen = []
    for cookie in jar:
        seen.append(cookie.name)
        jar.pop("b", None)

    assert seen == ["a", "b"]


def test_a_server_cannot_fill_the_jar():
    """Later requests would be too big to be answered (CVE-2022-32205)."""
    jar = received("http://h.example/", "long=" + "x" * 5000, *[f"a{n}=1" for n in range(150)])
    for turn in range(5):
        received("http://h.example/", *[f"b{turn}-{n}=1" for n in range(90)], jar=jar)
    received("http://h.example/", "a1=changed", jar=jar)

    assert "long" not in jar
    assert len(jar) <= 300
    assert jar["a1"] == "changed"


def test_cookies_of_one_call_stay_with_its_origin():
    """A redirect elsewhere takes along what the session holds, and what has a domain of its own (CVE-2026-47265)."""
    session = cookiejar_from_dict({"kept": "1", "overridden": "1"})
    jar = cookiejar_from_dict({"kept": "1", "overridden": "mine", "secret": "2"})
    jar.set("theirs", "3", domain="other.example")
    drop_call_cookies(jar, session)

    assert sorted(jar.keys()) == ["kept", "theirs"]


def test_a_cookie_that_expires_is_gone():
    """The server removes it so."""
    jar = received("http://h.example/", "a=1")
    received("http://h.example/", "a=; Max-Age=0", jar=jar)

    assert "a" not in jar


def test_it_is_a_dict_of_values():
    """Names to values, in the order they came."""
    jar = RequestsCookieJar()
    jar["a"] = "1"
    jar.set("b", "2", domain="h", path="/p")
    jar.update({"c": "3"})

    assert sorted(jar.keys()) == sorted(jar.iterkeys()) == ["a", "b", "c"]
    assert sorted(jar.values()) == sorted(jar.itervalues()) == ["1", "2", "3"]
    assert dict(jar) == dict(jar.items()) == dict(jar.iteritems()) == {"a": "1", "b": "2", "c": "3"}
    assert (jar["a"], jar.get("x"), jar.get("x", "y"), jar.get("b", domain="h", path="/p")) == ("1", None, "y", "2")
    assert "a" in jar and "x" not in jar and len(jar) == 3
    assert jar.get_dict(domain="h") == {"b": "2"} and jar.get_dict(path="/p") == {"b": "2"}
    assert sorted(jar.list_domains()) == ["", "h"] and sorted(jar.list_paths()) == ["/", "/p"]
    assert jar.multiple_domains()
    assert jar == jar.copy()
    del jar["a"]
    with pytest.raises(KeyError):
        jar["a"]


def test_none_removes_a_cookie():
    """`jar.set(name, None)`."""
    jar = cookiejar_from_dict({"a": "1"})
    jar.set("a", None)

    assert not jar


def test_two_of_a_name_are_a_conflict():
    """Say which domain."""
    jar = RequestsCookieJar()
    jar.set("a", "1", domain="x")
    jar.set("a", "2", domain="y")

    assert "a" in jar
    assert jar.get("a", domain="y") == "2"
    for ask in (jar.get, jar.__getitem__):
        with pytest.raises(CookieConflictError):
            ask("a")
    remove_cookie_by_name(jar, "a", domain="x")
    assert jar["a"] == "2"


def test_escaped_quotes_are_dropped():
    """Quotes around a value stay."""
    jar = cookiejar_from_dict({"a": '"b\\"c"'})

    assert jar["a"] == '"bc"'


@pytest.mark.parametrize("clone", [RequestsCookieJar.copy, copy.deepcopy, lambda j: pickle.loads(pickle.dumps(j))])
def test_copies_stand_for_themselves(clone):
    """With the same policy, and locks of their own."""

    class Policy(DefaultCookiePolicy):
        pass

    first = RequestsCookieJar(DefaultCookiePolicy(rfc2965=True))
    first["a"] = "1"
    second = clone(first)
    second["b"] = "2"

    assert first.keys() == ["a"] and sorted(second.keys()) == ["a", "b"]
    assert second.get_policy().rfc2965
    first.set_policy(Policy())
    assert isinstance(first.copy().get_policy(), Policy)


def test_morsels_become_cookies():
    """With all that they say."""
    morsel = SimpleCookie("a=1; Path=/p; Domain=h; Secure; HttpOnly; Max-Age=60; Comment=c")["a"]
    cookie = morsel_to_cookie(morsel)

    assert (cookie.name, cookie.value, cookie.path, cookie.domain, cookie.secure) == ("a", "1", "/p", "h", True)
    assert 50 < cookie.expires - time.time() <= 60
    assert cookie.comment == "c" and cookie.comment_url


@pytest.mark.parametrize(
    "name, value, outcome",
    [
        ("expires", "Thu, 01-Jan-1970 00:00:01 GMT", 1),
        ("expires", None, None),
        ("expires", 100, TypeError),
        ("expires", "woops", ValueError),
        ("max-age", "woops", TypeError),
    ],
)
def test_when_a_morsel_expires(name, value, outcome):
    """What is no time is an error."""
    morsel = Morsel()
    morsel[name] = value
    if isinstance(outcome, type):
        with pytest.raises(outcome):
            morsel_to_cookie(morsel)
    else:
        assert morsel_to_cookie(morsel).expires == outcome


def test_unknown_attributes_are_a_typeerror():
    """A cookie has the attributes that it has."""
    with pytest.raises(TypeError, match=r"\['bar', 'foo'\]"):
        create_cookie("a", "b", foo=1, bar=2)


def test_merging_keeps_what_is_there_from_a_dict():
    """A dict fills gaps, a jar overrides; plain CookieJars serve as well."""
    for jar in (RequestsCookieJar(), CookieJar()):
        cookiejar_from_dict({"a": "1"}, jar)
        merge_cookies(jar, {"a": "2", "b": "2"})
        merge_cookies(jar, None)
        merge_cookies(jar, cookiejar_from_dict({"b": "3"}))

        assert {cookie.name: cookie.value for cookie in jar} == {"a": "1", "b": "3"}
    with pytest.raises(ValueError):
        merge_cookies({}, {})
