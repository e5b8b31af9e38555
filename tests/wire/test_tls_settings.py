"""TLS as adapters set it: names, pins, versions, ciphers, roots and identities, and who resumes whose sessions."""

import hashlib
import os
import shutil
import socket
import ssl
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from server.certs import PASSWORD
from server.steps import notify, serve

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS", "ignore::DeprecationWarning")


@pytest.fixture
def secured(listen, certs):
    """``secured(name)`` is an everyday server with that certificate."""
    return lambda name, **more: listen("everyday", tls=dict(chain=getattr(certs, name), **more))


def lean(world):
    """An adapter that takes its pools from the manager as they are, and leaves it to them what is verified."""

    class Lean(world.requestx.adapters.HTTPAdapter):
        def cert_verify(self, *arguments):
            pass

        def get_connection_with_tls_context(self, request, verify, proxies=None, cert=None):
            return self.poolmanager.connection_from_url(request.url)

    return Lean()


def session_with(world, verify=True, cert=None, **keywords):
    """A session whose adapter has these keywords for its pools."""

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def init_poolmanager(self, *arguments, **more):
            super().init_poolmanager(*arguments, **more, **keywords)

    session = world.session(verify=verify, cert=cert, trust_env=False)
    session.mount("https://", Adapter())
    return session


def refused(world, session, url, match="certificate"):
    with pytest.raises(world.requestx.exceptions.SSLError, match=match):
        session.get(url)


def der_of(path):
    """The first certificate of a PEM file, in DER."""
    with open(path) as file:
        text = file.read()
    return ssl.PEM_cert_to_DER_cert(
        text[text.index("-----BEGIN CERTIFICATE") :].split("-----END CERTIFICATE-----")[0]
        + "-----END CERTIFICATE-----\n"
    )


# The badssl matrix: what each refusal says.


@pytest.mark.parametrize(
    "name, why",
    [
        ("expired", "expired"),
        ("not_yet", "not yet valid"),
        ("wrong_host", "[Hh]ostname mismatch"),
        ("self_signed", "self.signed"),
        ("stranger", "unable to get local issuer|self.signed certificate in certificate chain"),
        ("gap", "unable to get local issuer|unable to verify the first certificate"),
        ("cn_only", "[Hh]ostname mismatch"),
        ("nul", "[Hh]ostname mismatch"),
        ("idn_wildcard", "[Hh]ostname mismatch"),
    ],
)
def test_each_refusal_says_why(world, secured, certs, name, why):
    """An SSLError with OpenSSL's own words; and nothing was asked."""
    site = secured(name)
    refused(world, world.session(verify=certs.ca), site.at("localhost"), why)

    assert site.requests == []


def test_weak_keys_are_refused(world, secured, certs):
    """1024 bits of RSA are not enough."""
    site = secured("weak", ciphers="DEFAULT:@SECLEVEL=0")

    refused(world, world.session(verify=certs.ca), site.at("localhost"), "weak|too small")


def test_a_wildcard_is_no_address(world, secured, certs):
    """CVE-2014-0139."""
    refused(world, world.session(verify=certs.ca), secured("address_wildcard").at("127.0.0.1"))


def test_an_intermediate_that_is_sent_is_used(world, secured, certs):
    """The same certificate with its chain whole."""
    assert world.session(verify=certs.ca).get(secured("through").at("localhost") + "/get").ok


def test_a_missing_client_certificate_is_told(world, secured, certs):
    """The server's alert is an SSLError or breaks the connection; which depends on the version of TLS."""
    site = secured("good", client_ca=certs.ca, max="TLSv1_2")

    refused(world, world.session(verify=certs.ca), site.at("localhost"), "handshake")


# Names.


def test_assert_hostname_is_looked_for_and_not_sent(world, secured, certs):
    """SNI stays the URL's."""
    site = secured("wrong_host")
    assert session_with(world, certs.ca, assert_hostname="example.org").get(site.at("localhost") + "/get").ok
    refused(world, session_with(world, certs.ca, assert_hostname="example.com"), site.at("localhost"))

    assert site.connections[0]["tls"]["sni"] == "localhost"


def test_assert_hostname_false_takes_any_name_but_no_stranger(world, secured, certs):
    """Whoever a trusted authority signed."""
    loose = session_with(world, certs.ca, assert_hostname=False)

    assert loose.get(secured("wrong_host").at("localhost") + "/get").ok
    refused(world, loose, secured("stranger").at("localhost"))


def test_server_hostname_is_sent_and_looked_for(world, secured, certs):
    """In the place of the URL's, an address for instance."""
    site = secured("wrong_host")
    assert session_with(world, certs.ca, server_hostname="example.org").get(site.at("127.0.0.1") + "/get").ok
    refused(world, session_with(world, certs.ca, server_hostname="example.com"), site.at("localhost"))

    assert site.connections[0]["tls"]["sni"] == "example.org"


