"""TLS: who is trusted, under which name, with which identity, and where a connection may be used again.

The server's record says what the client let happen: a refused certificate leaves a failed handshake and no request.
"""

import ssl

import pytest
from server.steps import answer, close, notify, request, send, serve

# verify=False warns, which is not what these tests are about.
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS")

BAD = ["wrong_host", "stranger", "expired", "cn_only", "mail_only", "address_only", "self_signed"]


@pytest.fixture
def secured(listen, certs):
    """``secured(name)`` is an everyday server with that certificate."""
    return lambda name, **more: listen("everyday", tls=dict(chain=getattr(certs, name), **more))


def refused(world, site, url, session=None, **more):
    """The request raises SSLError, and nothing of it reached the server."""
    before = len(site.requests)
    with pytest.raises(world.requestx.exceptions.SSLError) as caught:
        (session or world).get(url, **more)

    assert len(site.requests) == before
    return caught.value


def test_good_certificate_under_each_of_its_names(world, tls_server, ca):
    """Host names and addresses of the certificate are accepted, whatever the case of the name."""
    for host in ("localhost", "127.0.0.1", "LOCALHOST"):
        assert world.get(tls_server.at(host) + "/get", verify=ca).ok


def test_default_roots_reject_it(world, tls_server):
    """An authority that nobody named is not trusted."""
    problem = refused(world, tls_server, tls_server.at("localhost"))

    assert isinstance(problem, world.requestx.exceptions.ConnectionError)
    assert "localhost" in str(problem)
    assert "certificate" in str(problem).lower()


@pytest.mark.parametrize("name", BAD)
def test_bad_certificates_are_refused(world, secured, certs, name):
    """Wrong host, stranger's authority, expired, no subject alternative name, self-signed."""
    site = secured(name)

    refused(world, site, site.at("localhost"), verify=certs.ca)


@pytest.mark.parametrize("name", BAD)
def test_bad_certificates_pass_when_nobody_looks(world, secured, name):
    """verify=False accepts every one of them."""
    site = secured(name)

    assert world.get(site.at("localhost") + "/get", verify=False).ok


@pytest.mark.filterwarnings("default")
def test_not_looking_is_warned_of(world, secured):
    """By urllib3's warning, for each host; not where the certificate is known by its fingerprint."""
    site = secured("self_signed")
    session = world.session()
    for host in ("localhost", "127.0.0.1"):
        with pytest.warns(world.requestx.packages.urllib3.exceptions.InsecureRequestWarning, match=host):
            session.get(site.at(host) + "/get", verify=False)


def test_address_that_is_not_in_the_certificate(world, secured, certs):
    """A host name in the certificate does not stand for its address."""
    site = secured("wrong_host")

    refused(world, site, site.at("127.0.0.1"), verify=certs.ca)


def test_wrong_host_is_refused_every_time(world, secured, certs):
    """The second look is as thorough as the first (CVE-2013-2037)."""
    site = secured("wrong_host")
    session = world.session(verify=certs.ca)

    refused(world, site, site.at("localhost"), session)
    refused(world, site, site.at("localhost"), session)


def test_host_header_is_not_the_name_that_is_checked(world, secured, certs):
    """The name comes from the URL; a Host header changes neither it nor SNI."""
    site = secured("wrong_host")

    refused(world, site, site.at("localhost"), verify=certs.ca, headers={"Host": "example.org"})


def test_server_name_is_sent(world, tls_server, ca):
    """SNI is the host of the URL, and is left out for an address."""
    world.get(tls_server.at("localhost") + "/get", verify=ca)
    world.get(tls_server.at("127.0.0.1") + "/get", verify=ca)

    assert [each["tls"]["sni"] for each in tls_server.connections] == ["localhost", None]


def test_the_last_dot_of_a_name_is_neither_sent_nor_looked_for(world, tls_server, ca):
    """A name is the same with it; SNI has none (RFC 6066, 3), and certificates have none."""
    session = world.session(verify=ca, transport={"resolve": {"localhost.": "127.0.0.1"}})

    assert session.get(tls_server.at("localhost.") + "/get").ok
    assert tls_server.connections[0]["tls"]["sni"] == "localhost"


def test_verify_may_be_the_sessions(world, tls_server, ca):
    """``Session.verify`` is used where the call says nothing."""
    assert world.session(verify=ca).get(tls_server.at("localhost") + "/get").ok


def test_verify_may_be_a_folder(world, tls_server, ca, tool, tmp_path):
    """A folder of certificates under their hashes, as c_rehash makes it."""
    import shutil
    import subprocess

    digest = subprocess.check_output([tool("openssl"), "x509", "-hash", "-noout", "-in", ca]).decode().strip()
    shutil.copy(ca, str(tmp_path / (digest + ".0")))

    assert world.get(tls_server.at("localhost") + "/get", verify=str(tmp_path)).ok


