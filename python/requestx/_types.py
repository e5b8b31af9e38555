"""
Names for the types of arguments, for annotations only.
"""

from __future__ import annotations

from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Mapping, MutableMapping, Optional, Tuple, Union

if TYPE_CHECKING:
    from ._prepare import PreparedRequest
    from .models import Response

UriType = Union[str, bytes]
ParamsType = Union[Mapping[Any, Any], Iterable[Tuple[Any, Any]], str, bytes, None]
HeadersType = Optional[Mapping[str, Union[str, bytes, None]]]
# Pairs, a mapping, str, bytes, a file, an iterable of chunks, or an async iterable of them.
DataType = Any
FilesType = Union[Mapping[str, Any], Iterable[Tuple[str, Any]], None]
JsonType = Any
CookiesType = Union[CookieJar, Dict[str, str], None]
AuthType = Union[Tuple[Any, Any], Callable[["PreparedRequest"], "PreparedRequest"], None]
# Seconds, (connect, read), or an object with the attributes of our Timeout.
TimeoutType = Any
ProxiesType = Optional[MutableMapping[str, str]]
HookType = Callable[..., Any]
HooksInputType = Mapping[str, Union[HookType, List[HookType]]]
VerifyType = Union[bool, str, None]
CertType = Union[str, Tuple[str, str], None]
BodyType = Any
ResponseHook = Callable[["Response"], Optional["Response"]]
