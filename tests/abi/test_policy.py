"""Redirects, retries and cookies for C callers: what goes where, byte by byte, on this thread and in the background.

``call.c`` makes the call and prints what came of it; the servers tell what they saw.
"""

import hashlib
import re
import subprocess

import pytest
from abi.toolchain import HEADER
from server import stream_steps
from server.steps import answer, close, request, rst, send, serve, wait

if not HEADER.exists():
    pytest.skip("no header yet", allow_module_level=True)


@pytest.fixture(params=["here", "background"])
def call(build, request):
    """
    ``call(url, word...)`` makes a call, and gives the lines that ``call.c`` prints.
    """
    where = ["background"] if request.param == "background" else []

    def made(url, *words):
        done = subprocess.run([build("call"), url, *where, *words], stdout=subprocess.PIPE, timeout=15, check=True)
        return done.stdout.decode("latin-1").splitlines()

    return made


def moved(to, status=b"302 Found", body=b"elsewhere", *fields):
    """Steps of an exchange that leads on."""
    return serve(body, b"Location: " + to, *fields, status=status)


def test_without_the_option_a_redirect_is_the_answer(call, wire):
    """Off by default."""
    site = wire(moved(b"/there"))

    assert call(site.url + "/here") == ["302  elsewhere"]


def test_a_redirect_is_followed_on_its_connection_and_told(call, wire):
    """The body of the first answer is dropped, and its connection serves the second."""
    site = wire(moved(b"there?a=b#c") + serve(b"found"))
    said = call(site.url + "/in/here#top", "redirects=5")

    assert said == ["200 %s/in/there?a=b#c found" % site.url, "redirected 302 %s/in/here#top" % site.url]
    assert [seen.line for seen in site.requests] == [b"GET /in/here HTTP/1.1", b"GET /in/there?a=b HTTP/1.1"]
    assert len(site.connections) == 1


def test_a_streamed_answer_is_the_last_one(call, wire):
    """Its body is pulled; those before are not the caller's."""
    site = wire(moved(b"/there") + serve(b"x" * 1000))

    assert call(site.url, "redirects=5", "stream")[0] == "200 %s/there %s" % (site.url, "x" * 1000)


@pytest.mark.parametrize(
    "status, method, then, kept",
    [
        (b"301 X", "POST", b"GET", False),
        (b"302 X", "POST", b"GET", False),
        (b"302 X", "PUT", b"PUT", True),
        (b"303 X", "PUT", b"GET", False),
        (b"307 X", "POST", b"POST", True),
        (b"308 X", "PATCH", b"PATCH", True),
    ],
)
def test_method_and_body_as_the_status_says(call, wire, status, method, then, kept):
    """RFC 9110 section 15.4, and what everybody does with a POST; the fields of the body go where it goes."""
    site = wire(moved(b"/there", status) + serve())
    call(site.url, "redirects=1", "method=" + method, "body=text", "header=Content-Type:a/b", "header=X:1")
    first, second = site.requests

    assert (second.line, second.body) == (then + b" /there HTTP/1.1", b"text" if kept else b"")
    assert second.field(b"Content-Type") == ([b"a/b"] if kept else [])
    assert second.field(b"Content-Length") == ([b"4"] if kept else [])
    assert (first.body, second.field(b"X")) == (b"text", [b"1"])


def test_head_stays_head(call, wire):
    """Also after 303, where others become GET."""
    site = wire([request(), send(b"HTTP/1.1 303 X\r\nLocation: /there\r\n\r\n")] * 2 + [request(), send(answer(b""))])
    call(site.url, "redirects=2", "method=HEAD")

    assert [seen.line[:5] for seen in site.requests] == [b"HEAD "] * 3


def test_what_is_for_one_origin_is_told_to_no_other(call, wire):
    """Another port is another origin; on the way back nothing comes back."""
    there = wire(serve(b"found"))
    here = wire(moved(b"/again") + moved(there.url.encode()))
    mine = ["header=Authorization:me", "header=Cookie:a=b", "header=Host:mine", "header=X:1"]

    assert call(here.url, "redirects=5", *mine)[0] == "200 %s found" % there.url
    assert [seen.field(b"Authorization") for seen in here.requests] == [[b"me"]] * 2
    assert [seen.field(b"Host") for seen in here.requests] == [[b"mine"]] * 2
    assert there.requests[0].fields == [(b"Host", there.netloc.encode()), (b"X", b"1")]


