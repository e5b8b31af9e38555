"""
An adapter's settings as the core takes them: made when first needed, and kept until one of them changes.

The adapter has an object of `Settings`, and gets another one whenever one of its settings is set. So nothing in here
is ever out of date and has to be looked at twice, and a session that keeps requests ready for an adapter sees by the
object alone whether they still hold.

It keeps no reference to its adapter, which would then live on in a cycle with its connections: each method is told.
"""

from __future__ import annotations

from typing import Any

from . import _causes, _core, _network, _pools
from ._choices import choose, choose_for_proxy, speaks_of_proxy, tls_settings, verifies_proxy
from ._core import CoreError
from ._resolver import Resolver
from ._url import origin
from .exceptions import InvalidProxyURL, told

DEFAULT_DECODED_BYTES = 4 << 30
DEFAULT_DECODED_RATIO = 256

#: How many requests' options are kept: as many as they differ in time-outs, certificates and proxies.
KEPT = 128

# RQX_OPT_HTTP_VERSION for `http2`.
_HTTP_VERSIONS: dict[Any, tuple[tuple[str, int], ...]] = {
    True: (),
    False: (("HTTP_VERSION", 1),),
    "only": (("HTTP_VERSION", 2),),
}

# Limits on what decoding makes: their options, and the core's defaults.
_GROWTH: dict[str, tuple[str, int]] = {
    "max_decoded_bytes": ("MAX_DECODED_BYTES", DEFAULT_DECODED_BYTES),
    "max_decoded_ratio": ("MAX_DECODED_RATIO", DEFAULT_DECODED_RATIO),
}


def check(name: str, value: Any) -> None:
    """
    Refuse a setting of an adapter's that can mean nothing.

    Raises:
        ValueError, TypeError: what it is, and what it may be.
    """
    if name == "http2" and value not in tuple(_HTTP_VERSIONS):
        raise ValueError(f'http2 is True, False or "only", not {value!r}')
    if name == "max_retries" and not (value is None or hasattr(value, "increment") or hasattr(value, "__index__")):
        raise TypeError(f"max_retries is a whole number or a Retry, not {value!r}")
    if name == "retry_budget" and value is not None and not (type(value) is int and 0 < value < 1 << 31):
        raise ValueError(f"retry_budget is a whole number from 1 on, or None for no limit, not {value!r}")
    if name in _GROWTH and value is not None and not (type(value) is int and 0 < value < 1 << 63):
        raise ValueError(f"{name} is a whole number from 1 on, or None for no limit, not {value!r}")
    if name in _network.DEFAULTS and value != _network.DEFAULTS[name]:
        _made(((), ()), None, _network.options_of({name: value}))
    if name == "progress" and value is not None and not callable(value):
        raise TypeError(f"progress is called with request, phase, done and total, and {value!r} cannot be")


