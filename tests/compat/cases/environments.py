"""What surrounds a call: proxies by argument, session and environment, netrc, bundles. The proxy is ``elsewhere``."""

from compat.compare import Case, answer, get, made, moved, post

FAR = "http://a.test/x?y"
PROXY = "{elsewhere}"
PROXIES = [
    {"http": PROXY},
    {"http": "127.0.0.1:{elseport}"},
    {"http": "//127.0.0.1:{elseport}"},
    {"http": "http://ann:pw@127.0.0.1:{elseport}"},
    {"http": "http://ann:p%40w%3A@127.0.0.1:{elseport}"},
    {"http": "http://127.0.0.1:{elseport}/path"},
    {"all": PROXY},
    {"http": PROXY, "all": "http://127.0.0.1:1"},
    {"http://a.test": PROXY, "http": "http://127.0.0.1:1"},
    {"all://a.test": PROXY},
    {"http://b.test": "http://127.0.0.1:1", "all": PROXY},
    {"https": "http://127.0.0.1:1", "http": PROXY},
    {"http": "http://127.0.0.1:1"},
    {"http": "http://"},
    {"http": "http:/127.0.0.1"},
]
GIVEN = [Case("proxies %r" % given, get(FAR, proxies=given)) for given in PROXIES] + [
    Case("proxies of the session", get(FAR), session={"proxies": {"http": PROXY}}),
    Case(
        "proxies of call over session",
        get(FAR, proxies={"http": PROXY}),
        session={"proxies": {"http": "http://127.0.0.1:1"}},
    ),
    Case("proxies: none for here", get("{here}/a", proxies={"http": ""})),
    Case("proxies: None for here", get("{here}/a", proxies={"http": None})),
    Case("proxies: a body", post(FAR, proxies={"http": PROXY}, data={"a": "1"}, headers={"X-A": "1"})),
    Case("proxies: odd path", get("http://a.test/a b/%zz?q=\xfc#f", proxies={"http": PROXY})),
    Case("proxies: port and user", get("http://u:p@a.test:81/x", proxies={"http": PROXY})),
    Case("proxies: Host of the caller's", get(FAR, proxies={"http": PROXY}, headers={"Host": "b.test"})),
    Case(
        "proxies: cookies",
        get(FAR),
        get(FAR),
        session={"proxies": {"http": PROXY}},
        pages={"*": answer("ok", "Set-Cookie: a=1; Path=/")},
    ),
    Case(
        "proxies: 407",
        get(FAR, proxies={"http": PROXY}),
        pages={"*": answer("who", "Proxy-Authenticate: Basic", status="407 Who")},
    ),
    Case(
        "proxies: redirect to another host",
        get(FAR, proxies={"http": PROXY}),
        pages={"*": [moved(302, "http://b.test/"), answer("ok")]},
    ),
    Case(
        "proxies: redirect with the proxy's credentials",
        get(FAR, proxies={"http": "http://ann:pw@127.0.0.1:{elseport}"}),
        pages={"*": [moved(302, "http://b.test/"), answer("ok")]},
    ),
    Case(
        "proxies: redirect with auth",
        get(FAR, proxies={"http": PROXY}, auth=("ann", "pw")),
        pages={"*": [moved(302, "http://b.test/"), answer("ok")]},
    ),
    Case(
        "proxies: tunnel refused",
        get("https://a.test/", proxies={"https": PROXY}),
        pages={"*": answer("no", status="403 No")},
    ),
    Case(
        "proxies: tunnel wants credentials",
        get("https://a.test/", proxies={"https": "http://ann:pw@127.0.0.1:{elseport}"}),
        pages={"*": answer("no", status="407 Who")},
    ),
    Case("proxies: tunnel to nobody", get("https://a.test/", proxies={"https": "http://127.0.0.1:1"})),
]

VARIABLES = [
    {"HTTP_PROXY": PROXY},
    {"http_proxy": PROXY},
    {"http_proxy": PROXY, "HTTP_PROXY": "http://127.0.0.1:1"},
    {"ALL_PROXY": PROXY},
    {"all_proxy": PROXY},
    {"HTTP_PROXY": PROXY, "ALL_PROXY": "http://127.0.0.1:1"},
    {"HTTP_PROXY": "127.0.0.1:{elseport}"},
    {"HTTP_PROXY": "http://ann:pw@127.0.0.1:{elseport}"},
    {"HTTP_PROXY": PROXY, "NO_PROXY": "b.test"},
    {"HTTP_PROXY": PROXY, "NO_PROXY": ""},
    {"HTTP_PROXY": PROXY, "HTTPS_PROXY": "http://127.0.0.1:1"},
]
AROUND = [Case("environment %r" % variables, get(FAR), environ=variables) for variables in VARIABLES]

