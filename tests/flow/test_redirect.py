"""Redirects: where they lead, with which method and body, and what is left behind."""

import io

import pytest
from flow.scenario import PausedSession, Scenario, response_to

import requestx
from requestx._ops import Call, Drain, Send
from requestx.sessions import SessionRedirectMixin


def followed(status=302, location="/b", first="http://a.test/a", method="get", **more):
    """The request that follows a redirect."""
    play = Scenario()
    getattr(play, method)(first, **more)
    play.answer(status, Location=location)
    assert isinstance(play.op, Send), play.op
    return play.op.request


def test_a_redirects_body_is_drained_before_the_next_is_sent():
    """Where it has to be pulled, so that its connection can be used again; there is a bound to it."""
    play = Scenario()
    play.get("http://a.test/", stream=True)
    answer = response_to(play.op.request, 302, b"elsewhere", {"Location": "/b"})
    answer.raw.anext = None  # as our own bodies have
    play.step(answer)

    assert isinstance(play.op, Drain)
    assert play.op.limit < 1 << 20


def test_history_is_in_order():
    """The oldest first; the last response knows them all."""
    play = Scenario()
    play.get("http://a.test/1")
    play.answer(301, Location="/2")
    play.answer(302, Location="/3")
    play.answer(200)

    assert [each.url for each in play.result.history] == ["http://a.test/1", "http://a.test/2"]
    assert play.result.url == "http://a.test/3"


@pytest.mark.parametrize(
    "location, expected",
    [
        ("/b", "http://a.test/b"),
        ("b", "http://a.test/x/b"),
        ("../b", "http://a.test/b"),
        ("?q", "http://a.test/x/y?q"),
        ("//b.test/c", "http://b.test/c"),
        ("https://b.test", "https://b.test"),
        ("https://b.test?q#f", "https://b.test?q#f"),
        ("https://b.test/?q", "https://b.test/?q"),
        ("HTTP://B.test/c", "http://b.test/c"),
        ("/ä b", "http://a.test/%C3%A4%20b"),
        ("/b#new", "http://a.test/b#new"),
        ("/b", "http://a.test/b"),
    ],
)
def test_location_is_resolved(location, expected):
    """Relative to the URL that answered."""
    request = followed(location=location, first="http://a.test/x/y")

    assert request.url.replace("B.test", "b.test") == expected


def test_fragment_is_inherited():
    """Unless the new one has its own (RFC 9110, 10.2.2)."""
    assert followed(first="http://a.test/a#f").url == "http://a.test/b#f"
    assert followed(first="http://a.test/a#f", location="/b#g").url == "http://a.test/b#g"


@pytest.mark.parametrize(
    "status, method, expected",
    [
        (301, "post", "GET"),
        (302, "post", "GET"),
        (303, "post", "GET"),
        (307, "post", "POST"),
        (308, "post", "POST"),
        (301, "put", "PUT"),
        (302, "put", "GET"),
        (303, "put", "GET"),
        (303, "head", "HEAD"),
        (302, "get", "GET"),
        (303, "delete", "GET"),
        (307, "delete", "DELETE"),
    ],
)
def test_method_changes_as_in_browsers(status, method, expected):
    """As requests does it, which is as browsers do."""
    more = {"allow_redirects": True} if method == "head" else {}

    assert followed(status, method=method, **more).method == expected


@pytest.mark.parametrize("status", [301, 302, 303])
def test_body_is_left_behind_with_its_headers(status):
    """A GET made of a POST has neither a body nor what described it (CVE-2023-45803)."""
    request = followed(status, method="post", data={"a": "b"}, headers={"X-A": "stays"})

    assert request.body is None
    assert not {"content-length", "content-type", "transfer-encoding"} & {name.lower() for name in request.headers}
    assert request.headers["X-A"] == "stays"


@pytest.mark.parametrize("status", [307, 308])
def test_body_goes_along_where_the_method_stays(status):
    """The same bytes, with the same headers."""
    request = followed(status, method="post", data={"a": "b"})

    assert (request.body, request.headers["Content-Length"]) == ("a=b", "3")


def test_file_is_rewound_for_the_next(tmp_path):
    """A body that was read once is read again from where it began."""
    path = tmp_path / "body"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        file.seek(3)
        play = Scenario()
        play.post("http://a.test/", data=file)
        file.read()
        play.answer(307, Location="/b")

        assert play.op.request.body.read() == b"3456789"


def test_body_that_cannot_be_rewound_is_an_error():
    """A stream that knows no position cannot be read again."""

    class Pipe(io.BytesIO):
        def tell(self):
            raise OSError("a pipe has no position")

    play = Scenario()
    play.post("http://a.test/", data=Pipe(b"x"))
    with pytest.raises(requestx.exceptions.UnrewindableBodyError):
        play.answer(307, Location="/b")


