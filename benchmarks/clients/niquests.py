"""niquests: one Session or AsyncSession, its pool raised to the number in flight (by default 10)."""

import niquests

from . import PIECE

PACKAGE = "niquests"
NOTES = "in a virtual environment of its own: what it stands on replaces urllib3 where both are installed"


def detail():
    from niquests.packages import urllib3

    return "urllib3-future " + urllib3.__version__


class Blocking:
    def __init__(self, in_flight, ca):
        self.session = niquests.Session(pool_maxsize=max(10, in_flight))
        if ca:
            self.session.verify = ca

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
        self.session = niquests.AsyncSession(pool_maxsize=max(10, in_flight))
        if ca:
            self.session.verify = ca

    async def get(self, url):
        response = await self.session.get(url)
        return response.status_code, len(response.content)

    async def stream(self, url):
        length = 0
        async with await self.session.get(url, stream=True) as response:
            async for piece in await response.iter_content(PIECE):
                length += len(piece)
        return response.status_code, length

    async def close(self):
        await self.session.close()
