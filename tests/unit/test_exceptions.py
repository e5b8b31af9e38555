"""The tree of exceptions, and the table from the core's errors to it."""

import builtins
import copy
import errno
import json
import pickle
import sys
from types import SimpleNamespace

import pytest

from requestx import _causes, exceptions
from requestx.exceptions import PHASES, TABLE, from_core
from requestx.models import Response

REQUEST = SimpleNamespace(url="http://user:pw@h.example:81/x?y=1#z")
KINDS = sorted({kind for kind, _ in TABLE})


@pytest.mark.parametrize("kind", [*KINDS, 9999])
def test_nothing_falls_through(kind):
    """Every kind in every phase, known or not, is a RequestException that says what the core said."""
    for phase in [*range(len(PHASES)), -1, 99]:
        error = from_core(kind, phase, "connect to h: refused", request=REQUEST)

        assert isinstance(error, exceptions.RequestException)
        assert "connect to h: refused" in str(error)
        assert error.kind == kind
        assert error.request is REQUEST


@pytest.mark.parametrize(
    "kind, phase, bases",
    [
        (22, 3, ["ConnectionError"]),
        (40, 3, ["ConnectTimeout", "ConnectionError", "Timeout"]),
        (40, 1, ["ConnectTimeout"]),
        (40, 6, ["Timeout", "ConnectionError"]),
        (40, 7, ["ReadTimeout", "Timeout"]),
        (40, 8, ["ReadTimeout", "ConnectionError"]),
        (31, 5, ["SSLError", "ConnectionError"]),
        (23, 4, ["ProxyError", "ConnectionError"]),
        (53, 8, ["ChunkedEncodingError"]),
        (51, 7, ["ConnectionError"]),
        (52, 7, ["InvalidHeader", "ConnectionError"]),
        (53, 7, ["ChunkedEncodingError", "ConnectionError"]),
        (54, 8, ["ContentDecodingError", "BaseHTTPError"]),
        (18, 0, ["InvalidMethod", "ValueError"]),
    ],
)
def test_errors_are_what_callers_catch(kind, phase, bases):
    """Where requests has two classes for one fault, ours is both."""
    error = from_core(kind, phase, "m")

    for name in bases:
        assert isinstance(error, getattr(exceptions, name, None) or getattr(builtins, name))


@pytest.mark.parametrize(
    "kind, phase, name, phrases",
    [
        (22, 3, "NewConnectionError", ["Failed to establish a new connection", "[Errno 111] Connection refused"]),
        (21, 2, "NameResolutionError", ["Failed to resolve 'h.example'"]),
        (31, 5, "SSLError", ["SSLError", "certificate verify failed"]),
        (40, 3, "ConnectTimeoutError", ["Connection to h.example timed out"]),
        (23, 4, "ProxyError", ["Unable to connect to proxy"]),
    ],
)
def test_no_connection_reads_as_in_requests(kind, phase, name, phrases):
    """The phrases that users match are there, and the cause is at ``args[0].reason``."""
    error = from_core(kind, phase, "what happened", os_code=111 if kind == 22 else 0, request=REQUEST)

    cause = error.args[0]
    pool = "HTTPConnectionPool(host='h.example', port=81): Max retries exceeded with url: /x?y=1 (Caused by "
    assert str(error).startswith(pool)
    assert all(phrase in str(error) for phrase in [*phrases, "what happened"])
    assert type(cause.reason).__name__ == name
    assert cause.pool.host == "h.example"


def test_read_timeout_reads_as_in_requests():
    """``e.args[0].args[0]`` is the text that requests' users look into."""
    error = from_core(40, 7, "nothing came in 2 s", request=REQUEST)

    assert "Read timed out." in error.args[0].args[0]


def test_lost_connection_reads_as_in_requests():
    """("Connection aborted.", what the system said)."""
    error = from_core(51, 7, "m", os_code=errno.ECONNRESET, request=REQUEST)

    assert str(error).startswith("('Connection aborted.', ConnectionResetError(")
    assert error.errno == errno.ECONNRESET


def test_peers_bytes_do_not_reach_the_terminal():
    """Texts are short and printable, whatever a peer or a URL puts into them (CVE-2025-61729)."""
    request = SimpleNamespace(url="http://h/" + "x" * 10**6)
    error = from_core(52, 7, "status line \x1b[2J\r\n\u2028" + "y" * 10**6, request=request)

    assert len(str(error)) < 1100
    assert str(error).isprintable()


def test_deeper_causes_are_told():
    """The chain is appended where the message does not have it yet."""
    assert str(from_core(12, 0, "no URL", chain=["no URL", "bad port"])) == "no URL: bad port"


@pytest.mark.parametrize("kind", KINDS)
def test_errors_cross_processes(kind):
    """Pickling keeps class, text, phase, cause and the system's number; so does copying."""
    for phase in range(len(PHASES)):
        error = from_core(kind, phase, "m", os_code=5, request=None)
        for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
            assert type(again) is type(error)
            assert (str(again), again.phase, repr(again.args)) == (str(error), error.phase, repr(error.args))
            assert again.errno == error.errno == 5


def test_json_errors_cross_processes():
    """Class, text, document and position come through."""
    error = exceptions.JSONDecodeError("Extra data", '{"a": 1}{', 8)
    again = pickle.loads(pickle.dumps(error))

    assert isinstance(again, json.JSONDecodeError) and isinstance(again, exceptions.InvalidJSONError)
    assert repr(again) == repr(error)
    assert (again.doc, again.pos, again.lineno) == ('{"a": 1}{', 8, 1)


def test_response_brings_its_request():
    """Even a response that is false, since its status is an error."""

    class Response:
        request = "the request"

        def __bool__(self):
            return False

    error = exceptions.HTTPError("message", response=Response())

    assert error.request == "the request"
    assert str(error) == "message"


def test_causes_are_urllib3s_own_where_it_is_imported(monkeypatch):
    """A caller's isinstance test against the real classes answers as with requests."""
    from types import ModuleType

    class MaxRetryError(Exception):
        pass

    loaded = ModuleType("urllib3.exceptions")
    loaded.MaxRetryError = MaxRetryError
    monkeypatch.setitem(sys.modules, "urllib3.exceptions", loaded)
    error = from_core(20, 3, "m", request=REQUEST)

    assert isinstance(error.args[0], MaxRetryError)
    assert isinstance(error.args[0], _causes.MaxRetryError)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("ProtocolError", "ChunkedEncodingError"),
        ("DecodeError", "ContentDecodingError"),
        ("ReadTimeoutError", "ConnectionError"),
        ("SSLError", "SSLError"),
    ],
)
def test_a_body_of_urllib3s_fails_as_ours(monkeypatch, name, expected):
    """Mocks and caches hand such bodies over; whoever reads one catches requests' exceptions."""
    from types import ModuleType

    theirs = type(name, (Exception,), {})
    loaded = ModuleType("urllib3.exceptions")
    setattr(loaded, name, theirs)
    monkeypatch.setitem(sys.modules, "urllib3.exceptions", loaded)

    def stream(amt, decode_content):
        raise theirs("broke")
        yield

    response = Response()
    response.raw = SimpleNamespace(stream=stream)
    with pytest.raises(getattr(exceptions, expected)) as caught:
        response.content  # noqa: B018

    assert type(caught.value.args[0]) is theirs


def test_other_faults_of_a_body_are_let_through():
    """What is none of these is the business of whoever made the body."""
    assert exceptions.from_urllib3(KeyError("x")) is None
    assert isinstance(exceptions.from_urllib3(_causes.ProtocolError("x")), exceptions.ChunkedEncodingError)
