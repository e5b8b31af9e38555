"""Certificates that nobody honest has: keys that cannot sign, huge ones, long chains, and bytes that are none at all.

A server needs no key to show them: up to TLS 1.2 certificates travel in the clear, before there is any secret.
"""

import datetime
import random
import struct
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.x509.oid import NameOID
from server.steps import receive, send

# verify=False warns, which is not what these tests are about.
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS")

HANDSHAKE, HELLO, CERTIFICATE, KEY_EXCHANGE, DONE = 22, 2, 11, 12, 14
ECDHE_RSA = b"\xc0\x2f"
MUTANTS = 100


def vector(content, size):
    return len(content).to_bytes(size, "big") + content


def message(kind, content):
    return bytes([kind]) + vector(content, 3)


def shows(*chain, signature=b""):
    """The script of a server that shows these certificates in DER, and knows no key that fits."""
    secure_renegotiation = b"\xff\x01" + vector(b"\0", 2)
    hello = b"\3\3" + bytes(range(32)) + b"\0" + ECDHE_RSA + b"\0" + vector(secure_renegotiation, 2)
    flight = message(HELLO, hello) + message(CERTIFICATE, vector(b"".join(vector(der, 3) for der in chain), 3))
    if signature:
        point = b"\3\0\x1d" + vector(b"\x09" + bytes(31), 1)
        flight += message(KEY_EXCHANGE, point + b"\4\1" + vector(signature, 2))
    flight += message(DONE, b"")
    pieces = [flight[at : at + 16000] for at in range(0, len(flight), 16000)]
    return [receive(100), send(b"".join(struct.pack(">BHH", HANDSHAKE, 0x0303, len(each)) + each for each in pieces))]


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Maker:
    """Signs whatever it is given."""

    def __init__(self, certs):
        self.top = x509.load_pem_x509_certificate(certs.authority.cert_pem.bytes()).subject
        self.key = serialization.load_pem_private_key(certs.authority.private_key_pem.bytes(), None)

    def certificate(self, public, subject="localhost", issuer=None, key=None, authority=False):
        """One for this public key, signed by the good authority where no other is named."""
        now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
        made = x509.CertificateBuilder(named(issuer) if issuer else self.top, named(subject), public)
        made = made.serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)
        made = made.add_extension(x509.BasicConstraints(authority, None), critical=True)
        if not authority:
            made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
        return made.sign(key or self.key, hashes.SHA256())


@pytest.fixture
def maker(certs):
    return Maker(certs)


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(*certificates, key):
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    blobs = [key.private_bytes(serialization.Encoding.PEM, *form)]
    return b"".join(blobs + [each.public_bytes(serialization.Encoding.PEM) for each in certificates])


def small():
    return ec.generate_private_key(ec.SECP256R1())


