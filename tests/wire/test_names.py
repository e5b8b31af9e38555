"""From names to addresses: the caller's own, a resolver's, those that race, and sockets of this machine."""

import asyncio
import socket
import threading
import time
from ipaddress import ip_address, ip_network

import pytest
from server.steps import answer, close, request, send, serve

HEAD = b"GET /a HTTP/1.1\r\nHost: "


def bare(world, **settings):
    """A session of no environment, made with these settings, that sends no headers of its own."""
    session = world.session(settings, trust_env=False)
    session.headers.clear()
    return session


def fails(world, session, url, **more):
    """The ConnectionError of a request."""
    with pytest.raises(world.requestx.exceptions.ConnectionError) as caught:
        session.get(url, **more)
    return caught.value


# Addresses that the caller names


@pytest.mark.parametrize("place", ["origin.test", "ORIGIN.test:%d", "*", "*:%d"])
def test_a_host_has_the_addresses_that_the_caller_names(world, wire, place):
    """The request is as ever; only where it goes is another place."""
    site = wire(serve(b"named"))
    session = bare(world, resolve={place % site.port if "%" in place else place: "127.0.0.1"})

    assert session.get("http://origin.test:%d/a" % site.port).content == b"named"
    assert site.received == HEAD + b"origin.test:%d\r\n\r\n" % site.port


def test_named_addresses_are_for_their_host_and_port_alone(world, wire):
    """Others are looked up."""
    site = wire()
    session = bare(world, resolve={"origin.test:1": "127.0.0.1", "other.test": ["127.0.0.1", "::1"]})

    assert fails(world, session, "http://origin.test:%d/" % site.port).phase == "resolve"


def test_certificates_are_verified_for_the_name(world, tls_server, ca):
    """And not for the address."""
    session = world.session({"resolve": {"localhost": "127.0.0.1", "origin.test": "127.0.0.1"}}, trust_env=False)

    assert session.get(tls_server.at("localhost") + "/get", verify=ca).ok
    with pytest.raises(world.requestx.exceptions.SSLError, match="[Hh]ostname"):
        session.get(tls_server.at("origin.test") + "/get", verify=ca)


def test_named_addresses_are_judged_as_others_are(world, wire):
    """allow_addresses has the last word."""
    site = wire()
    session = bare(world, resolve={"origin.test": "127.0.0.1"}, allow_addresses="public")

    assert type(fails(world, session, "http://origin.test:%d/" % site.port)).__name__ == "AddressNotAllowed"
    assert site.connections == []


@pytest.mark.parametrize("first", ["2001:db8::1", "127.0.0.2"])
def test_an_address_that_does_not_answer_does_not_hold_up_the_others(world, listen, first):
    """RFC 8305: the next one sets out after 250 ms, or as soon as one has failed."""
    site = listen("everyday")
    session = bare(world, resolve={"origin.test": [first, "127.0.0.1"]})

    assert session.get("http://origin.test:%d/get" % site.port, timeout=5).ok


def test_what_is_no_entry_is_a_valueerror(world):
    """When it is set."""
    for entry in ({"a": "b"}, {"a:x": "127.0.0.1"}, {"a": []}, {"": "127.0.0.1"}):
        with pytest.raises(ValueError, match="host:port:address"):
            world.requestx.adapters.HTTPAdapter(resolve=entry)


# A resolver


def test_a_resolver_is_asked_for_names(world, wire):
    """Once for as long as its answer counts, and not for addresses; None leaves it to the system."""
    site = wire(serve(b"1") + serve(b"2"), serve(b"3"), serve(b"4"))
    asked = []

    def resolver(host, port):
        asked.append((host, port))
        return None if host == "localhost" else "127.0.0.1"

    session = bare(world, resolver=resolver)
    urls = [site.at(host) + "/a" for host in ("origin.test", "origin.test", "127.0.0.1", "localhost")]

    assert [session.get(url).content for url in urls] == [b"1", b"2", b"3", b"4"]
    assert asked == [("origin.test", site.port), ("localhost", site.port)]
    assert b"Host: origin.test:%d\r\n" % site.port in site.received


@pytest.mark.trio
@pytest.mark.parametrize("limit", [(0.2, 10), {"total": 0.2}, {"connect": 0.2, "total": 10}])
def test_time_goes_on_while_a_resolver_thinks(world, wire, limit):
    """It is time for connecting, and of the total; who awaits does not wait longer for it."""
    site, over = wire(serve(b"late")), threading.Event()
    timeout = limit if isinstance(limit, tuple) else world.requestx.TimeLimits(**limit)
    session = bare(world, resolver=lambda host, port: over.wait(60 if world.awaits else 0.3) or "127.0.0.1")
    began = time.monotonic()
    with pytest.raises(world.requestx.exceptions.ConnectTimeout, match="phase resolve") as caught:
        session.get(site.at("origin.test"), timeout=timeout)
    over.set()

    assert caught.value.phase == "resolve"
    assert time.monotonic() - began < 5
    assert site.connections == []


