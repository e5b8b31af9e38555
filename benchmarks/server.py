"""
The other side: one nginx with one worker on loopback, started for the run and stopped after it.

Three ports: http, https, and https that closes the connection after each answer. The last one makes a new
TLS connection for every request without a word in any client. HTTP/2 is not offered, so all speak HTTP/1.1.
A fourth port has nginx's own counters: they show whether a client really kept its connection.
"""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from string import Template

from benchmarks import cases

CONF = Template("""
$user
daemon off;
worker_processes 1;
pid $root/nginx.pid;
error_log $root/error.log warn;
events { worker_connections 4096; multi_accept on; }
http {
    access_log off;
    default_type application/octet-stream;
    types { application/json json; }
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    keepalive_timeout 75s;
    open_file_cache max=10 inactive=1h;
    client_body_temp_path $root/temp; proxy_temp_path $root/temp; fastcgi_temp_path $root/temp;
    uwsgi_temp_path $root/temp; scgi_temp_path $root/temp;
    ssl_certificate $root/server.pem;
    ssl_certificate_key $root/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    root $root/site;
    server { listen 127.0.0.1:$http backlog=1024; $locations }
    server { listen 127.0.0.1:$https ssl backlog=1024; $locations }
    server { listen 127.0.0.1:$once ssl backlog=1024; keepalive_timeout 0; $locations }
    server { listen 127.0.0.1:$status; location / { stub_status; } }
}
""")
LOCATIONS = """
        location = /page { try_files /page.json =404; }
        location = /big { try_files /big.bin =404; }
        location = /handshake { if ($ssl_session_reused = r) { return 200 "resumed"; } return 200 "full"; }
"""


class Server:
    """A running nginx: `url(port, path)`, `pin(cpus)`, `cpu()`, `counters()`; ends with its `with` block."""

    def __init__(self, binary, python):
        self.root = Path(tempfile.mkdtemp(prefix="requestx-bench-"))
        self.root.chmod(0o755)  # nginx's worker may be another user
        self.ports = dict(zip(("http", "https", "once", "status"), free_ports(4)))
        self.certificates(python)
        self.site()
        user = "user root;" if os.geteuid() == 0 else ""
        conf = CONF.substitute(root=self.root, user=user, locations=LOCATIONS, **self.ports)
        (self.root / "nginx.conf").write_text(conf)
        self.process = subprocess.Popen([binary, "-p", str(self.root), "-c", str(self.root / "nginx.conf")])

    def certificates(self, python):
        """An authority and a certificate for 127.0.0.1 and localhost (ECDSA P-256, trustme's default)."""
        subprocess.run(
            [python, "-m", "trustme", "-q", "-d", str(self.root), "-i", "127.0.0.1", "localhost"], check=True
        )
        self.ca = str(self.root / "client.pem")

    def site(self):
        (self.root / "temp").mkdir()
        site = self.root / "site"
        site.mkdir()
        text = '{"items": ["%s"]}'
        (site / "page.json").write_text(text % ("requestx " * 200)[: cases.PAGE - len(text) + 2])
        with open(site / "big.bin", "wb") as big:
            for _ in range(cases.BIG // 2**20):
                big.write(os.urandom(2**20))

    def __enter__(self):
        deadline = time.monotonic() + 10
        while True:
            try:
                self.counters()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError("nginx did not start; it says why above") from None
                time.sleep(0.02)

    def __exit__(self, *failed):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def url(self, port, path):
        return f"{'http' if port == 'http' else 'https'}://127.0.0.1:{self.ports[port]}{path}"

    def counters(self):
        """(connections accepted, requests answered) so far; asking is itself one of each."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["status"], timeout=5)
        connection.request("GET", "/")
        accepted, _, requests = re.findall(rb"(\d+) (\d+) (\d+)", connection.getresponse().read())[0]
        connection.close()
        return int(accepted), int(requests)

    def workers(self):
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def pin(self, cpus):
        for pid in self.workers():
            os.sched_setaffinity(pid, cpus)

    def cpu(self):
        """Seconds of CPU that the workers have used."""
        ticks = os.sysconf("SC_CLK_TCK")
        stats = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.workers())
        return sum((int(stat[11]) + int(stat[12])) / ticks for stat in stats)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