def test_https_to_http_may_be_forbidden(call, listen, certs, wire):
    """It is allowed, as in curl, and forbidden by an option; the other way is never."""
    plain = wire(serve(), serve())
    secure = [listen("wire", scripts=[moved(plain.url.encode())], tls={"chain": certs.good}) for _ in range(2)]

    assert call(secure[0].at("localhost"), "redirects=1", "danger=1")[0].startswith("200 ")
    said = call(secure[1].at("localhost"), "redirects=1", "danger=1", "plain=0")[0]
    assert said.startswith("RQX_E_UNSUPPORTED_SCHEME ")
    assert plain.url in said


def test_too_many(call, wire):
    """The error says how many were followed, and what comes next."""
    site = wire(moved(b"/1") + moved(b"/2") + moved(b"/3"))
    said = call(site.url, "redirects=2")[0]

    assert said.startswith("RQX_E_TOO_MANY_REDIRECTS GET %s/2: 2 redirects were followed" % site.url)
    assert said.endswith("%s/3" % site.url)


@pytest.mark.parametrize(
    "location, code",
    [
        (b"ftp://a/", "RQX_E_UNSUPPORTED_SCHEME"),
        (b"http://a:b/", "RQX_E_PROTOCOL"),
        (b"http://", "RQX_E_PROTOCOL"),
        (b"http://u:p@a/", "RQX_E_PROTOCOL"),
        (b"/a\r\nLocation: /b", "RQX_E_PROTOCOL"),
        (b"/" + b"a" * 70000, "RQX_E_PROTOCOL"),
    ],
)
def test_a_bad_location_is_shown(call, wire, location, code):
    """Nothing more is sent, and the message has it."""
    site = wire(moved(location))
    said = call(site.url, "redirects=5")[0]

    assert said.startswith(code + " ")
    assert location[:20].split(b"\r")[0].decode() in said
    assert len(site.requests) == 1


def test_bytes_that_no_url_has_are_encoded(call, wire):
    """Servers send spaces and UTF-8."""
    site = wire(moved(b"/gr\xc3\xbc\xc3\x9fe und <so>") + serve())
    call(site.url, "redirects=1")

    assert site.requests[1].line == b"GET /gr%C3%BC%C3%9Fe%20und%20%3Cso%3E HTTP/1.1"


def test_a_pushed_body_is_left_behind_or_an_error(call, wire):
    """It cannot be sent again, and the error says where it was to go."""
    left = wire(moved(b"/there", b"303 X") + serve(b"found"))
    again = wire(moved(b"/there", b"307 X"))

    assert call(left.url, "redirects=1", "method=POST", "upload=text")[0] == "200 %s/there found" % left.url
    said = call(again.url, "redirects=1", "method=POST", "upload=text")[0]
    assert said.startswith("RQX_E_STATE POST %s: 307 to " % again.url)
    assert "%s/there" % again.url in said


@pytest.mark.parametrize("fields", [(b"Content-Length: 100000000",), (b"Transfer-Encoding: chunked",)])
def test_a_long_body_before_is_not_read(call, wire, fields):
    """A new connection costs less."""
    head = b"\r\n".join([b"HTTP/1.1 302 X", b"Location: /there", *fields]) + b"\r\n\r\n"
    flood = ["repeat", "8000\r\n%s\r\n" % ("x" * 0x8000), 1000]
    site = wire([request(), send(head), flood], serve(b"found"))

    assert call(site.url, "redirects=1")[0] == "200 %s/there found" % site.url
    assert len(site.connections) == 2


def test_a_body_that_ends_with_its_connection_is_not_waited_for(call, wire):
    """Nothing would be won: the limit is shorter than what is waited for others."""
    head = b"HTTP/1.1 302 X\r\nLocation: /there\r\nConnection: close\r\n\r\nbegun"
    site = wire([request(), send(head), wait("never")], serve(b"found"))

    assert call(site.url, "redirects=1", "total=%d" % 8e8)[0] == "200 %s/there found" % site.url


