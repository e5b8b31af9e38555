"""HTTP/2: negotiated or known beforehand, many requests on one connection, and every way in which a stream may end."""

import threading

import pytest
from server import frames
from server.steps import mark, receive, send, serve, wait
from server.stream_steps import answer, close, data, head, interim, request, reset, settings

BLOCK = bytes(range(256)) * 64
MIB = 1 << 20


@pytest.fixture
def h2(world, ca):
    """A session that trusts the servers of these tests."""
    return world.session(verify=ca)


@pytest.fixture
def only(world):
    """A session that speaks HTTP/2 alone, over http as well."""
    return world.session(transport={"http2": "only"})


def raised(world, call, *arguments, **more):
    """The exception that a call ends in."""
    with pytest.raises(world.requestx.exceptions.RequestException) as caught:
        call(*arguments, **more)
    return caught.value


# who speaks it


def test_negotiated_where_the_server_offers_it(h2, streams):
    """ALPN decides; the response says which version it came in, and has the reason that belongs to its status."""
    site = streams()
    response = h2.get(site.url + "/echo")

    assert (response.raw.version, response.raw.version_string, response.reason) == (20, "HTTP/2", "OK")
    assert site.connections[0]["tls"]["alpn"] == "h2"


def test_refused_by_the_caller(world, listen, certs, ca):
    """http2=False offers HTTP/1.1 alone, whatever the server would like."""
    site = listen("everyday", tls={"chain": certs.good, "alpn": ["h2", "http/1.1"]})
    response = world.session(transport={"http2": False}, verify=ca).get(site.url + "/get")

    assert response.raw.version == 11
    assert site.connections[0]["tls"]["alpn"] == "http/1.1"


def test_not_offered_by_the_server(h2, tls_server):
    """Then it is HTTP/1.1."""
    assert h2.get(tls_server.url + "/get").raw.version == 11


def test_insisted_on_but_not_offered(world, tls_server, ca):
    """No request goes out, and the error says why."""
    session = world.session(transport={"http2": "only"}, verify=ca)
    error = raised(world, session.get, tls_server.url + "/get")

    assert "does not offer HTTP/2" in str(error)
    assert isinstance(error, world.requestx.ConnectionError)
    assert tls_server.requests == []


def test_known_beforehand(only, streams):
    """http2="only" speaks it over plain TCP, too."""
    site = streams(plain=True)
    said = only.post(site.url + "/echo", data=b"over tcp").json()

    assert (said["body"], said["pseudo"][":scheme"]) == ("over tcp", "http")


def test_known_wrongly(world, only, server):
    """A server of HTTP/1.1 answers such a beginning with something else."""
    error = raised(world, only.get, server.url + "/get", timeout=5)

    assert isinstance(error, world.requestx.ConnectionError)
    assert "HTTP/2" in str(error)


# what is said


def test_request_fields_keep_their_order(h2, streams):
    """Names in lower case, in the caller's order and number; what concerns a connection of HTTP/1.1 is left out."""
    fields = {"X-Two": "2", "X-One": "1", "Connection": "keep-alive, X-Hop", "X-Hop": "h", "TE": "trailers"}
    h2.session.headers.clear()
    said = h2.get(streams().url + "/echo", headers=fields).json()

    assert said["headers"] == [["x-two", "2"], ["x-one", "1"], ["te", "trailers"]]


def test_host_of_the_callers_is_the_authority(h2, streams):
    """HTTP/2 says it in a field of its own, and not twice."""
    said = h2.get(streams().url + "/echo", headers={"Host": "other.example"}).json()

    assert said["pseudo"][":authority"] == "other.example"
    assert "host" not in dict(said["headers"])


def test_response_fields_have_their_usual_spelling(h2, streams):
    """Code that makes a plain dict of them finds what it is used to; repeated ones are all there."""
    fields = [("etag", '"x"'), ("www-authenticate", "Basic"), ("x-request-id", "1"), ("set-cookie", "a=1")]
    site = streams([request(), answer(1, b"ok", *fields, ("set-cookie", "b=2"))])
    response = h2.get(site.url)

    assert list(response.headers) == ["ETag", "WWW-Authenticate", "X-Request-ID", "Set-Cookie"]
    assert response.cookies.get_dict() == {"a": "1", "b": "2"}


def test_redirects_and_cookies(h2, streams):
    """The flow above is the same."""
    site = streams()
    response = h2.get(site.url + "/redirect")

    assert [each.status_code for each in response.history] == [302]
    assert dict(response.json()["headers"])["cookie"] == "a=1; b=2"
    assert len(site.connections) == 1


