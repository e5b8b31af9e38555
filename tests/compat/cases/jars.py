"""Cookies: of calls, of sessions, of responses."""

from http import cookiejar

from compat.compare import Case, answer, get, made, moved

SET = [
    "a=1",
    "a=1; Path=/",
    "a=1; Path=/x",
    "a=1; Path=/other",
    "a=1; Path=x",
    "a=1; Domain=127.0.0.1",
    "a=1; Domain=.127.0.0.1",
    "a=1; Domain=localhost",
    "a=1; Domain=a.test",
    "a=1; Secure",
    "a=1; HttpOnly",
    "a=1; SameSite=Lax",
    "a=1; Max-Age=100",
    "a=1; Max-Age=0",
    "a=1; Max-Age=-1",
    "a=1; Max-Age=x",
    "a=1; Expires=Wed, 01 Jan 2300 00:00:00 GMT",
    "a=1; Expires=Wed, 01 Jan 2020 00:00:00 GMT",
    "a=1; Expires=garbage",
    "a=1; Port",
    "a=1; Version=1",
    "a=1; Comment=x",
    "a=",
    "=1",
    "a",
    "",
    ";",
    "a=1=2",
    'a="1 2"',
    'a="1\\"2"',
    "a=1,2",
    "a=\xc3\xa4",
    "a=\xe4",
    "a b=1",
    "a=1; b=2",
    "$a=1",
    "__Host-a=1; Path=/; Secure",
    "a=1;Path=/;HttpOnly;Unknown=x",
    " a = 1 ; Path = / ",
]
RECEIVED = [
    Case(
        "set %r" % line,
        get("/x/y"),
        get("/x/y"),
        get("/"),
        get("{there}/x/y"),
        pages={"/x/y": answer("ok", "Set-Cookie: " + line)},
        differs="header-space" if line.endswith(" ") else "cookie-limits" if line.startswith("__Host-") else None,
    )
    for line in SET
] + [
    Case("set two", get("/"), get("/"), pages={"/": answer("ok", "Set-Cookie: a=1", "Set-Cookie: b=2")}),
    Case("set one twice", get("/"), get("/"), pages={"/": answer("ok", "Set-Cookie: a=1", "Set-Cookie: a=2")}),
    Case(
        "set on two paths",
        get("/x"),
        get("/x"),
        pages={"/x": answer("ok", "Set-Cookie: a=1; Path=/", "Set-Cookie: a=2; Path=/x")},
    ),
    Case("set two in one line", get("/"), get("/"), pages={"/": answer("ok", "Set-Cookie: a=1, b=2")}),
    Case("set by 404", get("/"), get("/"), pages={"/": answer("no", "Set-Cookie: a=1", status="404 x")}),
    Case(
        "set by a redirect's chain",
        get("/a"),
        get("/"),
        pages={
            "/a": moved(302, "/b", "Set-Cookie: a=1; Path=/"),
            "/b": moved(302, "/c", "Set-Cookie: b=2; Path=/"),
            "/c": answer("ok", "Set-Cookie: c=3; Path=/"),
        },
    ),
    Case(
        "set, not followed",
        get("/a", allow_redirects=False),
        get("/"),
        pages={"/a": moved(302, "/b", "Set-Cookie: a=1; Path=/")},
    ),
    Case(
        "set with a Host of the caller's",
        get("/", headers={"Host": "a.test"}),
        get("/"),
        get("/", headers={"Host": "a.test"}),
        pages={"/": answer("ok", "Set-Cookie: a=1")},
    ),
    Case(
        "set with a Host and its domain",
        get("/", headers={"Host": "www.a.test"}),
        get("/", headers={"Host": "x.a.test"}),
        pages={"/": answer("ok", "Set-Cookie: a=1; Domain=.a.test")},
    ),
    Case(
        "removed",
        get("/a"),
        get("/b"),
        get("/c"),
        pages={"/a": answer("ok", "Set-Cookie: a=1; Path=/"), "/b": answer("ok", "Set-Cookie: a=; Path=/; Max-Age=0")},
    ),
    Case(
        "replaced",
        get("/a"),
        get("/b"),
        get("/c"),
        pages={"/a": answer("ok", "Set-Cookie: a=1; Path=/"), "/b": answer("ok", "Set-Cookie: a=2; Path=/")},
    ),
]

