"""Credentials stay with the origin they were given for: every way they might leave it, judged by who would get them.

``here`` is the site that is asked, and leads elsewhere; what the other place saw is what counts.
The names in the tests are those of published advisories.
"""

import pytest
from server.steps import answer

import requestx
from requestx.auth import HTTPDigestAuth

SECRETS = {
    "auth": {"auth": ("ann", "s3cret")},
    "header": {"headers": {"Authorization": "Bearer s3cret"}},
    "odd spelling": {"headers": {"aUTHORIZATION": "Bearer s3cret"}},
    "bytes": {"headers": {b"Authorization": b"Bearer s3cret"}},
    "proxy's": {"headers": {"Proxy-Authorization": "Basic s3cret"}},
    "proxy's odd spelling": {"headers": {"PROXY-authorization": "Basic s3cret"}},
    "Cookie": {"headers": {"Cookie": "s3cret=1"}},
    "cookies": {"cookies": {"s3cret": "1"}},
    "callable": {"auth": lambda request: request.headers.update({"Authorization": "s3cret"}) or request},
}
BASIC = b"YW5uOnMzY3JldA"  # ann:s3cret


def moved(location, status="302 Found", *fields):
    return text(answer(b"", *[field.encode() for field in ("Location: " + location, *fields)], status=status.encode()))


def text(data):
    return data.decode("latin-1")


OK = text(answer())


@pytest.fixture
def here(listen):
    """The site that is asked."""
    return listen("mirror")


@pytest.fixture
def port(listen):
    """The same host on another port."""
    site = listen("mirror")
    site.play({})
    return site


@pytest.fixture
def secure(listen, certs):
    """A site with TLS."""
    return listen("mirror", tls={"chain": certs.good})


@pytest.fixture
def netrc(tmp_path, monkeypatch):
    """Writes a netrc."""
    path = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(path))
    return path.write_text


def heads(site):
    return [head for head, _ in site.seen]


def leaks(head):
    """Whether a head has any of the secrets."""
    return b"s3cret" in head or BASIC in head


@pytest.mark.parametrize("secret", SECRETS)
def test_not_to_another_host(world, here, secret):
    """CVE-2018-20060, CVE-2018-25091, CVE-2023-43804, CVE-2024-37891, CVE-2026-34518, CVE-2026-47265."""
    here.play({"/a": [moved(here.at("localhost") + "/b")]})
    world.get(here.url + "/a", **SECRETS[secret])
    asked, elsewhere = heads(here)

    assert leaks(asked)
    assert not leaks(elsewhere)


@pytest.mark.parametrize("secret", [name for name in SECRETS if "ookie" not in name])
def test_not_to_another_port(world, here, port, secret):
    """CVE-2022-27774, CVE-2022-27776; cookies know no ports (RFC 6265, 8.5)."""
    here.play({"/a": [moved(port.url + "/b")]})
    world.get(here.url + "/a", **SECRETS[secret])

    assert [leaks(head) for head in heads(port)] == [False]


@pytest.mark.parametrize("secret", SECRETS)
def test_not_from_https_to_http(world, here, secure, ca, secret):
    """CVE-2018-18074: what was secured does not go out in the open."""
    secure.play({"/a": [moved(here.url + "/b")]})
    here.play({})
    world.get(secure.url + "/a", verify=ca, **SECRETS[secret])

    assert [leaks(head) for head in heads(secure) + heads(here)] == [True, False]


@pytest.mark.parametrize("secret", ["auth", "header", "cookies"])
def test_not_anywhere_after_it_was_taken_away(world, here, port, secret):
    """CVE-2024-45336: what was stripped on the way to B is not at B's next stop, nor back at A."""
    there = here.at("localhost")
    pages = {"/a": [moved(there + "/b")], "/b": [moved("/c")], "/c": [moved(here.url + "/d")]}
    here.play(pages)
    world.get(here.url + "/a", **SECRETS[secret])

    assert [leaks(head) for head in heads(here)] == [True, False, False, False]


def test_credentials_in_a_url_stay_there(world, here):
    """Those of the URL that was asked are not those of the next."""
    here.play({"/a": [moved(here.at("localhost") + "/b")]})
    world.get(here.at("ann:s3cret@127.0.0.1") + "/a")

    assert [leaks(head) for head in heads(here)] == [True, False]


def test_kept_on_the_same_origin(world, here):
    """Or nobody could log in."""
    here.play({"/a": [moved("/b")]})
    world.get(here.url + "/a", auth=("ann", "s3cret"), cookies={"s3cret": "1"})

    assert [head.count(b"s3cret") + head.count(BASIC) for head in heads(here)] == [2, 2]


def test_headers_of_ones_own_are_forwarded(world, here):
    """As requests and curl do: nobody but the caller knows which of them is a secret (CVE-2026-40895)."""
    here.play({"/a": [moved(here.at("localhost") + "/b")]})
    world.get(here.url + "/a", headers={"X-API-Key": "k"})

    assert [b"X-API-Key: k" in head for head in heads(here)] == [True, True]


def test_netrc_does_not_follow(world, here, netrc):
    """CVE-2014-1829: what netrc has for the first host is for the first host."""
    netrc("machine 127.0.0.1 login ann password s3cret\n")
    here.play({"/a": [moved(here.at("localhost") + "/b")]})
    world.get(here.url + "/a")

    assert [b"Authorization" in head for head in heads(here)] == [True, False]


