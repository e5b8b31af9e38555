"""Where a request goes and what its head says: URLs, params, headers."""

from collections import OrderedDict

from compat.compare import Call, Case, get, made, post

PATHS = [
    "/",
    "/a/b",
    "/a b",
    "/a%20b",
    "/%7Euser/%41",
    "/%zz",
    "/100%",
    "/a%2Fb%2f",
    "/\xfc/\u20ac",
    "/\U0001f600",
    "//a//b",
    "/a/./b/../c",
    "/../../a",
    "/a/..",
    "/a/.",
    "/.",
    "/..a/b..",
    "/a;b=c,d:e@f",
    "/a|b^c`d{e}f",
    '/a"b<c>d',
    "/a\\b",
    "/a[b]c",
    "/a'b(c)*d!",
    "/a+b~c_d-e.f$g&h=i",
    "/a\tb",
    "/a\x7fb",
    "/?",
    "/#",
    "/?#",
    "/?a=b",
    "/?a=b&c=d&a=e",
    "/?a=b c",
    "/?a=\xfc",
    "/?a=%FC",
    "/?a=%zz",
    "/?a?b/c",
    "/?a[b]=c",
    "/?a=b#c",
    "/?a='b'\"c\"",
    "/?a={b}|c^d",
    "/a#b",
    "/a#b?c",
    "/a#\xfc b",
    "/a?b#c#d",
    "?a",
    "/" + "a" * 3000,
]
HOSTS = [
    "{here}",
    "{here}?a",
    "{here}#a",
    "{there}/a",
    "  {here}/leading",
    "{here}/trailing  ",
    "\t{here}/tab",
    "HTTP://127.0.0.1:{port}/scheme",
    "http://LOCALHOST:{port}/a",
    "http://127.0.0.1.:{port}/a",
    "http://127.1:{port}/a",
    "http://ann@127.0.0.1:{port}/a",
    "http://ann:@127.0.0.1:{port}/a",
    "http://:pw@127.0.0.1:{port}/a",
    "http://ann:pw@127.0.0.1:{port}/a",
    "http://ann:p%40w%3A@127.0.0.1:{port}/a",
    "http://ann:p@w@127.0.0.1:{port}/a",
    "http://\xfc:\xe4@127.0.0.1:{port}/a",
    "http://a%20b:c d@127.0.0.1:{port}/a",
    "http://127.0.0.1:0{port}/a",
]
WRONG = [
    "",
    "/",
    "a",
    "a.test",
    "//a.test",
    "http://",
    "http:///a",
    "http:/a.test",
    "http:a.test",
    "http://?a",
    "http://#a",
    "http://:80",
    "http://.test",
    "http://*.test",
    "http://a..test",
    "http://" + "a" * 64 + ".test",
    "http://a.test:99999",
    "http://a.test:x",
    "http://a.test:-1",
    "http://[::1",
    "http://[::1]x",
    "http://[example.com]",
    "http://\u2603.\xfc\xad.test",
    "http://xn--\xfc.test",
    "http://a b.test",
    "http://a%20b.test",
    "http://a<b.test",
    "ftp://a.test",
    "file:///etc/passwd",
    "mailto:ann@a.test",
    "localhost:1234/a",
    "10.0.0.1:80",
    "unknown://a.test",
    "httpx://a.test",
    "http+unix://%2Ftmp/a",
    "javascript:alert(1)",
    None,
    12,
    b"",
    b"a.test",
]

