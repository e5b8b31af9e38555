"""What both forms of server share: accepting, TLS, marks, and the record of every connection.

``Marks`` are named events.  Scripts wait for them and set them, tests do the same over the control socket: that is how
nobody here sleeps.
"""

import socket
import ssl
import threading
import time
import warnings


class Marks:
    """
    Named events that may be set before anybody waits for them.
    """

    def __init__(self):
        self._changed = threading.Condition()
        self._met = set()

    def set(self, name):
        with self._changed:
            self._met.add(name)
            self._changed.notify_all()

    def wait(self, name, limit=10.0):
        with self._changed:
            return self._changed.wait_for(lambda: name in self._met, limit)


class Connection:
    """
    One accepted connection, and all that is known of it.
    """

    def __init__(self, sock, number):
        self.sock = sock
        peer = sock.getpeername()
        self.address = peer[0] if isinstance(peer, tuple) else "unix"
        # As long as the client said that its segments may be.
        self.segment = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) if self.address != "unix" else 0
        self.number = number
        self.opened = time.monotonic()
        self.closed = None
        self.end = ""  # "" (open), "eof", "reset", "closed" (by us), "tls" (the handshake failed)
        self.received = bytearray()
        self.requests = []
        self.heard = []
        self.sent = 0
        self.tls = {}

    def finish(self, how):
        if not self.end:
            self.end = how
            self.closed = time.monotonic()

    def record(self):
        return {
            "address": self.address,
            "segment": self.segment,
            "opened": self.opened,
            "closed": self.closed,
            "end": self.end,
            "received": self.received.decode("latin-1"),
            "requests": self.requests,
            "heard": self.heard,
            "sent": self.sent,
            "tls": self.tls,
        }


class Listener:
    """
    Accepts on loopback and hands every connection to ``attend`` in a thread of its own.

    Args:
        tls: None, or a dict with ``chain`` (PEM file: key and certificates), and optionally ``client_ca`` (a client
            certificate is then demanded), ``alpn``, ``max`` and ``min`` (protocol versions, as ssl.TLSVersion names
            them), ``ciphers`` (OpenSSL's list, for weak keys and old versions), ``tickets`` (how many are sent), and
            ``keylog`` (a file for the secrets).
        host: the address to listen on.
        backlog: how many connections the system may hold; 0 for tests that want connecting to hang.
        accept: False leaves every connection in the backlog.
        later: TLS starts when the script says so, not at once.
        path: of a Unix socket to listen on as well.
    """

    def __init__(self, tls=None, host="127.0.0.1", backlog=256, accept=True, later=False, path=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host, 0))
        self.sock.listen(backlog)
        self.port = self.sock.getsockname()[1]
        self.marks = Marks()
        self.connections = []
        self.lock = threading.Lock()
        self.context = tls and server_context(**tls)
        self.later = later
        self.stop = False
        self._fillers = []
        if accept:
            threading.Thread(target=self._accept, args=(self.sock,), daemon=True).start()
        elif backlog == 0:
            self._fill()

        if path:
            local = socket.socket(socket.AF_UNIX)
            local.bind(path)
            local.listen(backlog)
            self._fillers.append(local)
            threading.Thread(target=self._accept, args=(local,), daemon=True).start()

    def _fill(self):
        # A full backlog makes Linux drop further SYNs: the client's connect hangs.  An event, not a sleep: a connect
        # that does not succeed at once is the sign that it is full.
        for _ in range(8):
            filler = socket.socket(self.sock.family)
            filler.settimeout(0.1)
            self._fillers.append(filler)
            try:
                filler.connect(self.sock.getsockname())
            except (socket.timeout, OSError):
                break

    def _accept(self, listening):
        while not self.stop:
            try:
                sock, _ = listening.accept()
            except OSError:
                return
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                connection = Connection(sock, len(self.connections))
                self.connections.append(connection)
            threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def _attend(self, connection):
        self.marks.set("open %d" % connection.number)
        try:
            if self.context and not self.later:
                self.secure(connection)
            self.attend(connection)
        except ssl.SSLError as problem:
            connection.tls.setdefault("problem", str(problem))
            connection.finish("tls")
        except (ConnectionResetError, BrokenPipeError):
            connection.finish("reset")
        except OSError:
            connection.finish("closed")
        finally:
            connection.sock.close()
            connection.finish("closed")
            self.marks.set("closed %d" % connection.number)

    def secure(self, connection):
        connection.sock = self.context.wrap_socket(connection.sock, server_side=True, suppress_ragged_eofs=False)
        peer = connection.sock.getpeercert()
        connection.tls = {
            "version": connection.sock.version(),
            "cipher": connection.sock.cipher()[0],
            "offered": [name for name, _, _ in connection.sock.shared_ciphers() or ()],
            "alpn": connection.sock.selected_alpn_protocol(),
            "reused": connection.sock.session_reused,
            "sni": self.context.seen.get(connection.sock),
            "client": dict(pair for part in (peer or {}).get("subject", ()) for pair in part),
        }

    def attend(self, connection):
        raise NotImplementedError

    def record(self):
        with self.lock:
            return {"connections": [connection.record() for connection in self.connections]}

    def close(self):
        self.stop = True
        for sock in [self.sock] + self._fillers + [connection.sock for connection in self.connections]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except (OSError, ValueError):
                pass
            sock.close()


def server_context(chain, client_ca=None, alpn=("http/1.1",), max=None, min=None, ciphers=None, tickets=2, keylog=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = tickets
    if keylog:
        context.keylog_filename = keylog
    if ciphers:
        context.set_ciphers(ciphers)
    if min:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = getattr(ssl.TLSVersion, min)
    context.load_cert_chain(chain)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if max:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.maximum_version = getattr(ssl.TLSVersion, max)
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    context.seen = {}
    context.sni_callback = lambda sock, name, ctx: context.seen.__setitem__(sock, name)
    return context


def notify(sock):
    """
    Send TLS's close_notify; the client's own need not be waited for.
    """
    if isinstance(sock, ssl.SSLSocket):
        sock.setblocking(False)
        try:
            sock.unwrap()
        except (ssl.SSLError, OSError):
            pass
        sock.setblocking(True)
