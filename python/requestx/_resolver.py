"""
An adapter's own resolver, and what it has said.

It is a user's: it may block, or have to be awaited, and is asked here, before the core has the request, because no
I/O loop of the core's calls into Python. What it says goes to the core as one more text of RQX_OPT_RESOLVE, so all
that is checked of addresses is checked of these.
An answer counts for as long as the adapter's `dns_cache`, and no longer than it leads to a connection.
"""

from __future__ import annotations

from time import monotonic
from typing import Any, Callable

from ._limits import after, to_connect
from ._loops import Late, running
from ._network import resolve_entry, several
from ._ops import call
from ._url import DEFAULT_PORTS, origin
from .exceptions import PHASES, ConnectionError, RequestException, from_core

#: RQX_E_TIMEOUT.
TIMEOUT = 40
#: Answers that are kept, as many as the core keeps.
KEPT = 1024


class Resolver:
    """
    What is asked for addresses in the place of the system.

    Args:
        ask: called with host and port; gives an address or several, or None to leave it to the system.
        life: seconds for which an answer counts.
    """

    __slots__ = ("_ask", "_kept", "_life")

    def __init__(self, ask: Callable[..., Any], life: float) -> None:
        self._ask = ask
        self._life = life
        self._kept: dict[tuple[str, int], tuple[float, Any]] = {}

    def find(self, way: Any, request: Any, timeout: Any) -> Any:
        """
        Have it said where a way leads.

        Args:
            way: gets the addresses.
            request: for the exception.
            timeout: of the call; whoever blocks in Python cannot be interrupted, so its end is looked at when it comes.

        Returns:
            What is left of `timeout`.

        Raises:
            ConnectionError: there is no address, or asking failed with an OSError.
            ConnectTimeout: it took longer than connecting may.
            TypeError: it has to be awaited, and the call is none that is.
        """
        if self._knows(way):
            return timeout
        began, limit = monotonic(), to_connect(timeout)
        try:
            answer = self._ask(*way.place)
            if hasattr(answer, "__await__"):
                getattr(answer, "close", bool)()
                raise TypeError("a resolver that has to be awaited needs a call that is awaited")
            way.texts = self._keep(way.place, answer)
        except OSError as error:
            raise _unresolved(error, request) from error
        spent = monotonic() - began
        if limit is not None and spent > limit:
            raise _too_late(way, request, spent)
        return after(timeout, spent)

    async def afind(self, way: Any, request: Any, timeout: Any) -> Any:
        """
        The awaited twin of `find`; what has not been said in time is not waited for.
        """
        if self._knows(way):
            return timeout
        began, limit = monotonic(), to_connect(timeout)
        asking = call(self._ask, *way.place)
        try:
            answer = await (asking if limit is None else running().within(limit, asking))
            way.texts = self._keep(way.place, answer)
        except Late:
            raise _too_late(way, request, monotonic() - began) from None
        except OSError as error:
            raise _unresolved(error, request) from error
        return after(timeout, monotonic() - began)

    def lost(self, way: Any) -> None:
        """
        No connection was had there: it is asked for again.
        """
        self._kept.pop(way.place, None)

    def _knows(self, way: Any) -> bool:
        """
        Whether there is nothing to ask: it was asked for before, or is not resolved here.
        """
        way.place = place = _place(way)
        if place is None:
            return True
        found, texts = self._kept.get(place, (0.0, None))
        if texts is None or monotonic() >= found + self._life:
            return False
        way.texts = texts
        return True

    def _keep(self, place: tuple[str, int], answer: Any) -> tuple[tuple[str, Any], ...]:
        """
        The options for what was said.

        Raises:
            OSError: there is no address.
            TypeError, ValueError: it is none.
        """
        addresses = [] if answer is None else several("what a resolver says", answer)
        if answer is not None and not addresses:
            raise OSError(f"the adapter's resolver has no address for {place[0]}")
        for address in addresses:
            _check(address, place[0])
        texts = (("RESOLVE", resolve_entry("%s:%d" % place, addresses)),) if addresses else ()
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[place] = monotonic(), texts
        return texts


def _check(address: str, host: str) -> None:
    from ipaddress import ip_address

    try:
        ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        raise ValueError(f"the adapter's resolver says {address!r} for {host}, which is no address") from None


def _place(way: Any) -> tuple[str, int] | None:
    """
    The host and port to be asked for; None for an address, a socket, and a name that a proxy is told.
    """
    told = way.proxy is not None and way.proxy.url[:7].lower() not in ("socks4:", "socks5:")
    if way.texts or told:
        return None
    scheme, host, port = origin(way.url)
    if not host or ":" in host or host.replace(".", "").isdigit():
        return None
    return host, port or DEFAULT_PORTS.get(scheme, 80)


def _too_late(way: Any, request: Any, seconds: float) -> RequestException:
    said = f"{request.method} {way.url}: time limit reached in phase resolve after {seconds:.3f} s"
    return from_core(TIMEOUT, PHASES.index("resolve"), f"{said}, for the adapter's resolver", request=request)


def _unresolved(error: OSError, request: Any) -> OSError:
    return error if isinstance(error, RequestException) else ConnectionError(error, request=request)
