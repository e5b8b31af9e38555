"""What a type checker has to find: each line with ``# wrong`` is an error, and no other is.

Nobody runs this file.
"""

import requestx
import requestx.aio
import requestx.blocking

URL = "https://example.org/"


async def forgotten() -> None:
    requestx.aio.get(URL).status_code  # wrong
    requestx.aio.Session().get(URL).json()  # wrong
    await requestx.blocking.get(URL)  # wrong
    await requestx.blocking.Session().get(URL)  # wrong


def arguments() -> None:
    requestx.blocking.get(URL, timeout="3")  # wrong
    requestx.blocking.get(URL, header={"a": "b"})  # wrong
    requestx.blocking.get(3)  # wrong
    requestx.get(URL, allow_redirects="no")  # wrong
    requestx.Session().post(URL, stream="yes")  # wrong
    requestx.Session().tiemout  # wrong
    requestx.nothing  # wrong
