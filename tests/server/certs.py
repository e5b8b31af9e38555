"""Certificates for the tests: one good authority, and every way in which a certificate may be wrong.

``trustme`` makes the ordinary ones.  Those it rightly refuses to make (expired, without a subject alternative name,
self-signed) are built with ``cryptography``, which trustme stands on.
"""

import datetime
import ipaddress
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # cryptography's farewell to older Pythons
    import trustme
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import pkcs12
    from cryptography.x509.oid import NameOID

PASSWORD = "a secret"
HOSTS = ("localhost", "127.0.0.1", "::1")
LOOPBACK = ipaddress.ip_address("127.0.0.1")


class Certificates:
    """
    PEM files in a folder, each an attribute holding a path as text.

    Attributes:
        authority: the one behind ``ca``, for what a test makes itself.
        ca, other_ca: authorities (``other_ca`` signed nothing but ``stranger``).
        good, wrong_host, stranger, expired, cn_only, self_signed: key and chain of a server.
        mail_only, address_only: localhost is the common name, and something else the alternative one.
        loose: without what names its authority, which RFC 5280 wants.
        not_yet, weak: of tomorrow; with an RSA key of 1024 bits.
        through, gap: signed by an intermediate authority, which the chain of ``gap`` leaves out.
        nul, wildcard, address_wildcard, idn_wildcard: names that are no names of localhost.
        alice, bob: key and chain of a client, signed by ``ca``; ``alice_cert`` and ``alice_key`` apart.
        alice_encrypted, alice_pkcs1, alice_pkcs12: her key with PASSWORD, in the old form, and all of it in one file.
    """

    def __init__(self, folder):
        self.folder = folder
        authority, other = trustme.CA(), trustme.CA()
        self.authority = authority
        self.ca = self._write("ca.pem", authority.cert_pem)
        self.other_ca = self._write("other_ca.pem", other.cert_pem)
        self.good = self._leaf("good", authority.issue_cert(*HOSTS))
        self.wrong_host = self._leaf("wrong_host", authority.issue_cert("example.org"))
        self.stranger = self._leaf("stranger", other.issue_cert(*HOSTS))
        alice = authority.issue_cert("alice@example.org", common_name="alice")
        self.alice = self._leaf("alice", alice)
        self.alice_cert = self._write("alice_cert.pem", *alice.cert_chain_pems)
        self.alice_key = self._write("alice_key.pem", alice.private_key_pem)
        self.bob = self._leaf("bob", authority.issue_cert("bob@example.org", common_name="bob"))
        self.expired = self._odd("expired", authority, age=30, lasts=10)
        self.cn_only = self._odd("cn_only", authority, names=())
        self.mail_only = self._odd("mail_only", authority, names=(x509.RFC822Name("a@localhost"),))
        self.address_only = self._odd("address_only", authority, names=(x509.IPAddress(LOOPBACK),))
        self.self_signed = self._odd("self_signed", None)
        self.loose = self._odd("loose", authority)
        self.not_yet = self._odd("not_yet", authority, age=-1)
        self.weak = self._odd("weak", authority, key=rsa.generate_private_key(65537, 1024))
        self.nul = self._odd("nul", authority, names=("localhost\0.example.org",))
        self.address_wildcard = self._odd("address_wildcard", authority, names=("*.0.0.1",))
        self.idn_wildcard = self._odd("idn_wildcard", authority, names=("xn--*.localhost", "*.xn--localhost"))
        between = authority.create_child_ca()
        through = between.issue_cert(*HOSTS)
        self.through = self._leaf("through", through)
        self.gap = self._write("gap.pem", through.private_key_pem, through.cert_chain_pems[0])
        self.between = self._write("between.pem", between.cert_pem)
        self._alices(alice)

    def _write(self, name, *blobs):
        path = self.folder / name
        path.write_bytes(b"".join(blob if isinstance(blob, bytes) else blob.bytes() for blob in blobs))
        return str(path)

    def _leaf(self, name, leaf):
        return self._write(name + ".pem", leaf.private_key_and_cert_chain_pem)

    def _alices(self, alice):
        key = serialization.load_pem_private_key(alice.private_key_pem.bytes(), None)
        pem = serialization.Encoding.PEM
        locked = serialization.BestAvailableEncryption(PASSWORD.encode())
        plain = serialization.NoEncryption()
        for name, form, lock in [
            ("alice_encrypted", serialization.PrivateFormat.PKCS8, locked),
            ("alice_pkcs1", serialization.PrivateFormat.TraditionalOpenSSL, plain),
            ("alice_pkcs1_encrypted", serialization.PrivateFormat.TraditionalOpenSSL, locked),
        ]:
            chain = [blob.bytes() for blob in alice.cert_chain_pems]
            setattr(self, name, self._write(name + ".pem", key.private_bytes(pem, form, lock), *chain))
        own, *above = [x509.load_pem_x509_certificate(blob.bytes()) for blob in alice.cert_chain_pems]
        made = pkcs12.serialize_key_and_certificates(b"alice", key, own, above, locked)
        self.alice_pkcs12 = self._write("alice.p12", made)

    def sign(self, name, public):
        """A client's certificate for a public key, by the good authority."""
        now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
        issuer = x509.load_pem_x509_certificate(self.authority.cert_pem.bytes()).subject
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = serialization.load_pem_private_key(self.authority.private_key_pem.bytes(), None)
        maker = x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number())
        return maker.not_valid_before(now - day).not_valid_after(now + day).sign(signer, hashes.SHA256())

    def _odd(self, name, authority, age=1, lasts=60, names=("localhost",), key=None):
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        issuer, signer = subject, key
        if authority is not None:
            issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes()).subject
            signer = serialization.load_pem_private_key(authority.private_key_pem.bytes(), None)
        start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=age)
        maker = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        maker = maker.not_valid_before(start).not_valid_after(start + datetime.timedelta(days=lasts))
        if names:
            alternative = x509.SubjectAlternativeName(
                [x509.DNSName(each) if isinstance(each, str) else each for each in names]
            )
            maker = maker.add_extension(alternative, critical=False)
        made = maker.sign(signer, hashes.SHA256())
        pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        secret = key.private_bytes(pem, private, serialization.NoEncryption())
        return self._write(name + ".pem", secret, made.public_bytes(pem))
