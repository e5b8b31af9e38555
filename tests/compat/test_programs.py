"""Small programs, run with requests and with requestx: what a call alone does not show.

A program takes the module and a site's URL, and returns what it saw; whatever it raises is its outcome too.
The mirror answers ``/moved`` with a redirect to ``/b``, and everything else with a cookie and some lines.
"""

import copy
import io
import pickle
from http import cookiejar

import pytest
from compat.compare import answer, moved
from compat.differences import wanted

PAGES = {
    "/moved": moved(302, "/b", "Set-Cookie: m=1; Path=/"),
    "/again": moved(307, "/moved"),
    "/ring": moved(302, "/ring"),
    "/text": answer("one\r\ntwo\nthree\rfour\n\nsix", "Content-Type: text/plain; charset=utf-8"),
    "/utf": answer("\u00e4\u20ac\U0001f600\n\u00fc".encode("utf-8"), "Content-Type: text/plain; charset=utf-8"),
    "/401": [answer("no", 'WWW-Authenticate: Basic realm="x"', status="401 x"), answer("in")],
    "*": answer("ok", "Set-Cookie: a=1; Path=/", "X-A: 1"),
}

PROGRAMS = []


def program(function):
    PROGRAMS.append(function)
    return function


def differs(name):
    """A program whose outcome is another on purpose (see ``differences.py``)."""

    def named(function):
        function.differs = name
        return program(function)

    return named


def brief(response):
    return response.status_code, response.url, response.content, [each.url for each in response.history]


@program
def prepare_and_send(lib, url):
    session = lib.Session()
    session.headers["X-S"] = "1"
    prepared = session.prepare_request(lib.Request("post", url, data={"a": "1"}, params={"q": "x"}, cookies={"c": "1"}))
    prepared.headers["X-Late"] = "2"
    return brief(session.send(prepared)), prepared.body, list(prepared.headers.items())[3:], session.cookies.get_dict()


@program
def prepare_alone(lib, url):
    prepared = lib.Request("GET", url + "/a b?c", headers={"A": "1"}, auth=("ann", "x"), cookies={"b": "2"}).prepare()
    return prepared.method, prepared.url, dict(prepared.headers), prepared.body, prepared.path_url, prepared.hooks


@program
def prepare_copy(lib, url):
    prepared = lib.Request("POST", url, data="x", cookies={"a": "1"}).prepare()
    other = prepared.copy()
    other.headers["X"] = "1"
    other.prepare_url(url + "/other", {"q": 1})
    return prepared.url == other.url, "X" in prepared.headers, other.body, other.headers["Cookie"], repr(other)


@program
def prepare_pieces(lib, url):
    prepared = lib.PreparedRequest()
    before = prepared.method, prepared.url, prepared.headers, prepared.body, prepared.hooks, prepared._cookies
    prepared.prepare_method("get")
    prepared.prepare_url(url, None)
    prepared.prepare_headers({"a": "1"})
    prepared.prepare_body("text", None)
    return before, dict(prepared.headers), prepared.body, lib.Session().send(prepared).status_code


@program
def send_an_unprepared(lib, url):
    return lib.Session().send(lib.Request("GET", url))


@program
def send_a_changed_body(lib, url):
    prepared = lib.Request("POST", url, data="before").prepare()
    prepared.prepare_body("afterwards", None)
    return lib.Session().send(prepared).request.headers["Content-Length"]


@program
def one_hop_at_a_time(lib, url):
    session = lib.Session()
    response = session.get(url + "/again", allow_redirects=False)
    seen = []
    while response.next:
        seen.append((response.next.url, response.is_redirect, response.is_permanent_redirect))
        response = session.send(response.next, allow_redirects=False)
    return seen, brief(response), session.cookies.get_dict()


@program
def resolve_redirects(lib, url):
    session = lib.Session()
    first = session.get(url + "/again", allow_redirects=False)
    found = [brief(each)[:3] for each in session.resolve_redirects(first, first.request)]
    return found, session.cookies.get_dict()


