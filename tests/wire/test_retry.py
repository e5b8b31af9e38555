"""max_retries: what is sent again, how long is waited, and what is raised in the end."""

import gzip
import io
import signal
import threading
import time

import pytest
from server.steps import answer, close, mark, repeat, request, rst, send, serve

pytestmark = pytest.mark.trio

BUSY = b"503 Busy"


def retrying(world, *arguments, **more):
    """A session whose adapter has this Retry; one number is that number itself."""
    adapters = world.requestx.adapters
    retry = arguments[0] if arguments and not more else adapters.Retry(*arguments, **more)
    session = world.session()
    session.mount("http://", adapters.HTTPAdapter(max_retries=retry))
    return session


def test_a_number_retries_connections(world, wire):
    """A request whose connection died is sent again, on another."""
    site = wire([request(), rst()], [request(), rst()], serve(b"third"))

    assert retrying(world, 2).get(site.url).content == b"third"


def test_no_retries_by_default(world, wire):
    """The first error is the last, and is told as it is."""
    site = wire([request(), rst()], serve(b"second"))
    with pytest.raises(world.requestx.exceptions.ConnectionError) as caught:
        world.get(site.url)

    assert len(site.requests) == 1
    assert type(caught.value.args[0]).__name__ == "ProtocolError"


def test_the_last_error_is_wrapped(world):
    """As in requests: a ConnectionError around a MaxRetryError around the reason."""
    with pytest.raises(world.requestx.exceptions.ConnectionError, match="Max retries exceeded with url: /x") as caught:
        retrying(world, 2).get("http://127.0.0.1:1/x")

    assert type(caught.value.args[0]).__name__ == "MaxRetryError"
    assert type(caught.value.args[0].reason).__name__ == "NewConnectionError"
    assert caught.value.phase == "connect"


def test_exhausted_reads_are_connectionerrors(world, wire):
    """Retries make of a read time-out what requests makes of it."""
    site = wire([request()], [request()])
    with pytest.raises(world.requestx.exceptions.ConnectionError) as caught:
        retrying(world, 1).get(site.url, timeout=0.05)

    assert type(caught.value.args[0].reason).__name__ == "ReadTimeoutError"
    assert len(site.requests) == 2


def test_listed_statuses_are_retried(world, wire):
    """On the same connection, whose body was read."""
    site = wire(serve(b"no", status=BUSY) + serve(b"no", status=BUSY) + serve(b"yes"))
    response = retrying(world, 5, status_forcelist=[503]).get(site.url)

    assert response.content == b"yes"
    assert [seen.status for seen in response.raw.retries.history] == [503, 503]


def test_statuses_end_in_a_retryerror(world, wire):
    """With urllib3's words in it."""
    site = wire(serve(b"no", status=BUSY) * 2)
    with pytest.raises(world.requestx.exceptions.RetryError, match="too many 503 error responses") as caught:
        retrying(world, 1, status_forcelist=[503]).get(site.url)

    assert type(caught.value.args[0].reason).__name__ == "ResponseError"


def test_statuses_may_end_in_the_last_answer(world, wire):
    """raise_on_status=False."""
    site = wire(serve(b"no", status=BUSY) + serve(b"never", status=BUSY))
    response = retrying(world, 1, status_forcelist=[503], raise_on_status=False).get(site.url)

    assert (response.status_code, response.content) == (503, b"never")


def test_a_post_is_not_repeated_after_it_was_sent(world, wire):
    """Unless the caller says so; the server may have done it."""
    for methods, tries in ((("GET",), 1), (None, 2)):
        site = wire([request(), rst()], serve(b"second"))
        session = retrying(world, 3, allowed_methods=methods)
        if tries == 1:
            with pytest.raises(world.requestx.exceptions.ConnectionError):
                session.post(site.url, data=b"x")
        else:
            assert session.post(site.url, data=b"x").content == b"second"
        assert [each.body for each in site.requests] == [b"x"] * tries


def test_a_file_is_sent_again_from_where_it_was(world, wire):
    """The body of the second try is the body of the first."""
    site = wire([request(), rst()], serve(b"second"))
    file = io.BytesIO(b"skipped|" + b"x" * 100)
    file.seek(8)

    assert retrying(world, 3).put(site.url, data=file).content == b"second"
    assert [each.body for each in site.requests] == [b"x" * 100] * 2


def test_what_a_generator_gave_is_not_sent_again(world, wire):
    """It cannot be had twice, so the first error is told."""
    site = wire([request(), rst()], serve(b"second"))
    with pytest.raises(world.requestx.exceptions.ConnectionError):
        retrying(world, 3).put(site.url, data=(piece for piece in [b"a", b"b"]))

    assert len(site.requests) == 1


def test_a_body_that_breaks_off_is_not_retried(world, wire):
    """There was an answer; requests retries none either."""
    half = answer(b"x" * 100)[:-50]
    site = wire([request(), send(half), close()], serve(b"second"))
    with pytest.raises(world.requestx.exceptions.ChunkedEncodingError):
        retrying(world, 3).get(site.url)

    assert len(site.requests) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("coding", [None, "gzip"])