def test_bundle_of_the_environment_is_used(world, tls_server, ca, monkeypatch):
    """REQUESTS_CA_BUNDLE names the trusted authorities unless trust_env is off."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca)

    assert world.get(tls_server.at("localhost") + "/get").ok
    refused(world, tls_server, tls_server.at("localhost"), world.session(trust_env=False))


def test_path_replaces_the_systems_store(world, secured, certs, monkeypatch):
    """With verify="other.pem" an authority of the system's own counts for nothing (CVE-2019-11324)."""
    monkeypatch.setenv("SSL_CERT_FILE", certs.ca)
    site = secured("good")

    refused(world, site, site.at("localhost"), verify=certs.other_ca)


@pytest.mark.parametrize("verify", ["/no/such/file.pem", b"/no/such/file.pem"])
def test_path_that_does_not_exist_is_an_oserror(world, tls_server, verify):
    """As in requests, and before anything is connected."""
    with pytest.raises(OSError):
        world.get(tls_server.at("localhost"), verify=verify)

    assert tls_server.connections == []


def test_file_that_holds_no_certificate_is_an_error(world, tls_server, tmp_path):
    """A bundle without a certificate trusts nobody, and says so."""
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n")
    with pytest.raises((OSError, world.requestx.exceptions.RequestException)):
        world.get(tls_server.at("localhost"), verify=str(empty))

    assert tls_server.requests == []


@pytest.mark.parametrize("name", ["TrustCor", "E-Tugra"])
def test_distrusted_authorities_are_not_in_the_bundle(blocking, name):
    """By default those of certifi are trusted, in a version that no longer has these (CVE-2022-23491, 2023-37920)."""
    context = ssl.create_default_context(cafile=blocking.requestx.certs.where())
    named = [str(each["subject"]) for each in context.get_ca_certs()]

    assert len(named) > 50
    assert not [each for each in named if name.lower() in each.lower()]


def test_unverified_connection_is_not_used_for_a_verified_request(world, secured):
    """verify=False does not stick to the session's connections (CVE-2024-35195)."""
    site = secured("self_signed")
    session = world.session()

    assert session.get(site.at("localhost") + "/get", verify=False).ok
    refused(world, site, site.at("localhost"), session)


def test_other_authorities_have_other_connections(world, tls_server, ca, certs):
    """What one bundle let in is not open to another (CVE-2026-11564)."""
    session = world.session()

    assert session.get(tls_server.at("localhost") + "/get", verify=ca).ok
    refused(world, tls_server, tls_server.at("localhost"), session, verify=certs.other_ca)
    refused(world, tls_server, tls_server.at("localhost"), session)


def test_resumption_does_not_skip_verification(world, listen, certs):
    """A ticket taken with verify=False is not resumed by a request that verifies (CVE-2025-68121)."""
    scripts = [serve(b"ok", b"Connection: close") + [notify()]] * 2
    site = listen("wire", scripts=scripts, tls={"chain": certs.self_signed})
    session = world.session()

    assert session.get(site.at("localhost"), verify=False).ok
    refused(world, site, site.at("localhost"), session)


def test_client_certificate_is_shown(world, secured, certs):
    """cert= is one file with key and certificate, or a pair of files."""
    site = secured("good", client_ca=certs.ca)
    for cert in (certs.alice, (certs.alice_cert, certs.alice_key)):
        assert world.get(site.at("localhost") + "/get", verify=certs.ca, cert=cert).ok

    assert [each["tls"]["client"]["commonName"] for each in site.connections] == ["alice", "alice"]


def test_client_certificate_is_asked_for(world, secured, certs):
    """Without one the server refuses, and that is an error of TLS or of the connection, not a hang."""
    site = secured("good", client_ca=certs.ca)
    with pytest.raises(world.requestx.exceptions.ConnectionError):
        world.get(site.at("localhost") + "/get", verify=certs.ca, timeout=5)

    assert site.requests == []


def test_connections_are_not_shared_between_identities(world, secured, certs):
    """Alice's connection does not carry Bob's request (CVE-2016-5420)."""
    site = secured("good", client_ca=certs.ca)
    session = world.session(verify=certs.ca)
    for cert in (certs.alice, certs.bob, certs.alice):
        session.get(site.at("localhost") + "/get", cert=cert)

    assert [each["tls"]["client"]["commonName"] for each in site.connections] == ["alice", "bob"]