@program
def resolve_redirects_to_requests(lib, url):
    session = lib.Session()
    first = session.get(url + "/again", allow_redirects=False)
    found = [next(session.resolve_redirects(first, first.request, yield_requests=True))]
    return [(type(each).__name__, each.method, each.url) for each in found]


@differs("resolve-redirects")
def resolve_redirects_with_their_history(lib, url):
    session = lib.Session()
    first = session.get(url + "/again", allow_redirects=False)
    return [brief(each) for each in session.resolve_redirects(first, first.request)]


@program
def resolve_redirects_for_ever(lib, url):
    session = lib.Session()
    session.max_redirects = 3
    first = session.get(url + "/ring", allow_redirects=False)
    count = 0
    try:
        for _ in session.resolve_redirects(first, first.request):
            count += 1
    except lib.TooManyRedirects as error:
        return count, str(error), len(error.response.history)


@program
def rebuild_by_hand(lib, url):
    session = lib.Session()
    response = session.get(url + "/moved", allow_redirects=False)
    prepared = lib.Request("POST", "http://other.test/", headers={"Authorization": "x"}).prepare()
    session.rebuild_auth(prepared, response)
    session.rebuild_method(prepared, response)
    proxies = session.rebuild_proxies(prepared, {"no_proxy": "*"})
    return dict(prepared.headers), prepared.method, proxies, session.get_redirect_target(response)


@program
def strip_auth(lib, url):
    session = lib.Session()
    urls = [
        "http://a/",
        "http://a:80/b",
        "https://a/",
        "https://a:443/",
        "http://a:81/",
        "https://a:81/",
        "http://b/",
        "http://A/",
    ]
    return [session.should_strip_auth(old, new) for old in urls for new in urls]


@program
def lines_in_each_way(lib, url):
    session, seen = lib.Session(), []
    for size in (1, 2, 3, 5, 512, None):
        for delimiter in (None, "\n", "e", "\r\n"):
            for text in (True, False):
                cut = delimiter if text or delimiter is None else delimiter.encode()
                response = session.get(url + "/text", stream=True)
                seen.append(list(response.iter_lines(chunk_size=size, decode_unicode=text, delimiter=cut)))
    return seen


@program
def pieces_in_each_way(lib, url):
    session, seen = lib.Session(), []
    for size in (1, 2, 3, 7, 100):
        for text in (True, False):
            seen.append(list(session.get(url + "/utf", stream=True).iter_content(size, decode_unicode=text)))
            seen.append(list(session.get(url + "/utf").iter_content(size, decode_unicode=text)))
    return seen


@program
def pieces_without_encoding(lib, url):
    response = lib.get(url + "/utf", stream=True)
    response.encoding = None
    return list(response.iter_content(3, decode_unicode=True))


@program
def pieces_twice(lib, url):
    response = lib.get(url + "/text", stream=True)
    first = list(response.iter_content(5))
    try:
        list(response.iter_content(5))
    except lib.exceptions.StreamConsumedError as error:
        return first, str(error), isinstance(error, TypeError)


@program
def content_after_pieces(lib, url):
    response = lib.get(url + "/text", stream=True)
    list(response.iter_content(5))
    return response.content


@program
def pieces_of_no_size(lib, url):
    return list(lib.get(url + "/text").iter_content("5"))


@program
def pieces_of_size_zero(lib, url):
    return list(lib.get(url + "/text").iter_content(0))


@program
def a_response_is_iterable(lib, url):
    return list(lib.get(url + "/text")), list(lib.get(url + "/text", stream=True))


@program
def raw_reads(lib, url):
    response = lib.get(url + "/text", stream=True)
    return response.raw.read(4), response.raw.read(3), response.raw.tell(), response.raw.read(), response.raw.read(1)


@program
def closed_early(lib, url):
    with lib.get(url + "/text", stream=True) as response:
        pass
    return response.content


@program
def answers_on_the_way(lib, url):
    seen = []
    for stream in (True, False):
        response = lib.get(url + "/again", stream=stream)
        seen.append([(each.content, each.text, each.raw.closed, each.raw.read()) for each in response.history])
    return seen


@program
def retries_of_raw(lib, url):
    return [
        (each.total, each.history) for each in (lib.get(url, stream=stream).raw.retries for stream in (True, False))
    ]


