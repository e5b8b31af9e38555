"""Proxies of HTTP's own kind: what they are told, what they are not, and what becomes of their refusals.

``proxy`` of the servers is one that works; a wire script plays one byte by byte, and the origin behind its tunnel too.
"""

import hashlib
import ssl
import warnings

import pytest
from server.steps import answer, close, head, receive, rst, secure, send, serve, wait

# verify=False warns, which is not what these tests are about.
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS")

SHORT = 0.3
OPEN = send(b"HTTP/1.1 200 Connection established\r\n\r\n")
BASIC = b"Basic YW5uOnB3"  # ann:pw


@pytest.fixture
def proxy(listen):
    """A proxy for everybody."""
    return listen("proxy")


@pytest.fixture
def guarded(listen):
    """A proxy for ann, whose password is pw."""
    return listen("proxy", login="ann:pw")


@pytest.fixture
def tunnel(wire, certs):
    """``tunnel(script, ...)``: a wire server on which TLS starts when the script says so."""
    return lambda *scripts: wire(*scripts, tls={"chain": certs.good}, later=True)


def through(site, login="", scheme="http"):
    """The mapping that sends everything through a site."""
    return {"all": "%s://%s%s:%d" % (scheme, login and login + "@", "localhost", site.port)}


def bare(world, **attributes):
    """A session that adds no header of its own."""
    session = world.session(**attributes)
    session.headers.clear()
    return session


def fails(world, site, url="https://origin.test/", login="", **more):
    """The ProxyError of a request through a site."""
    with pytest.raises(world.requestx.exceptions.ProxyError) as caught:
        world.get(url, proxies=through(site, login), **more)
    assert isinstance(caught.value, world.requestx.exceptions.ConnectionError)
    return caught.value


def heads(site):
    """Every request a site saw, its request line and its fields by name in lower case."""
    return [(each.line.decode(), {name.lower(): value for name, value in each.fields}) for each in site.requests]


# What goes where


def test_plain_request_names_its_whole_url(world, wire):
    """Absolute form without user, password and fragment (RFC 9112 section 3.2.2), and the origin as Host."""
    site = wire(serve(b"forwarded"))
    answered = bare(world).get("http://ann:pw@Origin.test:81/a?b=c#d", headers={"X-One": "1"}, proxies=through(site))

    expected = (
        b"GET http://origin.test:81/a?b=c HTTP/1.1\r\nHost: origin.test:81\r\nX-One: 1\r\n"
        b"Authorization: Basic YW5uOnB3\r\n\r\n"
    )
    assert (b"forwarded", expected) == (world.read(answered), site.requests[0].head)


def test_proxys_credentials_come_with_the_request(world, wire):
    """User and password of the proxy's URL are decoded, and sent as Basic."""
    site = wire(serve())
    bare(world).get("http://origin.test/", proxies=through(site, "a%40b:p%3Aw"))

    expected = (
        b"GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\nProxy-Authorization: Basic YUBiOnA6dw==\r\n\r\n"
    )
    assert expected == site.requests[0].head


def test_user_alone_is_sent_with_an_empty_password(world, wire):
    """As curl does; some services take a token for a user."""
    site = wire(serve())
    world.get("http://origin.test/", proxies=through(site, "token"))

    assert site.requests[0].field(b"Proxy-Authorization") == [b"Basic dG9rZW46"]


def test_connect_and_what_is_inside(world, tunnel, ca):
    """CONNECT has the place and what is for the proxy, and the origin's own head follows inside, over TLS.

    Neither hears what is meant for the other (CVE-2015-3153, CVE-2003-1605).
    """
    site = tunnel([head(), OPEN, secure(), *serve(b"inside")])
    url = "https://localhost:%d/a?b" % site.port
    fields = {"Authorization": "secret", "Cookie": "a=b"}
    answered = bare(world, verify=ca).get(url, headers=fields, proxies=through(site, "ann:pw"))

    connect, inside = site.requests
    expected = "CONNECT localhost:%d HTTP/1.1\r\nHost: localhost:%d\r\nProxy-Authorization: Basic YW5uOnB3\r\n\r\n"
    assert (b"inside", expected % (site.port, site.port)) == (world.read(answered), connect.head.decode())
    expected = "GET /a?b HTTP/1.1\r\nHost: localhost:%d\r\nAuthorization: secret\r\nCookie: a=b\r\n\r\n"
    assert expected % site.port == inside.head.decode()


def test_callers_proxy_authorization_goes_into_connect(world, tunnel, ca):
    """Never through the tunnel, where requests sends it (CVE-2023-32681)."""
    site = tunnel([head(), OPEN, secure(), *serve()])
    url = "https://localhost:%d/" % site.port
    world.get(url, headers={"proxy-authorization": "Bearer x"}, proxies=through(site), verify=ca)

    connect, inside = site.requests
    assert [b"Bearer x"] == connect.field(b"Proxy-Authorization")
    assert [] == inside.field(b"Proxy-Authorization")


