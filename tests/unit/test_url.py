"""One parser for all questions about a URL, and requests' rules for preparing one."""

import time

import pytest

from requestx import _url
from requestx.exceptions import InvalidURL, MissingSchema


@pytest.mark.parametrize(
    "url, prepared",
    [
        ("http://google.com", "http://google.com/"),
        (" \n http://h/x", "http://h/x"),
        ("HTTP://EXAMPLE.com/ABC", "http://example.com/ABC"),
        (b"http://h/\xc3\xa9", "http://h/%C3%A9"),
        ("http://h?b#c", "http://h/?b#c"),
        ("http://h/a b?c d#e f", "http://h/a%20b?c%20d#e%20f"),
        ("http://h/%7euser/%c3%a9", "http://h/~user/%C3%A9"),
        ("http://h/100%", "http://h/100%25"),
        ("http://h/a/../b/./c/..", "http://h/b/"),
        ("http://h//a//b", "http://h//a//b"),
        ("http://h/\r\nx", "http://h/%0D%0Ax"),
        ("http://h:00080/", "http://h:80/"),
        ("http://h:/", "http://h/"),
        ("http://u:p@h/", "http://u:p@h/"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
        ("http://[fe80::1%25eth0]/", "http://[fe80::1%25eth0]/"),
        ("http://[fe80::1%eth0]/a%20b", "http://[fe80::1%25eth0]/a%20b"),
        ("http://[fe80::1%2541]/", "http://[fe80::1%2541]/"),
        ("http://straße.de/straße", "http://xn--strae-oqa.de/stra%C3%9Fe"),
        ("http://faß.de", "http://xn--fa-hia.de/"),
        ("http+unix://%2Fvar%2Frun%2Fsocket/path%7E", "http+unix://%2Fvar%2Frun%2Fsocket/path~"),
    ],
)
def test_urls_are_put_into_their_normal_form(url, prepared):
    """What may not stand there is escaped, what need not be is not; and doing it twice changes nothing."""
    assert _url.prepare(url) == prepared
    assert _url.prepare(prepared) == prepared


@pytest.mark.parametrize("url", ["mailto:a@b", "data:image/gif;base64,R0lG", "file:///etc/passwd", "localhost:80/"])
def test_what_is_not_http_is_left_alone(url):
    """An adapter may be mounted for it; params are not for it."""
    assert _url.prepare(url) == _url.prepare(url, {"a": "b"}) == url


@pytest.mark.parametrize("url", ["example", "", "/path", "//host/path", "httpbin.org:80/get", "httpx"])
def test_missing_scheme_is_said(url):
    """The message tells what was perhaps meant."""
    with pytest.raises(MissingSchema, match="No scheme supplied. Perhaps you meant https://"):
        _url.prepare(url)


@pytest.mark.parametrize("url", ["http://", "http:///path", "http:/path", "http:path", "http://:80", "http://u:p@"])
def test_missing_host_is_said(url):
    """A scheme alone is no URL."""
    with pytest.raises(InvalidURL, match="No host supplied"):
        _url.prepare(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://h:99999/",
        "http://h:x/",
        "http://fe80::5054:ff:fe5a:fc0",
        "http://a%2Fb/",
        "http://a b/",
        "http://a\nb/",
        "http://a\x00b/",
        "http://[example.com]/",
        "http://[::1].evil/",
        "http://[::1",
        "http://a|b/",
        "http://*.example.com/",
        "http://.example.com/",
        "http://a..b/",
        "http://" + "a" * 64 + ".com/",
        "http://☃.net/",
        "http://xn--example-.com/",
    ],
)
def test_unusable_hosts_are_refused(url):
    """Junk in a host is no host (CVE-2022-27780, RUSTSEC-2024-0421, CVE-2025-47912)."""
    with pytest.raises(InvalidURL):
        _url.prepare(url)


@pytest.mark.parametrize(
    "url, host",
    [
        ("http://a.example\\@b.example/", "a.example"),
        ("http://a.example#@b.example/", "a.example"),
        ("http://a.example?@b.example/", "a.example"),
        ("http://user:p@ss@a.example/", "a.example"),
        ("http://a.example:@b.example/", "b.example"),
        ("http://b.example:80@a.example/", "a.example"),
    ],
)
def test_all_parts_agree_about_the_host(url, host):
    """Where a request goes is where its credentials are for (CVE-2016-8624, CVE-2020-8169)."""
    prepared = _url.prepare(url)

    assert _url.origin(url)[1] == _url.origin(prepared)[1] == host
    assert _url.origin(_url.wire_url(prepared))[1] == host


