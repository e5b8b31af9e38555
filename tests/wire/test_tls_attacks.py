"""Peers that never come to the end of a handshake, or break it off: an SSLError, or the limit on connecting.

They send plain bytes where records of TLS are expected, and what the client took of them (``sent``) is what counts.
"""

import struct
import sys
import time

import pytest
from server.steps import answer, receive, rekey, repeat, request, send

MIB = 1 << 20
FOREVER = 1 << 22
ALERT, HANDSHAKE, CHANGE = 21, 22, 20
WARNING, FATAL = b"\1", b"\2"


def record(kind, content, version=0x0303):
    return struct.pack(">BHH", kind, version, len(content)) + content


#: A ServerHello that announces 16 MB, and then goes on.
HELLO_WITHOUT_END = [send(record(HANDSHAKE, b"\x02\xff\xff\xff")), repeat(record(HANDSHAKE, b"\0" * 16000), FOREVER)]

ATTACKS = {
    "alert_close_notify": [send(record(ALERT, WARNING + b"\0"))],
    "alert_flood": [repeat(record(ALERT, WARNING + b"\x5a"), FOREVER)],
    "alert_handshake_failure": [send(record(ALERT, FATAL + b"\x28"))],
    "alert_internal_error": [send(record(ALERT, FATAL + b"\x50"))],
    "change_cipher_spec_flood": [repeat(record(CHANGE, b"\1"), FOREVER)],
    "empty_record_flood": [repeat(record(HANDSHAKE, b""), FOREVER)],
    "hello_without_end": HELLO_WITHOUT_END,
    "record_of_64_kilobytes": [send(struct.pack(">BHH", HANDSHAKE, 0x0303, 0xFFFF)), repeat(b"\0" * 16, FOREVER)],
    "record_of_no_kind": [repeat(record(99, b"x"), FOREVER)],
    "record_of_no_version": [send(record(HANDSHAKE, b"\x02\0\0\0", 0xFFFF))],
    "ssl_2": [send(b"\x80\x2e\x04\x00\x00\x02" + bytes(100))],
    "nothing_but_zeros": [repeat(bytes(1000), FOREVER)],
}


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_a_peer_that_means_no_handshake(world, wire, name):
    """After a bounded number of bytes, long before the time limit, it is an SSLError."""
    site = wire([receive(100)] + ATTACKS[name])
    with pytest.raises(world.requestx.exceptions.SSLError) as caught:
        world.get(site.url.replace("http:", "https:"), timeout=10)

    assert len(str(caught.value)) < 1200
    assert site.end(0) in ("eof", "reset")
    assert site.connections[0]["sent"] < 16 * MIB


def test_what_means_nothing_is_endured_until_the_limit_on_connecting(world, wire):
    """A server may ask for a handshake while one is under way, and OpenSSL lets it, as often as it likes."""
    site = wire([receive(100), repeat(record(HANDSHAKE, b"\0\0\0\0"), FOREVER)])
    with pytest.raises(world.requestx.exceptions.ConnectTimeout):
        world.get(site.url.replace("http:", "https:"), timeout=(0.5, 10))

    assert site.end(0) in ("eof", "reset")


@pytest.mark.bare
@pytest.mark.skipif(sys.platform != "linux", reason="memory is looked up in /proc")
def test_tickets_are_kept_up_to_a_limit(child, listen, certs):
    """A server sends as many as it likes, and each holds its certificates."""
    site = listen("everyday", tls={"chain": certs.good, "tickets": 15000})
    outcome = child(
        """
        import pathlib
        session = requestx.Session()
        session.verify = sys.argv[2]
        pages = lambda: int(pathlib.Path("/proc/self/statm").read_text().split()[1])
        ask = lambda: session.get(url + "/get", headers={"Connection": "close"}).status_code
        before = pages()
        print(ask(), (pages() - before) * os.sysconf("SC_PAGESIZE") < 15_000_000)
        """,
        site.at("localhost"),
        certs.ca,
    )

    assert outcome.out == "200 True\n", outcome


@pytest.mark.bare
@pytest.mark.skipif(sys.platform != "linux", reason="memory is looked up in /proc")
@pytest.mark.parametrize("way", ["blocking", "awaited"])
def test_refused_certificates_leave_nothing_behind(child, listen, certs, way):
    """Whoever tries again and again has no more memory and descriptors in use than at first (CVE-2025-47279)."""
    outcome = child(
        """
        import pathlib

        async def awaited():
            async with requestx.Session() as session:
                for _ in range(500):
                    try:
                        await session.get(url, verify=sys.argv[2])
                    except requestx.exceptions.SSLError:
                        pass

        def blocking():
            with requestx.Session() as session:
                for _ in range(500):
                    try:
                        session.get(url, verify=sys.argv[2])
                    except requestx.exceptions.SSLError:
                        pass

        def used():
            pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
            return pages * os.sysconf("SC_PAGESIZE"), len(os.listdir("/proc/self/fd"))

        work = blocking if sys.argv[3] == "blocking" else lambda: asyncio.run(awaited())
        work()
        memory, files = used()
        work()
        print(used()[0] - memory < 3_000_000, abs(used()[1] - files) < 3)  # the last one may be closed a moment later
        """,
        listen("everyday", tls={"chain": certs.expired}).at("localhost"),
        certs.ca,
        way,
    )

    assert outcome.out == "True True\n", outcome


@pytest.fixture
def rekeying(listen, certs, tmp_path):
    """``rekeying(times, ...)`` is a server that answers when it has changed its keys so often."""

    def start(times, **more):
        tls = {"chain": certs.good, "tickets": 0, "min": "TLSv1_3", "keylog": str(tmp_path / "secrets")}
        return listen("wire", scripts=[[request(), rekey(times, answer(b"at last"), **more)]], tls=tls)

    return start


@pytest.mark.parametrize("asks", [False, True])
def test_keys_may_change_often(world, rekeying, certs, asks):
    """Whether the client is asked to change its own or not, and by a server that reads nothing (CVE-2026-32283)."""
    site = rekeying(10000, asks=asks)

    assert world.get(site.at("localhost"), verify=certs.ca, timeout=10).content == b"at last"


@pytest.mark.parametrize("asks", [False, True])
@pytest.mark.parametrize("limit", ["read", "total"])
def test_new_keys_are_no_answer(world, rekeying, certs, limit, asks):
    """Who waits for one waits no longer than was said, also where there is always something to reply."""
    site, began = rekeying(FOREVER, asks=asks), time.monotonic()
    with pytest.raises(world.requestx.exceptions.ReadTimeout):
        world.get(site.at("localhost"), verify=certs.ca, timeout=world.requestx.TimeLimits(**{limit: 0.5}))

    assert time.monotonic() - began < 2
    assert site.end(0) in ("eof", "reset")


@pytest.mark.bare
@pytest.mark.skipif(sys.platform != "linux", reason="memory is looked up in /proc")
def test_new_keys_take_the_place_of_the_old(child, rekeying, certs):
    """A hundred thousand of them take no more memory than one."""
    outcome = child(
        """
        import pathlib
        session = requestx.Session()
        session.verify = sys.argv[2]
        pages = lambda: int(pathlib.Path("/proc/self/statm").read_text().split()[1])
        before = pages()
        print(session.get(url).text, (pages() - before) * os.sysconf("SC_PAGESIZE") < 15_000_000)
        """,
        rekeying(100000).at("localhost"),
        certs.ca,
    )

    assert outcome.out == "at last True\n", outcome