def test_callers_proxy_authorization_goes_to_a_proxy_that_forwards(world, wire):
    """Where the proxy's URL has no credentials of its own."""
    site = wire(serve())
    world.get("http://origin.test/", headers={"Proxy-Authorization": "Bearer x"}, proxies=through(site))

    assert [b"Bearer x"] == site.requests[0].field(b"Proxy-Authorization")


def test_proxys_own_credentials_win(world, wire):
    """As in requests: what the proxy's URL says takes the place of the request's field."""
    site = wire(serve())
    world.get("http://origin.test/", headers={"PROXY-authorization": "x"}, proxies=through(site, "ann:pw"))

    assert [BASIC] == site.requests[0].field(b"Proxy-Authorization")


def test_proxy_headers_of_a_subclass_are_told_to_the_proxy_alone(world, wire, tunnel, ca):
    """``HTTPAdapter.proxy_headers`` is overridden by users: its fields are in CONNECT, or in what is forwarded."""

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def proxy_headers(self, proxy):
            return dict(super().proxy_headers(proxy), **{"X-Proxy": "for you"})

    session = world.session(verify=ca)
    session.mount("http://", Adapter())
    session.mount("https://", Adapter())
    plain, site = wire(serve()), tunnel([head(), OPEN, secure(), *serve()])
    session.get("http://origin.test/", proxies=through(plain, "ann:pw"))
    session.get("https://localhost:%d/" % site.port, proxies=through(site))

    seen = [each.field(b"X-Proxy") for each in plain.requests + site.requests]
    assert [[b"for you"], [b"for you"], []] == seen
    assert [BASIC] == plain.requests[0].field(b"Proxy-Authorization")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("kind", ["http", "socks5h"])
def test_adapter_that_has_a_say_in_its_connections(world, guarded, server, tls_server, ca, scheme, kind):
    """A subclass that overrides more than ``proxy_headers`` goes through the proxy as well, and logs in."""

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def add_headers(self, request, **settings):
            request.headers["X-Added"] = "1"

        def proxy_manager_for(self, proxy, **settings):
            return super().proxy_manager_for(proxy, **settings)

    origin = {"http": server.url, "https": tls_server.at("localhost")}[scheme]
    session = world.session(verify=ca)
    session.mount(scheme + "://", Adapter())
    answered = session.get(origin + "/get", proxies=through(guarded, "ann:pw", kind))

    assert ["X-Added", "1"] in answered.json()["headers"]
    assert len(guarded.requests) == 1


@pytest.mark.parametrize("field", [("X-A", "b\r\nX-C: d"), ("X-A\r\nX-C", "d"), ("X-A: b", "c")])
def test_proxy_headers_cannot_inject(world, proxy, field):
    """CR and LF for the proxy are refused as elsewhere (CVE-2026-1502)."""

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def proxy_headers(self, proxy):
            return dict([field])

    session = world.session()
    session.mount("https://", Adapter())
    with pytest.raises(world.requestx.exceptions.InvalidHeader):
        session.get("https://origin.test/", proxies=through(proxy))

    assert proxy.connections == []


def test_request_url_is_what_the_request_line_names(world):
    """``HTTPAdapter.request_url`` as in requests."""
    adapter = world.requestx.adapters.HTTPAdapter()
    plain = world.requestx.Request("GET", "http://u:p@a/b?c#d").prepare()
    over_tls = world.requestx.Request("GET", "https://a/b?c#d").prepare()

    assert "http://a/b?c" == adapter.request_url(plain, {"http": "p"})
    assert "/b?c" == adapter.request_url(plain, {}) == adapter.request_url(plain, {"all": "socks5://p"})
    assert "/b?c" == adapter.request_url(over_tls, {"all": "http://p"})


# Which proxy


@pytest.mark.parametrize("key", ["http://127.0.0.1", "http", "all://127.0.0.1", "all"])
def test_proxies_by_scheme_and_host(world, server, proxy, key):
    """The mapping of requests: by scheme and host, scheme, all schemes and host, all."""
    proxies = {
        key: "localhost:%d" % proxy.port,
        "https": "http://127.0.0.1:1",
        "http://other.test": "http://127.0.0.1:1",
    }

    assert "Via" in world.get(server.url + "/get", proxies=proxies).headers
    assert len(proxy.requests) == 1


def test_hosts_own_proxy_goes_before_its_schemes(world, server, proxy):
    """The narrower key wins."""
    proxies = {"http": "http://127.0.0.1:1", "http://127.0.0.1": proxy.url}

    assert world.get(server.url + "/get", proxies=proxies).ok


@pytest.mark.parametrize("proxies", [{}, {"http": None}, {"http": ""}, {"https": "http://127.0.0.1:1"}])
def test_no_proxy_means_directly(world, server, proxies):
    """An empty one is none."""
    assert "Via" not in world.get(server.url + "/get", proxies=proxies).headers


def test_sessions_proxies(world, server, proxy):
    """``Session.proxies`` holds for every call that says nothing else."""
    session = world.session(proxies=through(proxy))

    assert "Via" in session.get(server.url + "/get").headers
    assert "Via" not in session.get(server.url + "/get", proxies={"all": None}).headers