def test_the_name_that_was_looked_for_is_told(world, secured, certs):
    """Host name or address, from the URL or in its place."""
    site = secured("wrong_host")
    for session, host, name in [
        (world.session(verify=certs.ca), "localhost", "localhost"),
        (world.session(verify=certs.ca), "127.0.0.1", "127.0.0.1"),
        (session_with(world, certs.ca, assert_hostname="a.example"), "localhost", "a.example"),
    ]:
        refused(world, session, site.at(host), "mismatch, certificate is not valid for '%s'" % name)


@pytest.mark.parametrize("name", [".", " ", "a b", "\n"])
@pytest.mark.parametrize("keyword", ["server_hostname", "assert_hostname"])
def test_what_is_no_name_is_a_valueerror(world, secured, certs, keyword, name):
    """OpenSSL takes an empty name for any."""
    site = secured("wrong_host")
    with pytest.raises(ValueError, match="no name of a host"):
        session_with(world, certs.ca, **{keyword: name}).get(site.at("localhost"))

    assert site.requests == []


@pytest.mark.parametrize("name", [5, True, b"localhost", ["localhost"]])
def test_what_is_no_text_is_no_name(world, tls_server, ca, name):
    """A TypeError, which says what a name is."""
    for keyword in ("server_hostname", "assert_hostname"):
        with pytest.raises(TypeError, match=keyword + " is the name of a host"):
            session_with(world, ca, **{keyword: name}).get(tls_server.at("localhost"))


def test_international_names_are_sent_as_the_wire_has_them(world, secured, certs):
    """In their ASCII form, as a URL's."""
    site = secured("good")
    session_with(world, False, server_hostname="b\xfccher.example").get(site.at("localhost") + "/get")

    assert site.connections[0]["tls"]["sni"] == "xn--bcher-kva.example"


def test_names_are_part_of_what_a_connection_is(world, secured, certs):
    """A connection that was verified under one name serves no request that asks for another."""
    site = secured("wrong_host")
    session = session_with(world, certs.ca, server_hostname="example.org")
    assert session.get(site.at("localhost") + "/get").ok
    session.get_adapter("https://x").poolmanager.connection_pool_kw["server_hostname"] = "localhost"

    refused(world, session, site.at("localhost"))


# Pins.


@pytest.mark.parametrize("kind", ["sha256", "sha1"])
def test_a_pinned_certificate_is_taken(world, secured, certs, kind):
    """By its digest, with colons or without; then its name does not matter, its signature does."""
    digest = hashlib.new(kind, der_of(certs.wrong_host)).hexdigest()
    colons = ":".join(digest[at : at + 2].upper() for at in range(0, len(digest), 2))
    for written in (digest, colons):
        pinned = session_with(world, certs.ca, assert_fingerprint=written)
        assert pinned.get(secured("wrong_host").at("localhost") + "/get").ok

    refused(world, session_with(world, True, assert_fingerprint=digest), secured("wrong_host").at("localhost"))


def test_another_certificate_is_not(world, secured, certs):
    """Even where nothing else is verified."""
    digest = hashlib.sha256(der_of(certs.good)).hexdigest()
    for verify in (certs.ca, False):
        site = secured("wrong_host")
        refused(world, session_with(world, verify, assert_fingerprint=digest), site.at("localhost"), "ingerprint")
        assert site.requests == []


@pytest.mark.parametrize("wrong", ["ab" * 16, "ab" * 10, "zz" * 32])
def test_fingerprints_that_are_none(world, tls_server, ca, wrong):
    """MD5, too short, no digits."""
    with pytest.raises(ValueError, match="assert_fingerprint"):
        session_with(world, ca, assert_fingerprint=wrong).get(tls_server.at("localhost"))


# Versions and ciphers.


@pytest.mark.parametrize(
    "keywords",
    [
        {"ssl_version": ssl.PROTOCOL_TLSv1_2},
        {"ssl_version": "PROTOCOL_TLSv1_2"},
        {"ssl_maximum_version": ssl.TLSVersion.TLSv1_2},
        {"ssl_minimum_version": ssl.TLSVersion.TLSv1_2, "ssl_maximum_version": ssl.TLSVersion.TLSv1_2},
    ],
)
def test_versions_can_be_held_down(world, tls_server, ca, keywords):
    """ssl_version is one version, the others are bounds."""
    session_with(world, ca, **keywords).get(tls_server.at("localhost") + "/get")

    assert tls_server.connections[0]["tls"]["version"] == "TLSv1.2"


def test_versions_can_be_held_up(world, secured, ca):
    """A server of TLS 1.2 is refused where 1.3 is the least."""
    site = secured("good", max="TLSv1_2")

    refused(world, session_with(world, ca, ssl_minimum_version=ssl.TLSVersion.TLSv1_3), site.at("localhost"), "version")