@pytest.mark.parametrize("method, path, body", [("HEAD", "/bytes/10", b""), ("GET", "/status/204", b"")])
def test_answers_without_a_body(h2, streams, method, path, body):
    """HEAD has a length and nothing behind it, 204 has none."""
    site = streams()
    response = h2.request(method, site.url + path)

    assert (response.content, response.ok) == (body, True)
    assert h2.get(site.url + "/bytes/3").content == BLOCK[:3]


@pytest.mark.parametrize("path", ["/trailers", "/hints"])
def test_what_surrounds_an_answer_is_passed_over(h2, streams, path):
    """Trailers and informational responses are not the body, and not the response."""
    response = h2.get(streams().url + path)

    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.parametrize("stream", [False, True])
def test_early_hints_are_read(h2, streams, stream):
    """Informational heads come with the answer that follows them, in their order, and with no other."""
    site = streams()
    response = h2.get(site.url + "/hints", stream=stream)

    assert [(status, dict(fields)) for status, fields in response.informational] == [(103, {"Link": "</a>"})] * 2
    assert h2.get(site.url + "/echo").informational == []


def test_switching_protocols_is_refused_at_once(world, h2, streams):
    """HTTP/2 has no 101 (RFC 9113, 8.6): its stream is cancelled, and the connection serves on."""
    site = streams([request(), interim(1, 101), request(2), answer(2)])
    error = raised(world, h2.get, site.url)

    assert isinstance(error, world.requestx.ConnectionError)
    assert "101" in str(error)
    assert h2.get(site.url).content == b"ok"
    assert site.connections[0]["heard"] == ["RST_STREAM 1 CANCEL"]


@pytest.mark.parametrize(
    "before", [[interim(1, 103)] * 33, [interim(1, 103, ("x", "v" * 16000))] * 17], ids=["many", "long"]
)
def test_what_comes_before_an_answer_has_a_limit(world, h2, streams, before):
    """32 heads, and as many bytes as one head may have; the connection serves on."""
    site = streams([request(), *before, answer(1), request(2), answer(2)])
    error = raised(world, h2.get, site.url)

    assert isinstance(error, world.requestx.ConnectionError)
    assert "informational" in str(error) or "longer than 262144 bytes" in str(error)
    assert h2.get(site.url).content == b"ok"


EXPECT = {"Expect": "100-continue"}


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "pushed"])
def test_a_body_that_is_expected_to_wait_does(h2, streams, whole):
    """It follows the server's 100."""
    site = streams([head(), mark("head"), wait("go"), interim(1, 100), request(), answer()])
    call = h2.start("post", site.url, data=b"body" if whole else iter([b"bo", b"dy"]), headers=EXPECT)
    site.wait("head")
    before = site.connections[0]["received"]
    site.set("go")

    assert call.result().content == b"ok"
    assert b"body" not in before
    assert site.requests[0].body == b"body"


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "pushed"])
def test_a_body_that_is_not_wanted_is_not_sent(h2, streams, whole):
    """After a final answer nothing of it goes, its stream is cancelled, and the connection serves on."""
    site = streams([head(), answer(1, b"no", status=417), wait("RST_STREAM 1 CANCEL"), request(2), answer(2)])
    first = h2.post(site.url, data=b"body" if whole else iter([b"body"]), headers=EXPECT)

    assert (first.status_code, first.content) == (417, b"no")
    assert h2.get(site.url).content == b"ok"
    assert b"body" not in site.received


@pytest.mark.parametrize("stream", [False, True])
def test_trailers_are_read(world, h2, streams, stream):
    """The second head of a stream, once its body was read."""
    response = h2.get(streams().url + "/trailers", stream=stream)
    world.read(response)

    assert dict(response.trailers) == {"X-Sum": "1"}


def test_many_cookies_are_a_head_that_servers_send(h2, streams):
    """Sixty kilobytes, so in several frames."""
    fields = [("set-cookie", "c%d=%s" % (number, "v" * 1000)) for number in range(60)]
    site = streams([request(), answer(1, b"ok", *fields)])

    assert len(h2.get(site.url).cookies) == 60


