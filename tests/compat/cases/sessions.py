"""What a session is told: hooks, settings of call and session, prepared requests, errors of connecting."""

from compat.compare import Case, answer, get, head, made, moved, options, post


def _replaced(lib):
    def hook(response, **more):
        response.headers["X-Hook"] = ",".join(sorted(more))
        return response

    return hook


def _none(lib):
    return lambda response, **more: None


def _raises(lib):
    def hook(response, **more):
        response.raise_for_status()

    return hook


CASES = [
    Case("hook that changes", get(hooks={"response": made(_replaced)})),
    Case("hooks in a list", get(hooks=made(lambda lib: {"response": [_replaced(lib), _none(lib)]}))),
    Case("hook that returns nothing", get(hooks={"response": made(_none)})),
    Case("hook that raises", get(hooks={"response": made(_raises)}), pages={"/": answer("no", status="404 Not Found")}),
    Case("hook of the session", get(), session={"hooks": made(lambda lib: {"response": [_replaced(lib)]})}),
    Case(
        "hook of call over session",
        get(hooks={"response": made(_none)}),
        session={"hooks": made(lambda lib: {"response": [_replaced(lib)]})},
    ),
    Case("hook of an unknown event", get(hooks={"unknown": made(_none)})),
    Case("hook that is none", get(hooks={"response": "text"})),
    Case("options are redirected", options("/a"), pages={"/a": moved(302, "/b")}),
    Case("head is not redirected", head("/a"), pages={"/a": moved(302, "/b")}),
    Case("unknown argument", get(unknown=1)),
    Case("timeout as text", get(timeout="1")),
    Case("timeout of 0", get(timeout=0)),
    Case("timeout below 0", get(timeout=-1)),
    Case("timeout of three", get(timeout=(1, 2, 3))),
    Case("timeout of a pair", get(timeout=(5, 5))),
    Case("timeout of None and a number", get(timeout=(None, 5))),
    Case("timeout as a number", get(timeout=5)),
    Case("verify is a path that is not there", get(verify="/not/there")),
    Case("cert that is not there", get("https://127.0.0.1:{port}/", cert="/not/there")),
    Case("key that is not there", get("https://127.0.0.1:{port}/", cert=(__file__, "/not/there"))),
    Case("bundle that is not there", get("https://127.0.0.1:{port}/", verify="/not/there")),
    Case("refused", get("http://127.0.0.1:1/")),
    Case("TLS to a server without", get("https://127.0.0.1:{port}/", timeout=0.2), differs="handshake-timeouts"),
    Case("no adapter", get("foo://127.0.0.1/")),
    Case("stream by the session", get(), session={"stream": True}),
    Case("no environment", get(), session={"trust_env": False}),
    Case("post, then get, on one connection", post(data=b"x"), get(), get("/b")),
    Case("json of an object", post(json=made(lambda lib: object()))),
]
