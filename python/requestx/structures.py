"""
Two mappings that requests made public: headers without letter case, and status codes by name.

`CaseInsensitiveDict` holds one plain dict, ``{lower: (name, value)}``: a lookup is one `lower()` and a hash.
It also counts its changes (`_version`): a Session merges its headers once and then asks only for that number.
Whoever writes to `_store` directly bypasses the count; nothing here does.
"""

from __future__ import annotations

from collections.abc import Mapping as _Mapping
from typing import TYPE_CHECKING, Any, Dict, Generic, Iterable, Iterator, Mapping, MutableMapping, TypeVar, overload

from . import _names

_VT = TypeVar("_VT")
_D = TypeVar("_D")

_MISSING: Any = object()

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        return _names.find(__name__, name)


class CaseInsensitiveDict(MutableMapping[str, _VT], Generic[_VT]):
    """
    A mutable mapping whose string keys compare without case and keep the spelling they were last set with.

    Args:
        data: a mapping, or an iterable of (key, value) pairs.
        **kwargs: further items.

    Raises:
        AttributeError: a key is no string.
    """

    _store: dict[str, tuple[str, _VT]]
    _version: int

    def __init__(self, data: Mapping[str, _VT] | Iterable[tuple[str, _VT]] | None = None, **kwargs: _VT) -> None:
        self._store = {}
        self._version = 0
        if data is not None or kwargs:
            self.update(() if data is None else data, **kwargs)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """
        Give a subclass that overrides an accessor the general methods again, so that the override is obeyed.
        """
        super().__init_subclass__(**kwargs)
        own = vars(cls)
        if "__getitem__" in own:
            for name in ("get", "__contains__"):
                if name not in own:
                    setattr(cls, name, getattr(_Mapping, name))
        if "__setitem__" in own and "update" not in own:
            setattr(cls, "update", MutableMapping.update)  # noqa: B010, mypy knows better what update is

    def __setitem__(self, key: str, value: _VT) -> None:
        # The last spelling is kept, at the place of the first.
        self._store[key.lower()] = (key, value)
        self._version += 1

    def __getitem__(self, key: str) -> _VT:
        return self._store[key.lower()][1]

    def __delitem__(self, key: str) -> None:
        del self._store[key.lower()]
        self._version += 1

    def __contains__(self, key: object) -> bool:
        return key.lower() in self._store  # type: ignore[attr-defined]

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in list(self._store.values())])  # another thread may change it

    def __len__(self) -> int:
        return len(self._store)

    @overload
    def get(self, key: str) -> _VT | None: ...
    @overload
    def get(self, key: str, default: _VT | _D) -> _VT | _D: ...
    def get(self, key: str, default: Any = None) -> Any:
        """
        The value of `key`, or `default`.
        """
        item = self._store.get(key.lower())
        return default if item is None else item[1]

    def update(self, data: Any = (), /, **kwargs: Any) -> None:
        """
        Set all items of `data` (a mapping or pairs) and of the keyword arguments.
        """
        try:
            if type(data) is CaseInsensitiveDict:
                self._store.update(data._store)
            elif isinstance(data, dict):
                store = self._store
                for name, value in data.items():
                    store[name.lower()] = (name, value)
            else:
                super().update(data)
        finally:  # what came before a bad one has been set
            self._version += 1
        for name, value in kwargs.items():
            self[name] = value

    def clear(self) -> None:
        """
        Remove all items.
        """
        self._store.clear()
        self._version += 1

    def lower_items(self) -> Iterator[tuple[str, _VT]]:
        """
        The items with their keys in lower case.
        """
        return ((lower, item[1]) for lower, item in self._store.items())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Mapping):
            return NotImplemented
        if not isinstance(other, CaseInsensitiveDict):
            other = CaseInsensitiveDict(other)
        return dict(self.lower_items()) == dict(other.lower_items())

    __hash__ = None  # type: ignore[assignment]

    def copy(self) -> CaseInsensitiveDict[_VT]:
        """
        A new `CaseInsensitiveDict` with the same items; the values are shared.
        """
        new: CaseInsensitiveDict[_VT] = CaseInsensitiveDict.__new__(CaseInsensitiveDict)
        new._store = self._store.copy()
        new._version = 0
        return new

    def __repr__(self) -> str:
        return str(dict(self.items()))


class LookupDict(Dict[str, Any]):
    """
    A dict whose items are its attributes: `codes.ok`, `codes["ok"]`; an item that is not there is None.

    Args:
        name: what `repr` calls it.
    """

    def __init__(self, name: Any = None) -> None:
        super().__init__()
        self.name = name

    def __repr__(self) -> str:
        return f"<lookup '{self.name}'>"

    def __getattr__(self, key: str) -> Any:
        # Reached only for names that are not there; its presence tells type checkers that any name may be.
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {key!r}")

    def __getitem__(self, key: str) -> Any:
        return self.__dict__.get(key)

    def get(self, key: str, default: Any = None) -> Any:
        """
        The attribute called `key`, or `default`.
        """
        return self.__dict__.get(key, default)