SECRETS = {"Authorization": "Bearer x", "Proxy-Authorization": "Basic y"}


@pytest.mark.parametrize(
    "first, location, kept",
    [
        ("http://a.test/", "/b", True),
        ("http://a.test/", "http://a.test:80/b", True),
        ("http://a.test/", "https://a.test/b", True),
        ("http://a.test/", "http://b.test/", False),
        ("http://a.test/", "http://a.test:8080/", False),
        ("https://a.test/", "http://a.test/", False),
        ("http://a.test/", "http://sub.a.test/", False),
        ("http://sub.a.test/", "http://a.test/", False),
        ("http://a.test/", "http://nota.test/", False),
        ("http://a.test/", "http://a.test.evil/", False),
    ],
)
@pytest.mark.parametrize("name", ["Authorization", "aUTHORIZATION"])
def test_authorization_stays_with_its_origin(first, location, kept, name):
    """Kept on the same host, and on the way from http to https on the default ports (CVE-2018-18074)."""
    request = followed(first=first, location=location, headers={name: "Bearer x"})

    assert ("Authorization" in request.headers) is kept


def test_authorization_does_not_come_back():
    """What was taken away at B is not there at B's next stop, nor back at A (CVE-2024-45336)."""
    play = Scenario()
    play.get("http://a.test/", headers={"Authorization": "Bearer x"})
    play.answer(302, Location="http://b.test/")
    play.answer(302, Location="http://b.test/2")
    assert "Authorization" not in play.op.request.headers
    play.answer(302, Location="http://a.test/")

    assert "Authorization" not in play.op.request.headers


@pytest.mark.parametrize("name", ["Cookie", "cookie", "Proxy-Authorization", "proxy-authorization"])
def test_secrets_of_other_kinds_do_not_cross_hosts(name):
    """A Cookie header of the caller's, and what is meant for a proxy (CVE-2014-1830, CVE-2023-43804)."""
    request = followed(location="http://b.test/", headers={name: "secret"})

    assert name not in request.headers


def test_cookies_of_the_call_do_not_cross_hosts():
    """``cookies=`` is for the host that was asked (CVE-2026-47265)."""
    request = followed(location="http://b.test/", cookies={"a": "1"})

    assert "Cookie" not in request.headers


def test_cookies_of_the_call_stay_on_the_host():
    """On the same host they go along."""
    assert followed(cookies={"a": "1"}).headers["Cookie"] == "a=1"


def test_cookies_set_by_a_redirect_are_sent_to_the_next():
    """And to no other host (CVE-2015-2296)."""
    play = Scenario()
    play.get("http://a.test/")
    play.answer(302, Location="/b", Set_Cookie="a=1")
    assert play.op.request.headers["Cookie"] == "a=1"
    play.answer(302, Location="http://b.test/")

    assert "Cookie" not in play.op.request.headers