@pytest.mark.parametrize("fields", [[("x-long", "v" * 16000)] * 20, [("x-many", "v")] * 600])
def test_a_head_beyond_all_measure_is_an_error(world, h2, streams, fields):
    """256 KiB, or 512 fields; the connection serves on."""
    site = streams([request(), answer(1, b"ok", *fields), request(2), answer(2)])
    error = raised(world, h2.get, site.url)

    assert isinstance(error, world.requestx.ConnectionError)
    assert h2.get(site.url).content == b"ok"


def test_the_longest_head_is_each_requests_own(world, h2, streams):
    """Whoever opened the connection had another limit."""
    site = streams([request(n) if step else answer(n, b"ok", ("x", "v" * 2000)) for n in (1, 2, 3) for step in (1, 0)])
    adapter = h2.get_adapter(site.url)
    assert h2.get(site.url).content == b"ok"
    adapter.max_head_bytes = 1024
    assert "longer than 1024 bytes" in str(raised(world, h2.get, site.url))
    adapter.max_head_bytes = 1 << 18

    assert h2.get(site.url).content == b"ok"
    assert len(site.connections) == 1


def test_a_longer_head_is_taken_by_who_allows_it(h2, streams):
    """A server is told of the limit once for each connection, so that of another limit is another connection."""
    long = [("x-long", "v" * 16000)] * 20
    site = streams([request(), answer()], [request(), answer(1, b"long", *long)])
    h2.get(site.url)
    h2.get_adapter(site.url).max_head_bytes = 1 << 20

    assert h2.get(site.url).content == b"long"


# many at a time


def test_many_requests_share_one_connection(h2, streams):
    """Those of a burst to a new host as well: they wait for the first to be opened."""
    site = streams()
    calls = [h2.start("get", site.url + "/slow") for _ in range(30)]
    site.wait("request 30")
    site.set("release")

    assert {call.result().json()["connection"] for call in calls} == {0}
    assert len(site.connections) == 1


def test_more_than_a_hundred_open_another(awaited, streams, ca):
    """And a burst of 250 three, not one for each that found no seat."""
    session, site = awaited.session(verify=ca), streams()
    calls = [session.start("get", site.url + "/slow") for _ in range(250)]
    site.wait("request 250", 15)
    site.set("release")

    assert sum(call.result().status_code for call in calls) == 250 * 200
    assert len(site.connections) == 3


def test_servers_limit_opens_another_once_it_is_known(h2, streams):
    """MAX_CONCURRENT_STREAMS is kept to: what exceeds it goes elsewhere instead of waiting unseen."""
    site = streams(settings={"MAX_CONCURRENT_STREAMS": 2})
    h2.get(site.url + "/echo")
    calls = [h2.start("get", site.url + "/slow") for _ in range(3)]
    site.wait("request 4")
    site.set("release")

    assert {call.result().json()["connection"] for call in calls} == {0, 1}


def test_a_server_that_allows_none_is_left(world, h2, streams):
    """Its connections serve nobody, and are not kept; the background's are let go of a moment after the error."""
    site = streams(settings={"MAX_CONCURRENT_STREAMS": 0})
    for _ in range(3):
        with pytest.raises(world.requestx.exceptions.RequestException):
            h2.get(site.url + "/bytes/10", timeout=5)
    while "https:// <HTTPAdapter, 0 connections" not in repr(h2.session):
        pass

    assert "https:// <HTTPAdapter, 0 connections" in repr(h2.session)


def test_connections_that_nobody_uses_are_kept_up_to_the_limit(world, streams, ca):
    """A burst to a server that allows few streams leaves no more behind than one over HTTP/1.1 would."""
    session = world.session(transport={"pool_maxsize": 2}, verify=ca)
    site = streams(settings={"MAX_CONCURRENT_STREAMS": 1})
    session.get(site.url + "/echo")
    calls = [session.start("get", site.url + "/slow") for _ in range(6)]
    site.wait("request 7")
    site.set("release")
    assert [call.result().status_code for call in calls] == [200] * 6

    assert len(site.connections) == 6
    assert "https:// <HTTPAdapter, 2 connections, 2 idle" in repr(session.session)


def test_a_burst_waits_for_the_servers_limit_to_be_known(h2, streams):
    """Not one request more than the server allows goes out, and none is refused."""
    site = streams(settings={"MAX_CONCURRENT_STREAMS": 3})
    calls = [h2.start("get", site.url + "/echo") for _ in range(20)]

    assert [call.result().status_code for call in calls] == [200] * 20
    assert [what for each in site.connections for what in each["heard"]] == []