def test_proxy_of_one_call_does_not_linger(world, server, guarded):
    """What one call says of proxies, the next has never heard of (CVE-2015-3236, CVE-2026-9079)."""
    session = world.session()
    assert "Via" in session.get(server.url + "/get", proxies=through(guarded, "ann:pw")).headers
    later = session.get(server.url + "/get").json()["headers"]

    assert len(guarded.requests) == 1
    assert "proxy-authorization" not in [name.lower() for name, _ in later]


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_environment_names_a_proxy(world, server, proxy, monkeypatch, name):
    """With or without scheme, unless trust_env is off or NO_PROXY names the host."""
    monkeypatch.setenv(name, "localhost:%d" % proxy.port)

    assert "Via" in world.get(server.url + "/get").headers
    assert "Via" not in world.session(trust_env=False).get(server.url + "/get").headers
    monkeypatch.setenv("no_proxy", "10.0.0.0/8,127.0.0.0/8")
    assert "Via" not in world.get(server.url + "/get").headers


def test_session_notices_that_the_environment_has_changed(world, server, proxy, monkeypatch):
    """A request that went directly goes through the proxy once there is one, and the reverse."""
    session = world.session()
    seen = ["Via" in session.get(server.url + "/get").headers]
    monkeypatch.setenv("http_proxy", proxy.url)
    seen.append("Via" in session.get(server.url + "/get").headers)
    monkeypatch.delenv("http_proxy")
    seen.append("Via" in session.get(server.url + "/get").headers)

    assert seen == [False, True, False]


def test_clients_proxy_header_under_cgi_is_no_proxy(world, server, monkeypatch):
    """HTTP_PROXY may be a client's Proxy field there (httpoxy, CVE-2016-5386)."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUEST_METHOD", "GET")

    assert world.get(server.url + "/get").ok


@pytest.mark.parametrize(
    "url", ["http:/proxy:3128", "http://", "http://:8080", "http:///proxy", "https://", "http://ann:pw@", "http://p:x"]
)
def test_what_is_no_proxys_url(world, url):
    """InvalidProxyURL, before anything is connected, and without the password in it."""
    with pytest.raises(world.requestx.exceptions.InvalidProxyURL) as caught:
        world.get("http://127.0.0.1:1/", proxies={"http": url})

    assert "proxy URL" in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("proxies", ["http://127.0.0.1:1", [("http", "http://127.0.0.1:1")]])
def test_what_is_no_mapping_of_proxies_is_not_passed_by(world, wire, proxies):
    """A request that was to go through a proxy does not go directly."""
    site = wire([])
    with pytest.raises(TypeError, match="proxies is a mapping"):
        world.get(site.url, proxies=proxies)

    assert site.received == b""


@pytest.mark.parametrize("proxy", [5, b"http://127.0.0.1:1"])
def test_a_proxy_that_is_no_text(world, proxy):
    """The error names the request."""
    with pytest.raises(world.requestx.exceptions.InvalidProxyURL, match="to be a str") as caught:
        world.get("http://127.0.0.1:1/", proxies={"http": proxy})

    assert caught.value.request.url == "http://127.0.0.1:1/"


def test_a_proxys_name_may_have_any_letters(world, wire):
    """It is asked for as DNS has it."""
    site = wire(serve())
    session = world.session(transport={"resolve": {"xn--bcher-kva.example": "127.0.0.1"}})
    proxy = f"http://b\xfccher.example:{site.port}"

    assert session.get("http://origin.example/", proxies={"http": proxy}).content == b"ok"


@pytest.mark.parametrize("proxy", ["http://b\xfccher..example", "socks5://\u2603.example:1080"])
def test_a_proxys_name_that_none_can_have(world, proxy):
    """InvalidProxyURL, as for other URLs that are none."""
    with pytest.raises(world.requestx.exceptions.InvalidProxyURL, match="invalid label"):
        world.get("http://127.0.0.1:1/", proxies={"http": proxy})


def test_unknown_scheme_of_a_proxy(world):
    """It is not taken for another."""
    with pytest.raises(world.requestx.exceptions.InvalidProxyURL, match="gopher"):
        world.get("http://127.0.0.1:1/", proxies={"http": "gopher://proxy"})


@pytest.mark.parametrize("url", ["http:/proxy", "gopher://proxy", "socks4://ann:pw@proxy"])
@pytest.mark.parametrize("by", ["session", "adapter"])
def test_an_error_about_a_proxys_url_names_the_request(world, url, by):
    """As every exception of a request does, whoever sends it."""
    request = world.requestx.Request("GET", "http://127.0.0.1:1/").prepare()
    adapter = world.requestx.adapters.HTTPAdapter()
    send = world.session().send if by == "session" else adapter.send
    with pytest.raises(world.requestx.exceptions.InvalidURL) as caught:
        send(request, proxies={"http": url})

    assert caught.value.request is request


@pytest.mark.parametrize("field", [("X-A", "b\r\nX-C: d"), ("X-A: b", "c"), ("X-\u0100", "b")])
def test_an_error_about_a_proxys_headers_names_the_request(world, field):
    """Also where they cannot be written at all."""

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def proxy_headers(self, proxy):
            return dict([field])

    session = world.session()
    session.mount("https://", Adapter())
    with pytest.raises(world.requestx.exceptions.InvalidHeader) as caught:
        session.get("https://origin.test/", proxies={"https": "http://127.0.0.1:1"})

    assert caught.value.request.url == "https://origin.test/"


def test_an_unknown_schemes_error_names_the_request(world):
    """There is no adapter that could."""
    with pytest.raises(world.requestx.exceptions.InvalidSchema) as caught:
        world.get("test://a/")

    assert caught.value.request.url == "test://a/"


# Redirects


def test_redirect_to_https_leaves_no_credentials_in_the_request(world, guarded, server, tls_server, ca):
    """From a forwarded request into a tunnel: CONNECT has the proxy's credentials, the origin sees none."""
    url = server.url + "/redirect-to?url=" + tls_server.at("localhost") + "/get"
    answered = world.get(url, proxies=through(guarded, "ann:pw"), verify=ca)

    names = [name.lower() for name, _ in answered.json()["headers"]]
    assert "proxy-authorization" not in names
    assert [BASIC, BASIC] == [fields[b"proxy-authorization"] for _, fields in heads(guarded)]
    assert [line.split()[0] for line, _ in heads(guarded)] == ["GET", "CONNECT"]