@pytest.mark.parametrize("keyword", ["ssl_minimum_version", "ssl_maximum_version"])
@pytest.mark.parametrize("wrong", ["TLSv1.3", "", 13, 1.3, True, b"TLSv1_3", []])
def test_what_is_no_version_is_a_valueerror(world, tls_server, ca, keyword, wrong):
    """It says which are."""
    with pytest.raises(ValueError, match=keyword + ".*TLSv1_2 and TLSv1_3 are"):
        session_with(world, ca, **{keyword: wrong}).get(tls_server.at("localhost"))


@pytest.mark.parametrize("highest", [ssl.TLSVersion.SSLv3, ssl.TLSVersion.MINIMUM_SUPPORTED])
def test_a_highest_version_that_cannot_be_had_is_a_valueerror(world, tls_server, ca, highest):
    """Nothing newer is spoken in its place."""
    with pytest.raises(ValueError, match="ssl_maximum_version"):
        session_with(world, ca, ssl_maximum_version=highest).get(tls_server.at("localhost"))


def test_the_lowest_version_may_be_the_highest_that_there_is(world, secured, ca):
    """A server of TLS 1.2 is refused then; and where the bounds leave nothing, every server."""
    older, newer = secured("good", max="TLSv1_2"), secured("good")
    lowest = {"ssl_minimum_version": ssl.TLSVersion.MAXIMUM_SUPPORTED}

    refused(world, session_with(world, ca, **lowest), older.at("localhost"), "version")
    lowest["ssl_maximum_version"] = ssl.TLSVersion.TLSv1_2
    refused(world, session_with(world, ca, **lowest), newer.at("localhost"), "no protocols available")


def test_old_versions_are_spoken_to_who_asks(world, secured, ca):
    """TLS 1.1 is refused by default."""
    site = secured("good", min="TLSv1", max="TLSv1_1", ciphers="DEFAULT:@SECLEVEL=0")

    refused(world, world.session(verify=ca), site.at("localhost"), "version|protocol")
    assert session_with(world, ca, ssl_minimum_version=ssl.TLSVersion.TLSv1).get(site.at("localhost") + "/get").ok


# A Python SSLContext.


def context_with(ca=None, **attributes):
    context = ssl.create_default_context(cafile=ca)
    for name, value in attributes.items():
        setattr(context, name, value)
    return context


def test_the_authorities_of_a_context_are_trusted(world, tls_server, ca, certs):
    """Beside certifi's."""
    assert session_with(world, ssl_context=context_with(ca)).get(tls_server.at("localhost") + "/get").ok

    refused(world, session_with(world, ssl_context=context_with(certs.other_ca)), tls_server.at("localhost"))


def test_authorities_may_come_later(world, tls_server, ca, certs):
    """What is loaded into the context after it was handed over counts from then on."""
    context = context_with(certs.other_ca)
    session = session_with(world, ssl_context=context)
    refused(world, session, tls_server.at("localhost"))
    context.load_verify_locations(ca)

    assert session.get(tls_server.at("localhost") + "/get").ok


def test_a_context_does_not_stop_verification(world, secured):
    """`verify` decides, as in requests; with verify=False the context has no say."""
    careless = ssl.create_default_context()
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    site = secured("self_signed")

    refused(world, session_with(world, ssl_context=careless), site.at("localhost"))
    assert session_with(world, verify=False, ssl_context=careless).get(site.at("localhost") + "/get").ok


def test_an_adapter_that_says_nothing_of_verifying_leaves_it_to_the_context(world, secured, certs):
    """Whose pools come from the manager as they are means what the SSLContext says, as in urllib3."""
    site = secured("expired")
    careless = ssl.create_default_context()
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    for context, well in ((careless, True), (context_with(certs.ca), False)):
        adapter = lean(world)
        adapter.init_poolmanager(1, 1, ssl_context=context)
        session = world.session()
        session.mount("https://", adapter)
        if well:
            assert session.get(site.at("localhost") + "/get").ok
        else:
            refused(world, session, site.at("localhost"))


def test_a_context_of_the_proxys_own(world, listen, server, certs):
    """Whoever asks for the manager of a proxy has its settings obeyed, also by one that overrides nothing."""
    site = listen("proxy", tls={"chain": certs.stranger})
    proxy = site.at("localhost")
    session = world.session(verify=certs.ca, proxies={"http": proxy})
    with pytest.raises(world.requestx.exceptions.ProxyError):
        session.get(server.url + "/get")
    manager = session.get_adapter("http://").proxy_manager_for(proxy, proxy_ssl_context=context_with(certs.other_ca))

    assert session.get(server.url + "/get").ok
    assert manager is session.get_adapter("http://").proxy_manager_for(proxy)