def test_a_bad_coding_of_a_body_that_is_dropped_does_no_harm(call, wire):
    """Nobody reads it."""
    site = wire(moved(b"/there", b"302 X", b"no gzip", b"Content-Encoding: gzip") + serve(b"found"))

    assert call(site.url, "redirects=1")[0] == "200 %s/there found" % site.url
    assert len(site.connections) == 1


def test_a_connection_that_ends_is_replaced(call, wire):
    """Connection: close, with its answer's body ended by the close."""
    last = answer(b"x", b"Location: /b", b"Connection: close", status=b"302 X")
    site = wire([request(), send(last), close()], serve())

    assert call(site.url, "redirects=1")[0] == "200 %s/b ok" % site.url


def test_the_total_is_for_all_hops(call, wire):
    """It does not begin again."""
    site = wire(moved(b"/there") + [request(), wait("never")])
    said = call(site.url, "redirects=5", "total=%d" % 3e8)[0]

    assert said.startswith("RQX_E_TIMEOUT GET %s/there" % site.url)
    assert "total time limit" in said


def test_a_hop_fails_as_a_request_does(call, wire):
    """The error is that of the address that could not be reached."""
    site = wire(moved(b"http://127.0.0.1:1/"))

    assert call(site.url, "redirects=1")[0].startswith("RQX_E_REFUSED ")


def test_each_hop_is_guarded(call, wire):
    """An answer leads nowhere that its caller could not have asked for."""
    site = wire(moved(b"http://127.0.0.2/"))

    assert call(site.url, "redirects=1", "deny=127.0.0.2")[0].startswith("RQX_E_FORBIDDEN ")


# Delays are random shares of a bound: here it is a nanosecond.
SOON = ["retries=2", "backoff=1"]


def busy(status=b"503 Busy", *fields):
    """Steps of an exchange that may go otherwise later."""
    return serve(b"busy", *fields, status=status)


def test_without_the_option_nothing_is_tried_again(call, wire):
    """Off by default."""
    assert call(wire(busy()).url) == ["503  busy"]


@pytest.mark.parametrize("status", [b"408", b"429", b"500", b"502", b"503", b"504"])
def test_an_answer_that_may_pass_is_asked_for_again(call, wire, status):
    """The same statuses as curl's --retry, on the same connection; what was asked first is told."""
    site = wire(busy(status + b" X") + serve())
    said = call(site.url + "/a", *SOON)

    assert said == ["200 %s/a ok" % site.url, "repeated %s %s/a" % (status.decode(), site.url)]
    assert site.requests[0].head == site.requests[1].head


@pytest.mark.parametrize("status", [b"400", b"404", b"501", b"505"])
def test_other_answers_are_final(call, wire, status):
    """They would be the same again."""
    site = wire(busy(status + b" X"))

    assert call(site.url, *SOON) == ["%s  busy" % status.decode()]


def test_what_the_last_try_gave_is_the_callers(call, wire):
    """Its answer with its body, or its error, which says how often it was tried."""
    site = wire(busy() + busy() + busy())

    assert call(site.url, *SOON)[0] == "503 %s busy" % site.url
    said = call("http://127.0.0.1:1/", *SOON)[0]
    assert said.startswith("RQX_E_REFUSED ")
    assert said.endswith(" (tried 3 times)")


def test_a_connection_that_breaks_before_an_answer(call, wire):
    """Reset, closed, or silent for too long."""
    site = wire([request(), rst()], [request(), wait("never")], serve())
    before = "repeated 0 %s" % site.url
    said = call(site.url, *SOON, "await=%d" % 3e8)

    assert said == ["200 %s ok" % site.url, before, "for RQX_E_RESET", before, "for RQX_E_TIMEOUT"]


def test_a_body_that_breaks_is_not_asked_for_again(call, wire):
    """There was an answer, and the caller may have seen some of it."""
    site = wire([request(), send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), close()])

    assert call(site.url, *SOON)[0].startswith("RQX_E_INCOMPLETE ")


def test_a_post_is_repeated_only_if_that_is_said(call, wire):
    """RFC 9110 section 9.2.2: it may have been done."""
    mine = ["method=POST", "body=text"]

    assert call(wire(busy()).url, *SOON, *mine) == ["503  busy"]
    assert call(wire([request(), rst()]).url, *SOON, *mine)[0].startswith("RQX_E_RESET ")
    site = wire(busy() + serve())
    assert call(site.url, *SOON, *mine, "any=1")[0] == "200 %s ok" % site.url
    assert [seen.body for seen in site.requests] == [b"text"] * 2