# What the proxy is not asked for: the call goes here, where the proxy leads nowhere.
BYPASSES = [
    "*",
    "127.0.0.1",
    "127.0.0.1:{port}",
    "127.0.0.0/8",
    "127.0.0.1/32",
    "a.test,127.0.0.1",
    " a.test , 127.0.0.1 ",
    "0.0.1",
    ".0.0.1",
    "127.0.0.2",
    "10.0.0.0/8",
    "127.0.0.1:1",
    "localhost",
]
BYPASSED = (
    [
        Case(
            "NO_PROXY %r" % bypass,
            get("/a"),
            environ={"HTTP_PROXY": PROXY, "NO_PROXY": bypass},
            differs="no-proxy" if bypass == "127.0.0.1:{port}" else None,
        )
        for bypass in BYPASSES
    ]
    + [
        Case("NO_PROXY %r for localhost" % bypass, get("{there}/a"), environ={"HTTP_PROXY": PROXY, "NO_PROXY": bypass})
        for bypass in ["localhost", ".localhost", "host", "localhost:{port}", "LOCALHOST", "127.0.0.1", "a.localhost"]
    ]
    + [
        Case("no_proxy in proxies", get("/a", proxies={"http": PROXY, "no_proxy": "127.0.0.1"})),
        Case(
            "no_proxy in proxies, and the environment",
            get("/a", proxies={"no_proxy": "127.0.0.1"}),
            environ={"HTTP_PROXY": PROXY},
        ),
        Case("environment not trusted", get("/a"), session={"trust_env": False}, environ={"HTTP_PROXY": PROXY}),
        Case(
            "proxies over the environment",
            get(FAR, proxies={"http": PROXY}),
            environ={"HTTP_PROXY": "http://127.0.0.1:1"},
        ),
        Case(
            "session's proxies under the environment",
            get(FAR),
            session={"proxies": {"http": "http://127.0.0.1:1"}},
            environ={"HTTP_PROXY": PROXY},
        ),
    ]
)

NETRCS = [
    "machine 127.0.0.1 login ann password pw",
    "machine localhost login bob password b",
    "machine 127.0.0.1 login ann password pw machine localhost login bob password b",
    "default login any password one",
    "machine 127.0.0.1 login ann account acc password pw",
    "machine 127.0.0.1 password pw",
    "garbage",
    "",
    'machine 127.0.0.1 login "a b" password "c d"',
    "machine 127.0.0.1:{port} login ann password pw",
]
NETRC = (
    [Case("netrc %r" % text, get("/a"), environ={"NETRC": text}) for text in NETRCS]
    + [
        Case(
            "netrc %r over a redirect" % text, get("/a"), pages={"/a": moved(302, "{there}/b")}, environ={"NETRC": text}
        )
        for text in NETRCS
    ]
    + [
        Case("netrc and " + what, get("/a", **more), session=session, environ={"NETRC": NETRCS[0]})
        for what, more, session in [
            ("auth", {"auth": ("bob", "b")}, {}),
            ("a header", {"headers": {"Authorization": "Bearer x"}}, {}),
            ("auth of the session", {}, {"auth": ("bob", "b")}),
            ("no trust", {}, {"trust_env": False}),
            ("no auth", {"auth": made(lambda lib: lambda request: request)}, {}),
            ("an empty pair", {"auth": ("", "")}, {}),
        ]
    ]
    + [
        Case(
            "netrc and a URL's user and password", get("http://bob:b@127.0.0.1:{port}/a"), environ={"NETRC": NETRCS[0]}
        ),
        Case("netrc and a URL's user", get("http://ann@127.0.0.1:{port}/a"), environ={"NETRC": NETRCS[0]}),
        Case("netrc and a prepared request", get("/a"), environ={"NETRC": NETRCS[0]}),
    ]
)

BUNDLES = [
    Case("bundle %r" % variables, get("https://127.0.0.1:{elseport}/", **more), session=session, environ=variables)
    for variables, more, session in [
        ({"REQUESTS_CA_BUNDLE": "/not/there"}, {}, {}),
        ({"CURL_CA_BUNDLE": "/not/there"}, {}, {}),
        ({"REQUESTS_CA_BUNDLE": "/not/there"}, {"verify": "/neither"}, {}),
    ]
]

CASES = GIVEN + AROUND + BYPASSED + NETRC + BUNDLES