def test_credentials_of_one_proxy_do_not_reach_another(world, server, guarded, proxy):
    """A redirect to a host with a proxy of its own (CVE-2026-6253)."""
    url = server.url + "/redirect-to?url=" + server.at("localhost") + "/get"
    proxies = {"http": through(guarded, "ann:pw")["all"], "http://localhost": proxy.url}

    assert world.get(url, proxies=proxies).ok
    assert [BASIC] == [fields.get(b"proxy-authorization") for _, fields in heads(guarded)]
    assert [None] == [fields.get(b"proxy-authorization") for _, fields in heads(proxy)]


def test_origins_credentials_do_not_follow_over_a_proxy(world, proxy, server, wire):
    """Authorization and Cookie stay with the first host, on one connection too (CVE-2026-44431, CVE-2026-34518)."""
    other = wire(serve())
    url = server.url + "/redirect-to?url=" + other.at("localhost")
    world.get(url, auth=("ann", "pw"), cookies={"a": "b"}, proxies=through(proxy))

    seen = [fields.keys() & {b"authorization", b"cookie"} for _, fields in heads(proxy)]
    assert seen == [{b"authorization", b"cookie"}, set()]
    assert len(proxy.connections) == 1


def test_netrc_of_one_host_is_not_used_for_another_over_a_proxy(world, proxy, server, monkeypatch, tmp_path):
    """Each request is looked up by its own host, whatever the connection (CVE-2026-6429)."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ann password pw\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    session = world.session(proxies=through(proxy))
    session.get(server.url + "/get")
    session.get(server.at("localhost") + "/get")

    assert [BASIC, None] == [fields.get(b"authorization") for _, fields in heads(proxy)]
    assert len(proxy.connections) == 1


def test_redirect_to_a_host_of_no_proxy_goes_directly(world, guarded, server, monkeypatch):
    """The environment's proxy is left behind, and its credentials with it."""
    monkeypatch.setenv("http_proxy", through(guarded, "ann:pw")["all"])
    monkeypatch.setenv("no_proxy", "localhost")
    answered = world.get(server.url + "/redirect-to?url=" + server.at("localhost") + "/get")

    assert "Via" not in answered.headers
    assert "proxy-authorization" not in [name.lower() for name, _ in answered.json()["headers"]]
    assert len(guarded.requests) == 1


def test_redirect_from_a_host_of_no_proxy_goes_through(world, proxy, server, monkeypatch):
    """The reverse."""
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "localhost")
    answered = world.get(server.at("localhost") + "/redirect-to?url=" + server.url + "/get")

    assert "Via" in answered.headers
    assert len(proxy.requests) == 1


# TLS


def test_tunnel_verifies_the_origin(world, proxy, listen, certs):
    """The caller's TLS settings hold inside (CVE-2026-9697)."""
    for name in ("wrong_host", "stranger", "self_signed"):
        site = listen("everyday", tls={"chain": getattr(certs, name)})
        with pytest.raises(world.requestx.exceptions.SSLError):
            world.get(site.at("localhost") + "/get", proxies=through(proxy), verify=certs.ca)
        assert site.requests == []
        assert world.get(site.at("localhost") + "/get", proxies=through(proxy), verify=False).ok


