"""Every option of the header does something: a call without it goes one way, and the same call with it another.

``test_every_option_has_an_effect`` goes through the header, so an option without its case fails.  A case is a function
here, which makes both calls by ``call.c``, on the caller's thread and in the background; or the name of one elsewhere
that does the same: of a C program's, or of ``test_policy.py``.
"""

import gzip
import re
import socket
import subprocess

import pytest
from abi.toolchain import HEADER, HERE
from server.certs import PASSWORD
from server.steps import answer, close, head, notify, request, send, serve, wait

if not HEADER.exists():
    pytest.skip("no header yet", allow_module_level=True)

NUMBERS = dict(re.findall(r"#define RQX_OPT_(\w+) (\d+)", HEADER.read_text(encoding="utf-8")))
SHORT = 150_000_000  # ns
EFFECTS = {}
ELSEWHERE = {
    "QUEUE_TIMEOUT_NS": "test_client.c waiting_for_a_place_has_a_limit",
    "RESOLVE_TIMEOUT_NS": "test_resolver.c looking_up_has_a_limit",
    "DNS_CACHE_NS": "test_resolver.c what_was_found_is_kept_for_a_time",
    "LOW_SPEED_BYTES": "test_response.c a_body_that_comes_too_slowly_is_a_timeout",
    "LOW_SPEED_NS": "test_response.c a_body_that_comes_too_slowly_is_a_timeout",
    "MAX_CONNECTIONS": "test_client.c a_limit_makes_others_wait",
    "MAX_CONNECTIONS_PER_HOST": "test_client.c a_limit_makes_others_wait",
    "MAX_IDLE_PER_HOST": "test_client.c idle_connections_are_kept_up_to_a_limit",
    "IDLE_TIMEOUT_NS": "test_client.c idle_connections_are_kept_for_a_time",
    "MAX_HEAD_BYTES": "test_response.c a_head_has_the_bound_that_was_set",
    "MAX_DECODED_BYTES": "test_response.c what_is_kept_whole_grows_within_its_limits",
    "PROXY_ENVIRONMENT": "test_proxy.c the_environment_is_read_where_that_is_asked_for",
    "NO_PROXY": "test_proxy.c some_hosts_are_spoken_to_directly",
    "TRUST_PROXY": "test_names.c a_proxy_is_told_no_names_unless_it_is_trusted",
    "ALLOW_ADDRESSES": "test_names.c only_what_is_allowed_is_connected_to",
    "DENY_ADDRESSES": "test_names.c only_what_is_allowed_is_connected_to",
    "RESOLVE": "test_names.c a_host_has_the_addresses_that_the_caller_names",
    "MAX_REDIRECTS": "test_policy.py test_a_redirect_is_followed_on_its_connection_and_told",
    "REDIRECT_TO_HTTP": "test_policy.py test_https_to_http_may_be_forbidden",
    "RETRY_ANY_METHOD": "test_policy.py test_a_post_is_repeated_only_if_that_is_said",
    "RETRY_BUDGET": "test_policy.py test_a_budget_is_the_clients",
    "AUTH": "test_policy.py test_basic_is_not_said_where_digest_is_wanted",
    "COOKIES": "test_policy.py test_cookies_come_back",
}


def effect(*names):
    """The function is the case of these options."""

    def note(case):
        EFFECTS.update((name, case) for name in names)
        return case

    return note


class Scene:
    """What a case has: servers, and calls with options by their names in lower case."""

    def __init__(self, build, where, tools):
        self.program = build("call")
        self.where = where
        self.__dict__.update(tools)

    def call(self, url, *words, **options):
        """The lines that ``call.c`` prints."""
        chosen = ["%s=%s" % (NUMBERS[name.upper()], value) for name, value in options.items()]
        command = [self.program, url, *self.where, *words, *chosen]
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=60, check=True)
        return done.stdout.decode("latin-1").splitlines()

    def waits(self, phase, url, *words, **options):
        """A call that ends in this phase: whether it was its own limit that ended it, and not the total."""
        said = self.call(url, *words, **options)[0]
        assert said.startswith("RQX_E_TIMEOUT ") and "limit reached in phase " + phase in said, said
        return "total time limit" not in said


