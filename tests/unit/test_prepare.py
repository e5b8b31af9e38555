"""From what the caller asks to what is sent."""

import pickle
from http.cookiejar import CookieJar

import pytest

from requestx._prepare import PreparedRequest, Request, sketch
from requestx.cookies import RequestsCookieJar
from requestx.exceptions import InvalidHeader, InvalidJSONError
from requestx.structures import CaseInsensitiveDict


def prepare(method="GET", url="http://h/", **kwargs):
    return Request(method, url, **kwargs).prepare()


@pytest.mark.parametrize(
    "method, length", [("GET", None), ("HEAD", None), ("POST", "0"), ("PUT", "0"), ("DELETE", "0")]
)
def test_no_body_has_length_zero_where_one_is_expected(method, length):
    """Servers wait for Content-Length on methods that may bring a body."""
    prepared = prepare(method)

    assert prepared.headers.get("Content-Length") == length
    assert prepared.body is None


@pytest.mark.parametrize(
    "kwargs, body, headers",
    [
        (
            {"data": {"a": ["1", "2"]}},
            "a=1&a=2",
            {"Content-Length": "7", "Content-Type": "application/x-www-form-urlencoded"},
        ),
        ({"data": "é"}, "é", {"Content-Length": "2"}),
        ({"data": b"x"}, b"x", {"Content-Length": "1"}),
        ({"json": {"a": 1}}, b'{"a": 1}', {"Content-Length": "8", "Content-Type": "application/json"}),
        ({"json": []}, b"[]", {"Content-Length": "2", "Content-Type": "application/json"}),
        (
            {"data": {"a": "b"}, "json": {}},
            "a=b",
            {"Content-Length": "3", "Content-Type": "application/x-www-form-urlencoded"},
        ),
        ({"data": "x", "headers": {"content-type": "y"}}, "x", {"content-type": "y", "Content-Length": "1"}),
    ],
)
def test_bodies_and_their_headers(kwargs, body, headers):
    """As requests sends them; the caller's Content-Type stays."""
    prepared = prepare("POST", **kwargs)

    assert prepared.body == body
    assert dict(prepared.headers) == headers


def test_a_stream_without_length_is_chunked():
    """Never both framings."""
    prepared = prepare("POST", data=iter([b"a"]))

    assert dict(prepared.headers) == {"Transfer-Encoding": "chunked"}


def test_a_length_given_for_a_stream_is_used():
    """requests sends Transfer-Encoding as well, which a server may take for smuggling."""
    prepared = prepare("POST", data=iter([b"a"]), headers={"Content-Length": "1"})

    assert dict(prepared.headers) == {"Content-Length": "1"}


def test_an_async_iterable_is_a_stream():
    """Whoever awaits the request may pass one."""

    async def chunks():
        yield b"a"

    prepared = prepare("POST", data=chunks())

    assert prepared.headers["Transfer-Encoding"] == "chunked"


def test_files_and_stream_exclude_each_other():
    """A form is made of fields."""
    with pytest.raises(NotImplementedError):
        prepare("POST", data=iter([b"a"]), files={"f": b"x"})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_json_is_refused(value):
    """NaN is no JSON, although Python would write it."""
    with pytest.raises(InvalidJSONError):
        prepare("POST", json={"a": value})


def test_another_json_encoder_may_be_set():
    """One that returns bytes, as orjson's does, or str."""
    for made in (b"[1]", "[1]"):
        prepared = PreparedRequest()
        prepared._json_dumps = lambda value, made=made: made
        prepared.prepare("POST", "http://h/", json=[1])

        assert prepared.body == b"[1]"


@pytest.mark.parametrize(
    "headers",
    [
        {"a": "x\r\nb: y"},
        {"a": "x\n"},
        {"a": "x\r"},
        {"a": "x\0"},
        {"a": " x"},
        {"a": "\tx"},
        {"a\n": "x"},
        {" a": "x"},
        {"a:b": "x"},
        {"": "x"},
        {"a\0": "x"},
        {b"a\r": "x"},
        {"a": b" x"},
        {"a": 3},
        {"a": None},
        {"a": ["x"]},
        {5: "x"},
    ],
)
def test_headers_that_would_be_more_than_one_are_refused(headers):
    """Whatever ends a line or is no text; the message tells which."""
    with pytest.raises(InvalidHeader, match="a|b|x|5|''"):
        prepare(headers=headers)