@pytest.mark.parametrize("trusts", [True, False])
def test_an_adapter_that_says_nothing_of_verifying_leaves_the_proxy_to_its_context(
    world, listen, server, certs, trusts
):
    """As the origin: whose pools come from the proxy's manager as they are means what `proxy_ssl_context` says."""
    context = context_with(certs.ca)
    if trusts:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    class Lean(world.requestx.adapters.HTTPAdapter):
        def cert_verify(self, *arguments):
            pass

        def get_connection_with_tls_context(self, request, verify, proxies=None, cert=None):
            manager = self.proxy_manager_for(proxies["http"], proxy_ssl_context=context)
            return manager.connection_from_url(request.url)

    session = world.session(proxies={"http": listen("proxy", tls={"chain": certs.stranger}).at("localhost")})
    session.mount("http://", Lean())
    if trusts:
        assert session.get(server.url + "/get").ok
    else:
        with pytest.raises(world.requestx.exceptions.ProxyError, match="certificate"):
            session.get(server.url + "/get")


def test_a_context_without_authorities_trusts_the_platforms(world, tls_server, ca, monkeypatch):
    """As ssl.create_default_context means it where the system keeps them in a folder."""
    monkeypatch.setenv("SSL_CERT_FILE", ca)
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    empty = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    assert session_with(world, ssl_context=empty).get(tls_server.at("localhost") + "/get").ok


@pytest.mark.parametrize("how", ["maximum_version", "options"])
def test_versions_of_a_context(world, tls_server, ca, how):
    """Bounds, and the older flags that forbid versions one by one."""
    context = context_with(ca)
    if how == "options":
        context.options |= ssl.OP_NO_TLSv1_3
    else:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    session_with(world, ssl_context=context).get(tls_server.at("localhost") + "/get")

    assert tls_server.connections[0]["tls"]["version"] == "TLSv1.2"


