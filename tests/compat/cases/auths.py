"""Credentials: Basic, Digest, callables, sessions', URLs' and netrc's."""

from compat.compare import Case, answer, get, made, moved, post

HERE = 'Digest realm="here", nonce="dcd98b", qop="auth"'
CHALLENGES = [
    HERE,
    'Digest realm="here", nonce="dcd98b"',
    'Digest realm="here", nonce="dcd98b", qop="auth,auth-int", opaque="5ccc", algorithm=MD5',
    'Digest realm="here", nonce="dcd98b", qop="auth", algorithm="MD5-sess"',
    'Digest realm="here", nonce="dcd98b", qop="auth", algorithm=SHA',
    'Digest realm="here", nonce="dcd98b", qop="auth", algorithm=SHA-256',
    'Digest realm="here", nonce="dcd98b", qop="auth", algorithm=SHA-512',
    'Digest realm="", nonce="", qop=auth',
    'digest realm="here", nonce="dcd98b", qop="auth"',
    'Digest realm="here", nonce="dcd98b", qop="auth", stale=TRUE',
    'Digest realm="here", nonce="dcd98b", qop="auth", domain="/", charset=UTF-8',
    'Basic realm="here"',
    "Negotiate",
    "",
]
DIFFERENT = {
    'Digest realm="here", nonce="dcd98b", qop="auth-int"': "digest-challenges",
    'Digest realm="here", nonce="dcd98b", qop="auth", algorithm=SHA-512-256': "digest-challenges",
    'Digest realm="here", nonce="dcd98b", algorithm=unknown': "digest-challenges",
    "Digest": "digest-challenges",
    'Digest realm="he said \\"hi\\"", nonce="a,b=c", qop="auth"': "digest-names",
    "Digest garbage": "digest-challenges",
    'Digest realm="here"': "digest-challenges",
    'Digest nonce="x"': "digest-challenges",
    'Digest realm="here", nonce="dcd98b", algorithm=SHA-256-sess': "digest-challenges",
    'Basic realm="a", Digest realm="here", nonce="dcd98b", qop="auth"': None,
    'DIGEST REALM="here", nonce="dcd98b"': "digest-challenges",
}


def challenge(text, *fields):
    return answer("who are you", *(("WWW-Authenticate: " + text,) if text else ()), *fields, status="401 Unauthorized")


def digest(username="ann", password="pw"):
    return made(lambda lib: lib.auth.HTTPDigestAuth(username, password))


DIGEST = (
    [
        Case(
            "digest: " + (text or "no challenge"),
            get("/a?b=c", auth=digest()),
            pages={"/a": [challenge(text), answer("in")]},
        )
        for text in CHALLENGES
    ]
    + [
        Case(
            "digest: " + text, get("/a", auth=digest()), pages={"/a": [challenge(text), answer("in")]}, differs=differs
        )
        for text, differs in DIFFERENT.items()
    ]
    + [
        Case("digest: post", post("/a", data=b"body", auth=digest()), pages={"/a": [challenge(HERE), answer("in")]}),
        Case(
            "digest: file",
            post("/a", data=made(lambda lib: _at(lib, b"0123", 1)), auth=digest()),
            pages={"/a": [challenge(HERE), answer("in")]},
        ),
        Case("digest: wrong password", get("/a", auth=digest()), pages={"/a": challenge(HERE)}),
        Case(
            "digest: 403",
            get("/a", auth=digest()),
            pages={"/a": [answer("no", "WWW-Authenticate: " + HERE, status="403 No"), answer("in")]},
        ),
        Case(
            "digest: 500",
            get("/a", auth=digest()),
            pages={"/a": [answer("no", "WWW-Authenticate: " + HERE, status="500 No"), answer("in")]},
        ),
        Case(
            "digest: cookie with the challenge",
            get("/a", auth=digest()),
            pages={"/a": [challenge(HERE, "Set-Cookie: a=1; Path=/"), answer("in")]},
        ),
        Case("digest: redirect after it", get("/a", auth=digest()), pages={"/a": [challenge(HERE), moved(302, "/b")]}),
        Case(
            "digest: redirect to the challenge",
            get("/a", auth=digest()),
            pages={"/a": moved(302, "/b"), "/b": [challenge(HERE), answer("in")]},
        ),
        Case(
            "digest: again with its nonce",
            get("/a"),
            get("/a"),
            get("/b"),
            session={"auth": digest()},
            pages={"/a": [challenge(HERE), answer("in")]},
        ),
        Case(
            "digest: stale",
            get("/a"),
            get("/b"),
            session={"auth": digest()},
            pages={
                "/a": [challenge(HERE), answer("in")],
                "/b": [challenge(HERE.replace("dcd98b", "new") + ", stale=true"), answer("in")],
            },
        ),
        Case(
            "digest: user beyond latin-1",
            get("/a", auth=digest("\u20ac", "p\xe4")),
            pages={"/a": [challenge(HERE), answer("in")]},
            differs="digest-names",
        ),
        Case(
            "digest: bytes",
            get("/a", auth=digest(b"ann", b"pw")),
            pages={"/a": [challenge(HERE), answer("in")]},
            differs="digest-names",
        ),
        Case("digest: streamed", get("/a", auth=digest(), stream=True), pages={"/a": [challenge(HERE), answer("in")]}),
        Case(
            "digest: long body of the challenge",
            get("/a", auth=digest()),
            pages={"/a": [answer("x" * 300000, "WWW-Authenticate: " + HERE, status="401 x"), answer("in")]},
        ),
        Case(
            "digest: redirect elsewhere",
            get("/a", auth=digest()),
            pages={"/a": moved(302, "{there}/b"), "/b": [challenge(HERE), answer("in")]},
            differs="digest-elsewhere",
        ),
    ]
)

