"""
Who is at the other end: what libraries ask of ``response.raw._connection.sock``.

The core owns the socket, so nothing can be read from it or written to it here. What can be had is what was agreed in
the TLS handshake: channel bindings need the server's certificate, logs the version and the cipher.
"""

from __future__ import annotations

from typing import Any, Callable


class Peer:
    """
    What a TLS handshake agreed upon.

    Args:
        chain: the certificates the server sent, its own first, each in DER.
        version: TLSv1.2 or TLSv1.3.
        cipher: the name of the cipher suite.
        bits: the strength of the cipher.
        protocol: what ALPN chose, or None.
        resumed: an earlier session was resumed.
    """

    __slots__ = ("bits", "chain", "cipher", "protocol", "resumed", "version")

    def __init__(
        self, chain: tuple[bytes, ...], version: str, cipher: str, bits: int, protocol: str | None, resumed: bool
    ) -> None:
        self.chain: tuple[bytes, ...] = chain
        self.version: str = version
        self.cipher: str = cipher
        self.bits: int = bits
        self.protocol: str | None = protocol
        self.resumed: bool = resumed

    def __repr__(self) -> str:
        return f"<Peer: {self.version}, {self.cipher}, {len(self.chain)} certificates>"

    @property
    def certificate(self) -> bytes | None:
        """
        The server's own certificate, in DER.
        """
        return self.chain[0] if self.chain else None


class Socket:
    """
    The part of an ssl.SSLSocket that tells of the peer.

    Args:
        peer: gives the `Peer`, or None on a connection without TLS.
    """

    def __init__(self, peer: Callable[[], Peer | None]) -> None:
        self._ask = peer

    def getpeercert(self, binary_form: bool = False) -> Any:
        """
        The server's certificate in DER, or None.

        Raises:
            ValueError: the decoded form is wanted, which only Python's own TLS has.
        """
        if not binary_form:
            raise ValueError("the certificate is here in DER: getpeercert(binary_form=True)")
        peer = self._ask()
        return peer.certificate if peer else None

    def get_unverified_chain(self) -> list[bytes]:
        """
        The certificates the server sent, each in DER.
        """
        peer = self._ask()
        return list(peer.chain) if peer else []

    def version(self) -> str | None:
        """
        The version of TLS.
        """
        peer = self._ask()
        return peer.version if peer else None

    def cipher(self) -> tuple[str, str, int] | None:
        """
        Name of the cipher suite, version of TLS, and strength in bits.
        """
        peer = self._ask()
        return (peer.cipher, peer.version, peer.bits) if peer else None

    def selected_alpn_protocol(self) -> str | None:
        """
        What ALPN chose.
        """
        peer = self._ask()
        return peer.protocol if peer else None

    @property
    def session_reused(self) -> bool | None:
        """
        Whether an earlier session was resumed.
        """
        peer = self._ask()
        return peer.resumed if peer else None


class Connection:
    """
    What `raw._connection` is: `sock`, and the host it leads to.

    Args:
        peer: as of `Socket`.
        host: the host.
        port: its port.
    """

    def __init__(self, peer: Callable[[], Peer | None], host: str | None, port: int | None) -> None:
        self.sock = Socket(peer)
        self.host = host
        self.port = port

    def close(self) -> None:
        """
        Nothing: the core closes its connections.
        """
