"""The order of a request: what a flow asks for, and when."""

from types import SimpleNamespace

import pytest
from flow.scenario import PausedSession, Scenario, response_to

import requestx
from requestx import _flow, _limits
from requestx._ops import Call, Read, Send


def test_a_plain_get_is_one_send_and_one_read():
    """Nothing else has to be waited for."""
    play = Scenario()
    play.get("http://a.test/")

    assert isinstance(play.op, Send)
    assert play.op.adapter is play.adapter
    assert (play.op.request.method, play.op.request.url) == ("GET", "http://a.test/")
    play.answer(200)
    assert play.ops == ["Send", "Read"]
    assert play.result.status_code == 200


def test_a_stream_is_not_read():
    """stream=True returns with the head."""
    play = Scenario()
    play.get("http://a.test/", stream=True)
    play.answer(200)

    assert play.ops == ["Send"]


def test_settings_reach_the_adapter():
    """What the call says goes along, what it leaves open is the session's."""
    play = Scenario()
    play.session.verify = "/a/bundle"
    play.session.cert = "/a/cert"
    play.get("http://a.test/", timeout=(1, 2), stream=True)

    expected = {"stream": True, "timeout": (1, 2), "verify": "/a/bundle", "cert": "/a/cert", "proxies": {}}
    assert expected == {name: play.op.settings[name] for name in expected}


def test_an_error_of_the_adapter_is_the_callers():
    """What Send raises comes out as it is."""
    play = Scenario()
    play.get("http://a.test/")
    with pytest.raises(requestx.ConnectionError, match="refused"):
        play.fail(requestx.ConnectionError("refused"))


def test_the_short_way_prepares_the_same_request():
    """A call without any argument and one with empty ones give the same request."""
    plain, long = Scenario(), Scenario()
    plain.get("http://a.test/x?y#z")
    long.get("http://a.test/x?y#z", headers={"X-A": None}, params={})

    assert list(plain.op.request.headers.items()) == list(long.op.request.headers.items())
    assert plain.op.request.url == long.op.request.url


def test_the_longest_prefix_has_the_adapter():
    """mount() decides by the URL."""
    play = Scenario()
    special = type(play.adapter)()
    play.session.mount("http://a.test/special", special)
    play.get("http://a.test/special/x")

    assert play.op.adapter is special


def test_an_url_without_adapter_is_an_invalid_schema():
    """Found before anything is sent."""
    with pytest.raises(requestx.exceptions.InvalidSchema):
        Scenario().get("ftp://a.test/")


def test_hooks_are_called_with_the_response_before_it_is_read():
    """Each hook is a Call; its answer, if any, is the response from then on."""
    play = Scenario()
    seen, other = [], requestx.Response()
    other.status_code = 299
    other._content = b""
    play.get("http://a.test/", hooks={"response": [lambda r, **more: seen.append(r), lambda r, **more: other]})
    play.answer(200)

    assert isinstance(play.op, Call)
    assert play.op.arguments[0].status_code == 200
    play.perform()
    play.perform()
    assert isinstance(play.op, Read)
    play.step()
    assert play.result is other
    assert [each.status_code for each in seen] == [200]


def test_hooks_of_the_session_are_replaced_by_those_of_the_call():
    """As in requests: a call's hooks win."""
    play = Scenario()
    mine, theirs = (lambda r, **more: None), (lambda r, **more: None)
    play.session.hooks["response"].append(theirs)
    play.get("http://a.test/", hooks={"response": mine})
    play.answer(200)

    assert play.op.function is mine


def test_auth_of_a_user_is_called_before_the_request_is_sent():
    """It may block or be awaited, so it is an op; what it returns is the request."""
    play = Scenario()

    def sign(request):
        request.headers["X-Signed"] = "yes"
        return request

    play.get("http://a.test/", auth=sign)

    assert isinstance(play.op, Call)
    play.perform()
    assert isinstance(play.op, Send)
    assert play.op.request.headers["X-Signed"] == "yes"


def test_basic_auth_is_no_op():
    """Built-in auth is part of the flow."""
    play = Scenario()
    play.get("http://a.test/", auth=("ann", "secret"))

    assert play.ops == ["Send"]
    assert play.op.request.headers["Authorization"] == "Basic YW5uOnNlY3JldA=="