def test_a_limit_on_connections_is_not_one_on_requests(world, streams, ca):
    """One connection for a host is enough for many requests over HTTP/2."""
    session = world.session(transport={"pool_block": True, "pool_maxsize": 1}, verify=ca)
    site = streams()
    calls = [session.start("get", site.url + "/slow") for _ in range(20)]
    site.wait("request 20")
    site.set("release")

    assert [call.result().status_code for call in calls] == [200] * 20
    assert len(site.connections) == 1


def test_the_other_world_has_a_connection_of_its_own(blocking, awaited, streams, ca):
    """Within the limit: one that nobody uses makes room, whichever of the two has it."""
    session = awaited.session(transport={"pool_block": True, "pool_maxsize": 1}, verify=ca).session
    site = streams()
    said = [world.run(session.get, site.url + "/echo").json() for world in (blocking, awaited, awaited, blocking)]

    assert [each["connection"] for each in said] == [0, 1, 1, 2]
    assert (site.end(0), site.end(1)) == ("eof", "eof")


@pytest.mark.parametrize("field", [("X-A", "b\r\nX-C: d"), ("X-A\r\nX-C", "d"), (":path", "/other")])
def test_fields_cannot_inject(world, h2, streams, field):
    """What a proxy would write out in HTTP/1.1 is refused before it is sent (CVE-2025-57804)."""
    site = streams()
    h2.get(site.url + "/echo")
    with pytest.raises(world.requestx.exceptions.InvalidHeader):
        h2.get(site.url + "/echo", headers=dict([field]))

    assert len(site.requests) == 1


def test_threads_that_leave_while_others_wait(blocking, streams, ca):
    """The thread that drives a connection goes when its answer is there; another takes over."""
    session, site = blocking.session(verify=ca), streams()
    slow = [session.start("get", site.url + "/slow") for _ in range(8)]
    site.wait("request 8")
    quick = [session.start("get", site.url + "/bytes/%d" % (n * 1000)) for n in range(20)]
    assert [len(call.result().content) for call in quick] == [n * 1000 for n in range(20)]
    site.set("release")

    assert [call.result().status_code for call in slow] == [200] * 8
    assert len(site.connections) == 1


# flow control


def test_a_body_larger_than_every_window(h2, streams):
    """Windows are opened as it is read."""
    response = h2.get(streams().url + "/bytes/%d" % (20 * MIB))

    assert response.content == BLOCK * (20 * MIB // len(BLOCK))


def test_a_body_that_nobody_reads_stops_the_server_and_no_other_stream(world, h2, streams):
    """Its window is its own; the connection's has room for others."""
    site = streams()
    paused = h2.get(site.url + "/bytes/%d" % (20 * MIB), stream=True)
    for _ in range(3):
        assert len(h2.get(site.url + "/bytes/100000").content) == 100000

    assert site.connections[0]["sent"] < 4 * MIB
    assert len(world.read(paused)) == 20 * MIB
    assert len(site.connections) == 1


def test_frames_that_are_there_come_in_one_piece(world, h2, streams):
    """A piece is what has come, and not a frame of it."""
    parts = [answer(1, b"a" * 1000, end=False), data(1, b"b" * 1000, end=False), data(1, b"c" * 1000)]
    response = h2.get(streams([request(), *parts]).url, stream=True)

    assert list(world.pieces(response, None)) == [b"a" * 1000 + b"b" * 1000 + b"c" * 1000]


def test_what_came_before_a_reset_is_read(world, h2, streams):
    """The error waits until the body that came has been taken."""
    parts = [answer(1, b"a" * 1000, end=False), data(1, b"b" * 1000, end=False), reset(1, "INTERNAL_ERROR")]
    pieces = world.pieces(h2.get(streams([request(), *parts]).url, stream=True), None)

    assert next(pieces) == b"a" * 1000 + b"b" * 1000
    with pytest.raises(world.requestx.exceptions.ChunkedEncodingError, match="INTERNAL_ERROR"):
        next(pieces)


def test_many_bodies_that_nobody_reads_stop_no_other_stream(world, h2, streams):
    """What they hold back together is no more than the connection has room for."""
    url = streams().url
    paused = [h2.get(url + "/bytes/%d" % (3 * MIB), stream=True) for _ in range(8)]

    assert len(h2.get(url + "/bytes/100000", timeout=5).content) == 100000
    assert len(world.read(paused[-1])) == 3 * MIB


@pytest.mark.parametrize("window", [65535, 100, 2**24])
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "pushed"])
def test_an_upload_larger_than_the_servers_window(h2, streams, window, whole):
    """It waits for room, whatever the window."""
    body = BLOCK * (4 if window == 100 else 64)
    site = streams(settings={"INITIAL_WINDOW_SIZE": window})
    h2.get(site.url + "/echo")  # from then on the setting is known
    said = h2.post(site.url + "/echo", data=body if whole else iter([body])).json()

    assert said["length"] == len(body)
    assert said["body"] == body[:100000].decode("latin-1")


