"""
Names for the types of arguments and results, for annotations: those that requests' module of this name has, and ours.

They say what we take, which is a little more than requests takes: a path may be an `os.PathLike`, a body an async
iterable, a time limit `TimeLimits`. What goes through as it is, to a hook, an encoder or a decoder, is Any.
At run time nothing of ours imports this module.

`ResponseOrAwaitable` is what the plain names return, of which no type checker knows whether a loop will be running:
it can be used as a Response, and it can be awaited. In `blocking` it is a Response, in `aio` an `Awaitable`, and there
a checker finds a forgotten await.
"""

from __future__ import annotations

from http.cookiejar import CookieJar
from os import PathLike
from typing import (
    TYPE_CHECKING,
    Any,
    AsyncIterable,
    Awaitable,
    Callable,
    Dict,
    Iterable,
    List,
    Mapping,
    Optional,
    Protocol,
    Tuple,
    TypeVar,
    Union,
    runtime_checkable,
)

from .certs import Trust

if TYPE_CHECKING:
    from typing import Coroutine, Generator, Generic, TypedDict

    from typing_extensions import Buffer, Unpack

    from ._limits import TimeLimits
    from .models import PreparedRequest, Response
else:
    Buffer = Union[bytes, bytearray, memoryview]

#: What a call gives: a Response, an awaitable of it, or either.
Result = TypeVar("Result")

_Result_co = TypeVar("_Result_co", covariant=True)
_T_co = TypeVar("_T_co", covariant=True)
_K_co = TypeVar("_K_co", covariant=True)
_V_co = TypeVar("_V_co", covariant=True)


@runtime_checkable
class SupportsRead(Protocol[_T_co]):
    """
    A file, or what reads like one.
    """

    def read(self, length: int = ..., /) -> _T_co: ...


@runtime_checkable
class SupportsItems(Protocol[_K_co, _V_co]):
    """
    A mapping, or what lists its items like one.
    """

    def items(self) -> Iterable[tuple[_K_co, _V_co]]: ...


class SupportsTimeouts(Protocol):
    """
    What is shaped like urllib3's Timeout.
    """

    @property
    def connect_timeout(self) -> Any: ...

    @property
    def read_timeout(self) -> Any: ...


Path = Union[str, bytes, "PathLike[str]", "PathLike[bytes]"]
UriType = Union[str, bytes]

# Not more exact: a checker would take {"a": 1, "b": ["x", "y"]} for a dict of objects, and refuse it.
ParamsType = Union[SupportsItems[Any, Any], Iterable[Tuple[Any, Any]], str, bytes, None]

HeadersType = Optional[Mapping[str, Union[str, bytes, None]]]
CookiesType = Union[CookieJar, Mapping[str, str], None]

# Pairs or a mapping for a form; text or bytes; a file; chunks, and where the call is awaited chunks that are.
KVDataType = Union[Iterable[Tuple[Any, Any]], SupportsItems[Any, Any]]
StreamDataType = SupportsRead[Union[str, bytes]]
RawDataType = Union[KVDataType, str, bytes]
EncodableDataType = Union[RawDataType, StreamDataType]
_Chunk = Union[str, bytes]
DataType = Union[KVDataType, Iterable[_Chunk], AsyncIterable[_Chunk], str, bytes, Buffer, StreamDataType, None]
BodyType = Union[_Chunk, Buffer, Iterable[_Chunk], AsyncIterable[_Chunk], StreamDataType, None]
# What `json_dumps` makes of it is the caller's business.
JsonType = Any

_FileContent = Union[SupportsRead[_Chunk], str, bytes, bytearray]
_FileName = Optional[str]
_File = Union[
    _FileContent,
    Tuple[_FileName, _FileContent],
    Tuple[_FileName, _FileContent, Optional[str]],
    Tuple[_FileName, _FileContent, Optional[str], Mapping[str, str]],
]
FilesType = Union[Mapping[str, _File], Iterable[Tuple[str, _File]], None]