def test_a_try_that_broke_off_is_no_part_of_the_answer(world, wire, coding, stream):
    """What came of its body is forgotten, and how it was coded as well (CVE-2026-16728)."""
    fields = [b"Content-Encoding: gzip"] if coding else []
    half = answer(gzip.compress(b"first" * 100), *fields, status=BUSY)[:-20]
    site = wire([request(), send(half), close()], serve(b"second"))
    response = retrying(world, 1, status_forcelist=[503]).get(site.url, stream=stream)

    assert (response.status_code, world.read(response)) == (200, b"second")


def test_what_follows_an_answer_is_not_the_next_try(world, wire):
    """Nobody had asked for it when it came."""
    site = wire([request(), send(answer(b"no", status=BUSY) + answer(b"smuggled"))], serve(b"second"))

    assert retrying(world, 1, status_forcelist=[503]).get(site.url).content == b"second"
    assert len(site.connections) == 2


def test_an_answer_without_end_is_not_read_to_its_end(world, wire):
    """The next try has a connection of its own."""
    endless = [send(b"HTTP/1.1 503 Busy\r\nContent-Length: 99999999999\r\n\r\n"), repeat(b"x" * 1000, 1 << 22)]
    site = wire([request(), *endless], serve(b"second"))

    assert retrying(world, 1, status_forcelist=[503]).get(site.url, timeout=10).content == b"second"
    assert site.end(0) in ("eof", "reset")
    assert site.connections[0]["sent"] < 16 << 20


def test_a_stream_that_breaks_off_is_not_continued_by_another(world, wire):
    """Its reader has the beginning already."""
    site = wire([request(), send(answer(b"x" * 100)[:-50]), close()], serve(b"y" * 100))
    pieces = world.pieces(retrying(world, 3).get(site.url, stream=True), 10)
    read = []
    with pytest.raises(world.requestx.exceptions.ChunkedEncodingError):
        read.extend(iter(pieces))

    assert len(site.requests) == 1


def test_retry_after_is_obeyed(world, wire):
    """The server's own seconds, as long as the caller allows."""
    site = wire(serve(b"no", b"Retry-After: 300", status=BUSY) + serve(b"yes"))
    began = time.monotonic()
    response = retrying(world, 1, retry_after_max=0.2).get(site.url)

    assert response.content == b"yes"
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("limits", [None, {"total": 60}])
def test_a_retry_after_that_is_none(world, wire, limits):
    """InvalidHeader, as in requests, whoever asks how long to wait."""
    site = wire(serve(b"no", b"Retry-After: soon", status=BUSY))
    timeout = limits and world.requestx.TimeLimits(**limits)
    with pytest.raises(world.requestx.exceptions.InvalidHeader, match="soon") as caught:
        retrying(world, 1).get(site.url, timeout=timeout)

    assert caught.value.request.url == site.url + "/"


def test_an_answer_that_cannot_be_read_gives_its_connection_up(world, wire):
    """Nobody gets it: whoever keeps the exception keeps no connection."""
    half = b"HTTP/1.1 503 Busy\r\nRetry-After: soon\r\nContent-Length: 80000\r\n\r\n" + b"x" * 70000
    site = wire([request(), send(half)])
    session = retrying(world, 1)
    with pytest.raises(world.requestx.exceptions.InvalidHeader, match="soon") as caught:
        session.get(site.url, stream=True, timeout=world.requestx.TimeLimits(total=30))

    assert site.end(0, limit=2) in ("eof", "reset")
    assert caught.value.request.url == site.url + "/"


def test_waits_grow(world, wire):
    """backoff_factor: nothing, then twice, then four times."""
    site = wire(serve(b"no", status=BUSY) * 3 + serve(b"yes"))
    began = time.monotonic()
    assert retrying(world, 3, status_forcelist=[503], backoff_factor=0.05).get(site.url).content == b"yes"

    assert time.monotonic() - began >= 0.3


def test_the_loop_goes_on_while_a_try_waits(awaited, wire, server):
    """A pause is awaited, and can be cancelled."""
    site = wire(serve(b"no", b"Retry-After: 300", status=BUSY) + [mark("told")])
    call = retrying(awaited, 1).start("get", site.url)
    site.wait("told")

    assert [awaited.get(server.url + "/get").ok for _ in range(5)] == [True] * 5
    assert call.cancel()


def test_signals_end_a_pause(blocking, wire):
    """A handler that raises ends the call; a signal just before `time.sleep` does not, so more than one is sent."""
    site = wire(serve(b"no", b"Retry-After: 300", status=BUSY))
    over = threading.Event()

    def ring():
        site.wait("request 1")
        while not over.wait(0.1):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    class Rang(Exception):
        pass

    def handle(number, frame):
        raise Rang

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        threading.Thread(target=ring, daemon=True).start()
        with pytest.raises(Rang):
            retrying(blocking, 1).get(site.url)
    finally:
        over.set()
        signal.signal(signal.SIGUSR1, before)