def test_the_window_changes_while_an_upload_waits_for_it(h2, streams):
    """SETTINGS may open the windows of streams that are under way."""
    script = [request(1), answer(1), head(2), settings(INITIAL_WINDOW_SIZE=MIB), request(2), answer(2)]
    site = streams(script, settings={"INITIAL_WINDOW_SIZE": 0})
    h2.get(site.url)

    assert h2.post(site.url, data=BLOCK * 3).content == b"ok"
    assert site.requests[1].body == BLOCK * 3


# streams that end otherwise


def test_refused_stream_is_sent_again(h2, streams):
    """REFUSED_STREAM says that nothing was done, so a POST may go again (RFC 9113, 8.7)."""
    site = streams([request(1), reset(1, "REFUSED_STREAM"), request(2), answer(2)])

    assert h2.post(site.url, data=b"once").content == b"ok"
    assert [each.body for each in site.requests] == [b"once", b"once"]


def test_refused_twice_is_an_error(world, h2, streams):
    """Once is enough."""
    site = streams([request(1), reset(1, "REFUSED_STREAM"), request(2), reset(2, "REFUSED_STREAM"), head(3)])
    error = raised(world, h2.get, site.url)

    assert "REFUSED_STREAM (0x7)" in str(error)
    assert len(site.requests) == 2


@pytest.mark.parametrize("how", [reset(1, "REFUSED_STREAM"), send(frames.goaway(0))], ids=["refused", "goaway"])
def test_a_body_that_was_pushed_is_not_sent_again(world, h2, streams, how):
    """Part of it is gone: the caller hears that the server has not begun with it, and the generator is asked once."""
    site = streams([head(), how, wait("never")], [])
    asked = []
    pieces = (asked.append(piece) or piece for piece in [b"a" * 1000] * 3)
    error = raised(world, h2.post, site.url, data=pieces)
    site.set("never")

    assert isinstance(error, world.requestx.ConnectionError)
    assert "REFUSED_STREAM (0x7)" in str(error) or "closed the HTTP/2 connection: NO_ERROR (0x0)" in str(error)
    assert len(asked) <= 3


@pytest.mark.parametrize("verb", ["get", "post"])
def test_a_server_that_wants_http_1_1_for_a_request_gets_that(world, listen, certs, ca, verb):
    """RFC 9113, 7: IIS says so where a connection is authenticated, by NTLM for example, and curl does the same."""
    site = listen(
        "wire",
        scripts=[
            [receive(len(frames.PREFACE) + 66), send(frames.SETTINGS + frames.reset(1, 13)), wait("never")],
            serve(b"in HTTP/1.1"),
        ],
        tls={"chain": certs.good, "alpn": ["h2", "http/1.1"]},
    )
    response = getattr(world.session(verify=ca), verb)(site.at("localhost"))
    site.set("never")

    assert (response.content, response.raw.version) == (b"in HTTP/1.1", 11)
    assert site.connections[1]["tls"]["alpn"] == "http/1.1"


def test_a_server_that_wants_http_1_1_where_that_is_not_allowed(world, only, streams):
    """The error names what it asks for."""
    site = streams([request(), reset(1, "HTTP_1_1_REQUIRED")], plain=True)

    assert "HTTP_1_1_REQUIRED (0xd)" in str(raised(world, only.get, site.url))


def test_a_code_that_nobody_knows_is_quoted(world, only, streams):
    """By its number."""
    site = streams([request(), send(frames.reset(1, 0x1234)), wait("never")], plain=True)
    error = raised(world, only.get, site.url)
    site.set("never")

    assert "0x1234" in str(error)


@pytest.mark.parametrize("code", ["INTERNAL_ERROR", "CANCEL", "ENHANCE_YOUR_CALM", "NO_ERROR"])
def test_a_reset_before_the_head_is_an_error_of_its_own(world, h2, streams, code):
    """It is named, it is not sent again, and the connection serves on."""
    site = streams([request(1), answer(1), request(2), reset(2, code), request(3), answer(3)])
    h2.get(site.url)
    error = raised(world, h2.get, site.url)

    assert type(error) is world.requestx.ConnectionError
    assert code in str(error)
    assert h2.get(site.url).content == b"ok"
    assert len(site.requests) == 3


