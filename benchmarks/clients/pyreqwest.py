"""pyreqwest: one SyncClient or Client; the body is its own Bytes, a view of Rust's buffer."""

from pathlib import Path

from pyreqwest.client import ClientBuilder, SyncClientBuilder

from . import PIECE

PACKAGE = "pyreqwest"
NOTES = "bodies are a buffer of its own, not bytes: no copy into Python"


def build(builder, ca):
    return (builder.add_root_certificate_pem(Path(ca).read_bytes()) if ca else builder).build()


class Blocking:
    def __init__(self, in_flight, ca):
        self.client = build(SyncClientBuilder(), ca)

    def get(self, url):
        response = self.client.get(url).build().send()
        return response.status, len(response.bytes())

    def stream(self, url):
        length = 0
        with self.client.get(url).build_streamed() as response:
            while piece := response.body_reader.read(PIECE):
                length += len(piece)
        return response.status, length

    def close(self):
        self.client.close()


class Awaited:
    def __init__(self, in_flight, ca):
        self.client = build(ClientBuilder(), ca)

    async def get(self, url):
        response = await self.client.get(url).build().send()
        return response.status, len(await response.bytes())

    async def stream(self, url):
        length = 0
        async with self.client.get(url).build_streamed() as response:
            while piece := await response.body_reader.read(PIECE):
                length += len(piece)
        return response.status, length

    async def close(self):
        await self.client.close()
