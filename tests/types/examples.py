"""What users write, for type checkers: ``# is X`` behind a line says what its `reveal_type` has to be.

Nobody runs this file.
"""

import asyncio
import http.cookiejar
import io
import pathlib
from collections.abc import AsyncIterator, Iterator

import requestx
import requestx.aio
import requestx.blocking
from requestx import TimeLimits
from requestx.adapters import HTTPAdapter
from requestx.auth import AuthBase, HTTPDigestAuth

URL = "https://example.org/"


def blocking() -> str:
    reveal_type(requestx.blocking.get(URL))  # is Response
    reveal_type(requestx.blocking.post(URL, json={"a": [1, None]}).json())  # is Any
    with requestx.blocking.Session() as session:
        reveal_type(session)  # is Session
        reveal_type(session.get(URL, params={"a": 1, "b": ["x", "y"]}))  # is Response
        reveal_type(session.request("GET", URL, {"a": "b"}))  # is Response
        reveal_type(session.send(requestx.Request("GET", URL).prepare()))  # is Response
        response = session.get(URL, stream=True)
    reveal_type(response.status_code)  # is int
    reveal_type(response.headers["a"])  # is str
    reveal_type(response.content)  # is bytes
    reveal_type(response.history[0].request.url)  # is str
    reveal_type(response.iter_content(10))  # is Iterator[bytes]
    reveal_type(response.iter_lines(decode_unicode=True))  # is Iterator[Any]
    reveal_type(response.cookies.get_dict())  # is dict[str, str | None]
    reveal_type(response.next)  # is PreparedRequest | None
    reveal_type(response.upgrade().read(10))  # is bytes
    return response.text


async def awaited() -> str:
    reveal_type(requestx.aio.get(URL))  # is Awaitable
    reveal_type(await requestx.aio.get(URL))  # is Response
    async with requestx.aio.Session() as session:
        reveal_type(await session.get(URL))  # is Response
        async with session.get(URL, stream=True) as response:
            reveal_type(response)  # is Response
            reveal_type(response.aiter_content(10))  # is AsyncIterator[bytes]
            async for chunk in response:
                reveal_type(chunk)  # is bytes
        several = await asyncio.gather(session.get(URL), session.post(URL))
        reveal_type(several)  # is tuple[Response, Response]
        reveal_type(await asyncio.create_task(session.get(URL)))  # is Response
        reveal_type(await response.aread())  # is bytes
    return response.text


async def either() -> requestx.Response:
    reveal_type(requestx.get(URL).status_code)  # is int
    reveal_type(await requestx.get(URL))  # is Response
    async with requestx.get(URL) as response:
        reveal_type(response)  # is Response
    with requestx.Session() as session:
        reveal_type(session.get(URL).json())  # is Any
        reveal_type(await session.get(URL))  # is Response
        await asyncio.wait_for(session.put(URL, data=b"x"), 3)
    return requestx.get(URL)


class Token(AuthBase):
    def __call__(self, r: requestx.PreparedRequest) -> requestx.PreparedRequest:
        r.headers["Authorization"] = "Bearer x"
        return r


async def asign(request: requestx.PreparedRequest) -> requestx.PreparedRequest:
    return request


def look(response: requestx.Response, *arguments: object, **more: object) -> None:
    response.raise_for_status()


def lines() -> Iterator[bytes]:
    yield b"x"


async def alines() -> AsyncIterator[bytes]:
    yield b"x"


def arguments(jar: http.cookiejar.CookieJar) -> None:
    """All that may be given."""
    get = requestx.blocking.get
    get(b"https://example.org/", params=[("a", "b"), ("c", 1)], headers={"A": "b", "C": None, "D": b"e"})
    get(URL, timeout=3, cookies=jar, verify=pathlib.Path("ca.pem"), cert=("a.pem", "b.key"), auth=("a", "b"))
    get(URL, timeout=(3, None), cookies={"a": "b"}, verify=False, cert="a.pem", auth=Token(), stream=True)
    get(URL, timeout=TimeLimits(connect=1, total=9), hooks={"response": look}, auth=HTTPDigestAuth("a", "b"))
    get(URL, timeout=TimeLimits(), hooks={"response": [look]}, proxies={"http": "http://p", "https": None})
    requestx.blocking.post(URL, data={"a": "b"}, files={"f": ("n.txt", io.BytesIO(b"x"), "text/plain")})
    requestx.blocking.post(URL, data=[("a", "b")], files=[("f", b"x"), ("g", open("f", "rb"))])
    requestx.blocking.put(URL, data=lines(), allow_redirects=False)
    requestx.aio.put(URL, data=alines(), auth=asign)
    requestx.aio.patch(URL, data=open("f", "rb"), json=None)


def settings(session: requestx.Session) -> None:
    """Attributes of a session."""
    session.headers["A"] = "b"
    session.headers.update({"C": "d"})
    session.timeout = TimeLimits()
    session.auth = Token()
    session.verify = "ca.pem"
    session.params = {"a": "b"}
    session.proxies["http"] = "http://p"
    session.json_dumps = str
    session.mount("https://", HTTPAdapter(pool_maxsize=3))
    session.cookies.set("a", "b", domain="example.org")