@pytest.mark.parametrize("code", ["INTERNAL_ERROR", "CANCEL", "NO_ERROR"])
@pytest.mark.parametrize("fields", [[], [("content-length", "100")]], ids=["of any length", "of a length"])
def test_a_reset_within_the_body_cuts_it_short(world, h2, streams, code, fields):
    """NO_ERROR does so as well: half a body is not a whole one."""
    site = streams([request(), answer(1, b"half", *fields, end=False), reset(1, code), request(2), answer(2)])
    error = raised(world, h2.get, site.url)

    assert isinstance(error, world.requestx.exceptions.ChunkedEncodingError)
    assert code in str(error) or "before its end" in str(error)
    assert h2.get(site.url).content == b"ok"


@pytest.mark.parametrize("body", [b"short", b"much too long"])
def test_a_body_of_another_length_than_announced(world, h2, streams, body):
    """It is an error, not a body."""
    site = streams([request(), answer(1, body, ("content-length", "8"))])

    assert isinstance(raised(world, h2.get, site.url), world.requestx.exceptions.RequestException)


@pytest.mark.parametrize("status", [200, 413])
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "pushed"])
def test_an_answer_before_the_upload_has_ended(h2, streams, status, whole):
    """The server says all it has to say, and resets with NO_ERROR what it does not want (RFC 9113, 8.1)."""
    site = streams(greedy=False)
    body = b"x" * 3 * MIB
    response = h2.post(site.url + "/early/%d" % status, data=body if whole else iter([body]), timeout=10)

    assert (response.status_code, response.content) == (status, b"enough")
    assert h2.get(site.url + "/bytes/3").content == BLOCK[:3]


def test_an_answer_that_begins_before_the_upload_has_ended(h2, streams):
    """What is left of the body is sent all the same: the server may want it for the rest of its answer."""
    body = b"x" * 2 * MIB
    site = streams([head(), answer(1, b"", end=False), request(), data(1, b"taken")])

    assert h2.post(site.url, data=iter([body[:MIB], body[MIB:]]), timeout=10).content == b"taken"
    assert len(site.requests[0].body) >= MIB


def test_an_upload_that_nobody_wants_any_more_is_broken_off(h2, streams):
    """The whole answer was there before the request: its stream is given up, and the connection serves on."""
    answered = [head(), answer(1, b"no", status=403), mark("answered"), wait("RST_STREAM 1 CANCEL")]
    site = streams(answered + [request(2), answer(2)])

    def pieces():
        yield b"x" * 1000
        site.wait("answered")
        yield b"y"

    assert h2.post(site.url, data=pieces(), timeout=10).content == b"no"
    assert h2.get(site.url).content == b"ok"


def test_an_upload_that_fails_is_the_callers_error(h2, streams):
    """The stream is reset, and what the generator raised is raised."""
    site = streams([head(), wait("go"), request(2), answer(2)])

    def pieces():
        yield b"x"
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        h2.post(site.url, data=pieces())
    site.set("go")
    assert h2.get(site.url).content == b"ok"


# connections that end


def test_goaway_lets_what_is_under_way_end(h2, streams):
    """The next request goes to a new connection."""
    site = streams([request(), send(frames.goaway(2**31 - 1)), answer()], [request(), answer(1, b"new")])

    assert h2.get(site.url).content == b"ok"
    assert h2.post(site.url, data=b"x").content == b"new"


def test_goaway_tells_which_requests_were_not_begun(h2, streams):
    """They are sent again, whatever their method; the others end where they are."""
    first = [head(1), mark("first"), head(2), send(frames.goaway(1)), answer(1, b"one")]
    site = streams(first, [request(), answer(1, b"two")])
    one = h2.start("post", site.url, data=b"1")
    site.wait("first")
    two = h2.start("post", site.url, data=b"2")

    assert (one.result().content, two.result().content) == (b"one", b"two")
    assert len(site.connections) == 2


def test_turned_away_several_times(h2, streams):
    """A server that goes away after so many requests may do that again to the same one."""
    away = [request(), send(frames.goaway(0))]
    site = streams(away, away, away, [request(), answer(1, b"at last")])

    assert h2.post(site.url, data=b"x").content == b"at last"
    assert len(site.connections) == 4


