"""Where redirects lead, and what stays behind."""

import pytest

from requestx import _redirect
from requestx.exceptions import InvalidURL
from requestx.structures import CaseInsensitiveDict


@pytest.mark.parametrize("status, yes", [(301, True), (302, True), (303, True), (307, True), (308, True), (304, False)])
def test_a_redirect_says_where(status, yes):
    """A status of redirection without Location is an answer like others."""
    assert _redirect.is_redirect(status, CaseInsensitiveDict(location="/")) is yes
    assert not _redirect.is_redirect(status, CaseInsensitiveDict())
    assert _redirect.is_permanent_redirect(status, CaseInsensitiveDict(location="/")) is (status in (301, 308))


@pytest.mark.parametrize(
    "location, url",
    [
        ("/b", "http://h:8/b#f"),
        ("b", "http://h:8/p/b#f"),
        ("../b", "http://h:8/b#f"),
        ("?b", "http://h:8/p/a?b#f"),
        ("#g", "http://h:8/p/a?q#g"),
        ("b#g", "http://h:8/p/b#g"),
        ("//other/x", "http://other/x#f"),
        ("http://other", "http://other#f"),
        ("HTTPS://Other/x y", "https://other/x%20y#f"),
        ("/%zz", "http://h:8/%25zz#f"),
        ("/š", "http://h:8/%C5%A1#f"),
        ("http:b", "http://h:8/p/b#f"),
        ("http://other\\@h:8/", "http://other/%5C@h:8/#f"),
        ("/\\other", "http://h:8/%5Cother#f"),
        ("mailto:a@b", "mailto:a@b#f"),
    ],
)
def test_target_is_absolute_and_keeps_the_fragment(location, url):
    """RFC 9110, 10.2.2; and a backslash takes nobody to another host."""
    assert _redirect.target("http://h:8/p/a?q#f", location) == url


@pytest.mark.parametrize("location", ["http://:1", "http://h:x/", "https:nowhere", "http://[::1"])
def test_bad_target_is_an_invalid_url(location):
    """It is an error, and nothing is sent."""
    with pytest.raises(InvalidURL):
        _redirect.target("http://h/", location)


@pytest.mark.parametrize("value, text", [("/a", "/a"), ("/Å¡", "/š"), ("/\xff", "/\xff"), ("/ジ", "/ジ")])
def test_location_bytes_are_utf8_where_they_can_be(value, text):
    """Headers are read as latin-1; what is no UTF-8 stays that, and nothing raises."""
    assert _redirect.location({"location": value}) == text


@pytest.mark.parametrize(
    "status, before, after",
    [
        (301, "POST", "GET"),
        (301, "PUT", "PUT"),
        (302, "POST", "GET"),
        (302, "PUT", "GET"),
        (303, "DELETE", "GET"),
        (307, "POST", "POST"),
        (308, "PUT", "PUT"),
        (301, "HEAD", "HEAD"),
        (302, "HEAD", "HEAD"),
        (303, "HEAD", "HEAD"),
    ],
)
def test_method_after_redirect(status, before, after):
    """As browsers do it, and requests."""
    assert _redirect.method(status, before) == after


@pytest.mark.parametrize(
    "old, new, strip",
    [
        ("http://h/a", "http://h/b", False),
        ("http://h/a", "http://h:80/b", False),
        ("https://h:443/a", "https://H/b", False),
        ("http://h/a", "https://h/b", False),
        ("http://h:80/a", "https://h:443/b", False),
        ("https://h/a", "http://h/b", True),
        ("http://h:8080/a", "https://h/b", True),
        ("http://h/a", "https://h:8443/b", True),
        ("http://h:1/a", "http://h:2/a", True),
        ("http://h/a", "http://other/a", True),
        ("http://foo.com/", "http://notfoo.com/", True),
        ("http://foo.com/", "http://foo.com.evil/", True),
        ("http://foo.com/", "http://sub.foo.com/", True),
        ("http://h/", "http://h\\@other/", False),
        ("http://h/", "http://h:x@other/", True),
    ],
)
def test_authorization_stays_with_its_origin(old, new, strip):
    """But for http on port 80 to https on port 443 of one host."""
    assert _redirect.should_strip_auth(old, new) is strip


@pytest.mark.parametrize("spelling", ["Proxy-Authorization", "pROXY-aUTHORIZATION"])
def test_what_does_not_cross_origins(spelling):
    """In any spelling; what describes a body goes with the body; what is the caller's own stays."""
    headers = CaseInsensitiveDict({spelling: "b", "cookie": "c", "Content-Type": "d", "X-Own": "e"})
    _redirect.strip_headers(headers, "http://a/", "http://b/", 302)

    assert dict(headers) == {"X-Own": "e"}


def test_same_origin_keeps_credentials_and_body():
    """Only the Cookie header is made anew."""
    headers = CaseInsensitiveDict({"Authorization": "a", "Cookie": "c", "Content-Length": "1"})
    _redirect.strip_headers(headers, "http://a/", "http://a/b", 307)

    assert dict(headers) == {"Authorization": "a", "Content-Length": "1"}
