"""httpbin as Go has it, over http, and over https, where it speaks HTTP/2."""

import base64
import os
import subprocess

import pytest

#: The newest that Debian's Go builds.
MODULE = "github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin@v2.13.4"


@pytest.fixture(scope="session")
def program(tool, tmp_path_factory):
    """The server, built once, from the module proxy."""
    folder = tmp_path_factory.mktemp("httpbin")
    subprocess.run([tool("go"), "install", MODULE], check=True, env=dict(os.environ, GOBIN=str(folder)))
    return str(folder / "go-httpbin")


@pytest.fixture(params=["http", "https"])
def httpbin(request, program, launch, certs, ca, world):
    """``httpbin("get", "/ip")`` calls it, on one session."""
    secure = ["-https-cert-file", certs.good, "-https-key-file", certs.good] if request.param == "https" else []
    port = launch([program, "-host", "127.0.0.1", "-port", "{port}", *secure])
    session = world.session(verify=ca)

    def call(method, path, **options):
        return getattr(session, method)("%s://localhost:%d%s" % (request.param, port, path), **options)

    call.session, call.secure = session, bool(secure)
    return call


@pytest.mark.limit(180)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_methods_and_what_they_carry(httpbin, method):
    """Parameters, fields and a form arrive as they were given."""
    answer = httpbin(method, "/" + method, params={"a": "b c"}, headers={"X-One": "1"}, **form(method))
    told = answer.json()

    assert answer.raw.version == (20 if httpbin.secure else 11)
    assert (told["args"], told["headers"]["X-One"]) == ({"a": ["b c"]}, ["1"])
    assert told.get("form", {}) == ({} if method == "get" else {"k": ["v"]})


def form(method):
    """A form, but for GET."""
    return {} if method == "get" else {"data": {"k": "v"}}


def test_files_arrive(httpbin):
    """Multipart, beside a field."""
    told = httpbin("post", "/post", files={"f": ("a.txt", b"hello")}, data={"k": "v"}).json()

    assert told["form"] == {"k": ["v"]}
    assert told["files"] == {"f": ["hello"]}


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_codings(httpbin, coding):
    """What it has packed is unpacked."""
    answer = httpbin("get", "/" + coding)

    assert answer.headers["Content-Encoding"] == coding
    assert answer.json()["method"] == "GET"


@pytest.mark.parametrize("kind", ["relative", "absolute"])
def test_redirects(httpbin, kind):
    """Each is in the history."""
    answer = httpbin("get", "/%s-redirect/3" % kind)

    assert [step.status_code for step in answer.history] == [302] * 3
    assert answer.url.endswith("/get")


def test_cookies_are_kept(httpbin):
    """Set on a redirect, and sent from then on."""
    assert httpbin("get", "/cookies/set?a=1").json() == {"a": "1"}
    assert httpbin("get", "/cookies").json() == {"a": "1"}


@pytest.mark.parametrize("password, status", [("right", 200), ("wrong", 401)])
@pytest.mark.parametrize("kind", ["Basic", "Digest"])
def test_who_asks(world, httpbin, kind, password, status):
    """A password, told openly or not."""
    auth = getattr(world.requestx.auth, "HTTP%sAuth" % kind)("ann", password)
    path = "/basic-auth/ann/right" if kind == "Basic" else "/digest-auth/auth/ann/right/SHA-256"

    assert httpbin("get", path, auth=auth).status_code == status


def test_pieces_and_lines(world, httpbin):
    """A body that comes bit by bit."""
    lines = world.lines(httpbin("get", "/stream/20", stream=True))

    assert len(lines) == 20
    assert len(httpbin("get", "/drip?duration=0.3&numbytes=30").content) == 30


def test_an_answer_that_takes_too_long(world, httpbin):
    """It is a ReadTimeout, and the session goes on."""
    with pytest.raises(world.requestx.exceptions.ReadTimeout):
        httpbin("get", "/delay/5", timeout=0.2)

    assert httpbin("get", "/status/418").status_code == 418


def test_a_websocket(world, httpbin):
    """Its echo, over the connection that it hands over; HTTP/2 is not asked for that."""
    key = base64.b64encode(bytes(range(16))).decode()
    fields = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}
    answer = httpbin("get", "/websocket/echo", headers=fields)
    assert answer.status_code == 101
    with answer.upgrade() as connection:
        write, read = (getattr(connection, "a" * world.awaits + verb) for verb in ("write", "read"))
        world.run(write, b"\x81\x85" + b"\0\0\0\0" + b"hello")  # a text of five bytes, masked with zeros

        assert world.run(read, 7) == b"\x81\x05hello"