PAIRS = [
    ("ann", "pw"),
    ("", ""),
    ("ann", ""),
    ("", "pw"),
    ("a:b", "c:d"),
    ("\xfc", "\xe4"),
    ("\u20ac", "x"),
    (b"ann", b"pw"),
    (b"\xff", "x"),
    (1, 2),
    (None, None),
]
BASIC = [Case("basic %r" % (pair,), get(auth=pair)) for pair in PAIRS] + [
    Case("basic of the session", get(), session={"auth": ("ann", "pw")}),
    Case("basic of call over session", get(auth=("bob", "x")), session={"auth": ("ann", "pw")}),
    Case("basic over the URL", get("http://bob:x@127.0.0.1:{port}/", auth=("ann", "pw"))),
    Case("session's over the URL", get("http://bob:x@127.0.0.1:{port}/"), session={"auth": ("ann", "pw")}),
    Case("basic over a header", get(auth=("ann", "pw"), headers={"Authorization": "Bearer x"})),
    Case("object", get(auth=made(lambda lib: lib.auth.HTTPBasicAuth("ann", "pw")))),
    Case("proxy", get(auth=made(lambda lib: lib.auth.HTTPProxyAuth("ann", "pw")))),
    Case("list", get(auth=["ann", "pw"])),
    Case("three", get(auth=("a", "b", "c"))),
    Case("text", get(auth="ann")),
    Case("False", get(auth=False), session={"auth": ("ann", "pw")}),
    Case("base class", get(auth=made(lambda lib: lib.auth.AuthBase()))),
    Case("callable that signs", post("/a", data=b"x", auth=made(lambda lib: _sign))),
    Case("callable that changes the body", post("/a", data=b"x", auth=made(lambda lib: _rewrite))),
    Case("callable that returns nothing", get(auth=made(lambda lib: lambda request: None))),
    Case("callable that raises", get(auth=made(lambda lib: _raise))),
    Case("callable that adds a hook", get(auth=made(lambda lib: _hook))),
    Case("401 to basic", get(auth=("ann", "pw")), pages={"/": challenge('Basic realm="x"')}),
]


def _at(lib, data, position):
    import io

    file = io.BytesIO(data)
    file.seek(position)
    return file


def _sign(request):
    request.headers["X-Signed"] = "%s %s %s" % (request.method, request.path_url, request.body)
    return request


def _rewrite(request):
    request.body = b"another body"
    return request


def _raise(request):
    raise KeyError("mine")


def _hook(request):
    def again(response, **more):
        response.content  # noqa: B018
        request = response.request.copy()
        request.hooks = {"response": []}
        request.headers["X-Again"] = "1"
        answered = response.connection.send(request, **more)
        answered.history.append(response)
        return answered

    request.register_hook("response", again)
    return request


CASES = DIGEST + BASIC
