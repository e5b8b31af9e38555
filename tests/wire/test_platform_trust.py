"""Whom the system trusts: ``verify=certs.PLATFORM``, and certifi where the system trusts nobody.

SSL_CERT_FILE and SSL_CERT_DIR say where the system's certificates are, as OpenSSL has it, so a test can give it some.
"""

import os
import pickle
import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def system(monkeypatch, tmp_path):
    """``system(file=, folder=)`` trusts whom these name, and nobody where they are left out."""

    def trusting(file="/nowhere/file", folder="/nowhere/folder"):
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        monkeypatch.setenv("SSL_CERT_DIR", str(folder))

    return trusting


@pytest.fixture
def certifi(monkeypatch):
    """``certifi(path)`` is certifi's bundle from now on."""
    return lambda path: monkeypatch.setattr("certifi.where", lambda: path)


@pytest.fixture
def url(tls_server):
    """Of a server whose authority only the tests know."""
    return tls_server.at("localhost") + "/get"


def refused(world, call, *args, **more):
    """The certificate's issuer is not trusted."""
    with pytest.raises(world.requestx.exceptions.SSLError, match="issuer"):
        call(*args, **more)


def platform(world):
    """The value itself."""
    return world.requestx.certs.PLATFORM


@pytest.mark.parametrize("way", ["call", "session"])
def test_the_systems_file_is_trusted(world, system, certifi, certs, url, way):
    """In the place of certifi's, for one call or for all of a session."""
    system(file=certs.ca)
    certifi(certs.other_ca)
    session = world.session()
    if way == "session":
        session.verify = platform(world)

    assert session.get(url, **({"verify": platform(world)} if way == "call" else {})).ok


def test_the_systems_folder_is_trusted(world, system, certs, url, tool, tmp_path):
    """Of certificates named by their hashes, in a list of folders."""
    shutil.copy(certs.ca, tmp_path)
    subprocess.run([tool("openssl"), "rehash", str(tmp_path)], check=True)
    system(folder=os.pathsep.join(["/nowhere", str(tmp_path)]))

    assert world.get(url, verify=platform(world)).ok


def test_whom_the_system_does_not_trust_is_refused(world, system, certifi, certs, url):
    """Though certifi does: its bundle counts for nothing where the system has one."""
    system(file=certs.other_ca)
    certifi(certs.ca)

    refused(world, world.get, url, verify=platform(world))


def test_certifi_where_the_system_has_none(world, system, certifi, certs, url):
    """No file and no folder."""
    system()
    certifi(certs.ca)

    assert world.get(url, verify=platform(world)).ok


@pytest.mark.parametrize("holding", ["nothing", "another thing"])
def test_a_folder_without_certificates_is_none(world, system, certifi, certs, url, tmp_path, holding):
    """As in a small container: /etc/ssl/certs is there, and nothing in it that OpenSSL would read."""
    if holding == "another thing":
        (tmp_path / "README.txt").write_text("No certificates yet.")
    system(folder=tmp_path)
    certifi(certs.ca)

    assert world.get(url, verify=platform(world)).ok


def test_an_empty_file_is_none(world, system, certifi, certs, url, tmp_path):
    """What was made and never filled trusts nobody."""
    empty = tmp_path / "ca.pem"
    empty.write_bytes(b"")
    system(file=empty)
    certifi(certs.ca)

    assert world.get(url, verify=platform(world)).ok


def test_a_broken_file_is_an_error(world, system, certifi, certs, url, tmp_path):
    """Which names it: somebody meant it, so nothing takes its place."""
    broken = tmp_path / "ca.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nnothing of the kind\n-----END CERTIFICATE-----\n")
    system(file=broken)
    certifi(certs.ca)

    with pytest.raises(world.requestx.exceptions.SSLError, match=str(broken)):
        world.get(url, verify=platform(world))


def test_true_is_certifi(world, system, certifi, certs, url):
    """As in requests: whom the system trusts as well counts for nothing."""
    system(file=certs.ca)
    certifi(certs.other_ca)

    refused(world, world.get, url, verify=True)


def test_a_renewed_file_is_seen(world, system, certs, url, tmp_path):
    """At the next connection."""
    file = tmp_path / "ca.pem"
    shutil.copy(certs.other_ca, file)
    system(file=file)
    session = world.session()
    refused(world, session.get, url, verify=platform(world))
    file.write_bytes(Path(certs.ca).read_bytes() + b"\n# renewed\n")

    assert session.get(url, verify=platform(world)).ok


def test_a_connection_of_the_systems_trust_is_not_shared(world, system, certs, url):
    """With whoever trusts others."""
    system(file=certs.ca)
    session = world.session()
    session.get(url, verify=platform(world))

    refused(world, session.get, url, verify=certs.other_ca)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_does_not_change_it(world, system, certs, url, monkeypatch, name):
    """A session that trusts the system is not told otherwise by a variable."""
    system(file=certs.ca)
    monkeypatch.setenv(name, certs.other_ca)
    session = world.session()
    session.verify = platform(world)

    assert session.get(url).ok


def test_as_a_setting_of_pools(world, system, certs, url):
    """``ca_platform=True`` is what verify=True then means; with other authorities, beside them."""
    system(file=certs.other_ca)

    class Native(world.requestx.adapters.HTTPAdapter):
        def init_poolmanager(self, *args, **kwargs):
            super().init_poolmanager(*args, **kwargs, ca_platform=True, ca_certs=self.more)

    session = world.session()
    Native.more = None
    session.mount("https://", Native())
    refused(world, session.get, url)
    Native.more = certs.ca
    session.mount("https://", Native())

    assert session.get(url).ok


def test_by_a_pool_of_a_subclass(world, system, certs, url):
    """Where an adapter makes its own way, the pool is told."""
    system(file=certs.ca)

    class Own(world.requestx.adapters.HTTPAdapter):
        def get_connection_with_tls_context(self, request, verify, proxies=None, cert=None):
            return super().get_connection_with_tls_context(request, verify, proxies, cert)

    session = world.session()
    session.mount("https://", Own())

    assert session.get(url, verify=platform(world)).ok


@pytest.mark.parametrize("trusts", [True, False], ids=["trusted", "not trusted"])
def test_for_a_proxy(world, system, listen, certs, server, trusts):
    """``HTTPAdapter(proxy_verify=certs.PLATFORM)``."""
    system(file=certs.ca if trusts else certs.other_ca)
    proxy = listen("proxy", tls={"chain": certs.good}).at("localhost")
    session = world.session(proxies={"http": proxy})
    session.mount("http://", world.requestx.adapters.HTTPAdapter(proxy_verify=platform(world)))
    if trusts:
        assert session.get(server.url + "/get").ok
    else:
        with pytest.raises(world.requestx.exceptions.ProxyError, match="issuer"):
            session.get(server.url + "/get")


def test_it_stays_itself(world):
    """Pickled, it means the same."""
    value = platform(world)

    assert pickle.loads(pickle.dumps(value)) is value
    assert repr(value) == "requestx.certs.PLATFORM"


@pytest.mark.parametrize("way", ["platform", "bytes"])
def test_what_one_call_trusts_the_next_does_not(world, system, certifi, certs, url, way):
    """An adapter that is asked for a pool has one for each trust."""
    system(file=certs.ca)
    certifi(certs.other_ca)

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def cert_verify(self, *arguments):
            super().cert_verify(*arguments)

    session = world.session()
    session.mount("https://", Adapter())

    assert session.get(url, verify=platform(world) if way == "platform" else os.fsencode(certs.ca)).ok
    refused(world, session.get, url)