def test_goaway_with_an_error_names_it(world, h2, streams):
    """A request that the server had begun with is not sent again."""
    site = streams([request(), send(frames.goaway(1, 11)), close()])
    error = raised(world, h2.post, site.url, data=b"x")

    assert isinstance(error, world.requestx.ConnectionError)
    assert "ENHANCE_YOUR_CALM (0xb)" in str(error)
    assert len(site.requests) == 1


def test_goaway_with_an_error_within_a_body_names_it(world, h2, streams):
    """The cut is the server's doing, and it has said why."""
    site = streams([request(), answer(1, b"half", end=False), send(frames.goaway(1, 11)), close()])
    error = raised(world, h2.get, site.url)

    assert isinstance(error, world.requestx.exceptions.ChunkedEncodingError)
    assert "ENHANCE_YOUR_CALM (0xb)" in str(error)


def test_closed_while_idle(h2, streams):
    """Nobody looked, and a POST finds out in time."""
    site = streams([request(), answer(), close()], [request(), answer(1, b"new")])
    h2.get(site.url)
    site.end(0)

    assert h2.post(site.url, data=b"x").content == b"new"


def test_broken_off_while_many_wait(world, h2, streams):
    """Each of them is told."""
    site = streams([head(1), head(2), head(3), close()])
    calls = [h2.start("post", site.url, data=b"x") for _ in range(3)]

    for call in calls:
        assert isinstance(raised(world, call.result), world.requestx.ConnectionError)


def test_closing_the_session_says_goodbye(h2, streams):
    """The connection ends with GOAWAY, at once, though nobody waits for anything."""
    site = streams()
    h2.get(site.url + "/echo")
    h2.session.adapters["https://"].close()

    assert site.end(0) == "eof"
    assert site.connections[0]["heard"] == ["GOAWAY NO_ERROR"]


def test_a_response_outlives_its_session(world, h2, streams):
    """What was begun can be read to its end; then the connection is closed."""
    site = streams()
    response = h2.get(site.url + "/stall/100", stream=True)
    h2.session.adapters["https://"].close()
    site.set("release")

    assert world.read(response) == b"x" * 100
    assert site.end(0) == "eof"


def test_a_connection_that_is_not_to_be_kept_is_not(h2, streams):
    """`Connection: close` has no place on the wire, but the caller's wish is heard."""
    site = streams()
    h2.get(site.url + "/echo", headers={"Connection": "close"})

    assert site.end(0) == "eof"


def test_idle_connections_are_counted(h2, streams):
    """One that nobody has a stream on is idle; the background's has it a moment after the answer."""
    h2.get(streams().url + "/echo")
    while "1 idle" not in repr(h2.session):
        pass

    assert "1 connections, 1 idle, 0 requests" in repr(h2.session)


# giving up


def test_closing_early_cancels_the_stream(world, h2, streams):
    """The server hears of it at once, and the connection serves on."""
    site = streams()
    response = h2.get(site.url + "/stall/100", stream=True)
    world.close(response)
    site.wait("RST_STREAM 1 CANCEL")

    assert h2.get(site.url + "/echo").json()["connection"] == 0


def test_a_server_that_waits_for_the_window_of_a_closed_stream_goes_on(world, streams):
    """Answers that were begun and closed, at whatever stage, leave their connection to the next ones."""
    site, session = streams(plain=True), world.session(transport={"http2": "only"})
    for taken in (0, 1, 100_000):
        response = session.get(site.url + "/bytes/50000000", stream=True)
        if taken:
            next(world.pieces(response, taken))
        world.close(response)

    assert session.get(site.url + "/bytes/5").content == bytes(range(5))
    assert len(site.connections) == 1


def test_a_cancelled_call_cancels_its_stream(awaited, streams, ca):
    """Before the answer, and while a body is sent."""
    session, site = awaited.session(verify=ca), streams(greedy=False)
    waiting = session.start("get", site.url + "/slow")
    site.wait("request 1")
    waiting.cancel()
    site.wait("RST_STREAM 1 CANCEL")
    assert session.get(site.url + "/echo").json()["stream"] == 3


def test_one_of_many_is_cancelled(awaited, streams, ca):
    """The others are answered on the same connection."""
    session, site = awaited.session(verify=ca), streams()
    session.get(site.url + "/echo")
    calls = [session.start("get", site.url + "/slow") for _ in range(9)]
    site.wait("request 10")
    calls.pop(4).cancel()
    site.wait("RST_STREAM 11 CANCEL")
    site.set("release")

    assert {call.result().json()["connection"] for call in calls} == {0}
    assert site.connections[0]["heard"] == ["RST_STREAM 11 CANCEL"]