@program
def encoding_set_by_hand(lib, url):
    response = lib.get(url + "/utf")
    seen = [response.text]
    for name in ("latin-1", "utf-16", "nonsense", None):
        response.encoding = name
        seen.append(response.text)
    return seen


@program
def pickled_response(lib, url):
    response = pickle.loads(pickle.dumps(lib.get(url + "/moved")))
    return brief(response), response.headers["x-a"], response.cookies.get_dict(), response.request.url, response.raw


@program
def pickled_session(lib, url):
    session = lib.Session()
    session.headers["X-S"] = "1"
    session.auth = ("ann", "x")
    session.get(url)
    other = pickle.loads(pickle.dumps(session))
    return other.headers["X-S"], other.auth, other.cookies.get_dict(), other.get(url).status_code


@program
def pickled_request(lib, url):
    request = pickle.loads(pickle.dumps(lib.Request("POST", url, data={"a": "1"}, headers={"b": "2"})))
    return request.method, request.data, request.headers, lib.Session().send(request.prepare()).status_code


@program
def copied_session(lib, url):
    session = lib.Session()
    session.cookies.set("a", "1")
    other = copy.deepcopy(session.cookies)
    other.set("a", "2")
    return session.cookies.get_dict(), other.get_dict(), session.cookies.copy().get_dict()


@program
def cookies_that_conflict(lib, url):
    jar = lib.cookies.RequestsCookieJar()
    jar.set("a", "1", domain="a.test")
    jar.set("a", "2", domain="b.test", path="/x")
    seen = [
        jar.get("a", domain="a.test"),
        jar.get_dict("b.test"),
        jar.list_domains(),
        jar.list_paths(),
    ]
    try:
        jar["a"]
    except lib.cookies.CookieConflictError as error:
        return seen, str(error), isinstance(error, RuntimeError)


@differs("multiple-domains")
def cookies_of_two_domains(lib, url):
    jar = lib.cookies.RequestsCookieJar()
    jar.set("a", "1", domain="a.test")
    jar.set("a", "2", domain="b.test")
    return jar.multiple_domains()


@program
def cookies_as_a_dict(lib, url):
    jar = lib.cookies.cookiejar_from_dict({"a": "1", "b": "2"})
    jar["c"] = "3"
    jar.update({"d": "4"})
    del jar["a"]
    jar.set("b", None)
    return (
        sorted(jar.items()),
        sorted(jar.keys()),
        sorted(jar.values()),
        "c" in jar,
        len(jar),
        jar.get("zz", "no"),
        lib.utils.dict_from_cookiejar(jar),
        [each.name for each in jar],
    )


@program
def cookie_that_is_not_there(lib, url):
    return lib.cookies.RequestsCookieJar()["a"]


@program
def cookies_merged(lib, url):
    one = lib.cookies.cookiejar_from_dict({"a": "1"})
    lib.cookies.merge_cookies(one, {"a": "2", "b": "2"})
    two = lib.cookies.merge_cookies(cookiejar.CookieJar(), one)
    lib.cookies.merge_cookies(one, lib.cookies.cookiejar_from_dict({"a": "3"}))
    return one.get_dict(), sorted(each.value for each in two), type(two).__name__


@program
def certificate_that_is_not_there(lib, url):
    seen = []
    for cert in ("/nowhere", ("/nowhere", "/no/key"), (__file__, "/no/key"), "", None):
        try:
            seen.append(lib.get(url, cert=cert).status_code)
        except OSError as error:
            seen.append((type(error).__name__, str(error)))
    return seen


@program
def pairs_in_their_order(lib, url):
    found = lib.utils.from_key_val_list([("b", 1), ("a", 2)])
    found.move_to_end("b")
    return list(found.items()), lib.utils.from_key_val_list(None)


@program
def cookies_pickled(lib, url):
    jar = lib.cookies.RequestsCookieJar(policy=cookiejar.DefaultCookiePolicy(blocked_domains=["127.0.0.1"]))
    jar.set("a", "1")
    other = pickle.loads(pickle.dumps(jar))
    session = lib.Session()
    session.cookies = other
    session.get(url)
    return other.get_dict(), type(other._policy).__name__, other.get_policy() is other._policy


