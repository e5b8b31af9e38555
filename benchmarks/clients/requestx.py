"""requestx: one Session, blocking or awaited under the same names, its pool raised where 10 are too few."""

import requestx

from . import PIECE

PACKAGE = "requestx"


def session(in_flight, ca):
    made = requestx.Session()
    if in_flight > 10:  # the default of a pool, as in requests
        adapter = requestx.adapters.HTTPAdapter(pool_maxsize=in_flight)
        made.mount("http://", adapter)
        made.mount("https://", adapter)
    if ca:
        made.verify = ca
    return made


class Blocking:
    def __init__(self, in_flight, ca):
        self.session = session(in_flight, ca)

    def get(self, url):
        response = self.session.get(url)
        return response.status_code, len(response.content)

    def stream(self, url):
        with self.session.get(url, stream=True) as response:
            return response.status_code, sum(map(len, response.iter_content(PIECE)))

    def close(self):
        self.session.close()


class Awaited:
    def __init__(self, in_flight, ca):
        self.session = session(in_flight, ca)

    async def get(self, url):
        response = await self.session.get(url)
        return response.status_code, len(response.content)

    async def stream(self, url):
        length = 0
        async with self.session.get(url, stream=True) as response:
            async for piece in response.aiter_content(PIECE):
                length += len(piece)
        return response.status_code, length

    async def close(self):
        await self.session.__aexit__(None, None, None)
