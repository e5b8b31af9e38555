"""Authentication that takes more than a header: challenges, hooks that ask again, objects that are awaited."""

import hashlib
import re

import pytest
from server.steps import answer, request, send, serve

from requestx.auth import AuthBase, HTTPDigestAuth

pytestmark = pytest.mark.trio

CHALLENGE = b'WWW-Authenticate: Digest realm="r", nonce="n%d", qop="%s", algorithm=%s'


def challenged(number=1, quality=b"auth", algorithm=b"MD5", stale=b""):
    fields = CHALLENGE % (number, quality, algorithm) + stale
    return [request(), send(answer(b"who", fields, status=b"401 Unauthorized"))]


def told(request):
    """What an Authorization field says."""
    (value,) = request.field(b"authorization")
    return dict(re.findall(r'(\w+)="?([^",]*)"?', value.decode()))


HASHES = {
    b"MD5": "md5",
    b"MD5-sess": "md5",
    b"SHA-256": "sha256",
    b"SHA-512-256": "sha512_256",
    b"SHA-256-sess": "sha256",
}


@pytest.mark.parametrize("algorithm", HASHES)
@pytest.mark.parametrize("quality", [b"auth", b"auth-int", b"auth-int, auth"])
def test_digest_is_what_the_server_reckons(world, wire, algorithm, quality):
    """RFC 7616, 3.4.1: by each algorithm and quality, as a server would check it."""
    site = wire(challenged(1, quality, algorithm) + serve())
    world.post(site.url + "/p?q", data=b"body", auth=HTTPDigestAuth("ann", "s3cret"))
    said = told(site.requests[1])

    def digest(*parts):
        return hashlib.new(HASHES[algorithm], ":".join(parts).encode()).hexdigest()

    secret = digest("ann", "r", "s3cret")
    if algorithm.endswith(b"-sess"):
        secret = digest(secret, "n1", said["cnonce"])
    asked = ["POST", "/p?q"] + ([digest("body")] if said["qop"] == "auth-int" else [])
    assert said["qop"] == ("auth-int" if quality == b"auth-int" else "auth")
    assert said["response"] == digest(secret, "n1", "00000001", said["cnonce"], said["qop"], digest(*asked))
    assert site.requests[1].body == b"body"


def test_nonce_serves_the_next_requests(world, wire):
    """They are not challenged again; the count goes up."""
    site = wire(challenged() + serve() + serve() + serve())
    session = world.session(auth=HTTPDigestAuth("ann", "x"))
    for _ in range(3):
        session.get(site.url)

    assert [told(each)["nc"] for each in site.requests[1:]] == ["00000001", "00000002", "00000003"]


def test_stale_nonce_is_replaced(world, wire):
    """A new challenge is answered, with the new nonce counted from one."""
    site = wire(challenged() + serve() + challenged(2, stale=b", stale=true") + serve())
    session = world.session(auth=HTTPDigestAuth("ann", "x"))
    session.get(site.url)
    response = session.get(site.url)

    assert response.status_code == 200
    assert [(told(each)["nonce"], told(each)["nc"]) for each in site.requests[2:]] == [
        ("n1", "00000002"),
        ("n2", "00000001"),
    ]


def test_the_server_may_say_what_the_next_nonce_is(world, wire):
    """Authentication-Info (RFC 7616, 3.5): the next request is made of it, counted from one, and not challenged."""
    info = b'Authentication-Info: qop=auth, nextnonce="n\\"2", nc=00000001'
    site = wire(challenged() + serve(b"ok", info) + serve(b"ok", info.replace(b"2", b"3")) + serve() + serve())
    session = world.session(auth=HTTPDigestAuth("ann", "x"))
    for _ in range(4):
        session.get(site.url)

    fields = [each.field(b"authorization")[0] for each in site.requests[1:]]
    said = [re.search(b'nonce="(.*?)", .*, nc=0+(.)', field).groups() for field in fields]
    assert said == [(b"n1", b"1"), (b'n\\"2', b"1"), (b'n\\"3', b"1"), (b'n\\"3', b"2")]


def test_nobody_else_says_what_the_next_nonce_is(world, wire):
    """An answer that was not asked with credentials, from another origin, has no say."""
    info = b'Authentication-Info: nextnonce="evil"'
    there = wire(serve(b"there", info))
    moved = serve(b"", b"Location: %s/" % there.url.encode(), status=b"302 Found")
    site = wire(challenged() + moved + serve())
    session = world.session(auth=HTTPDigestAuth("ann", "x"))
    session.get(site.url), session.get(site.url)

    assert told(site.requests[2])["nonce"] == "n1"


def test_refused_credentials_are_not_tried_again(world, wire):
    """Two requests, and the 401 is the caller's."""
    site = wire(challenged() + challenged(2))
    response = world.get(site.url, auth=HTTPDigestAuth("ann", "wrong"))

    assert (response.status_code, len(response.history), len(site.requests)) == (401, 1, 2)


