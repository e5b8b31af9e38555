"""wreq: one blocking.Client or Client, no browser impersonated; the body is a memoryview of Rust's buffer."""

from pathlib import Path

import wreq
import wreq.blocking

PACKAGE = "wreq"
NOTES = "bodies are a memoryview, not bytes: no copy into Python; it takes no size for its pieces"


def settings(ca):
    return {"tls_verify": Path(ca)} if ca else {}


class Blocking:
    def __init__(self, in_flight, ca):
        self.client = wreq.blocking.Client(**settings(ca))

    def get(self, url):
        response = self.client.get(url)
        return response.status.as_int(), len(response.bytes())

    def stream(self, url):
        with self.client.get(url) as response, response.stream() as pieces:
            return response.status.as_int(), sum(map(len, pieces))

    def close(self):
        self.client.close()


class Awaited:
    def __init__(self, in_flight, ca):
        self.client = wreq.Client(**settings(ca))

    async def get(self, url):
        response = await self.client.get(url)
        return response.status.as_int(), len(await response.bytes())

    async def stream(self, url):
        length = 0
        async with self.client.get(url) as response, response.stream() as pieces:
            async for piece in pieces:
                length += len(piece)
        return response.status.as_int(), length

    async def close(self):
        self.client.close()
