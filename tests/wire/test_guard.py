"""Which addresses an adapter connects to: judged after resolving, for each connection, and before anything is sent."""

import pickle

import pytest
from server.steps import receive, send, serve, wait


def guarded(world, **settings):
    """A session of no environment that is made with these settings."""
    return world.session(settings, trust_env=False)


def refused(world, session, url, **more):
    """What the exception says of a request that is not allowed."""
    with pytest.raises(world.requestx.exceptions.AddressNotAllowed) as caught:
        session.get(url, **more)
    assert isinstance(caught.value, world.requestx.exceptions.ConnectionError)
    assert caught.value.phase == "connect"
    return str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "127.1",
        "0",
        "10.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "224.0.0.1",
    ],
)
def test_what_is_not_public_is_refused_however_it_is_spelt(world, server, host):
    """The name is resolved as ever, and what it resolves to is judged."""
    session = guarded(world, allow_addresses="public")

    assert "not allowed to" in refused(world, session, "http://%s:%d/get" % (host, server.port))
    assert server.connections == []


def test_the_error_names_the_addresses(world, server):
    """One can see what a name resolved to."""
    said = refused(world, guarded(world, allow_addresses="public"), server.at("localhost") + "/get")

    assert "localhost:%d" % server.port in said
    assert "127.0.0.1" in said


def test_a_redirect_is_judged_as_every_request_is(world, listen):
    """Each hop has a connection, and each connection an address."""
    inside, outside = listen("everyday"), listen("everyday", host="127.0.0.2")
    session = guarded(world, allow_addresses=["127.0.0.2"])
    url = outside.at("127.0.0.2") + "/redirect-to?url=" + inside.at("127.0.0.1") + "/get"

    refused(world, session, url)
    assert (len(outside.requests), inside.connections) == (1, [])


def test_networks_are_allowed_and_denied(world, server):
    """What is denied is denied although it is allowed."""
    url = server.at("127.0.0.1") + "/get"

    assert guarded(world, allow_addresses=["public", "127.0.0.0/8"]).get(url).ok
    assert guarded(world, deny_addresses="10.0.0.0/8,127.0.0.2").get(url).ok
    refused(world, guarded(world, allow_addresses="127.0.0.0/8", deny_addresses=["127.0.0.1/32"]), url)
    for other in ("[::ffff:127.0.0.1]", "0.0.0.0"):  # the latter is where this machine listens, to most systems
        refused(world, guarded(world, deny_addresses="127.0.0.0/8"), server.at(other) + "/get")


def test_a_setting_that_comes_later_counts_for_the_next_request(world, server):
    """Neither a request that is kept ready nor an open connection passes it by."""
    session = guarded(world)
    url = server.at("127.0.0.1") + "/get"
    assert session.get(url).ok and session.get(url).ok
    session.get_adapter(url).allow_addresses = "public"

    refused(world, session, url)


def test_a_proxy_has_an_address_as_well(world, wire):
    """It is what is connected to."""
    site = wire()
    session = guarded(world, allow_addresses="public")

    assert "proxy" in refused(world, session, "http://8.8.8.8/", proxies={"all": "socks5://127.0.0.1:%d" % site.port})


@pytest.mark.parametrize("kind", ["http", "socks4a", "socks5h"])
def test_a_proxy_that_resolves_names_is_told_none(world, wire, kind):
    """Where it would go cannot be seen; addresses can."""
    site = wire()
    session = guarded(world, allow_addresses=["public", "127.0.0.1"])
    proxies = {"all": "%s://127.0.0.1:%d" % (kind, site.port)}

    assert "cannot be seen" in refused(world, session, "http://origin.test/", proxies=proxies)
    assert "cannot be seen" in refused(world, session, "http://2130706433/", proxies=proxies)
    assert "not allowed to 10.0.0.1" in refused(world, session, "http://10.0.0.1/", proxies=proxies)
    assert site.connections == []


def test_a_proxy_that_is_trusted_is_told_names(world, wire):
    """Then it is the proxy that has rules; addresses are judged here all the same."""
    site = wire([*serve(b"through")])
    session = guarded(world, allow_addresses="127.0.0.1", trust_proxy=True)
    proxies = {"all": "http://127.0.0.1:%d" % site.port}

    assert session.get("http://origin.test/", proxies=proxies).content == b"through"
    refused(world, session, "http://10.0.0.1/", proxies=proxies)


def test_what_is_resolved_here_for_a_proxy_is_judged_here(world, wire):
    """SOCKS5 is told an address, and which one is known."""
    site = wire([receive(3), send(b"\x05\x00"), wait("never")])
    session = guarded(world, allow_addresses="127.0.0.1", deny_addresses="::1,127.0.0.2")
    proxies = {"all": "socks5://127.0.0.1:%d" % site.port}

    assert "127.0.0.2" in refused(world, session, "http://127.0.2/", proxies=proxies)


def test_what_is_no_network_is_a_valueerror(world):
    """When it is set, and with what is wrong with it."""
    adapter = world.requestx.adapters.HTTPAdapter
    for settings in ({"allow_addresses": "private"}, {"deny_addresses": ["10.0.0.0/33"]}, {"allow_addresses": []}):
        with pytest.raises(ValueError, match="address"):
            adapter(**settings)
    with pytest.raises(TypeError, match="allow_addresses"):
        adapter(allow_addresses=1)


def test_a_copy_of_the_adapter_is_as_strict(world, server):
    """Pickled, as sessions are sent to other processes."""
    session = world.session(trust_env=False)
    adapter = world.requestx.adapters.HTTPAdapter(allow_addresses="public")
    session.mount("http://", pickle.loads(pickle.dumps(adapter)))

    refused(world, session, server.at("127.0.0.1") + "/get")


def test_it_is_not_tried_again(world, wire):
    """Another try would be refused as well."""
    session = guarded(world, allow_addresses="public", max_retries=3)

    refused(world, session, wire().url)


def test_a_pool_that_connects_by_itself_is_no_way_around(world):
    """A setting that would be ignored is an error."""

    class OtherPool:
        pass

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def get_connection_with_tls_context(self, *arguments, **more):
            return OtherPool()

    session = world.session(trust_env=False)
    session.mount("http://", Adapter(allow_addresses="public"))

    with pytest.raises(ValueError, match="allow_addresses= says nothing"):
        session.get("http://127.0.0.1/")