def test_a_post_that_was_not_sent_is_tried_again(call):
    """Nothing can have been done where there was no connection."""
    said = call("http://127.0.0.1:1/", *SOON, "method=POST", "body=text")[0]

    assert said.endswith(" (tried 3 times)")


def test_a_pushed_body_is_never_repeated(call, wire):
    """It is gone."""
    assert call(wire(busy()).url, *SOON, "any=1", "method=PUT", "upload=text") == ["503  busy"]


def test_retry_after_is_obeyed(call, wire):
    """In seconds; a date is read by a unit test."""
    site = wire(busy(b"503 X", b"Retry-After: 1") + serve())
    said = call(site.url, *SOON)

    assert said == ["200 %s ok" % site.url, "repeated 503 %s" % site.url, "after 1 s"]


@pytest.mark.parametrize("limit", ["longest=%d" % 1e9, "total=%d" % 1e9])
def test_a_delay_that_would_be_too_long_is_none(call, wire, limit):
    """Beyond the cap, or the total: the answer is the caller's at once."""
    site = wire(busy(b"429 X", b"Retry-After: 2"))

    assert call(site.url, "retries=2", limit) == ["429  busy"]


def test_a_budget_is_the_clients(call, wire):
    """What it has used up it cannot use again."""
    site = wire(busy() + busy())

    assert call(site.url, "retries=5", "backoff=1", "budget=1")[0] == "503 %s busy" % site.url
    assert len(site.requests) == 2


def test_the_hop_that_failed_is_repeated_and_not_those_before(call, wire):
    """A redirect has been followed once; retries are counted for the call."""
    site = wire(moved(b"/there") + busy() + serve())
    said = call(site.url, *SOON, "redirects=1")

    assert said[1:] == ["redirected 302 %s" % site.url, "repeated 503 %s/there" % site.url]
    assert said[0] == "200 %s/there ok" % site.url


def sets(*lines):
    """Steps of an exchange whose answer sets cookies."""
    return serve(b"ok", *[b"Set-Cookie: " + line for line in lines])


def test_without_the_option_cookies_are_the_callers_affair(call, wire):
    """Off by default: none is kept, and none is sent."""
    site = wire(sets(b"a=1") + serve())

    assert call(site.url, "times=2") == ["200  ok", "200  ok"]
    assert site.requests[1].field(b"Cookie") == []


def test_cookies_come_back(call, wire):
    """Each field sets one; they are sent in one field, behind the caller's own."""
    site = wire(sets(b"a=1; Path=/", b"b=2; HttpOnly") + serve())
    said = call(site.url + "/x/y", "times=2", "cookies=1", "header=X:1")

    assert said[2:] == ["cookie a=1; Path=/", "cookie b=2; Path=/x; HttpOnly"]
    assert site.requests[0].field(b"Cookie") == []
    assert site.requests[1].fields[-1] == (b"Cookie", b"b=2; a=1")


def test_cookies_of_a_redirect_go_with_what_follows(call, wire):
    """As with a login that redirects; another host gets its own."""
    there = wire(serve(), serve())
    here = wire(
        moved(b"/in", b"302 X", b"", b"Set-Cookie: a=1") + moved(b"http://localhost:%d/" % there.port, b"302 X"),
    )
    call(here.url, "cookies=1", "redirects=5")

    assert here.requests[1].field(b"Cookie") == [b"a=1"]
    assert there.requests[0].field(b"Cookie") == []


def test_cookies_know_no_port(call, wire):
    """RFC 6265bis section 8.5; the caller's own Cookie field is another matter."""
    there = wire(serve())
    here = wire(moved(there.url.encode(), b"302 X", b"", b"Set-Cookie: a=1"))
    call(here.url, "cookies=1", "redirects=5", "header=Cookie:mine=1")

    assert there.requests[0].field(b"Cookie") == [b"a=1"]