@pytest.mark.parametrize(
    "text",
    [
        b"Digest",
        b"Digest ,,,",
        b'Digest realm="r',
        b'Digest realm="r", nonce=',
        b'Digest realm="r", nonce="n", algorithm=SHA-3',
        b'Digest realm="r", nonce="n", qop="unheard-of"',
        b"Digest " + b"a=" * 5000,
        b"\xff\xfe Digest \xff",
        b'Digest realm="r", nonce="' + b"n" * 20000 + b'"',
    ],
)
def test_garbage_raises_nothing(world, wire, text):
    """CVE-2021-21240, and requests' KeyError: an answer comes back whatever the challenge is."""
    site = wire([request(), send(answer(b"", b"WWW-Authenticate: " + text, status=b"401 x"))] + serve())

    assert world.get(site.url, auth=HTTPDigestAuth("ann", "x")).status_code in (200, 401)


def test_hook_asks_again_on_the_same_connection(world, wire):
    """What NTLM needs: `r.connection.send` in a hook goes over the connection that brought the 401."""
    site = wire(
        [request(), send(answer(b"no", status=b"401 x")), request(), send(answer(b"no", status=b"401 x"))]
        + serve(b"in")
    )

    def sign(response, **more):
        for number in range(2):
            if response.status_code == 401:
                response.content  # noqa: B018, so that the connection is free
                response.close()
                again = response.request.copy()
                again.headers["X-Step"] = str(number)
                response = response.connection.send(again, **more)
        return response

    response = world.get(site.url, hooks={"response": sign}, stream=True)

    assert (response.status_code, world.read(response)) == (200, b"in")
    assert len(site.connections) == 1
    assert [each.field(b"x-step") for each in site.requests] == [[], [b"0"], [b"1"]]


class Negotiated(AuthBase):
    """Authenticates the connection, as NTLM and Kerberos may."""

    def __call__(self, request):
        request.register_hook("response", self.sign)
        return request

    def sign(self, response, **more):
        for step in ("Negotiate one", "Negotiate two"):
            response.content  # noqa: B018, so that the connection is free
            again = response.request.copy()
            again.headers["Authorization"] = step
            response = response.connection.send(again, **more)
        return response


def test_a_connection_that_was_authenticated_serves_no_other_session(world, wire):
    """Who asks there is somebody else (CVE-2014-0015)."""
    refusal = [request(), send(answer(b"", b"WWW-Authenticate: Negotiate", status=b"401 x"))]
    site = wire(refusal * 2 + serve(b"ann's"), serve(b"nobody's"), serve(b"nobody's"))
    session, other = world.session(), world.session()

    assert session.get(site.url, auth=Negotiated()).content == b"ann's"
    assert [other.get(site.url).content, world.get(site.url).content] == [b"nobody's"] * 2
    signs = [each.field(b"authorization") for each in site.connections[0]["requests"]]
    assert signs == [[], [b"Negotiate one"], [b"Negotiate two"]]


class Token(AuthBase):
    """Signs, in whichever world."""

    def __call__(self, request):
        request.headers["X-Token"] = request.method
        return request


class AwaitedToken(Token):
    """Its token has to be waited for."""

    async def __call__(self, request):
        return super().__call__(request)


def test_users_object_signs(world, wire):
    """Any callable, and subclasses of AuthBase."""
    site = wire(serve() + serve())
    session = world.session(auth=Token())
    session.get(site.url)
    session.get(site.url, auth=lambda request: Token()(request))

    assert [each.field(b"x-token") for each in site.requests] == [[b"GET"]] * 2


def test_awaited_object_signs_where_it_can_be_awaited(world, wire):
    """``async def __call__`` is awaited; in the blocking world it is a TypeError that says so, and nothing is sent."""
    site = wire(serve())
    if world.awaits:
        world.get(site.url, auth=AwaitedToken())
        assert site.requests[0].field(b"x-token") == [b"GET"]
        return

    with pytest.raises(TypeError, match="has to be awaited"):
        world.get(site.url, auth=AwaitedToken())
    assert site.received == b""


def test_subclass_of_digest_is_obeyed(world, wire):
    """One that overrides the hook, as toolbelt's proxy digest does, has its own called."""
    seen = []

    class Mine(HTTPDigestAuth):
        def handle_401(self, r, **kwargs):
            seen.append(r.status_code)
            return super().handle_401(r, **kwargs)

    site = wire(challenged() + serve() + serve())
    session = world.session(auth=Mine("ann", "x"))
    session.get(site.url)
    session.get(site.url)

    assert seen[0] == 401
    assert [told(each)["nc"] for each in site.requests[1:]] == ["00000001", "00000002"]


def test_one_object_serves_many_requests_at_once(world, wire):
    """Each finds its own challenge answered."""
    site = wire(*[challenged(number) + serve() for number in range(8)])
    auth = HTTPDigestAuth("ann", "x")
    pending = [world.session().start("get", site.url, auth=auth) for _ in range(8)]

    assert [each.result().status_code for each in pending] == [200] * 8


def test_spelling_of_the_users_name_is_kept(world, wire):
    """A name that no header can have is told extended (RFC 7616, 3.4)."""
    site = wire(challenged() + serve())
    world.get(site.url, auth=HTTPDigestAuth("\u20ac", "x"))

    assert b"username*=UTF-8''%E2%82%AC, " in site.requests[1].field(b"authorization")[0]