@pytest.mark.trio
def test_what_a_resolver_took_is_missing_later(world, listen):
    """One limit stands for resolving and connecting together."""
    site = listen("wire", accept=False, backlog=0)
    session = bare(world, resolver=lambda host, port: time.sleep(0.8) or "127.0.0.1")
    began = time.monotonic()
    with pytest.raises(world.requestx.exceptions.ConnectTimeout, match="phase connect"):
        session.get(site.at("origin.test"), timeout=(1.2, 10))

    assert 1.1 < time.monotonic() - began < 1.9


def test_a_resolver_may_be_awaited(world, wire):
    """Where the call is; a blocking one says what is wrong."""
    site = wire(serve(b"awaited"))

    async def resolver(host, port):
        await asyncio.sleep(0)
        return ["127.0.0.1"]

    session = bare(world, resolver=resolver)
    if world.awaits:
        assert session.get(site.at("origin.test") + "/a").content == b"awaited"
    else:
        with pytest.raises(TypeError, match="awaited"):
            session.get(site.at("origin.test"))


def test_a_resolver_without_an_answer_is_a_connectionerror(world, wire):
    """Whether it says so or raises."""

    def resolver(host, port):
        if host == "none.test":
            return []
        raise socket.gaierror(-2, "no such name")

    session = bare(world, resolver=resolver)

    assert "none.test" in str(fails(world, session, "http://none.test/"))
    assert "no such name" in str(fails(world, session, "http://raises.test/"))


@pytest.mark.parametrize(
    "kind", [str, ip_address, lambda text: [ip_address(text)], lambda text: (each for each in [text])]
)
def test_a_resolver_may_say_it_in_any_way(world, wire, kind):
    """A text, an address of the standard library's, or several."""
    site = wire(serve(b"found"))
    session = bare(world, resolver=lambda host, port: kind("127.0.0.1"))

    assert session.get(site.at("origin.test")).content == b"found"


@pytest.mark.parametrize("wrong", ["localhost", "127.0.0.1:80", b"127.0.0.1", ("127.0.0.1", 80), 5])
def test_a_resolver_that_says_what_is_no_address_is_asked_again(world, wire, wrong):
    """The error tells what it said, and the next call does not suffer from it."""
    site = wire(serve(b"found"))
    answers = iter([wrong, "127.0.0.1"])
    session = bare(world, resolver=lambda host, port: next(answers))
    with pytest.raises((TypeError, ValueError), match="resolver says"):
        session.get(site.at("origin.test"))

    assert session.get(site.at("origin.test")).content == b"found"


def test_a_network_is_one(world):
    """Of the standard library's: it could also be asked for all its sixteen million addresses."""
    adapter = world.requestx.adapters.HTTPAdapter(deny_addresses=ip_network("10.0.0.0/8"), allow_addresses=["public"])

    assert adapter.deny_addresses == ip_network("10.0.0.0/8")
    with pytest.raises(TypeError, match="deny_addresses is a text or several"):
        adapter.deny_addresses = b"10.0.0.0/8"


def test_a_resolver_is_asked_again_where_its_answer_led_nowhere(world, wire):
    """As the core looks a name up again."""
    answers = iter(["127.0.0.2", "127.0.0.1"])
    site = wire(serve(b"found"))
    session = bare(world, resolver=lambda host, port: next(answers))
    url = "http://origin.test:%d/" % site.port
    fails(world, session, url)

    assert session.get(url).content == b"found"


def test_what_a_resolver_says_is_judged(world, wire):
    """It says where a name is, and not what is allowed."""
    site = wire()
    session = bare(world, resolver=lambda host, port: "127.0.0.1", allow_addresses="public")

    assert type(fails(world, session, site.at("origin.test"))).__name__ == "AddressNotAllowed"


def test_a_resolver_is_not_asked_for_what_a_proxy_resolves(world, wire):
    """The name goes to the proxy."""
    site = wire(serve(b"proxied"))
    session = bare(world, resolver=lambda host, port: 1 / 0)
    proxies = {"all": "http://127.0.0.1:%d" % site.port}

    assert session.get("http://origin.test/", proxies=proxies).content == b"proxied"


# The cache


@pytest.mark.parametrize("life, times", [(60, 1), (1e-9, 3), (0, 3)])
def test_what_a_resolver_says_counts_for_its_time(world, wire, life, times):
    """For each connection, or once for several; the core's own cache is seen in ``abi/test_resolver.c``."""
    site, asked = wire(*[serve(b"ok", b"Connection: close")] * 3), []
    session = bare(world, dns_cache=life, resolver=lambda host, port: asked.append(host) or "127.0.0.1")
    for _ in range(3):
        session.get(site.at("origin.test"))

    assert (len(asked), len(site.connections)) == (times, 3)


