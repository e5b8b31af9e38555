"""Redirects: methods, targets, bodies, credentials, limits."""

import io

from compat.compare import Call, Case, answer, get, head, made, moved, post, put

STATUSES = [300, 301, 302, 303, 304, 305, 306, 307, 308, 399]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]

RULES = [
    Case(
        "%d after %s" % (status, method),
        Call(method, "/a", data=b"body", allow_redirects=True),
        pages={"/a": moved(status, "/b")},
    )
    for status in STATUSES
    for method in METHODS
]
SHY = [
    Case(
        "%d after %s, not followed" % (status, method),
        Call(method, "/a", allow_redirects=False),
        pages={"/a": moved(status, "/b")},
    )
    for status in STATUSES
    for method in ["GET", "POST"]
]
TARGETS = [
    "/b",
    "b",
    "./b",
    "../b",
    "../../../b",
    "?q",
    "#f",
    "",
    "/",
    ".",
    "//127.0.0.1:{port}/b",
    "//localhost:{port}/b",
    "{here}",
    "{here}?q",
    "{here}/b",
    "{there}/b",
    "{elsewhere}/b",
    "HTTP://127.0.0.1:{port}/b",
    "http:/b",
    "http:b",
    "http:///b",
    "/b#f",
    "/b#",
    "/b?a=b c&d=%20",
    "/b%zz",
    "/b%2Fc%41",
    "/a b",
    " /b",
    "/b ",
    "/\xc3\xa4",
    "/\xe4",
    "/b?q=\xc3\xa4",
    "/b;p",
    "/a:b",
    "a:b",
    "/b/../c/./d",
    "/b'\"<>|\\c",
    "\\b",
    "/[b]",
    "http://ann:pw@127.0.0.1:{port}/b",
    "http://a b/",
    "http://[::1",
    "http://127.0.0.1:99999/",
    "http://.test/",
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "javascript:alert(1)",
    "mailto:ann@a.test",
    "data:text/plain,x",
]
DIFFERENT_TARGETS = {
    "/[b]": "redirect-urls",
    "/b ": "header-space",
    "/\xe4": "redirect-latin1",
    "http://a b/": "redirect-hosts",
    "http://[::1": "redirect-hosts",
    "http://127.0.0.1:99999/": "redirect-hosts",
    "http://.test/": "redirect-hosts",
}
WHERE = [
    Case(
        "to %r%s" % (target, "" if followed else ", not followed"),
        get("/x/y?z", allow_redirects=followed),
        pages={"/x/y": moved(302, target)},
        differs=DIFFERENT_TARGETS.get(target),
    )
    for target in TARGETS
    for followed in (True, False)
]
FRAGMENTS = [
    Case("fragment inherited", get("/a#f"), pages={"/a": moved(302, "/b")}),
    Case("fragment of its own", get("/a#f"), pages={"/a": moved(302, "/b#g")}),
    Case(
        "fragment over three hops",
        get("/a#f"),
        pages={"/a": moved(302, "/b"), "/b": moved(301, "/c"), "/c": moved(307, "/d")},
    ),
    Case("fragment replaced on the way", get("/a#f"), pages={"/a": moved(302, "/b#g"), "/b": moved(301, "/c")}),
    Case("no location", get("/a"), pages={"/a": answer("x", status="302 Found")}),
    Case("two locations", get("/a"), pages={"/a": answer("x", "Location: /b", "Location: /c", status="302 Found")}),
    Case("location without a redirect", get("/a"), pages={"/a": answer("x", "Location: /b")}),
    Case("params are not sent again", get("/a", params={"q": "1"}), pages={"/a": moved(302, "/b")}),
]
AGAIN = {
    "bytes": b"body",
    "text": "b\xfcdy",
    "form": {"a": "1"},
    "file": made(lambda lib: io.BytesIO(b"0123456789")),
    "file from its position": made(lambda lib: _at(io.BytesIO(b"0123456789"), 4)),
    "generator": made(lambda lib: (each for each in [b"a", b"b"])),
    "unseekable": made(lambda lib: _Unseekable(b"0123456789")),
    "untellable": made(lambda lib: _Untellable(b"0123456789")),
    "text stream": made(lambda lib: io.StringIO("text")),
}
BODIES = (
    [
        Case(
            "%s again by %d" % (what, status),
            post("/a", data=data),
            pages={"/a": moved(status, "/b")},
            differs="redirect-once" if what == "generator" and status != 302 else None,
        )
        for what, data in AGAIN.items()
        for status in (302, 307, 308)
    ]
    + [
        Case("json again by %d" % status, post("/a", json={"a": 1}), pages={"/a": moved(status, "/b")})
        for status in (303, 307)
    ]
    + [
        Case(
            "files again by %d" % status,
            post("/a", files={"f": b"x"}, data={"a": "1"}),
            pages={"/a": moved(status, "/b")},
        )
        for status in (301, 308)
    ]
    + [
        Case(
            "body twice again",
            put("/a", data=made(lambda lib: io.BytesIO(b"0123"))),
            pages={"/a": moved(307, "/b"), "/b": moved(308, "/c")},
        ),
        Case("post, then get, then get", post("/a", data=b"x"), pages={"/a": moved(303, "/b"), "/b": moved(307, "/c")}),
        Case(
            "head stays head", head("/a", allow_redirects=True), pages={"/a": moved(303, "/b"), "/b": moved(301, "/c")}
        ),
    ]
)
HOPS = {
    "same origin": "{here}/b",
    "other host": "{there}/b",
    "other port": "{elsewhere}/b",
}
CREDENTIALS = {
    "auth": {"auth": ("ann", "pw")},
    "Authorization": {"headers": {"Authorization": "Bearer x"}},
    "aUTHORIZATION": {"headers": {"aUTHORIZATION": "Bearer x"}},
    "Proxy-Authorization": {"headers": {"Proxy-Authorization": "Basic x"}},
    "Cookie": {"headers": {"Cookie": "a=1"}},
    "X-API-Key": {"headers": {"X-API-Key": "x"}},
    "Host": {"headers": {"Host": "example.org"}},
    "cookies": {"cookies": {"a": "1"}},
    "callable": {"auth": made(lambda lib: _sign)},
}
DIFFERENT = {("cookies", "other host"): "cookies-of-one-call", ("Proxy-Authorization", "same origin"): None}
SECRETS = (
    [
        Case(
            "%s to the %s" % (what, hop),
            get("/a", **secret),
            pages={"/a": moved(302, target)},
            differs=DIFFERENT.get((what, hop)),
        )
        for what, secret in CREDENTIALS.items()
        for hop, target in HOPS.items()
    ]
    + [
        Case(
            "auth of the session to the %s" % hop,
            get("/a"),
            session={"auth": ("ann", "pw")},
            pages={"/a": moved(307, target)},
        )
        for hop, target in HOPS.items()
    ]
    + [
        Case(
            "auth of the URL to the %s" % hop, get("http://ann:pw@127.0.0.1:{port}/a"), pages={"/a": moved(307, target)}
        )
        for hop, target in HOPS.items()
    ]
    + [
        Case(
            "auth there and back",
            get("/a", auth=("ann", "pw")),
            pages={"/a": moved(302, "{there}/b"), "/b": moved(302, "{here}/c")},
        ),
        Case("URL's auth of the target", get("/a"), pages={"/a": moved(302, "http://bob:pw@127.0.0.1:{port}/b")}),
        Case(
            "URL's auth over the caller's",
            get("/a", auth=("ann", "pw")),
            pages={"/a": moved(302, "http://bob:pw@127.0.0.1:{port}/b")},
        ),
        Case(
            "cookies of the session, other host",
            get("/a"),
            session={"cookies": made(lambda lib: lib.cookies.cookiejar_from_dict({"a": "1"}))},
            pages={"/a": moved(302, "{there}/b")},
        ),
        Case(
            "cookie set by a redirect", get("/a"), get("/c"), pages={"/a": moved(302, "/b", "Set-Cookie: a=1; Path=/")}
        ),
        Case(
            "cookie set by a redirect to the other host",
            get("/a"),
            get("{there}/c"),
            pages={"/a": moved(302, "{there}/b", "Set-Cookie: a=1; Path=/")},
        ),
        Case(
            "cookie changed by a redirect",
            get("/a", cookies={"a": "0"}),
            get("/c"),
            pages={"/a": moved(302, "/b", "Set-Cookie: a=1; Path=/")},
        ),
        Case(
            "cookie removed by a redirect",
            get("/s"),
            get("/a"),
            pages={
                "/s": answer("x", "Set-Cookie: a=1; Path=/"),
                "/a": moved(302, "/b", "Set-Cookie: a=; Max-Age=0; Path=/"),
            },
        ),
    ]
)
LIMITS = [
    Case("for ever", get("/a"), pages={"/a": moved(302, "/a")}),
    Case("limit 0", get("/a"), pages={"/a": moved(302, "/a")}, session={"max_redirects": 0}),
    Case(
        "limit 2",
        get("/a"),
        pages={"/a": moved(302, "/b"), "/b": moved(302, "/c"), "/c": moved(302, "/d")},
        session={"max_redirects": 2},
    ),
    Case(
        "as many as allowed",
        get("/a"),
        pages={"/a": moved(302, "/b"), "/b": moved(302, "/c")},
        session={"max_redirects": 2},
    ),
    Case("gzip in a redirect", get("/a"), pages={"/a": moved(302, "/b", "Content-Encoding: gzip")}),
    Case(
        "hook at every hop", get("/a", hooks={"response": made(lambda lib: _renamed)}), pages={"/a": moved(302, "/b")}
    ),
    Case(
        "the connection ends at every hop", get("/a"), pages={"/a": moved(302, "/b", "Connection: close") + "\0close"}
    ),
]


class _Unseekable(io.BytesIO):
    def seek(self, *where):
        raise OSError("not here")


class _Untellable(io.BytesIO):
    def tell(self):
        raise OSError("not here")


def _at(file, position):
    file.seek(position)
    return file


def _sign(request):
    request.headers["X-Signed"] = request.path_url
    return request


def _renamed(response, **more):
    response.reason = "seen"
    return response


CASES = RULES + SHY + WHERE + FRAGMENTS + BODIES + SECRETS + LIMITS
