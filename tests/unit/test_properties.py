"""What holds for any text that a caller or a server writes: tried by hypothesis, where `fuzz/` does it for the core.

A run makes the same examples each time.  Pieces are what parsers stumble over; text of all kinds is mixed in.
"""

from urllib.parse import parse_qsl, urlsplit

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as some

import requestx
from requestx import _url
from requestx._redirect import target
from requestx.exceptions import RequestException

# How fast the machine is says nothing of what holds.
NO_CLOCK = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much]}
ANY = settings(derandomize=True, database=None, max_examples=200, **NO_CLOCK)

PIECES = [
    *("http://", "HTTPS://", "a.example", "b.example", "[::1]", "[fe80::1%25eth0]", "[fe80::1%2541]", "user:pw", "@"),
    *(":", ":80", ":443", "/", "//", "\\", "?", "#", "%", "%41", "%2F", "%zz", "..", ".", "/../", "xn--", "&", "="),
    *("\xe9", "fa\xdf.de", "\uff41", "\u3002", "\u200d", "\t", "\n", " ", "\x00", '"', "<", "|", "[", "]"),
]
REFERENCES = some.lists(some.sampled_from(PIECES), max_size=8).map("".join) | some.text(max_size=20)
STARTS = some.sampled_from(["", "a.example", "a.example/", "a.example:80/b?", "[::1]/", "[fe80::1%2541]", "u:p@a/"])
URLS = some.tuples(some.just("http://"), STARTS, REFERENCES).map("".join)
WORDS = some.text(alphabet='ab"\r\n\\;=, \t\x00\xe9\u20ac/%-', max_size=12) | some.text(max_size=8)


def prepared(url):
    """The URL as it is sent to, or None where it is refused as it should be."""
    try:
        return _url.prepare(url)
    except RequestException:
        return None


@ANY
@given(URLS)
def test_preparing_twice_changes_nothing(url):
    """What was escaped once is not escaped again, and no escape is undone that was not there."""
    once = prepared(url)
    assume(once is not None)

    assert _url.prepare(once) == once


@ANY
@given(URLS)
def test_a_prepared_url_names_one_host(url):
    """The standard library reads the same one, before and after what never goes on the wire is taken off."""
    whole = prepared(url)
    assume(whole is not None)
    sent = _url.wire_url(whole)

    assert all("!" <= character <= "~" for character in whole)
    assert _url.hostname(whole) == urlsplit(whole).hostname == urlsplit(sent).hostname
    assert "@" not in urlsplit(sent).netloc and "#" not in sent


@ANY
@given(URLS, REFERENCES)
def test_a_redirect_that_names_no_host_stays(url, reference):
    """Only a scheme, or two slashes of either kind, lead elsewhere."""
    base = prepared(url)
    named = reference.lstrip().replace("\\", "/")
    assume(base is not None and not named.startswith("//"))
    assume(":" not in named.partition("/")[0].partition("?")[0].partition("#")[0])
    try:
        led = target(base, reference)
    except RequestException:
        return

    assert _url.origin(led) == _url.origin(base)


@ANY
@given(some.lists(some.tuples(WORDS, WORDS), max_size=4))
def test_params_come_back_as_they_were(params):
    """Whatever they hold, a server reads those pairs and no others."""
    query = urlsplit(_url.prepare("http://h/", params)).query

    assert parse_qsl(query, keep_blank_values=True) == params


@ANY
@given(WORDS, WORDS, some.binary(max_size=20), some.none() | WORDS)
def test_no_part_of_a_form_becomes_another(name, filename, data, kind):
    """A name, a file name and a type make at most two lines of head, and the data is all that follows."""
    try:
        request = requestx.Request("POST", "http://h/", files={name: (filename, data, kind)}).prepare()
    except (RequestException, ValueError):
        return
    mark = request.headers["Content-Type"].partition("boundary=")[2].encode()
    head, _, rest = request.body.partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")

    assert (first, rest) == (b"--" + mark, data + b"\r\n--" + mark + b"--\r\n")
    assert len(fields) <= 2 and not any(b"\r" in field or b"\n" in field for field in fields)


@ANY
@given(WORDS, WORDS)
def test_a_header_is_one_line_or_refused(name, value):
    """Neither its name nor its value can begin another."""
    try:
        request = requestx.Request("GET", "http://h/", headers={name: value}).prepare()
    except (RequestException, ValueError):
        return

    assert not any(mark in text for item in request.headers.items() for text in item for mark in "\r\n\x00")