def test_no_answer_in_time(world, h2, streams):
    """It is a ReadTimeout, the stream is cancelled, and a connection on which nothing came is not used again."""
    site = streams([request(1), answer(1), request(2)], [request(), answer(1, b"new")])
    h2.get(site.url)
    error = raised(world, h2.get, site.url, timeout=(5, 0.3))

    assert type(error) is world.requestx.ReadTimeout
    site.wait("RST_STREAM 3 CANCEL")
    assert h2.get(site.url).content == b"new"


def test_no_answer_in_time_on_a_connection_that_lives(world, h2, streams):
    """Others are answered on it: it stays."""
    site = streams([request(1), request(2), answer(2), request(3), answer(3, b"third")])
    slow = h2.start("get", site.url, timeout=(5, 1))
    site.wait("request 1")
    assert h2.get(site.url).content == b"ok"
    assert isinstance(raised(world, slow.result), world.requestx.ReadTimeout)

    assert h2.get(site.url).content == b"third"


def test_a_body_that_stalls(world, h2, streams):
    """It is a ReadTimeout and a ConnectionError, as over HTTP/1.1."""
    error = raised(world, h2.get, streams().url + "/stall/10", timeout=0.3)

    assert isinstance(error, world.requestx.ReadTimeout)
    assert isinstance(error, world.requestx.ConnectionError)


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "pushed"])
def test_an_upload_that_the_server_does_not_take(world, h2, streams, whole):
    """The window stays closed: that is the time to send, not the time to answer."""
    site = streams(greedy=False)
    body = b"x" * 500000
    error = raised(world, h2.post, site.url + "/echo", data=body if whole else iter([body]), timeout=0.3)

    assert type(error).__name__ == "SendTimeout"
    site.wait("RST_STREAM 1 CANCEL")


def test_a_generator_is_asked_for_no_more_than_there_is_room_for(world, h2, streams):
    """What the server has no window for is not made: an endless body takes the memory of a short one."""
    site = streams(greedy=False)
    made = []

    def endless():
        while True:
            made.append(65536)
            yield b"x" * 65536

    error = raised(world, h2.post, site.url + "/echo", data=endless(), timeout=0.3)

    assert type(error).__name__ == "SendTimeout"
    assert sum(made) < 3 * MIB


def test_a_slow_upload_that_goes_on_is_in_time(h2, streams):
    """The limit is for one step, also over HTTP/2, where all of a body might count as sent at once."""
    steps = [request(1), answer(1), head(2)]
    for turn in range(6):
        steps += [wait("turn %d" % turn), settings(INITIAL_WINDOW_SIZE=11000 * (turn + 1))]
    site = streams(steps + [request(2), answer(2)], settings={"INITIAL_WINDOW_SIZE": 0}, greedy=False)
    h2.get(site.url)
    call = h2.start("post", site.url, data=b"x" * 60000, timeout=(5, 1))
    clock = threading.Event()
    for turn in range(6):
        clock.wait(0.3)  # time is what is tested here
        site.set("turn %d" % turn)

    assert call.result().content == b"ok"


# the process


def test_descriptors_are_given_back(blocking, streams, ca):
    """Sessions come and go; nothing of their connections stays open."""
    import os

    site = streams()
    count = lambda: len(os.listdir("/proc/self/fd"))  # noqa: E731
    before = None
    for number in range(6):
        session = blocking.session(verify=ca)
        session.get(site.url + "/echo")
        session.session.close()
        site.end(number)
        before = before or count()

    assert count() <= before


def test_a_forked_child_opens_its_own(child, streams, ca):
    """The parent's connection is the parent's: the child neither uses nor closes it."""
    site = streams()
    source = """
        ca = sys.argv[2]
        session = requestx.Session()
        assert session.get(url + "/echo", verify=ca).json()["connection"] == 0
        pid = os.fork()
        if not pid:
            said = session.get(url + "/echo", verify=ca).json()
            session.close()
            os._exit(said["connection"])
        status = os.waitpid(pid, 0)[1] >> 8
        again = session.get(url + "/echo", verify=ca).json()
        print(status, again["connection"], again["stream"])
    """
    outcome = child(source, site.url, ca)

    assert outcome.out == "1 0 3\n", outcome
