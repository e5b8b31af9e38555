"""Basic, proxy and Digest authentication: what is answered, with what, and to whom."""

import io
import pickle
import re
from types import SimpleNamespace

import pytest

from requestx import auth as module
from requestx._prepare import Request
from requestx.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth, HTTPProxyAuth, _basic_auth_str
from requestx.exceptions import UnrewindableBodyError
from requestx.structures import CaseInsensitiveDict

CHALLENGE = 'Digest realm="r", nonce="n", qop="auth", opaque="o"'


def request(url="http://h/p?q", auth=None, **kwargs):
    return Request(kwargs.pop("method", "GET"), url, auth=auth, **kwargs).prepare()


def answered(prepared, challenge=CHALLENGE, status=401, **headers):
    """A response to `prepared` that challenges."""
    headers = CaseInsensitiveDict({"WWW-Authenticate": challenge, **headers}) if challenge else CaseInsensitiveDict()
    return SimpleNamespace(
        request=prepared, status_code=status, headers=headers, raw=None, history=[], is_redirect=False
    )


def fields(header):
    """The fields of an Authorization header."""
    return {name: value.strip('"') for name, value in re.findall(r'(\w+)=("(?:\\.|[^"\\])*"|\w+)', header)}


@pytest.mark.parametrize(
    "username, password, header",
    [("user", "pass", "Basic dXNlcjpwYXNz"), ("é", "ü", "Basic 6Tr8"), (b"\xc5\xaf", b"x", "Basic xa86eA==")],
)
def test_basic_is_user_and_password(username, password, header):
    """str as latin-1, bytes as they are."""
    assert _basic_auth_str(username, password) == header
    assert request(auth=(username, password)).headers["Authorization"] == header
    assert HTTPProxyAuth(username, password)(request()).headers["Proxy-Authorization"] == header


def test_other_types_are_deprecated():
    """They work, and the password is not in the warning."""
    with pytest.warns(DeprecationWarning) as told:
        assert _basic_auth_str(42, 43) == "Basic NDI6NDM="

    assert not any("43" in str(warning.message) for warning in told)


def test_auth_objects_compare_by_what_they_hold():
    """Of any class; with anything else they are unequal."""
    assert HTTPBasicAuth("a", "b") == HTTPBasicAuth("a", "b") == HTTPDigestAuth("a", "b")
    assert HTTPBasicAuth("a", "b") != HTTPBasicAuth("a", "c")
    assert HTTPDigestAuth("a", "b") != object()
    with pytest.raises(NotImplementedError):
        AuthBase()(None)