def refused(world, site, **more):
    """It is an SSLError in good time; a fault of ours would be no such error."""
    began = time.monotonic()
    with pytest.raises(world.requestx.exceptions.SSLError) as caught:
        world.get(site.url.replace("http:", "https:").replace("127.0.0.1", "localhost"), timeout=10, **more)

    assert time.monotonic() - began < 2
    return str(caught.value)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_no_certificate_is_refused(world, wire, certs, maker, seed):
    """Whatever bytes were changed, left out or put in, and whether they are looked at or not."""
    chance, good = random.Random(seed), der(maker.certificate(small().public_key()))
    mutants = []
    for _ in range(MUTANTS // 4):
        mutant = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(mutant))
            mutant[at : at + chance.randint(0, 2)] = chance.choice([b"", bytes([chance.randrange(256)]), b"\xff\xff"])
        mutants.append(bytes(mutant))
    site = wire(*[shows(mutant) for mutant in [b"", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", *mutants] * 2])

    for _ in range(MUTANTS // 4 + 3):
        refused(world, site, verify=certs.ca)
        refused(world, site, verify=False)


ODD = {
    "cannot sign": lambda: x25519.X25519PrivateKey.generate(),
    "dsa": lambda: dsa.generate_private_key(1024),
    "ed25519": lambda: ed25519.Ed25519PrivateKey.generate(),
    "elliptic": small,
}


@pytest.mark.parametrize("kind", sorted(ODD))
def test_a_key_of_another_kind_than_was_agreed_upon(world, wire, certs, maker, kind):
    """The suite is for RSA."""
    odd = der(maker.certificate(ODD[kind]().public_key()))
    site = wire(*[shows(odd, signature=bytes(64))] * 2)

    refused(world, site, verify=certs.ca)
    refused(world, site, verify=False)


SIGNS = {
    "ed25519": lambda: ed25519.Ed25519PrivateKey.generate(),
    "ed448": lambda: ed448.Ed448PrivateKey.generate(),
    "p-521": lambda: ec.generate_private_key(ec.SECP521R1()),
}


@pytest.mark.parametrize("kind", sorted(SIGNS))
def test_rare_keys_that_can_sign_are_taken_or_refused(world, listen, certs, maker, tmp_path, kind):
    """Which it is depends on the system's TLS; it is never anything else."""
    key = SIGNS[kind]()
    (tmp_path / "chain.pem").write_bytes(pem(maker.certificate(key.public_key()), key=key))
    site = listen("everyday", tls={"chain": str(tmp_path / "chain.pem")})
    try:
        assert world.get(site.at("localhost") + "/get", verify=certs.ca, timeout=10).ok
    except world.requestx.exceptions.SSLError:
        assert site.requests == []


@pytest.mark.parametrize("bits", [16384, 65536])
@pytest.mark.parametrize("place", ["leaf", "authority"])
def test_huge_keys_cost_little(world, wire, certs, maker, place, bits):
    """A signature is checked by them, or they are too large for that (CVE-2023-29409)."""
    huge = rsa.RSAPublicNumbers(65537, (1 << bits) - 1).public_key()
    signature = b"\x01" * (bits // 8)
    if place == "leaf":
        site = wire(shows(der(maker.certificate(huge)), signature=signature))
    else:
        above = der(maker.certificate(huge, "huge", authority=True))
        faked = rsa.generate_private_key(65537, 2048)
        leaf = der(maker.certificate(faked.public_key(), issuer="huge", key=faked))
        # Its signature has the size of the key that it claims to be of: the last bit string, and with it the whole.
        body = leaf[4:-261]
        end = b"\x03\x82" + vector(b"\0" + signature, 2) if bits == 16384 else leaf[-261:]
        site = wire(shows(b"\x30\x82" + vector(body + end, 2), above))

    refused(world, site, verify=certs.ca)


def test_a_hundred_authorities_in_a_row(world, listen, certs, maker, tmp_path):
    """They are followed to the end, or are too many, in no time."""
    keys = [small() for _ in range(101)]
    chain = [maker.certificate(keys[100].public_key(), "100", authority=True)]
    for number in range(99, 0, -1):
        above = keys[number + 1]
        chain.append(maker.certificate(keys[number].public_key(), str(number), str(number + 1), above, authority=True))
    chain.append(maker.certificate(keys[0].public_key(), issuer="1", key=keys[1]))
    (tmp_path / "chain.pem").write_bytes(pem(*chain[::-1], key=keys[0]))
    site = listen("everyday", tls={"chain": str(tmp_path / "chain.pem")})
    began = time.monotonic()
    try:
        assert world.get(site.at("localhost") + "/get", verify=certs.ca, timeout=10).ok
    except world.requestx.exceptions.SSLError:
        assert site.requests == []

    assert time.monotonic() - began < 2


def test_a_maze_of_authorities_leads_nowhere_soon(world, wire, certs, maker):
    """Ten names with ten keys each that sign each other: ten ways on from each, and no way out (RUSTSEC-2023-0053)."""
    keys = [[small() for _ in range(10)] for _ in range(10)]
    maze = [
        der(maker.certificate(key.public_key(), str(name), str((name + 1) % 10), keys[(name + 1) % 10][-turn], True))
        for name in range(10)
        for turn, key in enumerate(keys[name])
    ]
    leaf = maker.certificate(small().public_key(), issuer="0", key=keys[0][0])

    assert "certificate" in refused(world, wire(shows(der(leaf), *maze)), verify=certs.ca)