def test_headers_of_any_text_are_taken():
    """str, bytes, subclasses; names come out as str, values as they are; the last of two spellings holds."""
    text = type("Text", (str,), {})
    prepared = prepare(headers={b"a": b"1", text("b"): text("2"), "c": "", "A": "é"})

    assert dict(prepared.headers) == {"A": "é", "b": "2", "c": ""}
    assert all(type(name) is str or name == "b" for name in prepared.headers)


@pytest.mark.parametrize("method, text", [("get", "GET"), (b"get", "GET"), (None, None)])
def test_methods_are_in_upper_case(method, text):
    """bytes are taken too."""
    assert prepare(method).method == text


def test_credentials_in_the_url_are_basic_auth():
    """Unless the caller gives others."""
    assert prepare(url="http://u:p%40@h/").headers["Authorization"] == "Basic dTpwQA=="
    assert prepare(url="http://u:p@h/", auth=("a", "b")).headers["Authorization"] == "Basic YTpi"
    assert "Authorization" not in prepare(url="http://u@h/").headers


def test_auth_sees_everything_and_may_change_it():
    """It comes last, and the length of a body that it changed is set anew."""

    def sign(request):
        request.headers["Signed"] = request.body + request.headers["Content-Length"]
        request.body = "longer"
        return request

    prepared = prepare("POST", data="abc", auth=sign)

    assert prepared.headers["Signed"] == "abc3"
    assert prepared.headers["Content-Length"] == "6"


def test_auth_may_return_another_request():
    """What it returns is what is sent."""

    def replace(request):
        other = request.copy()
        other.headers["Other"] = "1"
        return other

    assert prepare(auth=replace).headers["Other"] == "1"


def test_cookies_make_a_header_unless_there_is_one():
    """A dict or any jar; the jar itself is kept."""
    jar = CookieJar()

    assert prepare(cookies={"a": "b", "c": "d"}).headers["Cookie"] == "a=b; c=d"
    assert prepare(cookies={"a": "b"}, headers={"Cookie": "z=1"}).headers["Cookie"] == "z=1"
    assert prepare(cookies=jar)._cookies is jar


def test_nothing_is_made_before_it_is_looked_at():
    """A request that nobody asks for hooks or cookies has neither."""
    prepared = sketch("GET", "http://h/", CaseInsensitiveDict())

    assert not {"hooks", "_cookies", "body"} & set(vars(prepared))
    assert prepared.hooks == {"response": []}
    assert isinstance(prepared._cookies, RequestsCookieJar)
    assert prepared.hooks is prepared.hooks and prepared._cookies is prepared._cookies
    assert PreparedRequest()._cookies is None
    with pytest.raises(AttributeError):
        prepared.nothing  # noqa: B018


def test_a_copy_has_headers_and_cookies_of_its_own():
    """Body and hooks are shared, as in requests."""
    first = prepare("POST", headers={"a": "1"}, cookies={"c": "d"}, data=b"x", hooks={"response": len})
    second = first.copy()
    second.headers["b"] = "2"
    second._cookies.set("e", "f")

    assert (second.method, second.url, second.body, second.hooks) == ("POST", "http://h/", b"x", {"response": [len]})
    assert "b" not in first.headers
    assert first._cookies.keys() == ["c"]
    assert repr(PreparedRequest().copy()) == "<PreparedRequest [None]>"


def test_requests_cross_processes():
    """Pickling keeps what is sent, a form with files included."""
    first = prepare("POST", files={"f": ("n", b"x")}, cookies={"a": "b"}, hooks={"response": [len]})
    second = pickle.loads(pickle.dumps(first))

    assert (second.method, second.url, second.headers, second.body) == (
        first.method,
        first.url,
        first.headers,
        first.body,
    )
    assert second.hooks == {"response": [len]}


def test_hooks_are_for_known_events():
    """Callables alone, or several of them."""
    request = Request("GET", "http://h/")
    request.register_hook("response", len)
    request.register_hook("response", [max, 5])

    assert request.hooks == {"response": [len, max]}
    assert request.deregister_hook("response", len) and not request.deregister_hook("response", len)
    for bad in ({"foo": len}, {"foo": []}):
        with pytest.raises(ValueError, match='event name "foo"'):
            Request("GET", "http://h/", hooks=bad)


def test_they_tell_what_they_are():
    """repr names the method."""
    assert repr(Request("GET")) == "<Request [GET]>"
    assert repr(prepare("PUT")) == "<PreparedRequest [PUT]>"
    assert prepare(url="http://h/a b?c").path_url == "/a%20b?c"
