"""Proxies and bundles, as the environment has them at the moment."""

import os
from types import SimpleNamespace

import pytest

from requestx import _environ
from requestx._environ import bypasses, environ_proxies, environment, resolve_proxies, select_proxy


@pytest.fixture(autouse=True)
def no_system_settings(monkeypatch):
    """The machine's own proxies are not asked."""
    monkeypatch.setattr(_environ, "_SYSTEM_PROXIES", False)


def test_an_unchanged_environment_is_derived_once(monkeypatch):
    """And a changed one at once."""
    first = environment()

    assert environment() is first
    monkeypatch.setenv("https_proxy", "http://p")
    assert environment().proxies == {"https": "http://p"}
    monkeypatch.delenv("https_proxy")
    assert environment().proxies == {}


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY"])
def test_proxies_are_read_in_both_cases(name, monkeypatch):
    """An empty lower-case one wins over the other and means none."""
    monkeypatch.setenv(name, "http://p:1")

    assert environ_proxies("http://h/") == {"http": "http://p:1"}
    monkeypatch.setenv("http_proxy", "")
    assert environ_proxies("http://h/") == {}


def test_cgi_ignores_the_upper_case_one(monkeypatch):
    """A client's Proxy header would be in it (httpoxy, CVE-2016-5386)."""
    monkeypatch.setenv("HTTP_PROXY", "http://evil")
    monkeypatch.setenv("REQUEST_METHOD", "GET")

    assert environ_proxies("http://h/") == {}
    monkeypatch.setenv("http_proxy", "http://p")
    assert environ_proxies("http://h/") == {"http": "http://p"}


@pytest.mark.parametrize(
    "values, bundle",
    [
        ({}, None),
        ({"REQUESTS_CA_BUNDLE": "/a"}, "/a"),
        ({"CURL_CA_BUNDLE": "/b"}, "/b"),
        ({"REQUESTS_CA_BUNDLE": "/a", "CURL_CA_BUNDLE": "/b"}, "/a"),
        ({"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "/b"}, "/b"),
        ({"REQUESTS_CA_BUNDLE": ""}, None),
    ],
)
def test_bundles_are_read(values, bundle, monkeypatch):
    """Even from an environment that a test put in the place of the real one."""
    monkeypatch.setattr(os, "environ", values)

    assert environment().ca_bundle == bundle


RULES = (
    "192.168.0.0/24,127.0.0.1,localhost.localdomain,172.16.1.1, google.com:6000,.d.o.t,requests.com,"
    "fe80::/10,[::1],[::3]:81"
)


@pytest.mark.parametrize(
    "url, direct",
    [
        ("http://192.168.0.1:5000/", True),
        ("http://192.168.1.1/", False),
        ("http://172.16.1.1:5000/", True),
        ("http://172.16.1.12/", False),
        ("http://localhost.localdomain:5000/v1.0/", True),
        ("http://google.com:6000/", True),
        ("http://google.com:5000/", False),
        ("http://d.o.t/", True),
        ("http://foo.d.o.t/", True),
        ("http://www.requests.com/", True),
        ("http://notrequests.com/", False),
        ("http://requests.com.evil/", False),
        ("http://REQUESTS.com/", True),
        ("http://[::1]:80/", True),
        ("http://[::2]/", False),
        ("http://[::3]:81/", True),
        ("http://[::3]/", False),
        ("http://[::3:81]/", False),
        ("http://[fe80::1%eth0]/", True),
        ("http://[::2%.requests.com]/", False),
        ("file:///some/path", True),
    ],
)
def test_no_proxy_knows_names_addresses_and_networks(url, direct, monkeypatch):
    """At the borders of names; a zone is no domain (CVE-2025-22870)."""
    assert bypasses(url, RULES) is direct
    monkeypatch.setenv("NO_PROXY", RULES)
    monkeypatch.setenv("http_proxy", "http://p")
    assert bypasses(url) is direct
    assert (environ_proxies(url) == {}) is direct


def test_a_star_is_everything():
    """And an empty list nothing."""
    assert bypasses("http://h/", "*")
    assert not bypasses("http://h/", "")
    assert not bypasses("http://h/", ",")


def test_the_system_is_asked_last():
    """By the host's name alone, and never when the caller gave rules."""
    asked = []
    bypasses("http://u:p@h:80/", None, lambda host: bool(asked.append(host)))
    bypasses("http://h/", "other", lambda host: bool(asked.append(host)))

    assert asked == ["h"]


PROXIES = {"http": "a", "http://some.host": "b", "all": "c", "all://some.host": "d"}


@pytest.mark.parametrize(
    "url, proxy",
    [
        ("hTTp://u:p@Some.Host/path", "b"),
        ("http://other.host/", "a"),
        ("https://some.host/", "d"),
        ("https://other/", "c"),
        ("https://", "c"),
        ("http:///path", "a"),
        ("file:///etc/motd", "c"),
    ],
)
def test_the_most_special_proxy_is_chosen(url, proxy):
    """Scheme and host, scheme, any scheme and host, any."""
    assert select_proxy(url, PROXIES) == proxy
    assert select_proxy(url, {}) is select_proxy(url, None) is None


def test_the_callers_proxy_wins(monkeypatch):
    """The environment fills the gap for the request's scheme, of `all_proxy` too, unless it is not trusted."""
    monkeypatch.setenv("all_proxy", "socks5://p")
    request = SimpleNamespace(url="http://h/")

    assert resolve_proxies(request, {"http": "mine"}) == {"http": "mine"}
    assert resolve_proxies(request, {}) == {"http": "socks5://p"}
    assert resolve_proxies(request, None, trust_env=False) == {}
    assert resolve_proxies(request, {"no_proxy": "h"}) == {"no_proxy": "h"}