class Settings:
    """
    What one state of an adapter's settings is to the core.
    """

    __slots__ = ("_beneath", "_kept", "_own", "_resolver")

    def __init__(self) -> None:
        self._beneath: Any = None
        self._kept: dict[Any, _core.Options] = {}
        self._own: Any = None
        self._resolver: Resolver | None = None

    def options(self, adapter: Any, way: Any, timeout: Any, verify: Any, cert: Any) -> _core.Options:
        """
        The options for a request.

        Args:
            adapter: whose settings these are.
            way: where the request goes.
            timeout: as of `HTTPAdapter.send`.
            verify: likewise.
            cert: likewise.
        """
        # Only TLS has something to verify: a plain request does not fail for want of a bundle.
        secure, proxy, unused = way.url[:5].lower() == "https", way.proxy, None
        if not secure:
            # It is for origins that speak TLS; as in requests it has to be there all the same.
            cert, unused = None, cert
            secure = proxy is not None and proxy.is_secure
        if proxy is not None and proxy.is_secure and adapter.proxy_verify is False:
            _warn(f"Unverified HTTPS connection is being made to the proxy {proxy.url!r}")
        own = self._of_adapter(adapter)
        if way.texts:
            own = own[0], (*own[1], *way.texts)
        if way.settings is not None:
            if way.settings.get("cert_reqs") in ("CERT_NONE", 0):
                _warn_unverified(way, way.settings)
            own = _with_proxys(own, adapter, proxy, verify if verifies_proxy(way.settings) else False, way.settings)
            return _made(choose(timeout, way.settings, secure), proxy, own)
        beneath = self.beneath(adapter)
        if verify is False:
            _warn_unverified(way, beneath)
        key: Any = (timeout, verify, cert, unused, proxy) if secure else ("plain", timeout, unused, proxy)
        if way.texts:
            key += way.texts
        if beneath:
            key += tuple(_state_of(beneath[name]) for name in ("ssl_context", "proxy_ssl_context") if name in beneath)
        kept = self._kept
        try:
            return kept[key]
        except (KeyError, TypeError):
            pass
        if unused:
            tls_settings(False, unused, {})
        settings = tls_settings(verify, cert, beneath) if secure else beneath
        own = _with_proxys(own, adapter, proxy, verify, beneath)
        options = _made(choose(timeout, settings, secure), proxy, own)
        if len(kept) > KEPT:
            kept.clear()
        try:
            kept[key] = options
        except TypeError:
            pass  # something without a hash, such as a list
        return options

    def beneath(self, adapter: Any) -> Any:
        """
        The settings that `init_poolmanager` was given, or that were put there since; those of a request lie on top.
        """
        found = self._beneath
        if found is None:
            manager = adapter.poolmanager
            _pools.check_keywords(manager.connection_pool_kw)
            found = {
                name: value
                for name, value in manager.connection_pool_kw.items()
                if value is not None and name not in ("maxsize", "block")
            }
            if type(manager) is _pools.PoolManager:
                self._beneath = found
            else:
                self._kept.clear()  # it does not tell of changes
        return found

    def resolver(self, adapter: Any) -> Resolver:
        """
        The adapter's resolver with what it has said.
        """
        found = self._resolver
        if found is None:
            found = self._resolver = Resolver(adapter.resolver, adapter.dns_cache)
        return found

    def forget(self) -> None:
        """
        The core's options belong to a parent process: make new ones.
        """
        self._kept.clear()

    def _of_adapter(self, adapter: Any) -> Any:
        """
        The options for what was set on the adapter itself.
        """
        found = self._own
        if found is None:
            numbers = _HTTP_VERSIONS[adapter.http2]
            for name, (option, default) in _GROWTH.items():
                limit = getattr(adapter, name)
                if limit != default:
                    numbers += ((option, limit or 0),)
            further, texts = _network.options_of({name: getattr(adapter, name) for name in _network.DEFAULTS})
            found = self._own = (*numbers, *further), texts
        return found


def _with_proxys(own: Any, adapter: Any, proxy: Any, verify: Any, settings: Any) -> Any:
    """
    `own`, and the options for TLS with an https proxy where anything is said of it.
    """
    if proxy is None or not proxy.is_secure:
        return own
    if adapter.proxy_verify is None and adapter.proxy_cert is None and not speaks_of_proxy(settings):
        return own
    verify = verify if adapter.proxy_verify is None else adapter.proxy_verify
    numbers, texts = choose_for_proxy(verify, adapter.proxy_cert, settings)
    return (*own[0], *numbers), (*own[1], *texts)


def _made(choices: Any, proxy: Any, own: Any) -> _core.Options:
    """
    The core's options: of a request, of the proxy it goes through, and of the adapter.

    Raises:
        InvalidProxyURL: the proxy's URL is none.
        ValueError: an adapter's setting that the core refuses.
    """
    numbers, texts = (*own[0], *choices[0]), (*own[1], *choices[1])
    if proxy is not None:
        texts = (*texts, ("PROXY_URL", proxy.url), *(("PROXY_HEADER", field) for field in proxy.fields))
    try:
        return _core.options(numbers, texts)
    except CoreError as error:
        if error.kind == _core.INVALID_ARGUMENT:
            raise ValueError(error.message) from error
        if error.kind not in _core.NO_URL:
            raise told(error, None) from error
        raise InvalidProxyURL(f"Please check proxy URL. {error.message}") from error


def _warn_unverified(way: Any, settings: Any) -> None:
    if way.url[:5].lower() != "https" or settings.get("assert_fingerprint"):
        return
    _warn(f"Unverified HTTPS request is being made to host {origin(way.url)[1]!r}", 1)


def _warn(what: str, deeper: int = 0) -> None:
    import warnings

    warnings.warn(
        f"{what}: whoever answers is believed. Give verify= (proxy_verify= for a proxy) the path of a CA certificate, "
        "or silence this by requestx.packages.urllib3.disable_warnings().",
        _causes.shape("InsecureRequestWarning"),
        stacklevel=4 + deeper,
    )


def _state_of(context: Any) -> Any:
    from . import _context

    return _context.state_of(_context.unwrap(context))