@pytest.mark.parametrize(
    "algorithm, response",
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digest_answers_as_in_the_rfc(algorithm, response, monkeypatch):
    """RFC 7616, 3.9.1."""
    nonces = {"MD5": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"}
    nonces["SHA-256"] = nonces["MD5"]
    monkeypatch.setattr(module, "_client_nonce", lambda: nonces[algorithm])
    auth = HTTPDigestAuth("Mufasa", "Circle of Life")
    challenge = (
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    header = auth.answer(answered(request("http://www.example.org/dir/index.html", auth), challenge)).headers

    assert fields(header["Authorization"])["response"] == response
    assert 'qop="auth", nc=00000001' in header["Authorization"]


def test_old_servers_offer_no_quality():
    """RFC 2069: no nc, no cnonce."""
    auth = HTTPDigestAuth("u", "p")
    answer = auth.answer(answered(request(auth=auth), 'Digest realm="r", nonce="n"'))

    assert set(fields(answer.headers["Authorization"])) == {"username", "realm", "nonce", "uri", "response"}


@pytest.mark.parametrize("algorithm", ["MD5", "md5-sess", "SHA", "SHA-256", "SHA-256-sess", "SHA-512"])
def test_digest_knows_these_algorithms(algorithm):
    """In any case of letters; the answer names it as the server did."""
    auth = HTTPDigestAuth("u", "p")
    answer = auth.answer(answered(request(auth=auth), f"{CHALLENGE}, algorithm={algorithm}"))

    assert f'algorithm="{algorithm}"' in answer.headers["Authorization"]


def test_integrity_covers_the_body():
    """qop=auth-int, where the body is there to be hashed; not for a stream."""
    auth = HTTPDigestAuth("u", "p")
    challenge = 'Digest realm="r", nonce="n", qop="auth-int"'
    one, two = (auth.answer(answered(request(auth=auth, method="POST", data=d), challenge)) for d in ("a", "b"))

    assert 'qop="auth-int"' in one.headers["Authorization"]
    assert fields(one.headers["Authorization"])["response"] != fields(two.headers["Authorization"])["response"]
    assert auth.answer(answered(request(auth=auth, method="POST", data=iter([b"a"])), challenge)) is None


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        "Digest",
        "Digest ",
        "Digest nonce",
        'Digest realm="r"',
        'Digest nonce="n"',
        "Digest realm, nonce",
        'Digest realm="r", nonce="n", algorithm=unknown',
        'Digest realm="r", nonce="n", qop="unknown"',
        'Digest realm="r',
        "Digest =,=,=",
        'Basic realm="r"',
        'Basic realm="the digest realm", nonce="n"',
        "Digest " + "," * 100_000,
        "Digest " + '"' * 100_001,
        ", digest" * 50_000,
    ],
)
def test_garbage_is_not_answered(challenge):
    """And raises nothing (CVE-2021-21240)."""
    auth = HTTPDigestAuth("u", "p")
    response = answered(request(auth=auth), challenge)

    assert auth.handle_401(response) is response


def test_the_first_challenge_that_can_be_answered_is():
    """Servers offer several."""
    auth = HTTPDigestAuth("u", "p")
    challenge = 'Basic realm="b", Digest realm="r", nonce="1", algorithm=foo, DIGEST realm="r", nonce="2"'
    answer = auth.answer(answered(request(auth=auth), challenge))

    assert fields(answer.headers["Authorization"])["nonce"] == "2"


@pytest.mark.parametrize("status", [200, 302, 500])
def test_only_client_errors_challenge(status):
    """Another status with such a header is just a response."""
    auth = HTTPDigestAuth("u", "p")

    assert auth.answer(answered(request(auth=auth), status=status)) is None


def test_a_request_is_answered_once():
    """A second challenge means that the credentials are wrong."""
    auth = HTTPDigestAuth("u", "p")
    answer = auth.answer(answered(request(auth=auth)))

    assert auth.answer(answered(answer)) is None


def test_a_redirect_may_be_challenged_again():
    """Its request is a new one, on the same origin."""
    auth = HTTPDigestAuth("u", "p")
    first = request(auth=auth)
    auth.answer(answered(first))
    next_request = first.copy()
    next_request.url = "http://h/elsewhere"

    assert 'uri="/elsewhere"' in auth.answer(answered(next_request)).headers["Authorization"]


@pytest.mark.parametrize("url", ["http://evil/", "http://h:81/", "http://h.evil/"])
def test_other_origins_are_not_answered(url):
    """Wherever redirects lead (GHSA-hpj7-wq8m-9hgp)."""
    auth = HTTPDigestAuth("u", "p")
    redirected = request(auth=auth).copy()
    redirected.url = url

    assert auth.answer(answered(redirected)) is None


def test_a_nonce_is_told_to_its_server_only():
    """The same object used for A and then for B (CVE-2026-11856)."""
    auth = HTTPDigestAuth("u", "p")
    auth.answer(answered(request("http://a/", auth)))

    assert "Authorization" in request("http://a/x", auth).headers
    assert "Authorization" not in request("http://b/", auth).headers


def test_nonces_are_counted():
    """Each use of a nonce has a number; a new nonce begins at one."""
    auth = HTTPDigestAuth("u", "p")
    auth.answer(answered(request(auth=auth)))
    counts = [fields(request(auth=auth).headers["Authorization"])["nc"] for _ in range(2)]
    stale = auth.answer(answered(request(auth=auth), CHALLENGE.replace('"n"', '"m"') + ", stale=true"))

    assert counts == ["00000002", "00000003"]
    assert fields(stale.headers["Authorization"])["nc"] == "00000001"


def test_quotes_in_names_are_escaped():
    """A quoted string stays one."""
    auth = HTTPDigestAuth('u", x="y', "p")
    header = auth.answer(answered(request(auth=auth))).headers["Authorization"]

    assert 'username="u\\", x=\\"y"' in header


def test_the_body_is_rewound():
    """It was sent with the first request."""
    auth = HTTPDigestAuth("u", "p")
    prepared = request(auth=auth, method="POST", data=io.BytesIO(b"body"))
    prepared.body.read()

    assert auth.answer(answered(prepared)).body.read() == b"body"


def test_a_body_that_cannot_be_rewound_is_an_error():
    """Sending half of it would be worse."""
    auth = HTTPDigestAuth("u", "p")
    body = io.BytesIO(b"body")
    prepared = request(auth=auth, method="POST", data=body)
    prepared.body = SimpleNamespace(tell=body.tell)

    with pytest.raises(UnrewindableBodyError):
        auth.answer(answered(prepared))


def test_the_hook_sends_on_the_responses_connection():
    """As users' own hooks do; the challenge is in the history."""
    auth = HTTPDigestAuth("u", "p")
    prepared = request(auth=auth, cookies={"a": "b"})
    final = SimpleNamespace(headers={}, history=[])
    sent = []
    response = answered(prepared)
    response.content = b""
    response.close = lambda: None
    response.connection = SimpleNamespace(send=lambda r, **kw: (sent.append((r, kw)), final)[1])
    assert prepared.hooks["response"] == [auth.handle_401, auth.handle_redirect]
    assert auth.handle_401(response, timeout=1) is final

    ((again, kwargs),) = sent
    assert again.headers["Authorization"].startswith("Digest ")
    assert again.headers["Cookie"] == "a=b"
    assert kwargs == {"timeout": 1}
    assert final.history == [response] and final.request is again


def test_other_threads_challenge_anew():
    """A hook may run in any thread, with or without a state."""
    from concurrent.futures import ThreadPoolExecutor

    auth = HTTPDigestAuth("u", "p")
    response = answered(request(auth=auth))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(auth.answer, response).result()

    assert answer.headers["Authorization"].startswith("Digest ")
    assert auth._thread_local.chal == {}


def test_auth_objects_cross_processes():
    """A session that holds one pickles."""
    auth = pickle.loads(pickle.dumps(HTTPDigestAuth("u", "p")))

    assert auth == HTTPDigestAuth("u", "p")
    assert auth.answer(answered(request(auth=auth)))
