"""urllib3: one PoolManager, with as many connections kept as there are threads (its default is one)."""

import urllib3

from . import PIECE

PACKAGE = "urllib3"


class Blocking:
    def __init__(self, in_flight, ca):
        self.pool = urllib3.PoolManager(maxsize=in_flight, ca_certs=ca)

    def get(self, url):
        response = self.pool.request("GET", url)
        return response.status, len(response.data)

    def stream(self, url):
        response = self.pool.request("GET", url, preload_content=False)
        length = sum(map(len, response.stream(PIECE)))
        response.release_conn()
        return response.status, length

    def close(self):
        self.pool.clear()
