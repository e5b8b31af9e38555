"""
Where the time of one hop went.

The core books it by phase, the vocabulary that limits and errors share, and lays it behind the head of each answer;
here it is taken apart when somebody asks.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_FORM = struct.Struct("=12Q")


class Timings(NamedTuple):
    """
    Seconds by phase, 0.0 for what did not happen, and what passed the wire.

    Args:
        queue: waiting for a place in the pool.
        resolve: from the name to addresses.
        connect: from an address to a TCP connection.
        tunnel: through a proxy, by CONNECT or SOCKS.
        secure: the TLS handshake.
        send: request head and body.
        await_: from the last byte sent to the response's head.
        read: the body, as far as it was read.
        bytes_sent: above TLS, heads and framing included; over HTTP/2 of the body alone.
        bytes_received: likewise.
        connection: counts the process's connections; two answers with the same number came over the same one.
        reused: the connection had served before.
    """

    queue: float
    resolve: float
    connect: float
    tunnel: float
    secure: float
    send: float
    await_: float
    read: float
    bytes_sent: int
    bytes_received: int
    connection: int
    reused: bool

    @property
    def phases(self) -> dict[str, float]:
        """
        Seconds by the phases' names, in their order.
        """
        return {name.rstrip("_"): seconds for name, seconds in zip(self._fields, self[:8])}

    @property
    def to_head(self) -> float:
        """
        Up to the response's head.
        """
        return sum(self[:7])

    @property
    def total(self) -> float:
        """
        All phases together.
        """
        return sum(self[:8])


def unpack(told: bytes) -> Timings:
    """
    What an rqx_timing says, without its size.
    """
    numbers = _FORM.unpack(told)
    *counts, reused = numbers[8:]
    return Timings._make([*(nanoseconds / 1e9 for nanoseconds in numbers[:8]), *counts, bool(reused)])