@pytest.fixture(params=["here", "background"])
def scene(request, build, listen, wire, server, certs, tool, tmp_path, monkeypatch):
    where = ["background"] if request.param == "background" else []
    names = ("listen", "wire", "server", "certs", "tool", "tmp_path", "monkeypatch")
    here = locals()
    return Scene(build, where, {name: here[name] for name in names})


@pytest.mark.parametrize("name", NUMBERS)
def test_every_option_has_an_effect(scene, name):
    """What it changes is seen, by a case of its own."""
    assert name in EFFECTS or name in ELSEWHERE, "RQX_OPT_%s has no case in %s" % (name, __file__)
    if name in EFFECTS:
        EFFECTS[name](scene)
        return
    file, case = ELSEWHERE[name].split()
    text = (HERE / file).read_text(encoding="utf-8")
    if file.endswith(".c"):
        assert len(re.findall(r"\b%s\(" % case, text)) == 2, "it is defined, and called by main"
        body = re.search(r"\b%s\(void\) \{\n(.*?)\n\}" % case, text, re.S).group(1)
        assert re.search(r"\bRQX_OPT_%s\b" % name, body)
    else:
        (word,) = re.findall(r'\{"(\w+)", RQX_OPT_%s\}' % name, (HERE / "call.c").read_text(encoding="utf-8"))
        body = re.search(r"\ndef %s\(.*?(?=\n\n\n|\Z)" % case, text, re.S).group(0)
        assert '"%s=' % word in body


# Time


@effect("CONNECT_TIMEOUT_NS", "ESTABLISH_TIMEOUT_NS", "TOTAL_TIMEOUT_NS")
def connecting(scene):
    url = scene.listen("wire", accept=False, backlog=0).url
    assert not scene.waits("connect", url, total_timeout_ns=SHORT)
    assert scene.waits("connect", url, connect_timeout_ns=SHORT)
    assert scene.waits("connect", url, establish_timeout_ns=SHORT)


@effect("SECURE_TIMEOUT_NS")
def securing(scene):
    site = scene.wire(*[[wait("never")]] * 3, tls={"chain": scene.certs.good}, later=True)
    assert not scene.waits("secure", site.url, total_timeout_ns=SHORT, connect_timeout_ns=SHORT)
    assert scene.waits("secure", site.url, secure_timeout_ns=SHORT)
    assert scene.waits("secure", site.url, establish_timeout_ns=SHORT)


@effect("TUNNEL_TIMEOUT_NS")
def tunnelling(scene):
    site = scene.wire(*[[head(), wait("never")]] * 2)
    assert not scene.waits("tunnel", "https://origin.test/", proxy_url=site.url, total_timeout_ns=SHORT)
    assert scene.waits("tunnel", "https://origin.test/", proxy_url=site.url, tunnel_timeout_ns=SHORT)


@effect("SEND_TIMEOUT_NS")
def sending(scene):
    site = scene.wire(*[[head(), wait("never")]] * 2)
    large = ["method=POST", "size=%d" % (16 << 20)]
    assert not scene.waits("send", site.url, *large, total_timeout_ns=2 * SHORT)
    assert scene.waits("send", site.url, *large, send_timeout_ns=SHORT)


@effect("AWAIT_TIMEOUT_NS")
def awaiting(scene):
    site = scene.wire(*[[request(), wait("never")]] * 2)
    assert not scene.waits("await", site.url, total_timeout_ns=SHORT, read_timeout_ns=SHORT)
    assert scene.waits("await", site.url, await_timeout_ns=SHORT)