def test_the_callers_cookies_are_joined_and_win(call, wire):
    """One field is sent, as RFC 6265bis section 5.8 has it."""
    site = wire(sets(b"a=1", b"b=2") + serve())
    call(site.url, "times=2", "cookies=1", "header=Cookie:b=mine; c=3")

    assert site.requests[0].field(b"Cookie") == [b"b=mine; c=3"]
    assert site.requests[1].field(b"Cookie") == [b"a=1; b=mine; c=3"]


def test_cookies_of_an_answer_that_is_asked_for_again(call, wire):
    """The next try takes them along."""
    site = wire(busy(b"503 X", b"Set-Cookie: a=1") + serve())
    call(site.url, *SOON, "cookies=1")

    assert site.requests[1].field(b"Cookie") == [b"a=1"]


def test_cookies_that_may_not_be_set_are_passed_over(call, wire):
    """Another's domain, Secure without TLS: they do no harm to the answer."""
    site = wire(sets(b"a=1; Domain=example.org", b"b=2; Secure", b"c=3; Max-Age=0", b"__Host-d=4", b"e=5"))

    assert call(site.url, "cookies=1") == ["200  ok", "cookie e=5; Path=/"]


def test_over_http2_all_of_it_is_the_same(call, streams):
    """Redirect and cookies, on one connection."""
    said = call(streams().url + "/redirect", "redirects=1", "cookies=1", "danger=1")

    assert '["cookie", "a=1; b=2"]' in said[0]
    assert said[1].startswith("redirected 302 ")


def test_over_http2_a_long_body_before_is_broken_off(call, streams):
    """The server need not send it, and the connection serves on."""
    first = stream_steps.answer(1, b"x" * 60000, ("location", "/there"), status=302, end=False)
    more = stream_steps.data(1, b"x" * 60000, end=False)
    site = streams([stream_steps.request(1), first, more, stream_steps.request(2), stream_steps.answer(2, b"found")])

    assert call(site.url, "redirects=1", "danger=1")[0] == "200 %s/there found" % site.url
    site.wait("RST_STREAM 1 CANCEL")
    assert len(site.connections) == 1


def test_an_upgrade_may_be_led_to_and_set_cookies(call, wire):
    """101 is an answer like others, to who keeps cookies."""
    switch = b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: echo\r\nSet-Cookie: a=1\r\n\r\n"
    site = wire(moved(b"/there") + [request(), send(switch)])
    asks = ["header=Connection:upgrade", "header=Upgrade:echo"]

    said = call(site.url, "redirects=1", "cookies=1", *asks)
    assert (said[0], said[-1]) == ("101 %s/there " % site.url, "cookie a=1; Path=/")


def test_who_asks_is_told_to_the_first_origin_only(call, wire):
    """A field of the caller's own goes before it."""
    there = wire(serve())
    here = wire(moved(b"/again") + moved(there.url.encode()))
    call(here.url, "redirects=5", "user=ann", "password=s3cret: x")

    assert [seen.field(b"Authorization") for seen in here.requests] == [[b"Basic YW5uOnMzY3JldDogeA=="]] * 2
    assert there.requests[0].field(b"Authorization") == []
    own = wire(serve())
    call(own.url, "user=ann", "header=authorization:mine")
    assert own.requests[0].field(b"Authorization") == [b"mine"]


ANN = ["user=ann", "password=secret"]


def asks(nonce, *more):
    """Steps of an exchange whose server wants to know who asks."""
    challenge = b'WWW-Authenticate: Digest realm="tests", qop="auth", nonce="%s"' % nonce
    return serve(b"who?", b", ".join((challenge, *more)), status=b"401 Who")


def is_right(seen, nonce, count):
    """Whether a request answers the challenge of ``asks`` for this user, with this count."""
    said = dict(re.findall(r'(\w+)="?([^",]*)', seen.field(b"Authorization")[0].decode()))
    method, uri, _ = seen.line.decode().split()

    def md5(*parts):
        return hashlib.md5(":".join(parts).encode()).hexdigest()

    user, request = md5("ann", "tests", "secret"), md5(method, uri)
    response = md5(user, nonce, "%08x" % count, said["cnonce"], "auth", request)
    return (said["username"], said["uri"], said["response"]) == ("ann", uri, response)