@pytest.mark.parametrize("cert", [None, "", (), (None, None), ("", "")])
def test_nothing_is_no_client_certificate(world, tls_server, ca, cert):
    """Programs pass on what they were given, a pair of two Nones as well."""
    assert world.get(tls_server.at("localhost") + "/get", verify=ca, cert=cert).ok


def test_a_key_alone_is_a_mistake(world, tls_server, ca):
    """It would be left out without a word."""
    with pytest.raises(ValueError, match="no certificate"):
        world.get(tls_server.at("localhost"), verify=ca, cert=(None, "/a/key"))


@pytest.mark.parametrize("cert", [("a",), ("a", "b", "c", "d"), 5, {"a": "b"}])
def test_what_names_no_certificate_is_a_typeerror(world, tls_server, ca, cert):
    """It says what may be given."""
    with pytest.raises(TypeError, match="cert is the path of a certificate, or a pair"):
        world.get(tls_server.at("localhost"), verify=ca, cert=cert)


@pytest.mark.parametrize("which", [0, 1])
def test_missing_client_certificate_file_is_an_oserror(world, tls_server, ca, certs, which):
    """A cert= that is not there is found out before connecting."""
    pair = [certs.alice_cert, certs.alice_key]
    pair[which] = "/no/such/file.pem"
    with pytest.raises(OSError):
        world.get(tls_server.at("localhost"), verify=ca, cert=tuple(pair))

    assert tls_server.connections == []


def test_truncated_close_delimited_body_is_an_error(world, wire, certs):
    """FIN without close_notify is an attacker's way to end a body (RFC 9112, 9.8)."""
    site = wire([request(), send(answer(b"half of it", length=False)), close()], tls={"chain": certs.good})
    with pytest.raises(world.requestx.exceptions.RequestException):
        world.get(site.at("localhost"), verify=certs.ca)


def test_close_notify_ends_a_close_delimited_body(world, wire, certs):
    """With close_notify the same body is whole."""
    site = wire([request(), send(answer(b"all of it", length=False)), notify()], tls={"chain": certs.good})

    assert world.get(site.at("localhost"), verify=certs.ca).content == b"all of it"


def test_body_with_a_length_needs_no_close_notify(world, wire, certs):
    """A body whose length was kept is whole however the connection ends."""
    site = wire([request(), send(answer(b"whole", b"Connection: close")), close()], tls={"chain": certs.good})

    assert world.get(site.at("localhost"), verify=certs.ca).content == b"whole"


@pytest.mark.parametrize("verb", ["get", "post"])
@pytest.mark.parametrize("records", [1, 2])
def test_bytes_after_an_answer_are_not_the_next_answer(world, wire, certs, verb, records):
    """Neither in the same record nor in one of its own, which OpenSSL may have read when nobody looks at the socket."""
    first, more = answer(b"one"), answer(b"smuggled")
    sent = [send(first + more)] if records == 1 else [send(first), send(more)]
    site = wire([request(), *sent], [request(), send(answer(b"two"))], tls={"chain": certs.good})
    session = world.session(verify=certs.ca)

    assert session.get(site.at("localhost")).content == b"one"
    assert getattr(session, verb)(site.at("localhost")).content == b"two"


@pytest.mark.parametrize("highest", ["TLSv1_2", "TLSv1_3"])
def test_tls_1_2_and_1_3(world, listen, certs, highest):
    """Both versions in use today are spoken."""
    site = listen("everyday", tls={"chain": certs.good, "max": highest})
    world.get(site.at("localhost") + "/get", verify=certs.ca)

    assert site.connections[0]["tls"]["version"] == highest.replace("_", ".")


def test_plain_http_where_tls_is_expected(world, wire, certs):
    """A server that answers in plain text is an SSLError."""
    site = wire([["receive", 1], send(answer(b"plain"))])
    with pytest.raises(world.requestx.exceptions.SSLError):
        world.get("https://localhost:%d/" % site.port, verify=certs.ca, timeout=5)


def test_tls_where_plain_http_is_expected(world, tls_server):
    """And a TLS server asked in plain text is a ConnectionError."""
    with pytest.raises(world.requestx.exceptions.ConnectionError):
        world.get("http://localhost:%d/" % tls_server.port, timeout=5)


def test_large_bodies_travel_over_tls(world, tls_server, ca):
    """Megabytes both ways."""
    session = world.session(verify=ca)

    assert len(session.get(tls_server.at("localhost") + "/bytes/5000000").content) == 5000000
    assert session.post(tls_server.at("localhost") + "/echo", data=b"x" * 5000000).json()["length"] == 5000000
    assert len(tls_server.connections) == 1
