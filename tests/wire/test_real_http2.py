"""HTTP/2 as others made it: nginx, nghttpd, hypercorn, and Go's own server."""

import os
import subprocess
import sys

import pytest

MIB = 1 << 20
NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; default_type text/plain; keepalive_requests 20;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:%d ssl http2;
    ssl_certificate {chain}; ssl_certificate_key {chain};
    root {folder};
  }}
}}
"""
HYPERCORN = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    body = str(length).encode() if scope["path"] == "/echo" else b"x" * int(scope["path"][5:])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
"""
GO = """
package main

import ("bytes"; "fmt"; "io"; "net/http"; "os"; "strconv")

func main() {
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	http.HandleFunc("/size", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.RawQuery)
		w.Write(bytes.Repeat([]byte("x"), n))
	})
	panic(http.ListenAndServeTLS("127.0.0.1:" + os.Args[1], os.Args[2], os.Args[2], nil))
}
"""


def works(world, ca, size_of, echo, length_in=lambda response: int(response.text)):
    """A large body, many at once, an answer without a body, and uploads that are larger than the first windows."""
    session = world.session(verify=ca)
    first = session.get(size_of(3 * MIB))
    assert (first.status_code, first.raw.version, len(first.content)) == (200, 20, 3 * MIB)
    calls = [session.start("get", size_of(n * 100)) for n in range(1, 41)]
    assert [len(call.result().content) for call in calls] == [n * 100 for n in range(1, 41)]
    assert session.head(size_of(100)).content == b""
    for body in (b"x" * 1000000, iter([b"x" * 500000, b"y" * 500000])) if echo else ():
        assert length_in(session.post(echo, data=body)) == 1000000


def files(folder):
    """Files of each size that `works` asks for."""
    for size in [3 * MIB] + [n * 100 for n in range(1, 41)]:
        (folder / str(size)).write_bytes(b"x" * size)


def test_nginx(world, tool, launch, tmp_path, certs, ca):
    """It says GOAWAY after so many requests, in the midst of others."""
    files(tmp_path)
    settings = NGINX.format(folder=tmp_path, chain=certs.good)
    port = launch([tool("nginx"), "-c", "{settings}", "-p", str(tmp_path)], settings)
    works(world, ca, lambda size: "https://127.0.0.1:%d/%d" % (port, size), None)


def test_nghttpd(world, tool, launch, tmp_path, certs, ca):
    """nghttp2's own server: it begins to answer an upload before that has ended."""
    files(tmp_path)
    port = launch([tool("nghttpd"), "--echo-upload", "-d", str(tmp_path), "{port}", certs.good, certs.good])
    url = "https://127.0.0.1:%d/" % port
    works(world, ca, lambda size: url + str(size), url + "100", lambda response: len(response.content))


def test_hypercorn(world, module, launch, tmp_path, certs, ca):
    """An application of Python's."""
    module("hypercorn")
    (tmp_path / "application.py").write_text(HYPERCORN)
    options = ["--workers", "0", "--bind", "127.0.0.1:{port}", "--certfile", certs.good, "--keyfile", certs.good]
    port = launch([sys.executable, "-m", "hypercorn", *options, "application:app"], cwd=str(tmp_path))
    url = "https://127.0.0.1:%d" % port
    works(world, ca, lambda size: "%s/size%d" % (url, size), url + "/echo")


@pytest.fixture(scope="session")
def go_server(tool, tmp_path_factory):
    """The program, built once."""
    folder = tmp_path_factory.mktemp("go")
    (folder / "main.go").write_text(GO)
    build = [tool("go"), "build", "-o", "server", "main.go"]
    subprocess.run(build, cwd=str(folder), check=True, env=dict(os.environ, GO111MODULE="off"))
    return str(folder / "server")


@pytest.mark.limit(180)
def test_go(world, go_server, launch, certs, ca):
    """The server of Go's standard library."""
    url = "https://127.0.0.1:%d" % launch([go_server, "{port}", certs.good])
    works(world, ca, lambda size: "%s/size?%d" % (url, size), url + "/echo")