def test_an_overridden_send_is_obeyed():
    """A subclass's own send gets the prepared request and the settings."""

    class Mine(PausedSession):
        def send(self, request, **settings):
            return request, settings

    play = Scenario(Mine())
    play.get("http://a.test/", timeout=3)

    assert isinstance(play.op, Call)
    play.perform()
    assert play.result[0].url == "http://a.test/"
    assert play.result[1]["timeout"] == 3


def test_an_overridden_prepare_request_is_obeyed():
    """So is its way to prepare."""

    class Mine(PausedSession):
        def prepare_request(self, request):
            prepared = super().prepare_request(request)
            prepared.headers["X-Mine"] = "yes"
            return prepared

    play = Scenario(Mine())
    play.get("http://a.test/")
    play.perform()

    assert play.op.request.headers["X-Mine"] == "yes"


def test_cookies_of_an_answer_are_kept():
    """The session has them, and sends them where they belong."""
    play = Scenario()
    play.get("http://a.test/")
    play.answer(200, Set_Cookie=["a=1; Path=/", "b=2; Path=/other"])
    play.get("http://a.test/")
    assert play.op.request.headers["Cookie"] == "a=1"
    play.answer(200)
    play.get("http://b.test/")

    assert "Cookie" not in play.op.request.headers


def test_cookies_of_a_call_are_not_kept():
    """They are for this request alone."""
    play = Scenario()
    play.get("http://a.test/", cookies={"a": "1"})
    assert play.op.request.headers["Cookie"] == "a=1"
    play.answer(200)
    play.get("http://a.test/")

    assert "Cookie" not in play.op.request.headers


def test_the_environments_bundle_is_asked(monkeypatch):
    """REQUESTS_CA_BUNDLE, then CURL_CA_BUNDLE, unless the call or trust_env says otherwise."""
    play = Scenario()
    monkeypatch.setenv("CURL_CA_BUNDLE", "/curl")
    play.get("https://a.test/")
    assert play.op.settings["verify"] == "/curl"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/ours")
    play.get("https://a.test/")
    assert play.op.settings["verify"] == "/ours"
    play.get("https://a.test/", verify=False)
    assert play.op.settings["verify"] is False
    play.session.trust_env = False
    play.get("https://a.test/")

    assert play.op.settings["verify"] is True


def test_the_environments_proxies_are_asked(monkeypatch):
    """Variables name proxies; NO_PROXY and the call's own win."""
    play = Scenario()
    monkeypatch.setenv("http_proxy", "http://p.test:3128")
    monkeypatch.setenv("no_proxy", "b.test")
    play.get("http://a.test/")
    assert play.op.settings["proxies"]["http"] == "http://p.test:3128"
    play.get("http://b.test/")
    assert not play.op.settings["proxies"].get("http")
    play.get("http://a.test/", proxies={"http": "http://q.test"})

    assert play.op.settings["proxies"]["http"] == "http://q.test"


def test_a_patched_look_at_the_environment_is_obeyed(monkeypatch):
    """Tests put their own `get_environ_proxies` into the module of sessions."""
    play = Scenario()
    play.get("http://a.test/")
    monkeypatch.setattr(requestx.sessions, "get_environ_proxies", lambda url, no_proxy=None: {"http": "http://p.test"})
    play.get("http://a.test/")

    assert play.op.settings["proxies"]["http"] == "http://p.test"


@pytest.mark.parametrize("verb, more", [("get", {"params": None}), ("options", {}), ("head", {}), ("delete", {})])
def test_an_overridden_request_sees_what_the_verb_says(verb, more):
    """Whether redirects are followed, for one, and all that was given to the verb, known or not."""
    seen = []

    class Mine(PausedSession):
        def request(self, method, url, **arguments):
            seen.append((method, arguments))

    getattr(Mine(), verb)("http://a.test/")
    getattr(Mine(), verb)("http://a.test/", mine=1)
    if verb != "delete":
        more = dict(more, allow_redirects=verb != "head")

    assert seen == [(verb.upper(), more), (verb.upper(), dict(more, mine=1))]


def test_a_session_class_put_in_the_place_of_ours_is_used(monkeypatch):
    """As a context manager, whose value makes the request."""
    calls = []

    class Theirs:
        def __enter__(self):
            return SimpleNamespace(request=lambda **arguments: calls.append(arguments) or "theirs")

        def __exit__(self, *error):
            calls.append("closed")

    monkeypatch.setattr(requestx.sessions, "Session", Theirs)

    assert requestx.get("http://a.test/") == "theirs"
    assert calls == [{"method": "get", "url": "http://a.test/", "params": None}, "closed"]