def test_urllib3s_retry_is_taken_as_it_is(world, wire, module):
    """Its own counts and exceptions, a subclass's overrides included."""
    urllib3 = module("urllib3")
    theirs = urllib3.Retry

    class Counted(theirs):
        asked = []

        def increment(self, *arguments, **more):
            self.asked.append(more.get("error") or more["response"].status)
            return super().increment(*arguments, **more)

    site = wire([request(), rst()], serve(b"no", status=BUSY) * 2)
    with pytest.raises(world.requestx.exceptions.RetryError) as caught:
        retrying(world, Counted(2, status_forcelist=[503])).get(site.url)

    assert isinstance(caught.value.args[0], urllib3.exceptions.MaxRetryError)
    assert [each if each == 503 else type(each).__name__ for each in Counted.asked[-3:]] == ["ProtocolError", 503, 503]


def test_retries_set_later_count(world, wire):
    """``adapter.max_retries = n`` holds for requests that a session keeps ready too."""
    site = wire(serve(b"one") + [request(), rst()], [request(), rst()], serve(b"two"))
    session = world.session()
    session.get(site.url)
    session.get_adapter(site.url).max_retries = 3

    assert session.get(site.url).content == b"two"


def test_retries_changed_in_place_count(world, wire):
    """``adapter.max_retries.total = n``, and sets of its own, as with requests: before, or after a request was kept."""
    site = wire(serve(b"one") + serve(b"two") + [request(), rst()], [request(), rst()], serve(b"three"))
    session = world.session()
    session.get(site.url), session.get(site.url)
    retries = session.get_adapter(site.url).max_retries
    retries.total, retries.read = 3, None

    assert session.get(site.url).content == b"three"
    site = wire(serve(b"one") + serve(b"no", status=BUSY) + serve(b"yes"))
    session.get(site.url)
    retries.status_forcelist.add(503)
    assert session.get(site.url).content == b"yes"


def test_a_retry_that_was_given_may_be_changed(world, wire):
    """It is the caller's, also where it was none at first."""
    given = world.requestx.adapters.Retry(0, read=False)
    site = wire(serve(b"one") + [request(), rst()], [request(), rst()], serve(b"two"))
    session = retrying(world, given)
    session.get(site.url)
    given.total, given.read = 3, None

    assert session.get(site.url).content == b"two"


def test_send_of_the_adapter_retries(world, wire):
    """Called by itself, as hooks and tests do."""
    site = wire([request(), rst()], serve(b"second"))
    adapter = world.requestx.adapters.HTTPAdapter(max_retries=1)
    prepared = world.requestx.Request("GET", site.url).prepare()

    assert adapter.send(prepared).content == b"second"


def test_a_budget_is_for_all_requests_of_an_adapter(world, wire):
    """What has used it up gets the last answer, or error; five answers that are taken pay for one more try."""
    busy, good = serve(b"no", status=BUSY), serve(b"yes")
    site = wire(busy * 2 + busy + good * 5 + busy + good, [request(), rst()], good)
    patient = world.requestx.adapters.Retry(5, status_forcelist=[503])
    session = world.session({"max_retries": patient, "retry_budget": 1})

    got = [session.get(site.url).content for _ in range(8)]
    assert got == [b"no", b"no", *[b"yes"] * 5, b"yes"]
    assert len(site.requests) == 10


def test_an_error_is_told_where_no_budget_is_left(world, wire):
    """As it is, without having been tried."""
    site = wire([request(), rst()], [request(), rst()], serve(b"never"))
    session = world.session({"max_retries": 5, "retry_budget": 1})
    with pytest.raises(world.requestx.exceptions.ConnectionError, match="reset|closed"):
        session.get(site.url)

    assert len(site.requests) == 2
    session.get_adapter(site.url).retry_budget = None
    assert session.get(site.url).content == b"never"


def test_no_pause_is_longer_than_what_is_left_of_a_total(world, wire):
    """The answer there is, or the error, is told at once, since nothing better can come in time."""
    site = wire(serve(b"later", b"Retry-After: 3600", status=BUSY), *[[request(), rst()]] * 2)
    limits = world.requestx.TimeLimits(total=15)
    answered = retrying(world, 3, status_forcelist=[503]).get(site.url, timeout=limits)
    with pytest.raises(world.requestx.exceptions.ConnectionError, match="reset|closed"):
        retrying(world, 3, backoff_factor=1000).get(site.url, timeout=limits)

    assert (answered.status_code, answered.content) == (503, b"later")


def test_a_total_runs_over_all_tries(world, wire):
    """It began with the first."""
    site = wire(*[[request()]] * 9)
    began = time.monotonic()
    with pytest.raises(world.requestx.exceptions.RequestException):
        retrying(world, 8).get(site.url, timeout=world.requestx.TimeLimits(read=0.2, total=0.5))

    assert time.monotonic() - began < 1.2