_Signed = Union["PreparedRequest", Awaitable["PreparedRequest"]]
AuthType = Union[Tuple[_Chunk, _Chunk], Callable[["PreparedRequest"], _Signed], None]
TimeoutType = Union[float, Tuple[Optional[float], Optional[float]], "TimeLimits", SupportsTimeouts, None]
ProxiesType = Mapping[str, Optional[str]]
HookType = Callable[..., Any]
HooksInputType = Mapping[str, Union[Iterable[HookType], HookType]]
HooksType = Optional[Dict[str, List[HookType]]]
VerifyType = Union[bool, Path, Trust]
CertType = Union[Path, Tuple[Path, Optional[Path]], Tuple[Path, Optional[Path], _Chunk], None]


def is_prepared(request: PreparedRequest) -> bool:
    """
    Whether a PreparedRequest has what is needed to send it.
    """
    return request.url is not None and request.method is not None


if TYPE_CHECKING:

    class ResponseOrAwaitable(Response, Coroutine[Any, Any, Response]):
        """
        A Response, or in a running event loop an awaitable of it.
        """

        def __await__(self) -> Generator[Any, Any, Response]: ...

    class BaseRequestKwargs(TypedDict, total=False):
        """
        What every function takes.
        """

        headers: HeadersType
        cookies: CookiesType
        files: FilesType
        auth: AuthType
        timeout: TimeoutType
        allow_redirects: bool
        proxies: ProxiesType | None
        hooks: HooksInputType | None
        stream: bool | None
        verify: VerifyType | None
        cert: CertType

    class GetKwargs(BaseRequestKwargs, total=False):
        """
        And what get takes beside params.
        """

        data: DataType
        json: JsonType

    class RequestKwargs(GetKwargs, total=False):
        """
        And what options, head and delete take.
        """

        params: ParamsType

    class PostKwargs(BaseRequestKwargs, total=False):
        """
        And what post takes beside data and json.
        """

        params: ParamsType

    class DataKwargs(PostKwargs, total=False):
        """
        And what put and patch take beside data.
        """

        json: JsonType

    class Plain(Protocol[_Result_co]):
        """
        options, head and delete.
        """

        def __call__(self, url: UriType, **kwargs: Unpack[RequestKwargs]) -> _Result_co: ...

    class Get(Protocol[_Result_co]):
        """
        get.
        """

        def __call__(self, url: UriType, params: ParamsType = None, **kwargs: Unpack[GetKwargs]) -> _Result_co: ...

    class Post(Protocol[_Result_co]):
        """
        post.
        """

        def __call__(
            self, url: UriType, data: DataType = None, json: JsonType = None, **kwargs: Unpack[PostKwargs]
        ) -> _Result_co: ...

    class Put(Protocol[_Result_co]):
        """
        put and patch.
        """

        def __call__(self, url: UriType, data: DataType = None, **kwargs: Unpack[DataKwargs]) -> _Result_co: ...

    class SessionOf(Generic[Result]):
        """
        A Session whose calls give this; `blocking` and `aio` have one each.
        """

        def request(
            self,
            method: str,
            url: UriType,
            params: ParamsType = None,
            data: DataType = None,
            headers: HeadersType = None,
            cookies: CookiesType = None,
            files: FilesType = None,
            auth: AuthType = None,
            timeout: TimeoutType = None,
            allow_redirects: bool = True,
            proxies: ProxiesType | None = None,
            hooks: HooksInputType | None = None,
            stream: bool | None = None,
            verify: VerifyType | None = None,
            cert: CertType = None,
            json: JsonType = None,
        ) -> Result: ...

        def get(self, url: UriType, params: ParamsType = None, **kwargs: Unpack[GetKwargs]) -> Result: ...
        def options(self, url: UriType, **kwargs: Unpack[RequestKwargs]) -> Result: ...
        def head(self, url: UriType, **kwargs: Unpack[RequestKwargs]) -> Result: ...
        def post(
            self, url: UriType, data: DataType = None, json: JsonType = None, **kwargs: Unpack[PostKwargs]
        ) -> Result: ...
        def put(self, url: UriType, data: DataType = None, **kwargs: Unpack[DataKwargs]) -> Result: ...
        def patch(self, url: UriType, data: DataType = None, **kwargs: Unpack[DataKwargs]) -> Result: ...
        def delete(self, url: UriType, **kwargs: Unpack[RequestKwargs]) -> Result: ...
        def send(self, request: PreparedRequest, **kwargs: Any) -> Result: ...

else:
    ResponseOrAwaitable = Any
