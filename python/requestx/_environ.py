"""
What the environment says: proxies, who bypasses them, the CA bundle.

requests looks at the environment for every request, so that a change takes effect at once; so do we.
To make that cheap, the variables are compared as they lie in ``os.environ`` with those of the last time
(`environment`), and everything derived from them is kept until one of them changes.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Callable
from urllib.request import getproxies, getproxies_environment

from ._url import hostname, origin, split

if TYPE_CHECKING:
    from . import _types as _t

# Here the system's own settings come in where the environment has none.
_SYSTEM_PROXIES = sys.platform in ("darwin", "win32")

_NAMES = (
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "REQUEST_METHOD",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NETRC",
    "HOME",
)
_ENVIRON = type(os.environ)
_KEYS = tuple(os.environ.encodekey(name) for name in _NAMES)
# Without these the environment says nothing; no_proxy and REQUEST_METHOD only qualify what they say.
_HTTP, _HTTP_, _HTTPS, _HTTPS_, _ALL, _ALL_, _, _, _, _REQUESTS_CA, _CURL_CA, _NETRC, _HOME = _KEYS


class Environment:
    """
    What the variables say; one object for as long as they say the same.
    """

    __slots__ = ("ca_bundle", "netrc", "no_proxy", "proxies")

    def __init__(self) -> None:
        get = os.environ.get
        # Leaves out HTTP_PROXY under CGI, where a client's Proxy header would be in it (httpoxy, CVE-2016-5386).
        proxies = getproxies_environment()
        proxies.pop("no", None)
        self.proxies: dict[str, str] = proxies
        self.no_proxy: str = get("no_proxy") or get("NO_PROXY") or ""
        self.ca_bundle: str | None = get("REQUESTS_CA_BUNDLE") or get("CURL_CA_BUNDLE") or None
        self.netrc: str | None = get("NETRC")


_seen: tuple[Any, Environment] = (None, Environment())


def environment() -> Environment:
    """
    The environment as it is now.
    """
    global _seen
    environ = os.environ
    if type(environ) is _ENVIRON:
        data = environ._data  # type: ignore[attr-defined]
        if _is_silent(data, True) and _HTTP not in data and _HTTP_ not in data:
            found: Any = data.get(_HOME)
        else:
            found = tuple(map(data.get, _KEYS))
    else:  # patched, as tests do
        found = tuple(map(environ.get, _NAMES))
    last, derived = _seen
    if found == last:
        return derived
    derived = Environment()
    _seen = found, derived
    return derived


def silent_home(secure: bool) -> Any:
    """
    HOME if no variable says anything to a request, else None: the cheapest question, since it is asked for each.

    Args:
        secure: the request goes over https.
    """
    environ = os.environ
    if type(environ) is not _ENVIRON:
        return None
    data = environ._data  # type: ignore[attr-defined]
    return data.get(_HOME, "") if _is_silent(data, secure) else None


def _is_silent(data: Any, secure: bool) -> bool:
    if _ALL_ in data or _ALL in data or _NETRC in data:
        return False
    if secure:
        return not (_HTTPS_ in data or _HTTPS in data or _REQUESTS_CA in data or _CURL_CA in data)
    return not (_HTTP_ in data or _HTTP in data)


def environ_proxies(url: str, no_proxy: str | None = None, found: Environment | None = None) -> dict[str, str]:
    """
    The proxies of the environment for a URL, by scheme; empty if it bypasses them.

    Args:
        url: where the request goes.
        no_proxy: in the place of the environment's NO_PROXY.
        found: the environment, if the caller looked already.
    """
    found = found or environment()
    if not found.proxies and not _SYSTEM_PROXIES:
        return {}
    if bypasses(url, no_proxy):
        return {}
    return dict(found.proxies) if found.proxies else getproxies()


def bypasses(url: str, no_proxy: str | None = None, ask: Callable[[str], bool] | None = None) -> bool:
    """
    Whether requests to a URL go without proxy.

    Args:
        url: where the request goes.
        no_proxy: names, addresses and networks, separated by commas; the environment's NO_PROXY if None.
        ask: the system's opinion, asked last unless `no_proxy` is given.
    """
    host = hostname(url)
    if host is None:
        return True
    rules = environment().no_proxy if no_proxy is None else no_proxy
    if rules and _matches(host, origin(url)[2], rules):
        return True
    if no_proxy is None and (ask is not None or _SYSTEM_PROXIES):
        from urllib.request import proxy_bypass

        try:
            return bool((ask or proxy_bypass)(host.partition("%")[0]))
        except (TypeError, socket.gaierror):
            return False
    return False


@lru_cache(maxsize=256)
def _matches(host: str, port: int | None, rules: str) -> bool:
    entries = [entry for entry in rules.replace(" ", "").lower().split(",") if entry]
    if "*" in entries:
        return True
    if ":" in host:
        return _matches_ipv6(host, port, entries)
    if is_ipv4_address(host):
        return any(
            address_in_network(host, entry)
            if is_valid_cidr(entry)
            else entry in (host, f"{host}:{port}") or host.endswith("." + entry.lstrip("."))  # as urllib has it
            for entry in entries
        )
    with_port = f"{host}:{port}"
    # A name matches itself and what lies below it: "example.com" is no end of "notexample.com".
    for entry in entries:
        entry = entry.lstrip("*").lstrip(".")
        if host == entry or with_port == entry or host.endswith("." + entry) or with_port.endswith("." + entry):
            return True
    return False


def _matches_ipv6(host: str, port: int | None, entries: list[str]) -> bool:
    from ipaddress import ip_address, ip_network

    # The zone is a name of this machine's interfaces, and no domain (CVE-2025-22870).
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    for entry in entries:
        bracketed, colon, with_port = entry.rpartition("]:")
        if colon:
            if with_port != str(port):
                continue
            entry = bracketed
        try:
            if address in ip_network(entry.replace("[", "").replace("]", ""), strict=False):
                return True
        except ValueError:
            continue
    return False


def resolve_proxies(request: Any, proxies: _t.ProxiesType | None, trust_env: bool = True) -> dict[str, Any]:
    """
    The proxies for a request: the caller's, and the environment's for its scheme where the caller has none.
    """
    found = dict(proxies) if proxies else {}
    if trust_env:
        scheme = split(request.url).scheme
        theirs = environ_proxies(request.url, found.get("no_proxy"))
        proxy = theirs.get(scheme, theirs.get("all"))
        if proxy:
            found.setdefault(scheme, proxy)
    return found


def without_environments(url: str, proxies: _t.ProxiesType | None) -> _t.ProxiesType | None:
    """
    The proxies without those that the environment has for other URLs, if this one bypasses them.

    They were merged into one mapping with the caller's for the URL that redirected here.
    """
    theirs = environment().proxies
    if not proxies or not theirs or not bypasses(url, proxies.get("no_proxy")):
        return proxies
    return {key: proxy for key, proxy in proxies.items() if theirs.get(key) != proxy}


def select_proxy(url: str, proxies: _t.ProxiesType | None) -> str | None:
    """
    The proxy for a URL: that of its scheme and host, of its scheme, of all schemes and its host, or of all.

    Raises:
        TypeError: the proxies are no mapping, and would be passed by.
    """
    if not proxies:
        return None
    if not hasattr(proxies, "get"):
        raise TypeError(f"proxies is a mapping of schemes to URLs, and not {type(proxies).__name__}")
    scheme, host = split(url).scheme, hostname(url)
    keys = (f"{scheme}://{host}", scheme, f"all://{host}", "all") if host else (scheme, "all")
    for key in keys:
        if key in proxies:
            return proxies[key]
    return None


def is_ipv4_address(string_ip: str) -> bool:
    """
    Whether a str is an IPv4 address, in any form that inet_aton knows.
    """
    try:
        socket.inet_aton(string_ip)
    except OSError:
        return False
    return True


def is_valid_cidr(string_network: str) -> bool:
    """
    Whether a str is an IPv4 network: address/bits, with 1 to 32 bits.
    """
    address, slash, bits = string_network.partition("/")
    try:
        return bool(slash) and 1 <= int(bits) <= 32 and is_ipv4_address(address)
    except ValueError:
        return False


def dotted_netmask(mask: int) -> str:
    """
    The netmask for a number of bits: 24 is 255.255.255.0.
    """
    return socket.inet_ntoa(struct.pack(">I", 0xFFFFFFFF ^ ((1 << (32 - mask)) - 1)))


def address_in_network(ip: str, net: str) -> bool:
    """
    Whether an IPv4 address lies in a network, which is written address/bits.
    """
    address, _, bits = net.partition("/")
    mask = struct.unpack(">I", socket.inet_aton(dotted_netmask(int(bits))))[0]
    ours, theirs = (struct.unpack(">I", socket.inet_aton(text))[0] for text in (ip, address))
    return bool(ours & mask == theirs & mask)


__all__ = [
    "Environment",
    "address_in_network",
    "bypasses",
    "dotted_netmask",
    "environ_proxies",
    "environment",
    "is_ipv4_address",
    "is_valid_cidr",
    "resolve_proxies",
    "select_proxy",
    "without_environments",
]