def test_netrc_is_asked_again_for_the_new_host(tmp_path, monkeypatch):
    """The next host gets its own credentials, never the first one's (CVE-2014-1829)."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine a.test login a password a\nmachine b.test login b password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    play = Scenario()
    play.get("http://a.test/")
    play.answer(302, Location="http://b.test/")
    assert play.op.request.headers["Authorization"] == "Basic Yjpi"
    play.answer(302, Location="http://c.test/")

    assert "Authorization" not in play.op.request.headers


def test_there_is_an_end_to_redirects():
    """After max_redirects it is TooManyRedirects, with the last response in it."""
    play = Scenario()
    play.session.max_redirects = 3
    play.get("http://a.test/0")
    for number in range(1, 4):
        play.answer(302, Location="/%d" % number)
    with pytest.raises(requestx.TooManyRedirects) as caught:
        play.answer(302, Location="/4")

    assert caught.value.response.url == "http://a.test/3"
    assert len(play.sent) == 4


def test_there_is_an_end_to_a_location():
    """Of more than 64 KiB none is followed: that is the longest header line that requests reads."""
    play = Scenario()
    play.get("http://a.test/")
    play.answer(302, Location="/" + "b" * 65535)
    assert len(play.op.request.url) == len("http://a.test") + 65536
    with pytest.raises(requestx.exceptions.InvalidURL, match="Location of 65537 bytes"):
        play.answer(302, Location="/" + "b" * 65536)


def test_declined_redirect_is_the_response():
    """allow_redirects=False sends one request; ``next`` is the one that would follow."""
    play = Scenario()
    play.get("http://a.test/", allow_redirects=False)
    play.answer(302, Location="/b")

    assert play.op is None
    assert play.result.status_code == 302
    assert (play.result.next.method, play.result.next.url) == ("GET", "http://a.test/b")


def test_head_is_not_redirected_unless_asked():
    """As in requests."""
    play = Scenario()
    play.head("http://a.test/")
    play.answer(302, Location="/b")

    assert (play.op, play.result.status_code) == (None, 302)


@pytest.mark.parametrize("status, headers", [(300, {"Location": "/b"}), (304, {"Location": "/b"}), (302, {})])
def test_what_is_no_redirect_is_not_followed(status, headers):
    """Only 301, 302, 303, 307 and 308, and only with a Location."""
    play = Scenario()
    play.get("http://a.test/")
    play.answer(status, **headers)

    assert (play.op, play.result.status_code) == (None, status)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://a.test/", "gopher://a.test/", "data:text/plain,x"])
def test_other_schemes_are_never_followed(location):
    """CVE-2009-0037: the redirect is an InvalidSchema, and nothing was fetched."""
    play = Scenario()
    play.get("http://a.test/")
    with pytest.raises(requestx.exceptions.RequestException):
        play.answer(302, Location=location)

    assert len(play.sent) == 1


def test_hooks_are_called_for_every_hop():
    """A hook sees the redirect before it is followed."""
    play = Scenario()
    seen = []
    play.get("http://a.test/", hooks={"response": lambda r, **more: seen.append(r.status_code)})
    play.answer(302, Location="/b")
    play.perform()
    play.settle()
    play.answer(200)
    play.perform()

    assert seen == [302, 200]


def test_an_overridden_send_is_asked_for_every_hop():
    """A subclass's own send sees each request of a redirect, and is told not to follow it further."""
    seen = []

    class Mine(PausedSession):
        def send(self, request, **settings):
            seen.append((request.url, settings["allow_redirects"]))
            return response_to(request)

    play = Scenario(Mine())
    play.flow = requestx._flow.send(play.session, requestx.Request("GET", "http://a.test/").prepare(), {})
    play.step()
    play.answer(302, Location="/b")
    assert isinstance(play.op, Call)
    play.perform()
    play.settle()

    assert seen == [("http://a.test/b", False)]
    assert [each.url for each in play.result.history] == ["http://a.test/"]


def test_an_overridden_resolve_redirects_is_obeyed():
    """What it yields is what was followed."""

    class Mine(PausedSession):
        def resolve_redirects(self, resp, req, **settings):
            assert "allow_redirects" not in settings
            for number in (1, 2):
                yield response_to(requestx.Request("GET", f"http://mine.test/{number}").prepare())

    play = Scenario(Mine())
    play.get("http://a.test/")
    play.answer(302, Location="/b")
    play.perform()
    play.settle()

    assert play.result.url == "http://mine.test/2"
    assert [each.url for each in play.result.history] == ["http://a.test/", "http://mine.test/1"]


@pytest.mark.parametrize("stops, expected", [(False, "http://mine.test/"), (True, None)])
def test_an_overridden_resolve_redirects_says_what_would_follow(stops, expected):
    """A redirect that is not followed has the request in `next` that it yields, if it yields one."""

    class Mine(PausedSession):
        def resolve_redirects(self, resp, req, yield_requests=False, **settings):
            if not stops:
                yield requestx.Request("GET" if yield_requests else "PUT", "http://mine.test/").prepare()

    play = Scenario(Mine())
    play.get("http://a.test/", allow_redirects=False)
    play.answer(302, Location="/b")
    play.perform()
    play.settle()

    assert play.result.status_code == 302
    assert getattr(play.result.next, "url", None) == expected
    assert getattr(play.result.next, "method", "GET") == "GET"


def test_redirects_are_resolved_through_send():
    """Whatever the rules are mixed into has a send of its own, and need not be a Session."""

    class Mine(SessionRedirectMixin):
        max_redirects, trust_env, cookies = 30, False, {}
        sent = []

        def send(self, request, **settings):
            self.sent.append(settings)
            return response_to(request)

    request = requestx.Request("POST", "http://a.test/", data="x").prepare()
    first = response_to(request, 303, b"", {"Location": "/b"})
    found = list(Mine().resolve_redirects(first, request, stream=True))

    assert [(each.request.method, each.url) for each in found] == [("GET", "http://a.test/b")]
    assert Mine.sent[0]["allow_redirects"] is False
    assert Mine.sent[0]["stream"] is True


def test_an_absolute_location_needs_no_url_of_the_response():
    """A response made by hand may have none."""
    assert requestx._redirect.target(None, "http://a.test/b") == "http://a.test/b"
