"""
`urlopen`, urllib3's name for sending one request: through a pool of a user's, and through one of ours by a user.

An override of `get_connection_with_tls_context` may give any object that has it, and mocks and caches do. Such a pool
connects by itself, so it is told all that requests tells urllib3, and what it raises is told as requests tells it.
The other way round, a user who has got a pool of ours may call its `urlopen`, and the core sends.
"""

from __future__ import annotations

import sys
from typing import Any

from . import _network
from ._drive import drive
from ._limits import TimeLimits
from ._raw import RawResponse
from ._retry import retry_class
from ._tries import retrying
from ._way import Way
from .exceptions import from_pool
from .models import Response, answered


def by_theirs(adapter: Any, way: Way, request: Any, timeout: Any) -> Any:
    """
    The response of a pool that a user brought.

    Args:
        adapter: what builds the Response.
        way: with the pool.
        request: the PreparedRequest.
        timeout: as of `HTTPAdapter.send`.

    Raises:
        ValueError: the adapter has settings for connections, and those of this pool are not the adapter's.
    """
    for name, default in _network.DEFAULTS.items():
        if getattr(adapter, name) != default:
            raise ValueError(f"{name}= says nothing to {way.pool!r}, which connects by itself")
    try:
        response = way.pool.urlopen(
            method=request.method,
            url=way.url,
            body=request.body,
            headers=request.headers,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            retries=retry_class().from_int(adapter.max_retries),
            timeout=_their_timeout(timeout),
            chunked=not (request.body is None or "Content-Length" in request.headers),
        )
    except Exception as error:
        mine = from_pool(error, request)
        if mine is None:
            raise
        raise mine from error
    built = adapter.build_response(request, response)
    built.__dict__["_by_pool"] = True
    return built


def _their_timeout(timeout: Any) -> Any:
    """
    A time-out as urllib3's pools take it.
    """
    loaded = sys.modules.get("urllib3.util.timeout")
    if (
        loaded is None
        or isinstance(timeout, loaded.Timeout)
        or not (isinstance(timeout, tuple) or isinstance(timeout, TimeLimits))
    ):
        return timeout
    connect, read = (timeout.connect, timeout.read) if isinstance(timeout, TimeLimits) else timeout
    return loaded.Timeout(connect=connect, read=read)


def by_ours(
    adapter: Any, pool: Any, method: str, url: str, body: Any, headers: Any, retries: Any, timeout: Any, stream: bool
) -> RawResponse:
    """
    The answer to a request that a user sends by a pool of ours.

    Args:
        adapter: whose pool it is.
        pool: a `ConnectionPool`.
        method: of HTTP.
        url: whole, or a path.
        body: as `data` of a request.
        headers: of the request, or None.
        retries: a Retry or a number; the pool's own if None, and one try if it has none.
        timeout: as of `HTTPAdapter.send`.
        stream: leave the body to be read.
    """
    from ._prepare import PreparedRequest

    request = PreparedRequest()
    request.prepare(method=method, url=pool.base() + url if url.startswith("/") else url, headers=headers, data=body)
    settings = (stream, timeout, True, None, None)
    sender, retries = _Sender(adapter, pool), pool.retries if retries is None else retries
    if retries is None:
        response = sender._send(request, *settings)
    else:
        response = drive(retrying(sender, retries, request, (True, *settings[1:])))
        if not stream:
            response.raw.data  # noqa: B018, which is kept
    return response.raw  # type: ignore[no-any-return]


class _Sender:
    """
    One try through a pool of ours, for `retrying`.

    Args:
        adapter: whose pool it is.
        pool: the pool.
    """

    def __init__(self, adapter: Any, pool: Any) -> None:
        self._adapter = adapter
        self._pool = pool
        self._budget = adapter._budget

    def _send(self, request: Any, stream: bool, timeout: Any, verify: Any, cert: Any, proxies: Any) -> Response:
        way = Way(request.url, self._pool.via, self._pool.settings())
        return answered(self._adapter, request, self._adapter._exchange(way, request, stream, timeout, verify, cert))
