"""curl_cffi: one Session or AsyncSession, nothing impersonated; it takes no size for its pieces."""

import curl_cffi
from curl_cffi.requests import AsyncSession, Session

PACKAGE = "curl_cffi"


def detail():
    return curl_cffi.__curl_version__.split()[0]


class Blocking:
    def __init__(self, in_flight, ca):
        self.session = Session(verify=ca or True)

    def get(self, url):
        response = self.session.get(url)
        return response.status_code, len(response.content)

    def stream(self, url):
        with self.session.stream("GET", url) as response:
            return response.status_code, sum(map(len, response.iter_content()))

    def close(self):
        self.session.close()


class Awaited:
    def __init__(self, in_flight, ca):
        self.session = AsyncSession(max_clients=max(10, in_flight), verify=ca or True)

    async def get(self, url):
        response = await self.session.get(url)
        return response.status_code, len(response.content)

    async def stream(self, url):
        length = 0
        async with self.session.stream("GET", url) as response:
            async for piece in response.aiter_content():
                length += len(piece)
        return response.status_code, length

    async def close(self):
        await self.session.close()