def test_ciphers_of_a_context(world, tls_server, ca):
    """The list that was set is offered, and no other."""
    context = context_with(ca, maximum_version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    session_with(world, ssl_context=context).get(tls_server.at("localhost") + "/get")

    assert tls_server.connections[0]["tls"]["cipher"] == "ECDHE-ECDSA-AES128-GCM-SHA256"


OLD = "ECDHE-ECDSA-AES128-SHA"


@pytest.mark.skipif(sys.version_info < (3, 10), reason="it offers more, and its servers cannot tell")
def test_what_is_offered_is_what_python_offers(world, secured, ca):
    """No SHA-1, and nothing without forward secrecy."""
    site = secured("good", ciphers="ALL:@SECLEVEL=0")
    world.session(verify=ca).get(site.at("localhost") + "/get")
    expected = {each["name"] for each in ssl.create_default_context().get_ciphers()}

    assert expected == set(site.connections[0]["tls"]["offered"])


@pytest.mark.parametrize("context", [None, "plain"])
def test_a_server_that_has_only_sha1_is_refused(world, secured, ca, context):
    """As requests refuses it."""
    site = secured("good", max="TLSv1_2", ciphers=OLD)
    keywords = {"ssl_context": context_with(ca)} if context else {}

    refused(world, session_with(world, ca, **keywords), site.at("localhost"), "handshake failure")


@pytest.mark.parametrize("ciphers", [OLD, "DEFAULT"])
def test_who_asks_for_sha1_gets_it(world, secured, ca, ciphers):
    """A context that says otherwise is obeyed."""
    site = secured("good", max="TLSv1_2", ciphers=OLD)
    context = context_with(ca)
    context.set_ciphers(ciphers)
    session_with(world, ssl_context=context).get(site.at("localhost") + "/get")

    assert site.connections[0]["tls"]["cipher"] == OLD


def test_a_server_of_openssls_that_has_only_sha1_is_refused(world, certs, tool, launch):
    """The same with another server than Python's."""
    command = [tool("openssl"), *"s_server -www -tls1_2 -accept {port} -cipher".split(), OLD, "-cert", certs.good]
    port = launch(command)

    refused(world, world.session(verify=certs.ca), "https://localhost:%d/" % port, "handshake failure")


def test_a_loaded_client_certificate_is_an_error(world, tls_server, ca, certs):
    """Its key cannot be read back, and the error says what to use."""
    context = context_with(ca)
    context.load_cert_chain(certs.alice)
    with pytest.raises(ValueError, match="cert="):
        session_with(world, ssl_context=context).get(tls_server.at("localhost"))

    assert tls_server.connections == []


def test_a_context_beside_a_client_certificate(world, secured, certs):
    """The one from the context, the other from `cert`."""
    site = secured("good", client_ca=certs.ca)
    session_with(world, cert=certs.alice, ssl_context=context_with(certs.ca)).get(site.at("localhost") + "/get")

    assert site.connections[0]["tls"]["client"]["commonName"] == "alice"


def test_what_is_no_context_is_a_typeerror(world, tls_server):
    """And says so."""
    with pytest.raises(TypeError, match="ssl_context"):
        session_with(world, ssl_context=object()).get(tls_server.at("localhost"))


@pytest.mark.skipif(not hasattr(ssl.SSLContext, "keylog_filename"), reason="Python's own came with 3.8")
def test_keys_are_logged_where_the_context_logs_them(world, tls_server, ca, tmp_path):
    """For whoever debugs with Wireshark."""
    context = context_with(ca)
    context.keylog_filename = str(tmp_path / "keys")
    session_with(world, ssl_context=context).get(tls_server.at("localhost") + "/get")

    assert "SECRET" in (tmp_path / "keys").read_text()


# Authorities, in other forms.


@pytest.mark.parametrize("form", ["pem", "der"])
def test_authorities_may_be_bytes(world, tls_server, ca, form):
    """ca_cert_data, as text or in DER."""
    with open(ca) as file:
        data = file.read()
    if form == "der":
        data = der_of(ca)

    assert session_with(world, ca_cert_data=data).get(tls_server.at("localhost") + "/get").ok


@pytest.mark.parametrize("form", ["pem", "der"])
def test_authorities_in_bytes_and_in_a_context_are_both_trusted(world, secured, certs, form):
    """Whatever form the bytes have."""
    with open(certs.other_ca) as file:
        data = file.read() if form == "pem" else der_of(certs.other_ca)
    session = session_with(world, ca_cert_data=data, ssl_context=context_with(certs.ca))

    for name in ("good", "stranger"):
        assert session.get(secured(name).at("localhost") + "/get").ok


def test_two_sets_of_bytes_are_two_connections(world, tls_server, ca, certs):
    """What one let in is not open to the other."""
    session = session_with(world, ca_cert_data=der_of(ca))
    assert session.get(tls_server.at("localhost") + "/get").ok
    session.get_adapter("https://x").poolmanager.connection_pool_kw["ca_cert_data"] = der_of(certs.other_ca)

    refused(world, session, tls_server.at("localhost"))


def test_paths_that_differ_in_case_are_two_bundles(world, tls_server, ca, certs, tmp_path):
    """CVE-2021-22924."""
    shutil.copy(ca, str(tmp_path / "CA.pem"))
    shutil.copy(certs.other_ca, str(tmp_path / "ca.pem"))
    session = world.session()
    if (tmp_path / "ca.pem").samefile(tmp_path / "CA.pem"):
        pytest.skip("this file system knows no case")
    assert session.get(tls_server.at("localhost") + "/get", verify=str(tmp_path / "CA.pem")).ok

    with pytest.raises(world.requestx.exceptions.SSLError):
        session.get(tls_server.at("localhost") + "/get", verify=str(tmp_path / "ca.pem"))


def test_a_certificate_may_vouch_for_itself(world, tls_server, certs, tmp_path):
    """`verify` may be the server's own certificate, or an intermediate authority's."""
    own = tmp_path / "own.pem"
    own.write_text(ssl.DER_cert_to_PEM_cert(der_of(certs.good)))

    assert world.get(tls_server.at("localhost") + "/get", verify=str(own)).ok


def test_a_context_may_want_a_root(world, secured, certs):
    """Without VERIFY_X509_PARTIAL_CHAIN an intermediate authority is not enough; Python sets that from 3.13 on."""
    context = context_with(certs.between)
    site = secured("through")
    for flags, good in [(0, False), (0x80000, True)]:
        context.verify_flags = ssl.VerifyFlags(context.verify_flags & ~0x80000 | flags)
        session = session_with(world, ssl_context=context)
        if good:
            assert session.get(site.at("localhost") + "/get").ok
        else:
            refused(world, session, site.at("localhost"))


def test_authorities_may_be_a_folder(world, tls_server, ca, tool, tmp_path):
    """``ca_cert_dir``, named by their hashes; one without them trusts nobody."""
    folder = tmp_path / "trusted"
    folder.mkdir()
    refused(world, session_with(world, ca_cert_dir=str(folder)), tls_server.at("localhost"))
    shutil.copy(ca, str(folder / "ca.pem"))
    subprocess.run([tool("openssl"), "rehash", str(folder)], check=True)

    assert session_with(world, ca_cert_dir=str(folder)).get(tls_server.at("localhost") + "/get").ok


def test_an_adapter_may_say_that_nothing_is_verified(world, secured):
    """``cert_reqs`` of a pool whose request leaves it to that; `verify` goes before it, as in requests."""
    site = secured("self_signed")
    for adapter, well in ((lean(world), True), (world.requestx.adapters.HTTPAdapter(), False)):
        adapter.init_poolmanager(1, 1, cert_reqs="CERT_NONE")
        session = world.session()
        session.mount("https://", adapter)
        if well:
            assert session.get(site.at("localhost") + "/get").ok
        else:
            refused(world, session, site.at("localhost"))


# Identities.


def test_a_key_may_lie_apart(world, secured, certs):
    """``cert_file`` and ``key_file`` of a pool; without the key there is none."""
    site = secured("good", client_ca=certs.ca)
    keywords = {"cert_file": certs.alice_cert, "key_file": certs.alice_key}
    session_with(world, certs.ca, **keywords).get(site.at("localhost") + "/get")

    assert site.connections[0]["tls"]["client"]["commonName"] == "alice"
    del keywords["key_file"]
    refused(world, session_with(world, certs.ca, **keywords), site.at("localhost"), "key")


@pytest.mark.parametrize("name", ["alice_encrypted", "alice_pkcs1_encrypted", "alice_pkcs12"])
@pytest.mark.parametrize("by_keyword", [False, True])
def test_keys_with_a_password(world, secured, certs, name, by_keyword):
    """In PKCS#8, PKCS#1 and PKCS#12; `cert` takes the password third, a pool as key_password."""
    site, path = secured("good", client_ca=certs.ca), getattr(certs, name)
    if by_keyword:
        session = session_with(world, certs.ca, cert_file=path, key_password=PASSWORD)
    else:
        session = world.session(verify=certs.ca, cert=(path, None, PASSWORD))
    session.get(site.at("localhost") + "/get")

    assert site.connections[0]["tls"]["client"]["commonName"] == "alice"


def test_an_old_key_without_a_password(world, secured, certs):
    """PKCS#1, as older tools write it."""
    site = secured("good", client_ca=certs.ca)

    assert world.get(site.at("localhost") + "/get", verify=certs.ca, cert=certs.alice_pkcs1).ok


@pytest.mark.parametrize("password, match", [(None, "without the password"), ("wrong", "for this password")])
@pytest.mark.parametrize("name", ["alice_encrypted", "alice_pkcs1_encrypted", "alice_pkcs12"])
def test_passwords_that_do_not_fit(world, tls_server, certs, name, password, match):
    """An SSLError that says which; nobody is asked at a terminal."""
    cert = (getattr(certs, name), None, password)
    with pytest.raises(world.requestx.exceptions.SSLError, match=match):
        world.get(tls_server.at("localhost"), verify=certs.ca, cert=cert)


@pytest.fixture
def packed(certs, tool, tmp_path):
    """``packed(...)`` makes PKCS#12 of what alice has, with these options."""

    def make(*options):
        command = [tool("openssl"), "pkcs12", "-export", "-in", certs.alice, "-out", str(tmp_path / "made.p12")]
        subprocess.run([*command, "-passout", "pass:" + PASSWORD, *options], check=True, capture_output=True)
        return str(tmp_path / "made.p12")

    return make


@pytest.mark.parametrize("old", ["PBE-SHA1-RC2-40", "PBE-SHA1-3DES"])
def test_old_pkcs12_is_read(world, secured, certs, packed, old):
    """What OpenSSL and Windows wrote for twenty years; OpenSSL 3 has RC2 apart."""
    site = secured("good", client_ca=certs.ca)
    cert = (packed("-legacy", "-certpbe", old, "-keypbe", old), None, PASSWORD)

    assert world.get(site.at("localhost") + "/get", verify=certs.ca, cert=cert).ok
    assert site.connections[0]["tls"]["client"]["commonName"] == "alice"


@pytest.mark.parametrize("left, why", [("-nokeys", "there is no key in it"), ("-nocerts", "there is none")])
def test_half_of_an_identity_in_pkcs12_is_told(world, tls_server, certs, packed, left, why):
    """Which half is missing."""
    with pytest.raises(world.requestx.exceptions.SSLError, match=why):
        world.get(tls_server.at("localhost"), verify=certs.ca, cert=(packed(left), None, PASSWORD))


def test_pkcs12_takes_no_other_key(world, tls_server, certs):
    """It would be left out without a word."""
    with pytest.raises(world.requestx.exceptions.SSLError, match="another was given"):
        world.get(tls_server.at("localhost"), verify=certs.ca, cert=(certs.alice_pkcs12, certs.alice_key, PASSWORD))


KEYS = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "p-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ed25519": lambda: ed25519.Ed25519PrivateKey.generate(),
}


