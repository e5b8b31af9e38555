"""aiohttp: one ClientSession, its connector's limit raised to the number in flight (by default 100)."""

import ssl

import aiohttp

from . import PIECE

PACKAGE = "aiohttp"
NOTES = "no blocking calls"


def detail():
    compiled = aiohttp.http_parser.HttpResponseParser is not aiohttp.http_parser.HttpResponseParserPy
    return "C parser" if compiled else "Python parser"


class Awaited:
    def __init__(self, in_flight, ca):
        context = ssl.create_default_context(cafile=ca) if ca else True
        connector = aiohttp.TCPConnector(limit=max(100, in_flight), ssl=context)
        self.session = aiohttp.ClientSession(connector=connector)

    async def get(self, url):
        async with self.session.get(url) as response:
            return response.status, len(await response.read())

    async def stream(self, url):
        length = 0
        async with self.session.get(url) as response:
            async for piece in response.content.iter_chunked(PIECE):
                length += len(piece)
        return response.status, length

    async def close(self):
        await self.session.close()
