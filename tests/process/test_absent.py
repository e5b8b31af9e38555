"""What is not there: no other HTTP client is imported, and what others patch in Python is not asked.

A child does whatever a program does with requestx, while requests and urllib3 are installed.
"""

import pytest

EVERYTHING = """
import io, pickle
from requestx import TimeLimits, auth

def hook(response, **more):
    response.ok

def calls(world):
    with world.Session() as session:
        session.auth = ("ann", "x")
        session.cookies.set("a", "b")
        yield session.get(url + "/redirect/2")
        yield session.post(url + "/echo", json={"a": 1}, hooks={"response": hook})
        yield session.put(url + "/echo", data=iter([b"a", b"b"]), headers={"X-A": "b"}, timeout=(9, 9))
        yield session.post(url + "/echo", files={"f": ("n", io.BytesIO(b"x"))}, data={"a": "b"})
        yield session.get(url + "/gzip", params={"a": "b"}, timeout=TimeLimits(total=9))
        yield session.get(url + "/basic-auth", auth=auth.HTTPDigestAuth("a", "b"))
        yield session.get(url + "/bytes/99", stream=True)
    yield world.get(url + "/html", proxies={}, verify=True)

def look(response):
    response.text, response.links, response.cookies.get_dict(), response.headers, response.history, response.raw
    pickle.loads(pickle.dumps(response))
    seen.append(response.status_code)

async def main():
    for call in calls(requestx.aio):
        response = await call
        await response.aread()
        look(response)

seen = []
for response in calls(requestx.blocking):
    look(response)
asyncio.run(main())
try:
    requestx.get("http://127.0.0.1:1/", timeout=9)
except requestx.ConnectionError as error:
    pickle.loads(pickle.dumps(error))
import requestx.help, requestx.utils, requestx.compat, requestx.packages
requestx.help.info()
assert seen == [200, 200, 200, 200, 200, 401, 200, 200] * 2, seen
"""
CLIENTS = ["requests", "urllib3", "http.client", "httpx", "httpcore", "aiohttp", "niquests", "h11", "h2", "pycurl"]


@pytest.fixture
def told(child, server, module):
    """``told(source)``: what a child prints that has done everything, and then this."""
    for name in ("requests", "urllib3"):
        module(name)

    def run(source, before=""):
        outcome = child(before + EVERYTHING + source, server.url)
        assert outcome.clean, outcome
        return outcome.out.split()

    return run


def test_no_other_client_is_imported(told):
    """Neither requests nor urllib3, whatever a program does."""
    clients = [name for name in CLIENTS if name != "http.client"]  # the standard library's cookiejar imports that

    assert told(f"print(*[name for name in {clients!r} if name in sys.modules])") == []


def test_urllib3_comes_when_it_is_named(told):
    """By ``packages.urllib3`` alone; requests never does."""
    source = "before = 'urllib3' in sys.modules\nrequestx.packages.urllib3\nprint(before, 'urllib3' in sys.modules)\n"

    assert told(source + "print('requests' in sys.modules)") == ["False", "True", "False"]


REFUSING = """
import http.client, ssl
def refuse(*arguments, **more):
    raise ZeroDivisionError
for owner, name in [(http.client.HTTPConnection, "request"), (http.client.HTTPConnection, "connect"),
                    (socket, "create_connection"), (socket, "getaddrinfo"), (socket.socket, "connect"),
                    (ssl.SSLContext, "wrap_socket"), (ssl, "create_default_context")]:
    setattr(owner, name, refuse)
"""


def test_what_is_patched_in_python_is_not_asked(told):
    """Which is why what works by such patches cannot see a request."""
    assert told("print('done')", REFUSING) == ["done"]


LOGGING = """
import http.client, logging
http.client.HTTPConnection.debuglevel = 1
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
for name in ("asyncio", "charset_normalizer"):
    logging.getLogger(name).setLevel(logging.WARNING)
"""


def test_nothing_is_logged_by_others(told):
    """Neither heads by http.client nor connections by urllib3."""
    assert told("", LOGGING) == []