GIVEN = [
    {},
    None,
    {"a": "1"},
    {"a": "1", "b": "2"},
    {"a": ""},
    {"a": "1 2"},
    {"a": "1;2"},
    {"a": '"1"'},
    {"a": 'x"y'},
    {"a": "1,2"},
    {"a": "\xe4"},
    {"a b": "1"},
    {"a": None},
]
SENT = (
    [Case("cookies %r" % (given,), get(cookies=given)) for given in GIVEN]
    + [Case("cookies beyond latin-1", get(cookies={"a": "\u20ac"}), differs="header-fields")]
    + [
        Case(
            "cookies of the session",
            get(),
            get(),
            session={"cookies": made(lambda lib: lib.cookies.cookiejar_from_dict({"a": "1"}))},
        ),
        Case(
            "cookies of session and call",
            get(cookies={"b": "2"}),
            get(),
            session={"cookies": made(lambda lib: lib.cookies.cookiejar_from_dict({"a": "1"}))},
        ),
        Case(
            "cookies of call over session",
            get(cookies={"a": "2"}),
            get(),
            session={"cookies": made(lambda lib: lib.cookies.cookiejar_from_dict({"a": "1"}))},
        ),
        Case("cookies beside a header", get(cookies={"a": "1"}, headers={"Cookie": "b=2"})),
        Case(
            "session's cookies beside a header",
            get(headers={"Cookie": "b=2"}),
            session={"cookies": made(lambda lib: lib.cookies.cookiejar_from_dict({"a": "1"}))},
        ),
        Case(
            "cookies in a session's header",
            get(),
            session={"headers": {"Cookie": "b=2", "User-Agent": "x", "Accept-Encoding": "x"}},
        ),
        Case("jar of the call", get("/x", cookies=made(lambda lib: _jar(lib))), get("/y")),
        Case("jar with paths", get("/x/y", cookies=made(lambda lib: _paths(lib)))),
        Case("jar with domains", get("/", cookies=made(lambda lib: _domains(lib)))),
        Case("jar with a secure cookie", get("/", cookies=made(lambda lib: _one(lib, secure=True)))),
        Case("jar with an expired cookie", get("/", cookies=made(lambda lib: _one(lib, expires=1)))),
        Case("jar of the standard library", get("/", cookies=made(lambda lib: _standard(lib)))),
        Case(
            "session with the standard library's jar",
            get("/a"),
            get("/"),
            session={"cookies": made(lambda lib: cookiejar.CookieJar())},
            pages={"/a": answer("ok", "Set-Cookie: a=1; Path=/")},
        ),
        Case(
            "session with a jar for files",
            get("/a"),
            get("/"),
            session={"cookies": made(lambda lib: cookiejar.LWPCookieJar())},
            pages={"/a": answer("ok", "Set-Cookie: a=1; Path=/")},
        ),
        Case(
            "session with Mozilla's jar",
            get("/a"),
            get("/"),
            session={"cookies": made(lambda lib: cookiejar.MozillaCookieJar())},
            pages={"/a": answer("ok", "Set-Cookie: a=1; Path=/; Max-Age=1000")},
        ),
        Case(
            "session with a policy",
            get("/a"),
            get("/"),
            session={"cookies": made(lambda lib: _strict(lib))},
            pages={"/a": answer("ok", "Set-Cookie: a=1; Path=/")},
        ),
        Case(
            "session that blocks a domain",
            get("/a"),
            get("/"),
            session={"cookies": made(lambda lib: _blocking(lib))},
            pages={"/a": answer("ok", "Set-Cookie: a=1; Path=/")},
        ),
        Case("cookies as text", get(cookies="a=1")),
        Case("cookies as pairs", get(cookies=[("a", "1")])),
        Case("cookies to the other host", get("{there}/", cookies={"a": "1"})),
        Case("cookies over a redirect", get("/a", cookies={"a": "1"}), get("/"), pages={"/a": moved(302, "/b")}),
        Case(
            "cookies over two redirects",
            get("/a", cookies={"a": "1"}),
            pages={"/a": moved(302, "/b", "Set-Cookie: b=2; Path=/"), "/b": moved(302, "/c")},
        ),
        Case(
            "header over a redirect",
            get("/a", headers={"Cookie": "a=1"}),
            pages={"/a": moved(302, "/b", "Set-Cookie: b=2; Path=/")},
        ),
    ]
)


def _jar(lib):
    jar = lib.cookies.RequestsCookieJar()
    jar.set("a", "1", domain="127.0.0.1", path="/x")
    return jar


def _paths(lib):
    jar = lib.cookies.RequestsCookieJar()
    for path in ["/", "/x", "/x/y", "/z"]:
        jar.set("a", path[1:] or "root", path=path)
    return jar


def _domains(lib):
    jar = lib.cookies.RequestsCookieJar()
    for domain in ["", "127.0.0.1", "localhost.local", "a.test", ".test"]:
        jar.set("a" + domain.replace(".", "-"), "1", domain=domain)
    return jar


def _one(lib, **more):
    jar = lib.cookies.RequestsCookieJar()
    jar.set("a", "1", **more)
    return jar


def _standard(lib):
    jar = cookiejar.CookieJar()
    jar.set_cookie(lib.cookies.create_cookie("a", "1"))
    return jar


def _strict(lib):
    return lib.cookies.RequestsCookieJar(policy=cookiejar.DefaultCookiePolicy(strict_ns_unverifiable=True))


def _blocking(lib):
    return lib.cookies.RequestsCookieJar(policy=cookiejar.DefaultCookiePolicy(blocked_domains=["127.0.0.1"]))


CASES = RECEIVED + SENT