def test_netrc_is_asked_for_the_host(tmp_path, monkeypatch):
    """By the host, not by what stands before the @ (CVE-2024-47081)."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine a.test login ann password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    play = Scenario()
    play.get("http://a.test/")
    assert play.op.request.headers["Authorization"] == "Basic YW5uOnNlY3JldA=="
    play.get("http://a.test:@b.test/")
    assert "YW5uOnNlY3JldA==" not in play.op.request.headers.get("Authorization", "")
    play.session.trust_env = False
    play.get("http://a.test/")

    assert "Authorization" not in play.op.request.headers


def test_a_prepared_request_is_sent_as_it_is():
    """session.send adds nothing to it."""
    play = Scenario()
    prepared = requestx.Request("GET", "http://a.test/", headers={"X-A": "b"}).prepare()
    play.send(prepared)

    assert play.op.request is prepared
    assert list(prepared.headers.items()) == [("X-A", "b")]


def test_elapsed_is_a_time():
    """Measured around the Send alone."""
    play = Scenario()
    play.get("http://a.test/")
    play.answer(200)

    assert play.result.elapsed.total_seconds() >= 0


def test_response_helper_is_like_an_adapters():
    """What this folder answers with has what a Response has."""
    response = response_to(requestx.Request("GET", "http://a.test/").prepare(), 200, b"body", {"X_A": "b"})

    assert (response.content, response.headers["x-a"], response.ok) == (b"body", "b", True)


def test_a_total_runs_over_all_redirects(monkeypatch):
    """Each hop gets what the ones before left, of what the call or the session gives."""
    now = [100.0]
    monkeypatch.setattr(_limits, "monotonic", lambda: now[0])
    play = Scenario()
    play.session.timeout = requestx.TimeLimits(connect=1, total=10)
    play.get("http://a.test/")
    left = [play.op.settings["timeout"].total]
    for seconds in (3, 4):
        now[0] += seconds
        play.answer(302, Location="/again")
        left.append(play.op.settings["timeout"].total)

    assert left == [10, 7, 3]
    assert play.op.settings["timeout"].connect == 1


def test_an_adapter_of_a_user_gets_the_limits_that_were_given():
    """As they are, where no total runs; the session's where the call gives none."""
    play = Scenario()
    seen = []
    for default, given in ((None, None), (None, (1, 2)), (5, None), (5, (1, 2))):
        play.session.timeout = default
        play.get("http://a.test/", timeout=given)
        seen.append(play.op.settings["timeout"])

    assert seen == [None, (1, 2), 5, (1, 2)]


def test_closing_closes_each_adapter_once():
    """One that is mounted under several prefixes too."""
    closed = []
    session = requestx.blocking.Session()
    adapter = type("Adapter", (requestx.adapters.BaseAdapter,), {"close": lambda self: closed.append(self)})()
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    session.close()

    assert closed == [adapter]


def test_verify_false_of_a_session_stays(monkeypatch):
    """No variable of the machine's turns verification on again, or off."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/ours")
    play = Scenario()
    play.session.verify = False
    seen = []
    for verify in (None, True, "/call"):
        play.get("https://a.test/", verify=verify)
        seen.append(play.op.settings["verify"])

    assert seen == [False, True, "/call"]


def test_send_has_the_sessions_time_limit_as_well():
    """Where it is left out, or None, which says nothing here either; a class may have one for its sessions."""

    class Patient(PausedSession):
        timeout = 5

    play = Scenario(Patient())
    request = requestx.Request("GET", "http://a.test/").prepare()
    seen = []
    for given in ({}, {"timeout": None}, {"timeout": 3}):
        play.send(request, **given)
        seen.append(play.op.settings["timeout"])

    assert seen == [5, 5, 3]


def test_what_a_ready_request_took_counts_for_the_total(monkeypatch):
    """It was sent before its flow began."""
    monkeypatch.setattr(_limits, "monotonic", lambda: 100.0)
    play = Scenario()
    sent = requestx.Request("GET", "http://a.test/").prepare()
    answer = response_to(sent, 302, headers={"Location": "/b"})
    reply = SimpleNamespace(timings=SimpleNamespace(total=4.0), sets_cookies=False, stream=None)
    answer.__dict__.update(_settled=False, _reply=reply)
    ready = SimpleNamespace(settings=(requestx.TimeLimits(total=10), True, None))
    play.flow = _flow.after(ready, play.session, True, answer)
    play.step()
    play.settle()

    assert (play.op.request.url, play.op.settings["timeout"].total) == ("http://a.test/b", 6)