@effect("READ_TIMEOUT_NS")
def reading(scene):
    site = scene.wire(*[[request(), send(answer(b"half")[:-2]), wait("never")]] * 2)
    assert not scene.waits("read", site.url, total_timeout_ns=SHORT, await_timeout_ns=SHORT // 3)
    assert scene.waits("read", site.url, read_timeout_ns=SHORT)


# What is kept, and what comes


@effect("MAX_IDLE_HOSTS")
def idle_hosts(scene):
    for limit, opened in ((0, 1), (1, 2)):
        there = scene.wire(*[serve() * 2] * 2)
        here = scene.wire(*[serve(b"", b"Location: " + there.url.encode(), status=b"302 X") * 2] * 2)
        scene.call(here.url, "times=2", "redirects=1", max_idle_hosts=limit)
        assert len(here.connections) == opened


@effect("DECODE")
def decoding(scene):
    site = scene.wire(*[serve(gzip.compress(b"plain"), b"Content-Encoding: gzip")] * 2)
    assert scene.call(site.url) == ["200  plain"]
    assert scene.call(site.url, decode=0)[0].startswith("200  \x1f\x8b")


@effect("MAX_DECODED_RATIO")
def decoded_ratio(scene):
    bomb = gzip.compress(bytes(70 << 20))  # a thousand for one, and beyond what is let through in any case
    site = scene.wire(*[serve(bomb, b"Content-Encoding: gzip")] * 2)
    assert scene.call(site.url, total_timeout_ns=0) == ["200   RQX_E_TOO_LARGE"]
    assert scene.call(site.url, total_timeout_ns=0, max_decoded_ratio=0) == ["200  "]


@effect("HTTP_VERSION")
def http_version(scene):
    site = scene.listen("everyday", tls={"chain": scene.certs.good, "alpn": ["http/1.1"]})
    trusting = {"danger_accept_invalid_certs": 1}
    assert scene.call(site.url + "/get", **trusting)[0].startswith("200 ")
    assert scene.call(site.url + "/get", http_version=2, **trusting)[0].startswith("RQX_E_PROTOCOL ")


# Where it goes


@effect("LOCAL_ADDRESS")
def local_address(scene):
    site = scene.wire(serve(), serve())
    scene.call(site.url)
    scene.call(site.url, local_address="127.0.0.9:0")
    assert [each["address"] for each in site.connections] == ["127.0.0.1", "127.0.0.9"]


@effect("SOCKET_OPTIONS")
def socket_options(scene):
    site = scene.wire(serve(), serve())
    scene.call(site.url)
    scene.call(site.url, socket_options="%d,%d,700" % (socket.IPPROTO_TCP, socket.TCP_MAXSEG))
    usual, said = (each["segment"] for each in site.connections)
    assert said <= 700 < usual


@effect("UNIX_SOCKET")
def unix_socket(scene):
    path = str(scene.tmp_path / "a socket")
    scene.wire(serve(b"local"), path=path)
    assert scene.call("http://no-such-host.invalid/")[0].startswith("RQX_E_DNS ")
    assert scene.call("http://no-such-host.invalid/", unix_socket=path) == ["200  local"]


@effect("PROXY_URL", "PROXY_USER", "PROXY_PASSWORD", "PROXY_HEADER")
def proxy(scene):
    site = scene.wire(*[serve(b"proxied")] * 3)
    assert scene.call("http://no-such-host.invalid/")[0].startswith("RQX_E_DNS ")
    assert scene.call("http://no-such-host.invalid/", proxy_url=site.url) == ["200  proxied"]
    scene.call("http://no-such-host.invalid/", proxy_url=site.url, proxy_user="ann", proxy_password="p:w@x")
    scene.call("http://no-such-host.invalid/", proxy_url=site.url, proxy_header="X-Told: once")
    told = [(each.field(b"Proxy-Authorization"), each.field(b"X-Told")) for each in site.requests]
    assert told == [([], []), ([b"Basic YW5uOnA6d0B4"], []), ([], [b"once"])]


@effect("RETRIES", "RETRY_BACKOFF_NS", "RETRY_MAX_WAIT_NS")
def retries(scene):
    def outcome(*fields, **options):
        site = scene.wire(serve(b"no", *fields, status=b"503 Busy") + serve())
        return scene.call(site.url, **options)[0][:3]

    assert outcome() == "503"
    assert outcome(retries=1, retry_backoff_ns=1) == "200"
    assert outcome(retries=1, retry_backoff_ns=1 << 60, retry_max_wait_ns=1 << 60) == "503"  # the total would be over
    assert outcome(b"Retry-After: 1", retries=1) == "200"
    assert outcome(b"Retry-After: 1", retries=1, retry_max_wait_ns=SHORT) == "503"


@effect("USER", "PASSWORD")
def user(scene):
    site = scene.wire(*[serve()] * 3)
    scene.call(site.url)
    scene.call(site.url, user="ann")
    scene.call(site.url, user="ann", password="secret")
    told = [each.field(b"Authorization") for each in site.requests]
    assert told == [[], [b"Basic YW5uOg=="], [b"Basic YW5uOnNlY3JldA=="]]


# TLS, with an origin and with a proxy


class Secured:
    """
    A server over TLS that is the origin or the proxy, and calls to it whose options are said of the one or the other.
    """

    def __init__(self, scene, proxied, chain, **tls):
        self.scene, self.proxied = scene, proxied
        scripts = [serve(b"ok", b"Connection: close") + [notify()]] * 6
        self.site = scene.wire(*scripts, tls=dict(chain=getattr(scene.certs, chain), **tls))

    def well(self, *words, host="localhost", **options):
        """Whether a call with these options is answered; else it says what was wrong."""
        if self.proxied:
            options = {"proxy_" + name: value for name, value in options.items()}
            said = self.scene.call("http://origin.test/", *words, proxy_url=self.site.at(host), **options)
        else:
            said = self.scene.call(self.site.at(host), *words, **options)
        refusals = ("RQX_E_PROXY ",) if self.proxied else ("RQX_E_TLS ", "RQX_E_TLS_VERIFY ", "RQX_E_RESET ")
        assert said[0] == "200  ok" or said[0].startswith(refusals), said
        return said[0] == "200  ok"

    @property
    def seen(self):
        return [each["tls"] for each in self.site.connections]


def of_tls(*names):
    """The case is asked twice: for the option of the origin, and for that of the proxy."""

    def note(case):
        for name in names:
            EFFECTS[name] = lambda scene: case(scene, False)
            EFFECTS["PROXY_" + name] = lambda scene: case(scene, True)
        return case

    return note


@of_tls("CA_FILE", "CA_FOLDER", "CA_DATA")
def authorities(scene, proxied):
    site, ca = Secured(scene, proxied, "good"), scene.certs.ca
    found = subprocess.run([scene.tool("openssl"), "x509", "-hash", "-noout", "-in", ca], stdout=subprocess.PIPE)
    (scene.tmp_path / (found.stdout.decode().strip() + ".0")).symlink_to(ca)
    assert not site.well()
    assert site.well(ca_file=ca)
    assert site.well(ca_folder=scene.tmp_path)
    with open(ca) as file:
        assert site.well(ca_data=file.read())


@of_tls("CA_PLATFORM")
def platform(scene, proxied):
    site = Secured(scene, proxied, "good")
    scene.monkeypatch.setenv("SSL_CERT_FILE", scene.certs.ca)
    assert not site.well(ca_file=scene.certs.other_ca)
    assert site.well(ca_file=scene.certs.other_ca, ca_platform=1)


@of_tls("CA_FALLBACK_FILE")
def no_platform(scene, proxied):
    site, ca = Secured(scene, proxied, "good"), scene.certs.ca
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        scene.monkeypatch.setenv(name, str(scene.tmp_path / "none"))
    own = {"ca_file": scene.certs.other_ca, "ca_platform": 1}  # else a proxy's options are the origin's
    assert not site.well(**own)
    assert site.well(ca_fallback_file=ca, **own)
    scene.monkeypatch.setenv("SSL_CERT_FILE", scene.certs.other_ca)
    assert not site.well(ca_fallback_file=ca, **own)


@of_tls("DANGER_ACCEPT_INVALID_CERTS")
def invalid(scene, proxied):
    site = Secured(scene, proxied, "self_signed")
    assert not site.well()
    assert site.well(danger_accept_invalid_certs=1)


@of_tls("DANGER_ACCEPT_ANY_HOST", "SERVER_NAME", "VERIFY_NAME")
def names(scene, proxied):
    site, trusting = Secured(scene, proxied, "wrong_host"), {"ca_file": scene.certs.ca}
    assert not site.well(**trusting)
    assert site.well(danger_accept_any_host=1, **trusting)
    assert site.well(verify_name="example.org", **trusting)
    assert site.well(server_name="example.org", **trusting)
    assert [each.get("sni") for each in site.seen[1:]] == ["localhost", "localhost", "example.org"]


@of_tls("TLS_PINS")
def pins(scene, proxied):
    site, trusting = Secured(scene, proxied, "good"), {"ca_file": scene.certs.ca}
    assert site.well(**trusting)
    assert not site.well(tls_pins="sha1/" + "01" * 20, **trusting)


@of_tls("TLS_MIN_VERSION", "TLS_MAX_VERSION")
def versions(scene, proxied):
    old, new = Secured(scene, proxied, "good", max="TLSv1_2"), Secured(scene, proxied, "good", min="TLSv1_3")
    trusting = {"ca_file": scene.certs.ca}
    assert old.well(**trusting) and new.well(**trusting)
    assert not old.well(tls_min_version=13, **trusting)
    assert not new.well(tls_max_version=12, **trusting)


@of_tls("DANGER_TLS_MIN_VERSION")
def old_versions(scene, proxied):
    site = Secured(scene, proxied, "good", min="TLSv1", max="TLSv1_1", ciphers="DEFAULT:@SECLEVEL=0")
    assert not site.well(ca_file=scene.certs.ca)
    assert site.well(ca_file=scene.certs.ca, danger_tls_min_version=10)


@of_tls("TLS_VERIFY_FLAGS")
def verify_flags(scene, proxied):
    site = Secured(scene, proxied, "through")
    assert site.well(ca_file=scene.certs.between)
    assert not site.well(ca_file=scene.certs.between, tls_verify_flags=0)


@of_tls("DANGER_LEGACY_RENEGOTIATION")
def renegotiation(scene, proxied):
    # TLS 1.2, ECDHE-RSA-AES128-GCM-SHA256, and no extensions: RFC 5746 is not known there.
    hello = b"\x02\0\0\x26\x03\x03" + bytes(32) + b"\0\xc0\x2f\0"
    record = b"\x16\x03\x03\0" + bytes([len(hello)]) + hello
    site = scene.wire(*[[send(record), close()]] * 2)
    url = "https" + site.url[4:]
    to = {"proxy_url": url} if proxied else {}
    word, url = ("proxy_" if proxied else "") + "danger_legacy_renegotiation", "http://o.test/" if proxied else url
    assert "unsafe legacy renegotiation disabled" in scene.call(url, **to)[0]
    assert "unsafe legacy renegotiation disabled" not in scene.call(url, **{word: 1}, **to)[0]


@of_tls("TLS_RESUME")
def resumption(scene, proxied):
    for options, reused in (({}, [False, True]), ({"tls_resume": 0}, [False, False])):
        site = Secured(scene, proxied, "good", max="TLSv1_2")
        assert site.well("times=2", ca_file=scene.certs.ca, **options)
        assert [each["reused"] for each in site.seen] == reused


@of_tls("CLIENT_CERT_FILE", "CLIENT_KEY_FILE", "CLIENT_KEY_PASSWORD")
def identity(scene, proxied):
    certs = scene.certs
    site, trusting = Secured(scene, proxied, "good", client_ca=certs.ca, max="TLSv1_2"), {"ca_file": certs.ca}
    assert not site.well(**trusting)
    assert site.well(client_cert_file=certs.alice, **trusting)
    assert not site.well(client_cert_file=certs.alice_cert, **trusting)
    assert site.well(client_cert_file=certs.alice_cert, client_key_file=certs.alice_key, **trusting)
    assert not site.well(client_cert_file=certs.alice_encrypted, **trusting)
    assert site.well(client_cert_file=certs.alice_encrypted, client_key_password=PASSWORD, **trusting)


@of_tls("CIPHERS", "CIPHERSUITES")
def ciphers(scene, proxied):
    trusting = {"ca_file": scene.certs.ca}
    for name, one, other, highest in [
        ("ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "TLSv1_2"),
        ("ciphersuites", "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLSv1_3"),
    ]:
        site = Secured(scene, proxied, "good", max=highest)
        assert all(site.well(**{name: cipher}, **trusting) for cipher in (one, other))
        assert [each["cipher"] for each in site.seen] == [one, other]


@of_tls("TLS_KEYLOG_FILE")
def keylog(scene, proxied):
    site, file = Secured(scene, proxied, "good"), scene.tmp_path / "keys"
    assert site.well(ca_file=scene.certs.ca) and not file.exists()
    assert site.well(ca_file=scene.certs.ca, tls_keylog_file=file)
    assert "SECRET" in file.read_text() or "CLIENT_RANDOM" in file.read_text()
