"""HTTP/2 behind proxies of every kind: a tunnel leads there, and what is inside is shared as elsewhere."""

import pytest
from server import frames, steps

ANSWER = frames.head(1) + frames.data(1, b"ok", end=True)
KINDS = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]


@pytest.fixture
def proxy(listen, certs):
    """``proxy(kind, login)``: a proxy that works, and the mapping that sends everything through it."""

    def opened(kind, login=""):
        site = listen("proxy", tls={"chain": certs.good} if kind == "https" else None, login=login or None)
        return site, {"all": "%s://%slocalhost:%d" % (kind, login and login + "@", site.port)}

    return opened


@pytest.mark.parametrize("kind", KINDS)
def test_many_requests_share_one_tunnel(world, streams, proxy, ca, kind):
    """ALPN is the origin's, and a burst makes one tunnel."""
    site, (via, proxies) = streams(), proxy(kind)
    session = world.session(verify=ca, proxies=proxies)
    calls = [session.start("get", site.at("localhost") + "/slow") for _ in range(10)]
    site.wait("request 10")
    site.set("release")

    assert {(call.result().json()["connection"], call.result().raw.version) for call in calls} == {(0, 20)}
    assert (len(via.connections), len(site.connections)) == (1, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_known_beforehand_it_goes_through_a_tunnel_over_tcp_too(world, streams, proxy, ca, kind):
    """A proxy that forwards is spoken to in HTTP/1.1, so http2="only" asks it for a tunnel."""
    site, (via, proxies) = streams(plain=True), proxy(kind)
    session = world.session(transport={"http2": "only"}, verify=ca, proxies=proxies)
    response = session.post(site.url + "/echo", data=b"inside")

    assert (response.raw.version, response.json()["body"]) == (20, "inside")
    assert "socks" in kind or via.requests[0].line == b"CONNECT 127.0.0.1:%d HTTP/1.1" % site.port


def test_a_server_may_have_the_first_word(world, wire):
    """Its SETTINGS come as soon as the tunnel is there (RFC 9113, 3.4); over TLS nothing does, and is refused."""
    opened = b"HTTP/1.1 200 Connection established\r\n\r\n" + frames.SETTINGS
    site = wire([steps.head(), steps.send(opened), steps.receive(len(frames.PREFACE) + 60), steps.send(ANSWER)])
    session = world.session(transport={"http2": "only"}, proxies={"all": site.url})

    assert session.get("http://origin.test/").content == b"ok"
    assert site.received.startswith(b"CONNECT origin.test:80 HTTP/1.1\r\n")


@pytest.mark.parametrize("kind", ["http", "https", "socks5"])
@pytest.mark.parametrize("plain", [False, True])
def test_neither_hears_what_is_for_the_other(world, streams, proxy, ca, kind, plain):
    """The proxy's credentials are not told inside, and the origin's not outside."""
    site, (via, proxies) = streams(plain=plain), proxy(kind, "ann:pw")
    session = world.session(transport={"http2": "only"}, verify=ca, proxies=proxies)
    said = session.get(site.at("localhost") + "/echo", headers={"Authorization": "secret"}).json()

    assert dict(said["headers"])["authorization"] == "secret"
    assert "proxy-authorization" not in dict(said["headers"])
    assert [b"secret" in each.head for each in via.requests] == [False]


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_other_credentials_are_another_tunnel(world, streams, proxy, ca, kind):
    """Seats on a connection are for those who were let in as its opener was."""
    site, proxies = streams(), proxy(kind, "ann:pw")[1]
    session = world.session(verify=ca)
    assert session.get(site.at("localhost") + "/echo", proxies=proxies).ok
    other = {"all": proxies["all"].replace("ann:pw", "ann:PW")}
    with pytest.raises(world.requestx.exceptions.ProxyError):
        session.get(site.at("localhost") + "/echo", proxies=other)

    assert len(site.requests) == 1
