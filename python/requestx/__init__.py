"""
requestx: requests' API, blocking and awaitable under the same names, over one Rust core.

    >>> import requestx
    >>> requestx.get("https://example.org/").status_code
    200

In a running event loop the same call is awaited: ``response = await requestx.get(url)``.
`requestx.blocking` and `requestx.aio` are the same API for those who want to say which.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from . import _names, utils
from .__version__ import (
    __author__,
    __author_email__,
    __build__,
    __cake__,
    __copyright__,
    __description__,
    __license__,
    __title__,
    __url__,
    __version__,
)
from ._limits import TimeLimits
from .api import delete, get, head, options, patch, post, put, request
from .exceptions import (
    ConnectionError,
    ConnectTimeout,
    FileModeWarning,
    HTTPError,
    InvalidMethod,
    JSONDecodeError,
    ReadTimeout,
    RequestException,
    Timeout,
    TooManyRedirects,
    URLRequired,
)
from .models import PreparedRequest, Request, Response
from .sessions import Session, session
from .status_codes import codes

_LATE = "_internal_utils _types adapters aio auth blocking certs compat cookies help hooks packages structures".split()


def install_as_requests() -> None:
    """
    Let ``import requests`` give requestx from now on, whoever imports it; see `_install`.

    Raises:
        RuntimeError: requests itself is imported already.
    """
    from ._install import install_as_requests

    install_as_requests()


if TYPE_CHECKING:
    from . import adapters as adapters
    from . import aio as aio
    from . import auth as auth
    from . import blocking as blocking
    from . import certs as certs
    from . import compat as compat
    from . import cookies as cookies
    from . import help as help
    from . import hooks as hooks
    from . import packages as packages
    from . import structures as structures
else:

    def __getattr__(name: str) -> Any:
        """
        Modules that not everybody needs are imported when they are named.
        """
        if name in _LATE:
            from importlib import import_module

            return import_module(f"{__name__}.{name}")
        return _names.find(__name__, name)


logging.getLogger(__name__).addHandler(logging.NullHandler())

__all__ = [
    "ConnectTimeout",
    "ConnectionError",
    "FileModeWarning",
    "HTTPError",
    "InvalidMethod",
    "JSONDecodeError",
    "PreparedRequest",
    "ReadTimeout",
    "Request",
    "RequestException",
    "Response",
    "Session",
    "TimeLimits",
    "Timeout",
    "TooManyRedirects",
    "URLRequired",
    "__author__",
    "__author_email__",
    "__build__",
    "__cake__",
    "__copyright__",
    "__description__",
    "__license__",
    "__title__",
    "__url__",
    "__version__",
    "codes",
    "delete",
    "get",
    "head",
    "install_as_requests",
    "options",
    "patch",
    "post",
    "put",
    "request",
    "session",
    "utils",
]