def test_what_is_no_time_is_a_valueerror(world):
    """When it is set."""
    for wrong in (-1, "long", None):
        with pytest.raises(ValueError, match="dns_cache"):
            world.requestx.adapters.HTTPAdapter(dns_cache=wrong)


# Zones


def test_a_zone_is_told_to_nobody(world, listen):
    """RFC 6874: it is this machine's, and not in Host."""
    try:
        site = listen("wire", host="::1", scripts=[serve(b"here")])
    except RuntimeError:
        pytest.skip("no IPv6 here")
    session = bare(world, resolve={"*": "::1"})

    assert session.get("http://[fe80::1%%25lo]:%d/a" % site.port).content == b"here"
    assert site.received == HEAD + b"[fe80::1]:%d\r\n\r\n" % site.port


def test_a_zone_that_is_none_is_an_error(world):
    """Of resolving: no interface has that name."""
    session = bare(world)

    assert fails(world, session, "http://[fe80::1%25no-such-interface]/", timeout=5).phase == "resolve"


# Unix sockets


@pytest.fixture
def local(wire, tmp_path):
    """``local(script, ...)`` listens on a Unix socket as well, whose path is its ``path``."""

    def open_site(*scripts):
        path = str(tmp_path / "a socket")
        site = wire(*scripts, path=path)
        site.path = path
        site.address = "http+unix://" + path.replace("/", "%2F").replace(" ", "%20")
        return site

    return open_site


def test_a_unix_socket_serves_every_host(world, local):
    """The adapter says which; the URL says the rest. A proxy has no part in it."""
    site = local(serve(b"1") + serve(b"2"))
    session = bare(world, unix_socket=site.path)
    proxies = {"all": "http://127.0.0.1:1"}

    assert session.get("http://docker/a").content == b"1"
    assert session.get("http://docker/a", proxies=proxies).content == b"2"
    assert site.received == (HEAD + b"docker\r\n\r\n") * 2
    assert [each["address"] for each in site.connections] == ["unix"]


def test_a_url_may_name_the_socket(world, local):
    """As requests-unixsocket spells it, where an adapter is mounted for it; redirects stay there."""
    moved = answer(b"", b"Location: /a", status=b"302 Found")
    site = local([*serve(b"1"), request(), send(moved), *serve(b"2")])
    session = bare(world)
    session.mount("http+unix://", world.requestx.adapters.HTTPAdapter())

    assert session.get(site.address + "/a").content == b"1"
    assert session.get(site.address + "/b?c").content == b"2"
    assert site.received.startswith(HEAD + b"localhost\r\n\r\nGET /b?c HTTP/1.1\r\nHost: localhost\r\n")


def test_no_server_sends_anybody_to_a_socket(world, local, wire):
    """Who is redirected from elsewhere would be made to speak to what trusts this machine."""
    inside = local()
    outside = wire([request(), send(answer(b"", b"Location: %s/" % inside.address.encode(), status=b"302 Found"))])
    session = bare(world)
    session.mount("http+unix://", world.requestx.adapters.HTTPAdapter())

    with pytest.raises(world.requestx.exceptions.InvalidSchema, match="redirects"):
        session.get(outside.url)
    assert inside.connections == []


def test_a_url_names_no_socket_unless_that_is_asked_for(world, local):
    """Without an adapter, or where addresses are judged."""
    site = local()
    session = bare(world)
    with pytest.raises(world.requestx.exceptions.InvalidSchema):
        session.get(site.address + "/")
    session.mount("http+unix://", world.requestx.adapters.HTTPAdapter(allow_addresses="public"))

    assert type(fails(world, session, site.address + "/")).__name__ == "AddressNotAllowed"


def test_a_url_that_names_no_path_of_a_socket(world):
    """InvalidURL, as for other URLs that are none, with its request."""
    session = bare(world)
    session.mount("http+unix://", world.requestx.adapters.HTTPAdapter())
    with pytest.raises(world.requestx.exceptions.InvalidURL, match="names no socket") as caught:
        session.get("http+unix://%2Ftmp%00/a")

    assert caught.value.request.url == "http+unix://%2Ftmp%00/a"


def test_a_socket_that_is_not_there_is_a_connectionerror(world, tmp_path):
    """With its path, and the system's word."""
    error = fails(world, bare(world, unix_socket=str(tmp_path / "none")), "http://localhost/")

    assert (error.phase, "none" in str(error), "No such file" in str(error)) == ("connect", True, True)


def test_the_server_may_close_a_socket(world, local):
    """A new connection is made, as ever."""
    site = local([*serve(b"1"), close()], serve(b"2"))
    session = bare(world, unix_socket=site.path)
    first = session.get("http://localhost/a").content
    site.wait("closed 0")

    assert [first, session.get("http://localhost/a").content] == [b"1", b"2"]
