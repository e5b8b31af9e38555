"""
Header fields as they came: in order, and each of those that share a name.

`Response.headers` joins them; this is what `Response.raw.headers` is, in the shape of urllib3's HTTPHeaderDict:
looked up, a name gives its values joined, and `items`, `add` and `getlist` know of each.
"""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Mapping, MutableMapping


class HTTPHeaderDict(MutableMapping[str, str]):
    """
    Header fields by name without letter case, repeated ones included.

    Args:
        headers: a mapping, or pairs of name and value.
        **more: further ones.
    """

    def __init__(self, headers: Any = None, **more: str) -> None:
        #: lower name -> the spelling of the first, and every value.
        self._container: dict[str, list[str]] = {}
        if headers is not None:
            self.extend(headers)
        self.extend(more)

    def __setitem__(self, name: str, value: str) -> None:
        self._container[name.lower()] = [name, value]

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._container[name.lower()][1:])

    def __delitem__(self, name: str) -> None:
        del self._container[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._container

    def __iter__(self) -> Iterator[str]:
        return iter([found[0] for found in self._container.values()])

    def __len__(self) -> int:
        return len(self._container)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping) and not hasattr(other, "keys"):
            return False
        return dict(self._merged()) == dict(HTTPHeaderDict(other)._merged())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self.itermerged())})"

    def _merged(self) -> Iterator[tuple[str, str]]:
        return ((name, self[name]) for name in self._container)

    def add(self, key: str, val: str, *, combine: bool = False) -> None:
        """
        Add a field beside those of its name; with `combine` its value is joined to the last of them.
        """
        found = self._container.setdefault(key.lower(), [key])
        if combine and len(found) > 1:
            found[-1] = f"{found[-1]}, {val}"
        else:
            found.append(val)

    def extend(self, *others: Any, **more: str) -> None:
        """
        Add fields: pairs, a mapping, or another of these.
        """
        for other in (*others, more):
            if isinstance(other, HTTPHeaderDict):
                pairs: Iterable[Any] = other.iteritems()
            elif isinstance(other, Mapping):
                pairs = other.items()
            elif hasattr(other, "keys"):
                pairs = [(name, other[name]) for name in other.keys()]  # noqa: SIM118, it need not iterate
            else:
                pairs = other
            for name, value in pairs:
                self.add(name, value)

    def getlist(self, key: str, default: Any = ()) -> Any:
        """
        Every value of a name, in order; `default` if there is none.
        """
        found = self._container.get(key.lower())
        return found[1:] if found is not None else list(default) if default == () else default

    getheaders = getallmatchingheaders = iget = get_all = getlist

    def discard(self, key: str) -> None:
        """
        Take a name away if it is there.
        """
        self._container.pop(key.lower(), None)

    def iteritems(self) -> Iterator[tuple[str, str]]:
        """
        Every field: a name that came twice is there twice.
        """
        for found in list(self._container.values()):
            for value in found[1:]:
                yield found[0], value

    def itermerged(self) -> Iterator[tuple[str, str]]:
        """
        Every name once, with its values joined.
        """
        return ((name, self[name]) for name in self)

    def items(self) -> Any:
        """
        Every field, as `iteritems`.
        """
        return list(self.iteritems())

    def copy(self) -> HTTPHeaderDict:
        """
        Another with the same fields.
        """
        return type(self)(self)
