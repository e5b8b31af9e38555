"""SOCKS4, SOCKS4a, SOCKS5 and SOCKS5h, byte by byte, and with a proxy that works.

Names under ``.test`` have an address at that proxy and nowhere else: who resolves a name shows.
"""

import pytest
from server.steps import close, receive, rst, send, serve, wait

SHORT = 0.3
KINDS = ["socks4", "socks4a", "socks5", "socks5h"]
AGREED5 = send(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38")
AGREED4 = send(b"\x00\x5a\x00\x00\x00\x00\x00\x00")


@pytest.fixture
def proxy(listen):
    """A proxy for everybody."""
    return listen("proxy")


def through(site, kind, login=""):
    """The mapping that sends everything through a site."""
    return {"all": "%s://%s127.0.0.1:%d" % (kind, login and login + "@", site.port)}


def lines(site):
    """What a proxy was asked for."""
    return [each.head.decode() for each in site.requests]


def fails(world, site, kind, login="", url="http://127.0.0.1:80/", **more):
    """The ProxyError of a request through a site, which failed while the tunnel was made."""
    with pytest.raises(world.requestx.exceptions.ProxyError) as caught:
        world.get(url, proxies=through(site, kind, login), **more)
    assert caught.value.phase == "tunnel"
    return str(caught.value)


# Bytes


def test_socks5_greets_and_names_the_place(world, wire):
    """RFC 1928: one method, a name, a port; then the request as it would be without a proxy."""
    site = wire([receive(3), send(b"\x05\x00"), receive(18), AGREED5, *serve(b"inside")])
    session = world.session()
    session.headers.clear()
    answered = session.get("http://origin.test/a", proxies=through(site, "socks5h"))

    greeting = b"\x05\x01\x00\x05\x01\x00\x03\x0borigin.test\x00\x50"
    assert (b"inside", greeting + b"GET /a HTTP/1.1\r\nHost: origin.test\r\n\r\n") == (answered.content, site.received)


def test_socks5_logs_in(world, wire):
    """RFC 1929, decoded from the URL, where the proxy wants it."""
    asked = [receive(4), send(b"\x05\x02"), receive(8), send(b"\x01\x00"), receive(10), AGREED5, *serve()]
    site = wire(asked)
    world.get("http://127.0.0.1:8080/", proxies=through(site, "socks5", "a%40b:p%3A"))

    told = [b"\x05\x02\x00\x02", b"\x01\x03a@b\x02p:", b"\x05\x01\x00\x01\x7f\x00\x00\x01\x1f\x90"]
    assert site.received.startswith(b"".join(told))


def test_socks5_does_not_log_in_where_nobody_asks(world, wire):
    """The proxy chooses."""
    site = wire([receive(4), send(b"\x05\x00"), receive(10), AGREED5, *serve(b"inside")])

    assert world.get("http://127.0.0.1/", proxies=through(site, "socks5", "ann:pw")).content == b"inside"
    assert b"pw" not in site.received


@pytest.mark.parametrize(
    "bound", [b"\x01\x00\x00\x00\x00\x00\x00", b"\x03\x04name\x00\x50", b"\x04" + bytes(18), b"\x03\x00\x00\x00"]
)
def test_socks5_answers_of_every_form(world, wire, bound):
    """The bound address is read to its end and not one byte further, however it comes."""
    agreed = [send(bytes([byte])) for byte in b"\x05\x00\x00" + bound]
    site = wire([receive(3), send(b"\x05"), send(b"\x00"), receive(10), *agreed, *serve(b"inside")])

    assert world.get("http://127.0.0.1/", proxies=through(site, "socks5")).content == b"inside"


def test_socks5_takes_ipv6_addresses(world, wire):
    """As sixteen bytes."""
    site = wire([receive(3), send(b"\x05\x00"), receive(22), AGREED5, *serve()])
    world.get("http://[::1]:8080/", proxies=through(site, "socks5"))

    assert site.received.startswith(b"\x05\x01\x00\x05\x01\x00\x04" + bytes(15) + b"\x01\x1f\x90GET /")


def test_socks4_sends_address_and_user(world, wire):
    """Port, address, user, NUL."""
    site = wire([receive(12), AGREED4, *serve(b"inside")])

    assert world.get("http://127.0.0.1:8080/", proxies=through(site, "socks4", "ann")).content == b"inside"
    assert site.received.startswith(b"\x04\x01\x1f\x90\x7f\x00\x00\x01ann\x00GET /")


def test_socks4a_sends_the_name(world, wire):
    """Behind an address that is none."""
    site = wire([receive(21), AGREED4, *serve(b"inside")])

    assert world.get("http://origin.test/", proxies=through(site, "socks4a")).content == b"inside"
    assert site.received.startswith(b"\x04\x01\x00\x50\x00\x00\x00\x01\x00origin.test\x00GET /")


# Who resolves


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_resolved_where_the_scheme_says(world, proxy, server, kind):
    """Here for socks4 and socks5; there for socks4a and socks5h."""
    assert world.get(server.at("localhost") + "/get", proxies=through(proxy, kind)).ok

    told = {"4": "ADDRESS", "5": "ADDRESS", "a": "NAME localhost", "h": "NAME localhost"}[kind[-1]]
    assert lines(proxy)[0].startswith("%s %s" % (kind[:6].upper(), told))


@pytest.mark.parametrize("kind", ["socks4a", "socks5h"])
def test_name_that_only_the_proxy_knows(world, proxy, server, kind):
    """Nothing is looked up here."""
    assert world.get(server.at("origin.test") + "/get", proxies=through(proxy, kind)).ok


@pytest.mark.parametrize("kind", ["socks4", "socks5"])
def test_name_that_is_not_known_here(world, proxy, server, kind):
    """The origin's name has no address: not the proxy's fault, and the proxy is not asked."""
    with pytest.raises(world.requestx.exceptions.ConnectionError) as caught:
        world.get("http://no-such-host.invalid/", proxies=through(proxy, kind))

    assert not isinstance(caught.value, world.requestx.exceptions.ProxyError)
    assert caught.value.phase == "resolve"
    assert lines(proxy) == []


def test_name_that_is_too_long_goes_nowhere(world, proxy):
    """256 bytes do not fit into SOCKS5's one byte of length (CVE-2023-38545)."""
    with pytest.raises(world.requestx.exceptions.InvalidURL):
        world.get("http://%s/" % ".".join(["a" * 63] * 4 + ["b"]), proxies=through(proxy, "socks5h"))

    assert proxy.connections == []


# Everything else as without


@pytest.mark.parametrize("kind", KINDS)
def test_tls_inside_is_verified(world, proxy, listen, certs, kind):
    """The caller's settings hold inside (CVE-2026-9697)."""
    good, bad = (listen("everyday", tls={"chain": chain}) for chain in (certs.good, certs.wrong_host))
    session = world.session(verify=certs.ca, proxies=through(proxy, kind))
    assert session.get(good.at("localhost") + "/get").ok
    with pytest.raises(world.requestx.exceptions.SSLError):
        session.get(bad.at("localhost") + "/get")

    assert bad.requests == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_origin_has_its_own_connection_and_keeps_it(world, proxy, server, wire, kind):
    """Two hosts behind one proxy do not get each other's requests (CVE-2026-6734)."""
    other = wire([*serve(b"1"), *serve(b"2")])
    session = world.session(proxies=through(proxy, kind))
    for expected in (b"1", b"2"):
        assert session.get(server.url + "/get").ok
        assert session.get(other.url).content == expected

    assert len(lines(proxy)) == 2


@pytest.mark.parametrize("kind", ["socks5", "socks5h"])
def test_other_credentials_are_another_connection(world, listen, server, kind):
    """What was let in with one password is not used with another."""
    guarded = listen("proxy", login="ann:pw")
    session = world.session()
    assert session.get(server.url + "/get", proxies=through(guarded, kind, "ann:pw")).ok
    for login in ("ann:PW", ""):
        with pytest.raises(world.requestx.exceptions.ProxyError):
            session.get(server.url + "/get", proxies=through(guarded, kind, login))

    assert len(server.requests) == 1


def test_credentials_do_not_reach_the_origin(world, listen, server):
    """A redirect from http sets no Proxy-Authorization where there is no proxy of HTTP's kind."""
    guarded = listen("proxy", login="ann:pw")
    answered = world.get(server.url + "/redirect/1", proxies=through(guarded, "socks5", "ann:pw"))

    assert "proxy-authorization" not in [name.lower() for name, _ in answered.json()["headers"]]


def test_proxy_authorization_is_refused(world, proxy, server):
    """A field for a proxy of HTTP's kind would go to the origin."""
    with pytest.raises(world.requestx.exceptions.InvalidHeader, match="SOCKS|socks"):
        world.get(server.url, headers={"Proxy-Authorization": "x"}, proxies=through(proxy, "socks5"))

    assert server.requests == []


@pytest.mark.parametrize("kind, login", [("socks4", "ann:pw"), ("socks5", "a" * 256 + ":pw"), ("socks5", ":pw")])
def test_credentials_that_do_not_fit_are_refused(world, proxy, kind, login):
    """SOCKS4 has no password; a user of SOCKS5 has 1 to 255 bytes."""
    with pytest.raises(world.requestx.exceptions.InvalidURL):
        world.get("http://127.0.0.1/", proxies=through(proxy, kind, login))

    assert proxy.connections == []


# Refusals


def test_password_that_is_not_taken(world, listen):
    """Says so, without the password."""
    problem = fails(world, listen("proxy", login="ann:pw"), "socks5", "ann:wrong")

    assert "SOCKS5 authentication failed" in problem
    assert "wrong" not in problem


def test_password_that_is_missing(world, listen):
    """Says that one is wanted."""
    assert "wants user and password" in fails(world, listen("proxy", login="ann:pw"), "socks5")


def test_origin_that_cannot_be_reached(world, proxy):
    """SOCKS's own code and its meaning."""
    assert "0x05: Connection refused" in fails(world, proxy, "socks5", url="http://127.0.0.1:1/")


@pytest.mark.parametrize(
    "kind, script",
    [
        ("socks5", [receive(3), close()]),
        ("socks5", [receive(3), rst()]),
        ("socks5", [receive(3), send(b"HTTP/1.1 400 Bad Request\r\n\r\n")]),
        ("socks5", [receive(3), send(b"\x05\x02")]),
        ("socks5", [receive(3), send(b"\x05\x00"), receive(10), send(b"\x05\x00\x00"), close()]),
        ("socks5", [receive(3), send(b"\x05\x00"), receive(10), send(b"\x05\x00\x00\x09")]),
        ("socks4", [receive(9), send(b"\x00\x5b" + bytes(6))]),
        ("socks4", [receive(9), send(b"HTTP/1.1 400 Bad Request\r\n\r\n")]),
    ],
)
def test_answers_that_open_no_tunnel(world, wire, kind, script):
    """Whatever is no agreement is a ProxyError."""
    assert "tunnel to 127.0.0.1:80 through proxy %s" % kind in fails(world, wire(script), kind)


@pytest.mark.parametrize("script", [[wait("never")], [receive(3), send(b"\x05\x00"), wait("never")]])
def test_proxy_that_takes_too_long(world, wire, script):
    """The connect time-out holds until the tunnel is there."""
    site = wire(script)
    with pytest.raises(world.requestx.exceptions.ConnectTimeout, match="tunnel"):
        world.get("http://127.0.0.1/", proxies=through(site, "socks5"), timeout=(SHORT, 10))

    site.set("never")
    assert site.end(0) in ("eof", "reset")