@pytest.mark.parametrize("kind", sorted(KEYS))
@pytest.mark.parametrize("apart", [False, True])
def test_keys_of_every_kind(world, secured, certs, tmp_path, kind, apart):
    """Beside the certificate in its file, or in a file of their own."""
    site, key = secured("good", client_ca=certs.ca), KEYS[kind]()
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, *form)
    own = certs.sign(kind, key.public_key()).public_bytes(serialization.Encoding.PEM)
    (tmp_path / "cert").write_bytes(own if apart else own + secret)
    (tmp_path / "key").write_bytes(secret)
    cert = (tmp_path / "cert", tmp_path / "key") if apart else tmp_path / "cert"

    assert world.get(site.at("localhost") + "/get", verify=certs.ca, cert=cert).ok
    assert site.connections[0]["tls"]["client"]["commonName"] == kind


MISTAKES = {
    "swapped": (lambda certs: (certs.alice_key, certs.alice_cert), "certificate in .*key.pem: there is none"),
    "of another": (lambda certs: (certs.alice_cert, certs.bob), "key that fits the client certificate"),
    "no key": (lambda certs: certs.alice_cert, "key in .*alice_cert.pem"),
    "no certificate": (lambda certs: certs.alice_key, "certificate in .*alice_key.pem: there is none"),
    "a folder": (lambda certs: str(certs.folder), "certificate in .*: Is a directory"),
    "nothing": (lambda certs: os.devnull, "certificate in /dev/null: there is none"),
}


