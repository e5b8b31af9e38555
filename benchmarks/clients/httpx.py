"""httpx: one Client or AsyncClient, its pool raised to the number in flight (by default it keeps 20)."""

import ssl

import httpx

from . import PIECE

PACKAGE = "httpx"


def detail():
    import h11
    import httpcore

    return f"httpcore {httpcore.__version__}, h11 {h11.__version__}"


def settings(in_flight, ca):
    limits = httpx.Limits(max_connections=max(100, in_flight), max_keepalive_connections=max(20, in_flight))
    return {"limits": limits, "verify": ssl.create_default_context(cafile=ca) if ca else True}


class Blocking:
    def __init__(self, in_flight, ca):
        self.client = httpx.Client(**settings(in_flight, ca))

    def get(self, url):
        response = self.client.get(url)
        return response.status_code, len(response.content)

    def stream(self, url):
        with self.client.stream("GET", url) as response:
            return response.status_code, sum(map(len, response.iter_bytes(PIECE)))

    def close(self):
        self.client.close()


class Awaited:
    def __init__(self, in_flight, ca):
        self.client = httpx.AsyncClient(**settings(in_flight, ca))

    async def get(self, url):
        response = await self.client.get(url)
        return response.status_code, len(response.content)

    async def stream(self, url):
        length = 0
        async with self.client.stream("GET", url) as response:
            async for piece in response.aiter_bytes(PIECE):
                length += len(piece)
        return response.status_code, length

    async def close(self):
        await self.client.aclose()
