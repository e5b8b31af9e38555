"""Bodies much larger than memory: they pass, either way, through a process that stays as small as it was.

``make test`` sends a gigabyte each way, ``make test-all`` ten.
"""

import os

import pytest

GB = 10**9
SMALL = 64  # MB that the whole process may have had at any time

pytestmark = [
    pytest.mark.limit(200),
    pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the peak of a process's memory is Linux's"),
]
SIZES = [GB, pytest.param(10 * GB, marks=pytest.mark.slow)]

TELL = """
    size = int(sys.argv[2])
    block = b"x" * (1 << 20)
    headers = {"Content-Length": str(size)}
    def tell(passed, start):
        print(passed, peak(), time.monotonic() - start)
    start = time.monotonic()
"""
SCENES = {
    "down, blocking": """
    with requestx.get(url + "/flood/%d" % size, stream=True) as response:
        tell(sum(map(len, response.iter_content(1 << 16))), start)
    """,
    "down, awaited": """
    async def scene():
        async with requestx.get(url + "/flood/%d" % size, stream=True) as response:
            passed = 0
            async for piece in response.aiter_content(1 << 16):
                passed += len(piece)
        tell(passed, start)
    asyncio.run(scene())
    """,
    "up, blocking": """
    def pieces():
        left = size
        while left > 0:
            yield block[:left]
            left -= len(block)
    tell(requestx.post(url + "/drain", data=pieces(), headers=headers).json()["length"], start)
    """,
    "up, awaited": """
    async def pieces():
        left = size
        while left > 0:
            yield block[:left]
            left -= len(block)
    async def scene():
        response = await requestx.post(url + "/drain", data=pieces(), headers=headers)
        tell(response.json()["length"], start)
    asyncio.run(scene())
    """,
}


def check(outcome, size):
    assert outcome.clean, outcome
    passed, peak, seconds = map(float, outcome.out.split())

    assert passed == size
    assert peak <= SMALL, outcome
    assert seconds < 60, outcome


@pytest.mark.parametrize("size", SIZES, ids=["1 GB", "10 GB"])
@pytest.mark.parametrize("scene", SCENES)
def test_a_small_process_passes_large_bodies(child, server, scene, size):
    """All of it passes, and the process, Python and all, has never had more than 64 MB."""
    check(child(TELL + SCENES[scene], server.url, size, limit=180), size)


@pytest.mark.slow
@pytest.mark.parametrize("scene", [name for name in SCENES if name.startswith("down")])
def test_so_it_does_over_http2(child, tool, launch, certs, tmp_path, scene):
    """Over TLS, from nghttp2's own server: flow control holds back what nobody has read."""
    (tmp_path / "flood").mkdir()
    with (tmp_path / "flood" / str(GB)).open("wb") as file:
        file.truncate(GB)
    port = launch([tool("nghttpd"), "-d", str(tmp_path), "{port}", certs.good, certs.good])
    url = "https://127.0.0.1:%d" % port
    check(child(TELL + SCENES[scene], url, GB, limit=180, REQUESTS_CA_BUNDLE=certs.ca), GB)