@pytest.mark.skipif(os.name == "nt", reason="its words are others")
@pytest.mark.parametrize("mistake", sorted(MISTAKES))
def test_files_that_are_no_identity_are_told(world, tls_server, certs, mistake):
    """An SSLError that says what was looked for in which file; nothing is connected to the server for it."""
    cert, why = MISTAKES[mistake]
    with pytest.raises(world.requestx.exceptions.SSLError, match=why):
        world.get(tls_server.at("localhost"), verify=certs.ca, cert=cert(certs))

    assert tls_server.requests == []


# Who answered.


def test_the_peer_is_readable(world, tls_server, ca, certs):
    """Its certificate, chain, version and cipher, on `response.peer` and as channel bindings look for them."""
    response = world.get(tls_server.at("localhost") + "/get", verify=ca)
    sock = response.raw._connection.sock

    assert response.peer.certificate == sock.getpeercert(binary_form=True) == der_of(certs.good)
    assert response.peer.version == sock.version() == tls_server.connections[0]["tls"]["version"]
    assert response.peer.cipher == sock.cipher()[0] == tls_server.connections[0]["tls"]["cipher"]
    assert response.peer.protocol == sock.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize("server, protocol", [("everyday", "http/1.1"), ("streams", "h2")])
def test_the_peer_is_that_of_a_connection_whoever_opened_it(world, listen, certs, server, protocol):
    """Of one that was used before, and of one whose session was resumed: all of it is known."""
    site = listen(server, tls={"chain": certs.through, "alpn": [protocol]})
    session = world.session(verify=certs.ca)
    peers = [session.get(site.at("localhost") + "/bytes/5").peer for _ in range(2)]
    world.run(session.aclose if world.awaits else session.close)
    peers.append(world.get(site.at("localhost") + "/bytes/5", verify=certs.ca).peer)

    assert [peer.resumed for peer in peers] == [False, False, True] and len(site.connections) == 2
    for peer in peers:
        assert peer.chain[:2] == (der_of(certs.through), der_of(certs.between))
        assert (peer.protocol, peer.version) == (protocol, site.connections[0]["tls"]["version"])
        assert peer.cipher == site.connections[0]["tls"]["cipher"]


def test_the_chain_is_what_was_sent(world, secured, certs):
    """The server's own first, then those above it."""
    response = world.get(secured("through").at("localhost") + "/get", verify=certs.ca, stream=True)

    assert response.peer.chain[:2] == (der_of(certs.through), der_of(certs.between))


def test_a_plain_connection_has_no_peer(world, server):
    """None."""
    assert world.get(server.url + "/get").peer is None


# Sessions.


def closing(listen, certs, chain="good", times=2, **tls):
    """A server that ends each connection after one answer."""
    scripts = [serve(b"ok", b"Connection: close") + [notify()]] * times
    return listen("wire", scripts=scripts, tls=dict(chain=getattr(certs, chain), **tls))


def reused(site):
    return [each["tls"].get("reused") for each in site.connections]


@pytest.mark.parametrize("highest", ["TLSv1_2", "TLSv1_3"])
def test_sessions_are_resumed(world, listen, certs, highest):
    """A new connection costs half a handshake, in the same session and in another."""
    site = closing(listen, certs, times=20, max=highest)
    peers = [world.get(site.at("localhost"), verify=certs.ca).peer for _ in range(20)]

    assert [peer.resumed for peer in peers] == reused(site) == [False] + [True] * 19
    assert {peer.certificate for peer in peers} == {der_of(certs.good)}