@program
def a_jar_for_files(lib, url):
    session = lib.Session()
    session.cookies = cookiejar.MozillaCookieJar()
    session.get(url)
    session.get(url, cookies={"b": "2"})
    return sorted((each.name, each.value, each.domain) for each in session.cookies)


@program
def a_session_in_a_with(lib, url):
    with lib.Session() as session:
        session.get(url)
    return session.get(url).status_code


@program
def hook_that_asks_again(lib, url):
    def again(response, **more):
        if response.status_code != 401:
            return response
        response.content  # noqa: B018
        request = response.request.copy()
        request.headers["Authorization"] = "x"
        request.prepare_cookies(request._cookies)
        answered = response.connection.send(request, **more)
        answered.history.append(response)
        return answered

    response = lib.get(url + "/401", hooks={"response": again})
    return brief(response), response.request.headers.get("Authorization")


@program
def hook_that_replaces_raw(lib, url):
    def replace(response, **more):
        response.raw = io.BytesIO(b"mine")

    seen = [
        lib.get(url + path, hooks={"response": replace}, stream=stream)
        for path in ("/b", "/again")
        for stream in (0, 1)
    ]
    return [(brief(each), each.text, [hop.content for hop in each.history]) for each in seen]


@program
def mounted_by_prefix(lib, url):
    session = lib.Session()
    adapter = lib.adapters.HTTPAdapter()
    session.mount(url + "/x", adapter)
    return (
        session.get_adapter(url + "/x/y") is adapter,
        session.get_adapter(url + "/z") is adapter,
        list(session.adapters)[1:],
    )


@program
def settings_merged(lib, url):
    session = lib.Session()
    session.verify, session.cert, session.stream, session.proxies = "/bundle", "/cert", True, {"http": "p"}
    session.trust_env = False
    return (
        session.merge_environment_settings(url, {}, None, None, None),
        session.merge_environment_settings(url, {"https": "q"}, False, True, ("a", "b")),
        lib.sessions.merge_setting({"a": None, "b": "1"}, {"a": "0", "c": "2"}),
        lib.sessions.merge_setting("x", {"a": 1}),
        lib.sessions.merge_setting(None, {"a": 1}),
    )


@program
def body_that_is_not_json(lib, url):
    try:
        lib.get(url + "/text").json()
    except lib.exceptions.JSONDecodeError as error:
        return (
            error.msg,
            error.doc,
            error.pos,
            str(error),
            isinstance(error, ValueError),
            pickle.loads(pickle.dumps(error)).args,
        )


@program
def wrong_status(lib, url):
    response = lib.get(url + "/401")
    try:
        response.raise_for_status()
    except lib.HTTPError as error:
        return str(error), error.response is response, error.request is response.request, error.args == (str(error),)


@program
def file_is_read_from_where_it_stands(lib, url):
    file = io.BytesIO(b"0123456789")
    file.read(3)
    response = lib.post(url + "/again", data=file)
    return brief(response), file.tell(), lib.utils.super_len(file)


@pytest.fixture(scope="module")
def mirror(servers):
    site = servers.open("mirror")
    yield site
    site.close()


def outcome(function, lib, mirror):
    mirror.play({path: [answers] if isinstance(answers, str) else answers for path, answers in PAGES.items()})
    try:
        seen = function(lib, mirror.url)
    except Exception as error:
        seen = type(error).__name__, str(error)
    return seen, [head.replace(b"python-requestx", b"python-requests").split(b"\r\n")[0] for head, _ in mirror.seen]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function", PROGRAMS, ids=lambda function: function.__name__)
def test_same_program_same_outcome(function, mirror):
    """What it saw, what it raised, and what the server was asked for."""
    import requests

    import requestx

    theirs, ours = outcome(function, requests, mirror), outcome(function, requestx, mirror)
    if hasattr(function, "differs"):
        assert function.differs in wanted()
        assert theirs != ours
    else:
        assert theirs == ours
