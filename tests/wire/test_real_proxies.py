"""Proxies as others made them: squid, tinyproxy, microsocks and Dante, from Debian's packages."""

import getpass
import os
import subprocess
import tempfile

import pytest

TINYPROXY = """
Port %d
Listen 127.0.0.1
Allow 127.0.0.1
Timeout 60
MaxClients 20
LogLevel Critical
BasicAuth ann s3cret
"""
SQUID = """
http_port 127.0.0.1:%d
auth_param basic program /usr/lib/squid/basic_ncsa_auth {users}
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
cache_log /dev/null
access_log none
pid_filename none
pinger_enable off
coredump_dir /
"""
USER = getpass.getuser()
DANTE = f"""
errorlog: /dev/null
logoutput: /dev/null
internal: 127.0.0.1 port = %d
external: lo
clientmethod: none
socksmethod: none
user.privileged: {USER}
user.unprivileged: {USER}
client pass {{ from: 127.0.0.1/32 to: 0.0.0.0/0 }}
socks pass {{ from: 127.0.0.1/32 to: 0.0.0.0/0 protocol: tcp }}
"""


@pytest.fixture
def tinyproxy(tool, launch):
    """tinyproxy, which asks for user and password; its place."""
    return "127.0.0.1:%d" % launch([tool("tinyproxy"), "-d", "-c", "{settings}"], TINYPROXY)


@pytest.fixture
def squid(tool, launch):
    """squid, which asks for user and password; its place."""
    hashed = subprocess.run([tool("openssl"), "passwd", "-1", "s3cret"], stdout=subprocess.PIPE, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # started by root it becomes another user, who reads this
        users = os.path.join(folder, "users")
        with open(users, "wb") as file:
            file.write(b"ann:" + hashed)
        yield "127.0.0.1:%d" % launch([tool("squid"), "-N", "-f", "{settings}"], SQUID.replace("{users}", users))


@pytest.fixture
def microsocks(tool, launch):
    """microsocks, which asks for user and password; its place."""
    command = [tool("microsocks"), "-i", "127.0.0.1", "-p", "{port}", "-u", "ann", "-P", "s3cret"]
    return "127.0.0.1:%d" % launch(command)


@pytest.fixture
def dante(tool, launch):
    """Dante, for everybody; its place."""
    return "127.0.0.1:%d" % launch([tool("danted"), "-f", "{settings}"], DANTE)


def works(session, server, tls_server):
    """Both schemes, and a large body in each direction; first what could not be repeated: tinyproxy closes unsaid."""
    for origin in (server.at("localhost"), tls_server.at("localhost")):
        assert session.post(origin + "/echo", data=b"x" * 500000).json()["length"] == 500000
        assert len(session.get(origin + "/stream/500000").content) == 500000
        for _ in range(2):
            assert session.get(origin + "/get").status_code == 200


def test_squid(world, squid, server, tls_server, ca):
    """Forwards, and opens tunnels, for who logs in."""
    works(world.session(verify=ca, proxies={"all": "http://ann:s3cret@" + squid}), server, tls_server)

    assert len(tls_server.connections) == 1
    assert all("s3cret" not in str(request) for request in server.requests + tls_server.requests)


@pytest.mark.parametrize("login", ["ann:wrong@", ""])
def test_squid_refuses(world, squid, server, tls_server, login):
    """A request that it does not forward is answered with 407, and a tunnel is a ProxyError."""
    proxies = {"all": "http://" + login + squid}

    assert world.get(server.url + "/get", proxies=proxies).status_code == 407
    with pytest.raises(world.requestx.exceptions.ProxyError, match="Tunnel connection failed: 407"):
        world.get(tls_server.at("localhost"), proxies=proxies)
    assert server.requests == tls_server.requests == []


def test_tinyproxy(world, tinyproxy, server, tls_server, ca):
    """Forwards, and opens tunnels, for who logs in."""
    works(world.session(verify=ca, proxies={"all": "http://ann:s3cret@" + tinyproxy}), server, tls_server)

    assert len(tls_server.connections) == 1


def test_tinyproxy_refuses(world, tinyproxy, server, tls_server):
    """A request that it does not forward is answered with 407, and a tunnel is a ProxyError."""
    proxies = {"all": "http://ann:wrong@" + tinyproxy}
    status = world.get(server.url + "/get", proxies=proxies).status_code
    with pytest.raises(world.requestx.exceptions.ProxyError, match="Tunnel connection failed: %d" % status):
        world.get(tls_server.at("localhost"), proxies=proxies)

    assert status in (401, 407)  # of 1.11 and of others
    assert server.requests == tls_server.requests == []


def test_tinyproxy_cannot_reach_the_origin(world, tinyproxy):
    """Its own page with 500 or 502 is its answer where it forwards, and no answer where it should open a tunnel."""
    proxies = {"all": "http://ann:s3cret@" + tinyproxy}

    assert world.get("http://127.0.0.1:1/", proxies=proxies).status_code in (500, 502)
    with pytest.raises(world.requestx.exceptions.ProxyError, match="Tunnel connection failed: 50[02]"):
        world.get("https://127.0.0.1:1/", proxies=proxies)


@pytest.mark.parametrize("kind", ["socks5", "socks5h"])
def test_microsocks(world, microsocks, server, tls_server, ca, kind):
    """User and password of SOCKS5."""
    works(world.session(verify=ca, proxies={"all": "%s://ann:s3cret@%s" % (kind, microsocks)}), server, tls_server)


@pytest.mark.parametrize("login", ["ann:wrong@", ""])
def test_microsocks_refuses(world, microsocks, server, login):
    """Another password, or none."""
    with pytest.raises(world.requestx.exceptions.ProxyError, match="SOCKS5"):
        world.get(server.url, proxies={"all": "socks5://" + login + microsocks})

    assert server.requests == []


@pytest.mark.parametrize("kind", ["socks4", "socks5", "socks5h"])
def test_dante(world, dante, server, tls_server, ca, kind):
    """SOCKS4 and both of SOCKS5; Dante refuses SOCKS4a, curl's too."""
    works(world.session(verify=ca, proxies={"all": "%s://%s" % (kind, dante)}), server, tls_server)
