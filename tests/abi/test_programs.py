"""C programs against the committed header, as a user would build them: run plain, and under valgrind.

Each ``test_<noun>.c`` is one program with several small behaviours.  It gets the URLs of an everyday http server and of
an https one, the path of the CA that signed the latter, the URL of a proxy, that of a server of HTTP/2, that of a proxy
over TLS, and the path of the CA that signed its certificate; it exits with 0 or says which check failed.
"""

import subprocess

import pytest
from abi.toolchain import HEADER, HERE, INCLUDE, ROOT, VALGRIND, run
from server.steps import answer, close, head, receive, request, rst, send, wait

if not HEADER.exists():
    pytest.skip("no header yet", allow_module_level=True)

PROGRAMS = sorted(path.stem for path in HERE.glob("test_*.c"))
# A forked child abandons what its parent holds, for good: its end is not counted.
CHILDREN_LEAK = {"test_fork": ["--leak-check=no"]}
HEAD = b"HTTP/1.1 200 OK\r\n"
# The code that rqx_send gives, and what the server did.
CONVERSATIONS = {
    "RQX_OK": [request(), send(answer())],
    "RQX_E_RESET": [request(), rst()],
    "RQX_E_PROTOCOL": [request(), send(b"this is no HTTP\r\n\r\n")],
    "RQX_E_INCOMPLETE": [request(), send(HEAD + b"Content-Length: 10\r\n\r\nhalf"), close()],
    "RQX_E_DECODE": [request(), send(answer(b"this is no gzip", b"Content-Encoding: gzip"))],
    "RQX_E_TOO_LARGE": [request(), send(HEAD), ["repeat", "X-A: b\r\n", 1000000]],
    "RQX_E_TIMEOUT": [request(), wait("never")],
}


@pytest.fixture
def arguments(listen, server, tls_server, certs, streams):
    """
    What every program is called with.
    """
    proxy, other = listen("proxy", login="ann:p:w@x"), listen("proxy", tls={"chain": certs.stranger})
    origins = [server.url, tls_server.at("localhost"), certs.ca]
    return [*origins, proxy.url, streams().at("localhost"), other.at("localhost"), certs.other_ca]


@pytest.mark.parametrize("program", PROGRAMS)
def test_program(build, arguments, program):
    """Every check of the program holds."""
    run([build(program)] + arguments, 15)


@pytest.mark.limit(120)
@pytest.mark.parametrize("program", PROGRAMS)
def test_program_under_valgrind(build, arguments, tool, program):
    """No invalid access, and nothing lost."""
    run([tool("valgrind")] + VALGRIND + CHILDREN_LEAK.get(program, []) + [build(program)] + arguments, 110)


@pytest.mark.parametrize("name", sorted(CONVERSATIONS))
def test_errors_of_the_peer(build, wire, name):
    """What the peer does wrong has the number that the header gives it."""
    site = wire(CONVERSATIONS[name])
    done = subprocess.run([build("send_once"), site.url], stdout=subprocess.PIPE, timeout=15)

    assert done.stdout.decode().split()[0] == name, done.stdout.decode()


def test_what_comes_before_and_behind_an_answer(build, wire):
    """Informational heads as they were spelt, and trailers."""
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\nHTTP/1.1 102 X\r\n\r\n"
    body = b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"
    said = run([build("send_once"), wire([request(), send(early + HEAD + body)]).url], 15)

    assert said.splitlines() == [
        "RQX_OK",
        "informational 103 2 Link|</a>|Link|</b>",
        "informational 102 0 ",
        "trailers 0 1 x-sum|1",
    ]


def test_a_stream_that_the_server_resets(build, wire):
    """HTTP/2 has an error of its own; this server speaks just enough of it, and refuses stream 1 twice."""
    settings, refused = bytes(3) + b"\4" + bytes(5), b"\0\0\4\3\0\0\0\0\1\0\0\0\7"
    again = refused[:8] + b"\3" + refused[9:]
    beginning = len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + 60  # and into the request's own frame
    site = wire([receive(beginning), send(settings + refused), receive(20), send(again), wait("never")])
    done = subprocess.run([build("send_once"), site.url, "h2"], stdout=subprocess.PIPE, timeout=15)

    assert done.stdout.decode().split()[0] == "RQX_E_STREAM", done.stdout.decode()


def test_errors_of_the_network(build, server, tls_server):
    """So has what the network and TLS do."""
    cases = {
        "http://127.0.0.1:1/": "RQX_E_REFUSED",
        "http://255.255.255.255/": "RQX_E_CONNECT",
        server.url.replace("http", "https"): "RQX_E_TLS",
        "http://no-such-host.invalid/": "RQX_E_DNS",
        tls_server.at("localhost"): "RQX_E_TLS_VERIFY",
    }
    for url, name in cases.items():
        done = subprocess.run([build("send_once"), url], stdout=subprocess.PIPE, timeout=15)

        assert done.stdout.decode().split()[0] == name, done.stdout.decode()


def test_peer_that_goes_away_is_an_error_not_a_signal(build, wire):
    """A C program has SIGPIPE at its default, which ends it: nothing of ours may raise that signal."""
    rounds = 20
    site = wire(*[[head(), rst()]] * rounds)
    for _ in range(rounds):
        said = run([build("send_once"), site.url, "20000000"])

        assert said.split()[0] in ("RQX_E_RESET", "RQX_E_IO"), said


@pytest.mark.parametrize("under", [[], VALGRIND], ids=["plain", "valgrind"])
def test_worked_example(tool, folder, server, tmp_path, under):
    """examples/c is built by its own Makefile and does what its first lines say."""
    program = tmp_path / "get"
    source = ROOT / "examples" / "c"
    for name in ("Makefile", "get.c"):
        (tmp_path / name).symlink_to(source / name)
    settings = ["INCLUDE=%s" % INCLUDE, "LIB=%s" % folder, "CFLAGS=-g -Wall -Wextra -Wpedantic -Werror"]
    run([tool("make"), "-s", "-C", str(tmp_path)] + settings, 60)
    valgrind = [tool("valgrind")] + under if under else []
    said = run(valgrind + [str(program), server.url + "/set-cookies?a=1", server.url + "/bytes/100"], 60).splitlines()

    assert said[0].startswith("requestx/")
    assert len([line for line in said if "200 OK" in line]) == 4
    assert sum("100 bytes of body" in line for line in said) == 2
    assert said.count("  from %s/cookies, after 1 redirects and 0 retries" % server.url) == 2