@pytest.mark.parametrize(
    "params, query",
    [
        ({"a": "b"}, "a=b"),
        ([("a", ["1", "2"]), ("n", None)], "a=1&a=2"),
        ("x y", "x%20y"),
        (b"k=v", "k=v"),
        ({"é": "ü&"}, "%C3%A9=%C3%BC%26"),
        ({"a": 1, "b": True}, "a=1&b=True"),
        ({}, ""),
    ],
)
def test_params_join_the_query(params, query):
    """Before the fragment, behind what the query has already."""
    assert _url.prepare("http://h/p#f", params) == f"http://h/p{'?' if query else ''}{query}#f"
    assert _url.prepare("http://h/p?q=1", params) == f"http://h/p?q=1{'&' if query else ''}{query}"


@pytest.mark.parametrize(
    "url, auth",
    [
        ("http://user:pass%20word@h/", ("user", "pass word")),
        ("http://user:@h/", ("user", "")),
        ("http://:pass@h/", ("", "pass")),
        ("http://user@h/", ("", "")),
        ("http://h/a@b", ("", "")),
        ("http://u%3a:p:q@h/", ("u:", "p:q")),
    ],
)
def test_userinfo_is_unescaped(url, auth):
    """Both a name and a password, or nothing."""
    assert _url.get_auth_from_url(url) == auth


@pytest.mark.parametrize(
    "url, origin",
    [
        ("http://h/", ("http", "h", 80)),
        ("HTTPS://H:443/x", ("https", "h", 443)),
        ("http://u:p@[::1]:8/", ("http", "::1", 8)),
        ("ftp://h/", ("ftp", "h", None)),
    ],
)
def test_origin_is_scheme_host_and_port(url, origin):
    """A default port is the same written or not."""
    assert _url.origin(url) == origin


def test_wire_url_has_no_secret_and_no_fragment():
    """What never goes on the wire is cut, and nothing else."""
    assert _url.wire_url("http://u:p@h/a@b?c@d#e@f") == "http://h/a@b?c@d"


def test_path_url_is_path_and_query():
    """What the request line names."""
    assert _url.path_url("http://h") == "/"
    assert _url.path_url("http://h//v:h?a=b#c") == "//v:h?a=b"


@pytest.mark.parametrize(
    "url",
    [
        "http://" + "a" * 50 + "@" * 100_000 + "/",
        "http://h/" + "%" * 100_000,
        "http://h/" + "../" * 50_000,
        "http://h/" + "a/" * 50_000 + "../" * 50_000,
        "http://" + "ü" * 50_000 + "/",
        "http://" + "a." * 50_000 + "/",
        "http://h/" + "%zz" * 50_000,
        "http://[" + ":" * 100_000 + "]/",
        "http://xn--" + "a" * 100_000 + "/",
    ],
)
def test_time_is_linear(url):
    """No URL takes long, however it was made up (CVE-2021-33503, CVE-2024-3651, CVE-2026-56860)."""
    start = time.process_time()
    try:
        _url.prepare(url)
    except InvalidURL as error:
        assert len(str(error)) < 1000

    assert time.process_time() - start < 1


def test_long_urls_are_not_kept():
    """A server that redirects to ever longer ones fills no memory."""
    kept = _url._prepare.__closure__
    cached = next(cell.cell_contents for cell in kept if hasattr(cell.cell_contents, "cache_info"))
    before = cached.cache_info().currsize
    _url.prepare("http://h/" + "x" * 10_000)

    assert cached.cache_info().currsize == before


@pytest.mark.parametrize(
    "uri, quoted",
    [
        ("http://h/fiz?buz=%25ppicture", "http://h/fiz?buz=%25ppicture"),
        ("http://h/fiz?buz=%ppicture", "http://h/fiz?buz=%25ppicture"),
        ("http://h/%41 b", "http://h/A%20b"),
    ],
)
def test_requoting_escapes_once(uri, quoted):
    """However much was escaped before."""
    assert _url.requote_uri(uri) == quoted
    assert _url.requote_uri(quoted) == quoted


@pytest.mark.parametrize(
    "url, expected",
    [
        ("http://b\xfccher.example:80/", "http://xn--bcher-kva.example:80/"),
        (
            "socks5://b\xfccher:b\xfccher.example@b\xfccher.example",
            "socks5://b\xfccher:b\xfccher.example@xn--bcher-kva.example",
        ),
        ("http://\xfc@h/\xfc", "http://\xfc@h/\xfc"),
        ("http://h/", "http://h/"),
    ],
)
def test_a_host_of_other_letters_alone_is_changed(url, expected):
    """User, password and path are other things, though they may look the same."""
    assert _url.with_ascii_host(url) == expected