def test_a_challenge_is_answered_and_the_next_call_begins_with_it(call, wire):
    """Digest, RFC 7616: on the same connection, with its body, and counting."""
    site = wire(asks(b"n1") + serve() + serve())
    said = call(site.url + "/a?b=c", *ANN, "auth=1", "method=POST", "body=text", "times=2")
    first, second, third = site.requests

    assert said == ["200 %s/a?b=c ok" % site.url, "repeated 401 %s/a?b=c" % site.url, "200  ok"]
    assert first.field(b"Authorization") == []
    assert is_right(second, "n1", 1) and is_right(third, "n1", 2)
    assert second.body == b"text"


def test_an_answer_that_was_wrong_is_not_given_again(call, wire):
    """The second 401 is the caller's, unless it says that only the nonce was too old, and not for ever."""
    site = wire(asks(b"n1") + asks(b"n2"))
    late = wire(asks(b"n1") + asks(b"n2", b"stale=true") + serve())
    never = wire(asks(b"n1", b"stale=true") * 4)

    assert call(site.url, *ANN, "auth=1")[0] == "401 %s who?" % site.url
    assert call(late.url, *ANN, "auth=1")[0] == "200 %s ok" % late.url
    assert is_right(late.requests[2], "n2", 1)
    assert call(never.url, *ANN, "auth=1")[0] == "401 %s who?" % never.url


def test_the_server_may_say_what_the_next_nonce_is(call, wire):
    """Authentication-Info (RFC 7616, 3.5), of an answer or of a redirect; the next request is made of it, from one."""
    site = wire(asks(b"n1") + serve(b"ok", b'Authentication-Info: qop=auth, nextnonce="n2"') + serve() + serve())
    call(site.url, *ANN, "auth=1", "times=3")
    assert is_right(site.requests[2], "n2", 1) and is_right(site.requests[3], "n2", 2)

    led = wire(asks(b"n1") + moved(b"/b", b"302 X", b"", b'authentication-info: nextnonce="n2"') + serve())
    call(led.url + "/a", *ANN, "auth=1", "redirects=1")
    assert is_right(led.requests[2], "n2", 1)


def test_nobody_else_says_what_the_next_nonce_is(call, wire):
    """Another origin, or an answer to a request that was not authenticated."""
    info = b'Authentication-Info: nextnonce="evil"'
    there = wire(serve(b"ok", info) * 2)
    lead = moved(there.url.encode(), b"302 X", b"", info.replace(b"evil", b"n2"))
    here = wire(asks(b"n1") + lead + lead)
    call(here.url, *ANN, "auth=1", "redirects=5", "times=2")
    assert is_right(here.requests[1], "n1", 1) and is_right(here.requests[2], "n2", 1)

    plain = wire(serve(b"ok", info) + asks(b"n1") + serve())
    call(plain.url, *ANN, "auth=1", "times=2")
    assert is_right(plain.requests[2], "n1", 1)


def test_no_other_origin_is_answered(call, wire):
    """Nor after the way back from there; on its own origin each hop has an answer of its own."""
    there = wire(asks(b"evil"))
    here = wire(asks(b"n1") + moved(b"/b") + moved(there.url.encode()))

    assert call(here.url + "/a", *ANN, "auth=1", "redirects=5")[0] == "401 %s who?" % there.url
    assert is_right(here.requests[1], "n1", 1) and is_right(here.requests[2], "n1", 2)
    assert there.requests[0].field(b"Authorization") == []


def test_basic_is_not_said_where_digest_is_wanted(call, wire):
    """A server that asks for the password itself does not get it."""
    site = wire(serve(b"who?", b'WWW-Authenticate: Basic realm="tests"', status=b"401 Who"))

    assert call(site.url, *ANN, "auth=1") == ["401  who?"]
    assert site.requests[0].field(b"Authorization") == []


def test_without_a_user_a_challenge_is_an_answer(call, wire):
    """So it is with an Authorization field of the caller's own, and with a body that was pushed."""
    assert call(wire(asks(b"n1")).url, "auth=1") == ["401  who?"]
    assert call(wire(asks(b"n1")).url, *ANN, "auth=1", "header=Authorization:mine") == ["401  who?"]
    assert call(wire(asks(b"n1")).url, *ANN, "auth=1", "method=PUT", "upload=text") == ["401  who?"]
