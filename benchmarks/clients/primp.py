"""primp: one Client or AsyncClient, no browser impersonated."""

import primp

from . import PIECE

PACKAGE = "primp"


class Blocking:
    def __init__(self, in_flight, ca):
        self.client = primp.Client(ca_cert_file=ca)

    def get(self, url):
        response = self.client.get(url)
        return response.status_code, len(response.content)

    def stream(self, url):
        with self.client.get(url, stream=True) as response:
            return response.status_code, sum(map(len, response.iter_bytes(PIECE)))

    def close(self):
        pass


class Awaited:
    def __init__(self, in_flight, ca):
        self.client = primp.AsyncClient(ca_cert_file=ca)

    async def get(self, url):
        response = await self.client.get(url)
        return response.status_code, len(response.content)

    async def stream(self, url):
        length = 0
        async with await self.client.get(url, stream=True) as response:
            async for piece in response.aiter_bytes(PIECE):
                length += len(piece)
        return response.status_code, length

    async def close(self):
        pass
