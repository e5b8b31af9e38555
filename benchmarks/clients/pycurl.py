"""
pycurl: one Curl handle reused, one a thread; awaited, its AsyncCurlMulti with handles reused.

There is no response object: libcurl parses the headers and shows Python none, as in its quick start.
"""

from io import BytesIO

import pycurl

from . import PIECE

PACKAGE = "pycurl"
NOTES = "no response object, no headers in Python; threads have a handle each, since none can be shared"


def detail():
    return pycurl.version.split()[1] + ", " + pycurl.version.split()[2]


def handle(ca):
    curl = pycurl.Curl()
    if ca:
        curl.setopt(pycurl.CAINFO, ca)
    return curl


class Blocking:
    def __init__(self, in_flight, ca):
        self.ca = ca
        self.curl = handle(ca)

    def in_thread(self):
        return Blocking(1, self.ca)

    def get(self, url):
        curl = self.curl
        curl.setopt(pycurl.URL, url)
        body = curl.perform_rb()
        return curl.getinfo(pycurl.RESPONSE_CODE), len(body)

    def stream(self, url):
        seen = []
        curl = self.curl
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.BUFFERSIZE, PIECE)
        curl.setopt(pycurl.WRITEFUNCTION, lambda piece: seen.append(len(piece)))
        curl.perform()
        return curl.getinfo(pycurl.RESPONSE_CODE), sum(seen)

    def close(self):
        self.curl.close()


class Awaited:
    def __init__(self, in_flight, ca):
        self.multi = pycurl.AsyncCurlMulti()
        self.idle = [handle(ca) for _ in range(in_flight)]

    async def get(self, url):
        curl = self.idle.pop()
        body = BytesIO()
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.WRITEDATA, body)
        await self.multi.perform(curl)
        self.idle.append(curl)
        return curl.getinfo(pycurl.RESPONSE_CODE), len(body.getvalue())

    async def stream(self, url):
        seen = []
        curl = self.idle.pop()
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.BUFFERSIZE, PIECE)
        curl.setopt(pycurl.WRITEFUNCTION, lambda piece: seen.append(len(piece)))
        await self.multi.perform(curl)
        self.idle.append(curl)
        return curl.getinfo(pycurl.RESPONSE_CODE), sum(seen)

    async def close(self):
        await self.multi.aclose()