def test_client_certificate_is_shown_to_the_origin_in_a_tunnel(world, proxy, listen, certs):
    """``cert`` holds inside too."""
    site = listen("everyday", tls={"chain": certs.good, "client_ca": certs.ca})

    assert world.get(site.at("localhost") + "/get", proxies=through(proxy), verify=certs.ca, cert=certs.alice).ok
    assert site.connections[0]["tls"]["client"]["commonName"] == "alice"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_https_proxy(world, listen, server, tls_server, certs, scheme):
    """TLS to the proxy, which forwards; and TLS within TLS, to the origin."""
    site = listen("proxy", tls={"chain": certs.good}, login="ann:pw")
    origin = {"http": server.url, "https": tls_server.at("localhost")}[scheme]
    session = world.session(verify=certs.ca, proxies=through(site, "ann:pw", "https"))

    assert session.get(origin + "/bytes/300000").content == bytes(range(256)) * (300000 // 256) + bytes(range(224))
    assert session.post(origin + "/echo", data=b"x" * 300000).json()["length"] == 300000
    assert [each["tls"]["sni"] for each in site.connections] == ["localhost"]


@pytest.mark.parametrize("url", ["http://origin.test/", "https://origin.test/"])
@pytest.mark.parametrize("name", ["wrong_host", "stranger", "expired"])
def test_https_proxy_is_verified_by_its_own_name(world, listen, certs, name, url):
    """For a plain request too, which requests sends to whoever answers (CVE-2021-28363)."""
    site = listen("proxy", tls={"chain": getattr(certs, name)})
    with pytest.raises(world.requestx.exceptions.ProxyError, match="certificate"):
        world.get(url, proxies=through(site, "ann:pw", "https"), verify=certs.ca)

    assert site.requests == []


def test_https_proxys_certificate_says_nothing_of_the_origin(world, listen, certs):
    """The origin's is looked at for itself (CVE-2021-22890)."""
    site = listen("proxy", tls={"chain": certs.good})
    origin = listen("everyday", tls={"chain": certs.wrong_host})
    with pytest.raises(world.requestx.exceptions.SSLError):
        world.get(origin.at("localhost") + "/get", proxies=through(site, "", "https"), verify=certs.ca)

    assert origin.requests == []


def test_verify_false_holds_for_an_https_proxy(world, listen, server, certs):
    """As in requests."""
    site = listen("proxy", tls={"chain": certs.self_signed})

    assert world.get(server.url + "/get", proxies=through(site, "", "https"), verify=False).ok


def test_client_certificate_is_not_shown_to_an_https_proxy(world, listen, server, certs):
    """It is for origins."""
    site = listen("proxy", tls={"chain": certs.good, "client_ca": certs.ca, "max": "TLSv1_2"})
    with pytest.raises(world.requestx.exceptions.ConnectionError):
        world.get(server.url, proxies=through(site, "", "https"), verify=certs.ca, cert=certs.alice)

    assert site.requests == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_https_proxy_that_is_trusted_apart(world, listen, server, tls_server, certs, scheme):
    """``proxy_verify`` is for its certificate and for no other; until it is given, ``verify`` is for both."""
    site = listen("proxy", tls={"chain": certs.stranger})
    origin = {"http": server.url, "https": tls_server.at("localhost")}[scheme] + "/get"
    apart = world.session(
        transport={"proxy_verify": certs.other_ca}, verify=certs.ca, proxies=through(site, "", "https")
    )

    assert apart.get(origin).ok
    with pytest.raises(world.requestx.exceptions.ProxyError, match="certificate"):
        world.get(origin, proxies=through(site, "", "https"), verify=certs.ca)


def test_proxy_verify_says_nothing_of_the_origin(world, listen, certs):
    """Neither its authorities nor that it is not looked at."""
    site = listen("proxy", tls={"chain": certs.good})
    origin = listen("everyday", tls={"chain": certs.stranger})
    for proxy_verify in (False, certs.ca):
        session = world.session(
            transport={"proxy_verify": proxy_verify}, verify=certs.ca, proxies=through(site, "", "https")
        )
        with pytest.raises(world.requestx.exceptions.SSLError):
            session.get(origin.at("localhost") + "/get")

    assert origin.requests == []


def test_proxy_verify_false_warns(world, listen, server, certs):
    """As verify=False does, and without the proxy's credentials."""
    site = listen("proxy", tls={"chain": certs.stranger}, login="ann:pw")
    session = world.session(transport={"proxy_verify": False}, proxies=through(site, "ann:pw", "https"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert session.get(server.url + "/get").ok

    (warning,) = caught
    assert "to the proxy 'https://localhost:%d'" % site.port in str(warning.message)


def test_a_client_certificate_of_the_proxys_own(world, listen, certs):
    """``proxy_cert`` is shown to the proxy, and ``cert`` to the origin."""
    site = listen("proxy", tls={"chain": certs.good, "client_ca": certs.ca})
    origin = listen("everyday", tls={"chain": certs.good, "client_ca": certs.ca})
    session = world.session(
        transport={"proxy_cert": (certs.alice_cert, certs.alice_key)},
        verify=certs.ca,
        cert=certs.bob,
        proxies=through(site, "", "https"),
    )

    assert session.get(origin.at("localhost") + "/get").ok
    assert site.connections[0]["tls"]["client"]["commonName"] == "alice"
    assert origin.connections[0]["tls"]["client"]["commonName"] == "bob"


def test_connections_through_a_proxy_that_is_trusted_otherwise_are_not_shared(world, listen, server, certs):
    """One that was opened without looking is not used by who looks."""
    site = listen("proxy", tls={"chain": certs.stranger})
    session = world.session(transport={"proxy_verify": False}, verify=certs.ca, proxies=through(site, "", "https"))
    assert session.get(server.url + "/get").ok
    session.get_adapter(server.url).proxy_verify = certs.ca

    with pytest.raises(world.requestx.exceptions.ProxyError, match="certificate"):
        session.get(server.url + "/get")


def through_a_proxy_of_another_name(world, listen, certs, **keywords):
    """A session whose https proxy has a certificate for example.org, and whose pools have these keywords."""

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def init_poolmanager(self, *arguments, **more):
            super().init_poolmanager(*arguments, **more, **keywords)

    site = listen("proxy", tls={"chain": certs.wrong_host})
    session = world.session(verify=certs.ca, proxies=through(site, "", "https"))
    session.mount("http://", Adapter())
    return session


@pytest.mark.parametrize("name, well", [("localhost", False), ("example.org", True)])
def test_a_name_of_the_proxys_own(world, listen, server, certs, name, well):
    """``proxy_assert_hostname`` of urllib3's pools is looked for in its certificate."""
    session = through_a_proxy_of_another_name(world, listen, certs, proxy_assert_hostname=name)
    if well:
        assert session.get(server.url + "/get").ok
    else:
        with pytest.raises(world.requestx.exceptions.ProxyError):
            session.get(server.url + "/get")


@pytest.mark.parametrize("well", [True, False])
def test_a_pin_of_the_proxys_own(world, listen, server, certs, well):
    """``proxy_assert_fingerprint`` of urllib3's pools: its certificate has to be that one, whatever its name."""
    with open(certs.wrong_host) as file:
        pem = "-----BEGIN CERTIFICATE" + file.read().split("-----BEGIN CERTIFICATE")[1]
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() if well else "00" * 32
    session = through_a_proxy_of_another_name(world, listen, certs, proxy_assert_fingerprint=digest)
    if well:
        assert session.get(server.url + "/get").ok
    else:
        with pytest.raises(world.requestx.exceptions.ProxyError, match="ingerprint"):
            session.get(server.url + "/get")


def test_http_proxy_that_is_taken_for_an_https_one(world, wire):
    """Says what may be wrong."""
    site = wire([receive(5), send(b"HTTP/1.1 400 Bad Request\r\n\r\n")])
    with pytest.raises(world.requestx.exceptions.ProxyError, match="http:// in its URL") as caught:
        world.get("http://origin.test/", proxies=through(site, "", "https"))

    assert caught.value.phase == "secure"


# Refusals


def test_tunnel_that_is_refused(world, guarded):
    """A 407 is a ProxyError that says so, in requests' words, with what the proxy asks for and without our password."""
    problem = fails(world, guarded, login="ann:wrong")

    assert "Tunnel connection failed: 407 Who are you" in str(problem)
    assert "Unable to connect to proxy" in str(problem)
    assert 'Basic realm="tests"' in str(problem)
    assert "wrong" not in str(problem)
    assert (problem.phase, problem.proxy_status) == ("tunnel", 407)
    assert type(problem.args[0]).__name__ == "MaxRetryError"
    assert type(problem.args[0].reason).__name__ == "ProxyError"


def test_page_of_the_proxy_is_not_the_origins(world, wire):
    """A 403 with a body is an error that quotes it (FalseCONNECT)."""
    site = wire([head(), send(answer(b"<h1>blocked</h1>", status=b"403 Forbidden"))])
    problem = fails(world, site)

    assert "Tunnel connection failed: 403 Forbidden" in str(problem)
    assert "<h1>blocked</h1>" in str(problem)


@pytest.mark.parametrize(
    "script",
    [
        [head(), close()],
        [head(), rst()],
        [head(), send(b"HTTP/1.1 200 O"), close()],
        [head(), send(b"this is no HTTP\r\n\r\n")],
        [head(), send(b"HTTP/1.1 301 Moved\r\nLocation: http://elsewhere.test/\r\nContent-Length: 0\r\n\r\n")],
        [head(), send(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse")],
        [head(), send(b"HTTP/1.1 200 OK\r\n"), ["repeat", "X-A: b\r\n", 100000]],
    ],
    ids=["close", "rst", "half", "no-http", "redirect", "early", "endless"],
)
def test_answers_to_connect_that_open_no_tunnel(world, wire, script):
    """What is no 2xx, or comes too early, is an error of the connection (CVE-2022-42915)."""
    site = wire(script)
    problem = fails(world, site, login="ann:s3cret", verify=False)

    assert problem.phase == "tunnel"
    assert "tunnel to origin.test:443 through proxy http://localhost:%d: " % site.port in str(problem)
    assert "s3cret" not in str(problem)


@pytest.mark.parametrize(
    "said", [b"HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\n", b"HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 299 Fine\r\n\r\n"]
)
def test_answers_to_connect_that_open_a_tunnel(world, tunnel, ca, said):
    """Any 2xx does, after any 1xx, and its length means nothing (RFC 9110 section 9.3.6)."""
    site = tunnel([head(), send(said), secure(), *serve(b"inside")])

    assert world.get("https://localhost:%d/" % site.port, proxies=through(site), verify=ca).content == b"inside"


def test_407_of_a_proxy_that_forwards_is_a_response(world, guarded):
    """As any other status, with its body."""
    answered = world.get("http://origin.test/", proxies=through(guarded))

    assert (answered.status_code, answered.content) == (407, b"log in")


def test_a_forwarded_answer_that_is_cut_short_names_the_proxy(world, wire):
    """Nobody knows which of the two has done it."""
    site = wire([head(), send(answer(b"ok", b"Content-Length: 10", length=False)), close()])
    with pytest.raises(world.requestx.exceptions.ChunkedEncodingError, match="localhost:%d" % site.port) as caught:
        world.read(world.get("http://origin.test/", proxies=through(site, "ann:s3cret")))

    assert "http://origin.test/" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("script", [[head(), close()], [head(), rst()], [head(), wait("never")]])
def test_a_proxy_that_does_not_answer_what_it_should_forward_is_named(world, wire, script):
    """Whether it closes, resets or is silent."""
    site = wire(script)
    with pytest.raises(world.requestx.exceptions.RequestException, match="localhost:%d" % site.port) as caught:
        world.get("http://origin.test/", proxies=through(site, "ann:s3cret"), timeout=(5, SHORT))

    site.set("never")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://origin.test/", "https://origin.test/"])
def test_proxy_that_is_not_there(world, url):
    """A refused connection is a ProxyError, in requests' words."""
    with pytest.raises(world.requestx.exceptions.ProxyError, match="Cannot connect to proxy") as caught:
        world.get(url, proxies={"all": "http://127.0.0.1:1"})

    assert "Max retries exceeded with url" in str(caught.value)
    assert (caught.value.phase, caught.value.errno) == ("connect", 111)


def test_proxy_without_an_address(world):
    """So is a name that cannot be resolved."""
    with pytest.raises(world.requestx.exceptions.ProxyError, match="Cannot connect to proxy") as caught:
        world.get("http://origin.test/", proxies={"all": "http://no-such-proxy.invalid:3128"})

    assert caught.value.phase == "resolve"


# Time, connections, processes


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 2", b"HTTP/1.1 102 Wait\r\n\r\n"])
def test_tunnel_that_takes_too_long(world, wire, said):
    """The connect time-out holds until the tunnel is there."""
    site = wire([head(), send(said), wait("never")])
    with pytest.raises(world.requestx.exceptions.ConnectTimeout, match="tunnel") as caught:
        world.get("https://origin.test/", proxies=through(site), timeout=(SHORT, 10))

    assert caught.value.phase == "tunnel"
    site.set("never")
    assert site.end(0) in ("eof", "reset")


def test_proxy_that_does_not_let_itself_be_connected(world, listen):
    """Connecting to it is a matter of the connect time-out."""
    site = listen("wire", backlog=0, accept=False)
    with pytest.raises(world.requestx.exceptions.ConnectTimeout) as caught:
        world.get("http://origin.test/", proxies={"all": "http://127.0.0.1:%d" % site.port}, timeout=SHORT)

    assert caught.value.phase == "connect"


@pytest.mark.parametrize("url", ["http://origin.test/", "https://origin.test/"])
def test_an_https_proxy_that_is_silent(world, wire, url):
    """TLS with it is a matter of the connect time-out, and the error names it."""
    site = wire([wait("never")])
    with pytest.raises(world.requestx.exceptions.ConnectTimeout, match="TLS handshake with proxy https://") as caught:
        world.get(url, proxies=through(site, "ann:s3cret", "https"), timeout=(SHORT, 10))

    site.set("never")
    assert caught.value.phase == "secure"
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("kind", ["http", "socks5", "socks5h"])
def test_an_origin_with_an_ipv6_address(world, proxy, listen, certs, kind, scheme):
    """It is named in brackets, or sent as sixteen bytes."""
    site = listen("everyday", host="::1", tls={"chain": certs.good} if scheme == "https" else None)
    proxies = {"all": "%s://127.0.0.1:%d" % (kind, proxy.port)}

    assert world.get(site.url + "/get", proxies=proxies, verify=certs.ca).ok
    assert len(proxy.requests) == 1


@pytest.mark.parametrize("kind", ["socks4", "socks4a"])
def test_an_ipv6_address_where_the_proxy_takes_none(world, proxy, kind):
    """SOCKS4 has four bytes for it: the error says so, and the proxy is asked for nothing."""
    with pytest.raises(world.requestx.exceptions.ConnectionError, match="IPv4|IPv6"):
        world.get("http://[::1]:80/", proxies={"all": "%s://127.0.0.1:%d" % (kind, proxy.port)})

    assert proxy.requests == []


@pytest.mark.parametrize("kind", ["http", "socks4", "socks4a", "socks5", "socks5h"])
def test_a_proxy_with_an_ipv6_address(world, listen, server, kind):
    """In brackets, as in every URL."""
    site = listen("proxy", host="::1")

    assert world.get(server.url + "/get", proxies={"all": "%s://[::1]:%d" % (kind, site.port)}).ok
    assert len(site.requests) == 1


def test_tunnel_is_used_again(world, proxy, tls_server, ca):
    """One CONNECT for many requests to one origin."""
    session = world.session(verify=ca, proxies=through(proxy))
    for _ in range(3):
        assert session.get(tls_server.at("localhost") + "/get").ok

    assert len(proxy.requests) == len(tls_server.connections) == 1


def test_tunnel_is_its_origins_own(world, proxy, tls_server, ca):
    """Another host, another CONNECT."""
    session = world.session(verify=ca, proxies=through(proxy))
    for host in ("localhost", "127.0.0.1"):
        assert session.get(tls_server.at(host) + "/get").ok

    assert len(proxy.requests) == 2


def test_proxy_that_forwards_keeps_one_connection_for_all_origins(world, proxy, server, wire):
    """They are all its own."""
    other = wire(serve())
    session = world.session(proxies=through(proxy))
    session.get(server.url + "/get")
    session.get(other.url)
    session.get(server.at("localhost") + "/get")

    assert [3] == [len(each["requests"]) for each in proxy.connections]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_other_credentials_are_another_connection(world, proxy, server, tls_server, ca, scheme):
    """Upper and lower case of a password differ as well (CVE-2016-8616, CVE-2026-3784)."""
    origin = {"http": server.url, "https": tls_server.at("localhost")}[scheme]
    session = world.session(verify=ca)
    for login in ("ann:pw", "ann:PW", "", "ann:pw"):
        assert session.get(origin + "/get", proxies=through(proxy, login)).ok
    session.get(origin + "/get", proxies=through(proxy), headers={"Proxy-Authorization": "Bearer x"})

    told = {"http": 3, "https": 4}[scheme]  # a forwarded request brings its own, and the connection knows of none
    assert len(proxy.connections) == told


def test_direct_connection_is_not_used_for_a_request_through_a_proxy(world, proxy, server):
    """Nor the reverse, though the proxy's address be the same."""
    session = world.session()
    session.get(server.url + "/get")
    session.get(server.url + "/get", proxies=through(proxy))
    session.get(server.url + "/get")

    assert len(server.connections) == 2
    assert len(proxy.connections) == 1


def test_tunnel_that_died_while_idle_is_replaced(world, tunnel, ca):
    """The proxy closed it: the next request opens another, silently."""
    one = [head(), OPEN, secure(), *serve(b"1"), wait("close"), close()]
    site = tunnel(one, [head(), OPEN, secure(), *serve(b"2")])
    session = world.session(verify=ca, proxies=through(site))
    url = "https://localhost:%d/" % site.port
    session.get(url)
    site.set("close")
    site.wait("closed 0")

    assert session.get(url).content == b"2"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_bodies_in_both_directions(world, proxy, server, tls_server, ca, scheme):
    """Chunked, with a length, streamed: through a proxy as elsewhere."""
    origin = {"http": server.url, "https": tls_server.at("localhost")}[scheme]
    session = world.session(verify=ca, proxies=through(proxy))
    assert session.post(origin + "/echo", data=b"x" * 2000000).json()["length"] == 2000000
    answered = session.get(origin + "/stream/2000000", stream=True)
    assert sum(map(len, world.pieces(answered, 65536))) == 2000000


def test_fork_with_a_tunnel(child, proxy, tls_server, ca):
    """The child opens its own; the parent's goes on."""
    source = """
warnings.simplefilter("ignore", DeprecationWarning)
session = requestx.Session()
session.verify, session.proxies = sys.argv[2], {"all": sys.argv[3]}
ok = lambda: session.get(url + "/get").raise_for_status()
ok()
pid = os.fork()
if not pid:
    signal.alarm(8)
    ok()
    ok()
    os._exit(0)
print(os.waitpid(pid, 0)[1])
ok()
"""
    outcome = child(source, tls_server.at("localhost"), ca, proxy.url)

    assert (outcome.out, outcome.clean) == ("0\n", True), outcome
    assert [len(each["requests"]) for each in tls_server.connections] == [2, 2]


def test_call_that_is_given_up_closes_its_tunnel(awaited, wire):
    """Cancelling while CONNECT waits."""
    site = wire([head(), wait("never")])
    session = awaited.session(proxies=through(site))
    call = session.start("get", "https://origin.test/")
    site.wait("open 0")
    call.cancel()
    site.set("never")

    assert site.end(0) in ("eof", "reset")