@pytest.mark.parametrize(
    "other", ["machine localhost login bob\n", "machine localhost\n", "default\n", "default login bob\n"]
)
def test_entry_without_a_password_gets_none(world, here, netrc, other):
    """CVE-2024-11053, CVE-2025-0167: it does not borrow that of the host before."""
    netrc("machine 127.0.0.1 login ann password s3cret\n" + other)
    here.play({"/a": [moved(here.at("localhost") + "/b")]})
    world.get(here.url + "/a")

    assert b"Authorization" not in heads(here)[1]  # before 3.11 netrc takes none of such a file


def test_token_is_not_sent_where_netrc_has_an_entry(world, here, netrc):
    """CVE-2026-3783: B gets its own credentials, and nothing of A's."""
    netrc("machine localhost login bob password b\n")
    here.play({"/a": [moved(here.at("localhost") + "/b")]})
    world.get(here.url + "/a", headers={"Authorization": "Bearer s3cret"})

    assert [leaks(head) for head in heads(here)] == [True, False]
    assert b"Authorization: Basic Ym9iOmI=" in heads(here)[1]


def test_netrc_is_asked_for_the_host_and_not_for_the_user(world, here, netrc):
    """CVE-2024-47081: what stands before the @ is no host."""
    netrc("machine a.test login ann password s3cret\n")
    here.play({})
    world.get(here.at("a.test:@127.0.0.1"))

    assert not leaks(heads(here)[0])


def test_netrc_of_another_user_is_not_taken(world, here, netrc):
    """CVE-2026-8926: a URL that names bob does not get ann's password."""
    netrc("machine 127.0.0.1 login ann password s3cret\n")
    here.play({})
    world.get(here.at("bob@127.0.0.1"))

    assert not leaks(heads(here)[0])


def test_digest_is_not_told_to_another_origin(world, here, port):
    """GHSA-hpj7-wq8m-9hgp: a redirect's target challenges, and gets no answer."""
    challenge = b'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'
    here.play({"/a": [moved(port.url + "/b")]})
    port.play({"*": [text(answer(b"", challenge, status=b"401 x"))]})
    response = world.get(here.url + "/a", auth=HTTPDigestAuth("ann", "s3cret"))

    assert response.status_code == 401
    assert [b"Authorization" in head for head in heads(port)] == [False]


def test_digest_of_one_host_is_not_shown_to_the_next(world, here, port):
    """CVE-2026-11856: a nonce is for the server that gave it."""
    challenge = b'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'
    here.play({"*": [text(answer(b"", challenge, status=b"401 x")), OK]})
    session = world.session(auth=HTTPDigestAuth("ann", "s3cret"))
    session.get(here.url)
    session.get(port.url)

    assert [b"Authorization" in head for head in heads(here)] == [False, True]
    assert [b"Authorization" in head for head in heads(port)] == [False]


def test_cookie_of_a_redirect_is_for_its_host(world, here):
    """CVE-2015-2296: what A sets on the way does not go to B."""
    here.play({"/a": [moved(here.at("localhost") + "/b", "302 Found", "Set-Cookie: s3cret=1; Path=/")]})
    session = world.session()
    session.get(here.url + "/a")
    session.get(here.url + "/c")

    assert [leaks(head) for head in heads(here)] == [False, False, True]


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x"])
def test_body_does_not_follow_where_a_post_becomes_a_get(world, here, status):
    """CVE-2023-45803: nor what describes it."""
    here.play({"/a": [moved("/b", status)]})
    world.post(here.url + "/a", json={"s3cret": 1})
    head, body = here.seen[1]

    assert (head[:4], body) == (b"GET ", b"")
    assert b"Content-" not in head


def test_redirects_that_are_not_wanted_are_not_followed(world, here):
    """CVE-2025-50181: one request, whoever says so."""
    here.play({"*": [moved("/b")]})
    session = world.session()
    session.get(here.url + "/a", allow_redirects=False)
    session.send(session.prepare_request(requestx.Request("GET", here.url + "/a")), allow_redirects=False)
    world.request("GET", here.url + "/a", allow_redirects=False)

    assert len(here.seen) == 3


@pytest.mark.parametrize(
    "scheme", ["file:///etc/passwd", "ftp://a.test/", "gopher://a.test/", "data:text/plain,x", "javascript:alert(1)"]
)
def test_other_schemes_are_not_followed(world, here, scheme):
    """CVE-2009-0037: InvalidSchema, and nothing is fetched."""
    here.play({"*": [moved(scheme)]})
    with pytest.raises(requestx.exceptions.InvalidSchema):
        world.get(here.url)

    assert len(here.seen) == 1


def test_no_referer_is_made_up(world, here):
    """CVE-2021-22876: the URL before may have had a password in it."""
    here.play({"/a": [moved("/b")]})
    world.get(here.at("ann:s3cret@127.0.0.1") + "/a")

    assert not any(b"Referer" in head for head in heads(here))


def test_header_taken_away_stays_away(world, here):
    """CVE-2026-9546: what one call said is not said by the next."""
    here.play({})
    session = world.session()
    session.headers["Referer"] = "http://a.test/s3cret"
    session.get(here.url)
    session.get(here.url, headers={"Referer": None})
    del session.headers["Referer"]
    session.get(here.url)

    assert [leaks(head) for head in heads(here)] == [True, False, False]


@pytest.mark.parametrize(
    "new", ["http://notfoo.com/", "http://foo.com.evil/", "http://sub.foo.com/", "http://foo.co/", "http://foo.com:81/"]
)
def test_hosts_that_look_alike_are_others(new):
    """CVE-2023-45289: a tail, a head or a sub-domain is not the host."""
    assert requestx.Session().should_strip_auth("http://foo.com/", new)
