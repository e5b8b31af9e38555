"""httpr: one Client or AsyncClient; awaited, threads, as many as there are in flight (by default 64)."""

import httpr

PACKAGE = "httpr"
NOTES = "awaited: its own pool of threads around blocking calls; it takes no size for its pieces"


class Blocking:
    def __init__(self, in_flight, ca):
        self.client = httpr.Client(ca_cert_file=ca)

    def get(self, url):
        response = self.client.get(url)
        return response.status_code, len(response.content)

    def stream(self, url):
        with self.client.stream("GET", url) as response:
            return response.status_code, sum(map(len, response.iter_bytes()))

    def close(self):
        self.client.close()


class Awaited:
    def __init__(self, in_flight, ca):
        self.client = httpr.AsyncClient(ca_cert_file=ca, max_concurrency=max(64, in_flight))

    async def get(self, url):
        response = await self.client.get(url)
        return response.status_code, len(response.content)

    async def stream(self, url):
        length = 0
        async with self.client.stream("GET", url) as response:
            async for piece in response.aiter_bytes():
                length += len(piece)
        return response.status_code, length

    async def close(self):
        await self.client.aclose()