PARAMS = [
    {},
    [],
    None,
    "",
    b"",
    {"a": "1"},
    {"a": "1 2", "b": "&=+#"},
    {"a": ["1", "2"], "b": ("3",)},
    {"a": [], "b": ""},
    {"a": None, "b": "1"},
    {"a": [None, "1"]},
    {"a": 1, "b": 2.5, "c": True},
    {"\xfc": "\u20ac", "\U0001f600": "1"},
    {b"a": b"\xff"},
    [("a", "1"), ("b", "2"), ("a", "3")],
    (("a", "1"), ("b", "2")),
    "a=1&b=2",
    "a b=\xfc",
    b"a=1",
    b"a=b c",
    OrderedDict([("z", "1"), ("a", "2")]),
    {"a": "%20", "b": "%"},
    {"a": "~'()*!"},
    {"a": "/:?@"},
    {"a": {"b": "c"}},
]
HEADERS = [
    {},
    None,
    {"X-A": "1"},
    {"x-a": "1", "X-B": "2"},
    {"X-A": ""},
    {"X-A": " 1"},
    {"X-A": "1 "},
    {"X-A": "a\tb"},
    {"X-A": b"\xff\xfe"},
    {"X-A": "\xe9"},
    {"X-A": "\u20ac"},
    {b"X-A": b"1"},
    {b"X-A": "1"},
    {"X-A": b"1"},
    {"X-A": 1},
    {"X-A": 1.5},
    {"X-A": True},
    {"X-A": None},
    {"X-A": ["1"]},
    {"X-A": {"a": 1}},
    {1: "1"},
    {None: "1"},
    {"": "1"},
    {"X A": "1"},
    {" X-A": "1"},
    {"X-A ": "1"},
    {"X:A": "1"},
    {"\xfc": "1"},
    {"X-A": "1\r\nX-B: 2"},
    {"X-A": "1\nX-B: 2"},
    {"X-A": "1\r\n 2"},
    {"X-A": "1\r"},
    {"X-A": "\n1"},
    {"X-A": "1\0"},
    {"X-A\r\nX-B": "1"},
    {"Host": "example.org"},
    {"host": "example.org", "X-A": "1"},
    {"User-Agent": "mine"},
    {"user-agent": "mine"},
    {"User-Agent": None},
    {"User-Agent": ""},
    {"Accept": "text/x", "Accept-Encoding": "identity"},
    {"Accept": None, "Accept-Encoding": None, "Connection": None, "User-Agent": None},
    {"Connection": "close"},
    {"Accept-Encoding": ""},
    {"Authorization": "Bearer x"},
    {"Cookie": "a=1"},
    {"Range": "bytes=0-1"},
    {"X-Many-%d" % n: str(n) for n in range(60)},
    {"TE": "trailers"},
]
FRAMING = [
    {"Content-Length": "5"},
    {"Content-Length": 5},
    {"content-length": "5"},
    {"Content-Type": "text/x"},
]


UNKNOWN_HOSTS = [
    "http://a..test",
    "http://" + "a" * 64 + ".test",
    "http://\u2603.\xfc\xad.test",
    "http://xn--\xfc.test",
    "http://a%20b.test",
    "http://a<b.test",
]


def _of_host(url):
    return "hosts" if url in UNKNOWN_HOSTS else None


def _of_headers(headers):
    """
    The name of the difference for what requests sends, or fails to encode, and what it puts in the place of nothing.
    """
    names = {str(name).lower(): value for name, value in (headers or {}).items()}
    if {"x a", "x-a ", "\xfc"} & set(names) or names.get("x-a") in ("\u20ac", "1\0"):
        return "header-fields"
    return "headers-taken-away" if names.get("user-agent", "") is None else None


def _on_top(headers):
    return made(lambda lib: {**lib.utils.default_headers(), **(headers or {})})


def _as_it_is(url):
    return made(lambda lib: url)


CASES = (
    [Case("path %.40r" % path, get(path)) for path in PATHS]
    + [Case("URL %r" % url, get(url)) for url in HOSTS]
    + [Case("no URL: %.40r" % (url,), get(_as_it_is(url)), differs=_of_host(url)) for url in WRONG]
    + [Case("URL in bytes", get(made(lambda lib: b"http://127.0.0.1:1/"), timeout=0.0001))]
    + [Case("params %r" % (params,), get("/a", params=params)) for params in PARAMS]
    + [Case("params %r behind a query" % (params,), get("/a?q=1#f", params=params)) for params in PARAMS]
    + [
        Case("params of the session", get("/", params={"a": "1"}), get(params="b=2"), session={"params": {"s": "0"}}),
        Case(
            "params of the session taken away", get("/", params={"s": None, "a": "1"}), session={"params": {"s": "0"}}
        ),
        Case("params with a body", post("/", params={"a": "1"}, data={"b": "2"})),
    ]
    + [Case("headers %r" % (headers,), get(headers=headers), differs=_of_headers(headers)) for headers in HEADERS]
    + [
        Case(
            "headers %r of a session" % (headers,),
            get(),
            session={"headers": _on_top(headers)},
            differs=_of_headers(headers),
        )
        for headers in HEADERS
    ]
    + [Case("headers %r and a body" % (headers,), post(data=b"12345", headers=headers)) for headers in FRAMING]
    + [
        Case(
            "headers of session and call",
            get(headers={"x-b": "2", "X-C": "3"}),
            session={"headers": _on_top({"X-A": "0", "X-B": "1"})},
        ),
        Case("headers: None in the session", get(headers={"X-B": "2"}), session={"headers": _on_top({"X-A": None})}),
        Case("headers: pairs", get(headers=[("X-A", "1")])),
        Case("headers: text", get(headers="X-A: 1")),
    ]
    + [
        Case("method %r" % (method,), Call(method))
        for method in ["GET", "get", "gEt", "PURGE", "M-SEARCH", "foo_bar", "QUERY", b"GET", None, 12, "TRACE"]
    ]
    + [Case("method %r" % method, Call(method), differs="methods") for method in ["", "G\xdcT", "GE T"]]
)