@pytest.mark.parametrize("highest", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("server, protocol", [("everyday", "http/1.1"), ("streams", "h2")])
def test_sessions_outlive_connections_that_we_close(world, listen, certs, highest, server, protocol):
    """Idle ones with their client, and one in the midst of an answer: what was agreed upon holds for the next."""
    site = listen(server, tls={"chain": certs.good, "max": highest, "alpn": [protocol]})
    for path in ["/bytes/5", "/bytes/50000000"] * 3:
        world.close(world.get(site.at("localhost") + path, verify=certs.ca, stream=path != "/bytes/5"))

    assert reused(site) == [False] + [True] * 5


def test_a_connection_that_is_closed_says_goodbye(world, wire, certs):
    """The server hears close_notify, and need not take the end for an attack."""
    site = wire(serve(b"ok"), tls={"chain": certs.good})
    session = world.session(verify=certs.ca)
    session.get(site.at("localhost"))
    world.run(session.aclose if world.awaits else session.close)

    assert site.end(0) == "eof"


@pytest.mark.parametrize("highest", ["TLSv1_2", "TLSv1_3"])
def test_sessions_may_be_left_alone(world, listen, certs, highest):
    """A context that wants no tickets."""
    site = closing(listen, certs, max=highest)
    context = context_with(certs.ca)
    context.options |= ssl.OP_NO_TICKET
    for _ in range(2):
        session_with(world, ssl_context=context).get(site.at("localhost"))

    assert reused(site) == [False, False]


def test_sessions_belong_to_a_client_certificate(world, listen, certs):
    """Bob does not go on where Alice left off (CVE-2016-5419)."""
    site = closing(listen, certs, times=3, client_ca=certs.ca)
    session = world.session(verify=certs.ca)
    for cert in (certs.alice, certs.bob, certs.alice):
        session.get(site.at("localhost"), cert=cert)

    assert [each["tls"]["client"]["commonName"] for each in site.connections] == ["alice", "bob", "alice"]
    assert reused(site)[:2] == [False, False]


def test_sessions_belong_to_their_roots(world, listen, certs):
    """Roots that would not have let the first one in do not resume it (CVE-2025-68121)."""
    site = closing(listen, certs)
    session = world.session()
    assert session.get(site.at("localhost"), verify=certs.ca).ok
    for verify in (certs.other_ca, True):
        with pytest.raises(world.requestx.exceptions.SSLError):
            session.get(site.at("localhost"), verify=verify)


def test_sessions_belong_to_a_pin(world, listen, certs):
    """A wrong pin refuses what a session without one could resume."""
    site = closing(listen, certs, max="TLSv1_2")
    assert world.get(site.at("localhost"), verify=certs.ca).ok

    refused(world, session_with(world, certs.ca, assert_fingerprint="00" * 32), site.at("localhost"), "ingerprint")


def test_sessions_belong_to_a_host(world, listen, certs):
    """Another port is another server."""
    first, second = closing(listen, certs), closing(listen, certs)
    for site in (first, second):
        world.get(site.at("localhost"), verify=certs.ca)

    assert reused(first) == reused(second) == [False]


# Below TLS.


def test_source_address_is_where_we_come_from(world, listen):
    """An address of this machine's."""
    site = listen("everyday")
    session = world.session()
    adapter = world.requestx.adapters.HTTPAdapter()
    adapter.init_poolmanager(1, 1, source_address=("127.0.0.2", 0))
    session.mount("http://", adapter)
    session.get(site.url + "/get")

    assert site.connections[0]["address"] == "127.0.0.2"


def test_socket_options_are_set(world, server):
    """Before connecting, so that the server hears of them; one that is not known is an error."""
    session = world.session()
    session.get(server.url + "/get")
    adapter = world.requestx.adapters.HTTPAdapter()
    session.mount("http://", adapter)
    adapter.init_poolmanager(1, 1, socket_options=[(6, 1, 1), (socket.IPPROTO_TCP, socket.TCP_MAXSEG, 700)])
    session.get(server.url + "/get")
    usual, said = (each["segment"] for each in server.connections)

    assert said <= 700 < usual
    adapter.init_poolmanager(1, 1, socket_options=[(6, 9999, 1)])
    with pytest.raises(ValueError, match="socket option"):
        session.get(server.url + "/get")


def test_without_verification_a_context_has_no_say(world, secured):
    """One that checks names is none the less obeyed not at all: the caller said so, and was warned."""
    session = session_with(world, verify=False, ssl_context=ssl.create_default_context())

    assert session.get(secured("self_signed").at("localhost") + "/get").ok


def test_certificates_are_checked_strictly_where_a_context_asks_for_it(world, secured, certs):
    """Many private authorities are not so strict with themselves, so that is no default."""
    site, strict = secured("loose"), context_with(certs.ca)
    strict.verify_flags |= ssl.VERIFY_X509_STRICT

    assert session_with(world, verify=certs.ca).get(site.at("localhost") + "/get").ok
    refused(world, session_with(world, ssl_context=strict), site.at("localhost"))
