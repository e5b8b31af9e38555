"""Many streams at once: none is served to its end while another waits for its share.

Tasks of one loop take turns, and share almost evenly what comes; how evenly it comes is the server's, whose threads
have the turns that the interpreter and the system give them, as those of a blocking client.  What is seen here is that
no stream is left waiting, however fast the others are.
"""

import threading
import time

import pytest

pytestmark = [pytest.mark.trio, pytest.mark.limit(90)]

STREAMS = 20
PIECE = 1 << 16
MIB = 1 << 20


class Race:
    """
    Streams that are read at the same time.

    Attributes:
        passed: how much each had.
        first: the same when the first of them ended.
        longest: how long one of them waited for a piece, in seconds.
    """

    def __init__(self, world, session, url):
        self.passed = [0] * STREAMS
        self.first = None
        self.longest = 0
        self.start = threading.Barrier(STREAMS)
        responses = [session.get(url, stream=True, timeout=30) for _ in range(STREAMS)]
        read = self.aread if world.awaits else self.read
        for call in [world.start(read, number, response) for number, response in enumerate(responses)]:
            call.result(60)

    def take(self, number, piece, since):
        now = time.monotonic()
        self.longest = max(self.longest, now - since)
        self.passed[number] += len(piece)
        return now

    def end(self):
        self.first = self.first or list(self.passed)

    def read(self, number, response):
        self.start.wait(10)
        since = time.monotonic()
        for piece in response.iter_content(PIECE):
            since = self.take(number, piece, since)
        self.end()

    async def aread(self, number, response):
        since = time.monotonic()
        async for piece in response.aiter_content(PIECE):
            since = self.take(number, piece, since)
        self.end()


def check(world, race, size):
    assert race.passed == [size] * STREAMS
    assert race.longest < 10
    assert min(race.first) >= (size // STREAMS if world.awaits else PIECE), race.first


def test_streams_of_their_own_connections_share(world, server):
    """Over HTTP/1.1 each of twenty has had some of it when the first is done."""
    size = 48 * MIB
    check(world, Race(world, world.session(), server.url + "/flood/%d" % size), size)


def test_streams_of_one_connection_share(world, streams):
    """So it is over HTTP/2."""
    size, site = 12 * MIB, streams(plain=True)
    check(world, Race(world, world.session(transport={"http2": "only"}), site.url + "/bytes/%d" % size), size)

    assert len(site.connections) == 1


def test_streams_that_nobody_reads_stop_no_other(world, streams):
    """Twenty answers of one connection are read one after the other, the last one first."""
    size, site = 3 * MIB, streams(plain=True)
    session = world.session(transport={"http2": "only"})
    responses = [session.get(site.url + "/bytes/%d" % size, stream=True, timeout=10) for _ in range(STREAMS)]

    assert [len(world.read(response)) for response in reversed(responses)] == [size] * STREAMS
    assert len(site.connections) == 1
