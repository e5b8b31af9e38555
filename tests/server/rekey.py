"""Key updates of TLS 1.3 (RFC 8446, 4.6.3), which Python's ssl cannot send: records made from the secret that it logs.

They go past the ssl object, which knows nothing of them: what it would send after them nobody could read.
"""

import hmac
import struct

HANDSHAKE, DATA = 22, 23


class Sender:
    """
    Encrypts what the server says, from its first record after the handshake on.

    Args:
        keylog: the file that the secrets are logged in (NSS's format); its last connection is taken.
        cipher: OpenSSL's name of what was agreed upon, one of TLS_AES_*.
    """

    def __init__(self, keylog, cipher):
        with open(keylog) as file:
            lines = [line.split() for line in file]
        self.secret = bytes.fromhex([line[2] for line in lines if line[0] == "SERVER_TRAFFIC_SECRET_0"][-1])
        self.hash = "sha%d" % (8 * len(self.secret))
        self.size = int(cipher.split("_")[2]) // 8
        self.count = 0

    def record(self, kind, content):
        """One record."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = int.from_bytes(self._derived(b"iv", 12), "big") ^ self.count
        self.count += 1
        head = struct.pack(">BHH", DATA, 0x0303, len(content) + 17)
        key = AESGCM(self._derived(b"key", self.size))
        return head + key.encrypt(nonce.to_bytes(12, "big"), content + bytes([kind]), head)

    def update(self, asks):
        """A record that says: new keys from here on; and whether the client is to do the same."""
        made = self.record(HANDSHAKE, b"\x18\0\0\1" + bytes([asks]))
        self.secret = self._derived(b"traffic upd", len(self.secret))
        self.count = 0
        return made

    def _derived(self, label, size):
        # HKDF-Expand-Label, of which one block is enough.
        label = b"tls13 " + label
        told = struct.pack(">HB", size, len(label)) + label + b"\0\1"
        return hmac.new(self.secret, told, self.hash).digest()[:size]
