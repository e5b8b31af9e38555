"""
Where connections may go, and how names become addresses: an adapter's settings, as the core's options.

Each is an attribute of `HTTPAdapter` under the name it has here, checked when it is set.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping

#: The settings, and what they are where nobody says anything.
DEFAULTS: Mapping[str, Any] = {
    "allow_addresses": None,
    "deny_addresses": None,
    "trust_proxy": False,
}


def options_of(settings: Mapping[str, Any]) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, Any], ...]]:
    """
    The core's options for these settings: those whose values are numbers, and those whose values are text.

    Raises:
        ValueError, TypeError: a setting that can mean nothing.
    """
    numbers: list[tuple[str, int]] = []
    texts: list[tuple[str, Any]] = []
    for name in ("allow_addresses", "deny_addresses"):
        value = settings.get(name)
        if value is not None:
            listed = _listed(name, value)
            if listed:
                texts.append((name.upper(), listed))
            elif name == "allow_addresses":
                raise ValueError("allow_addresses allows nothing: None is for everything")
    if settings.get("trust_proxy"):
        numbers.append(("TRUST_PROXY", 1))
    return tuple(numbers), tuple(texts)


def _listed(name: str, value: Any) -> str:
    items: Iterable[Any] = value.split(",") if isinstance(value, str) else value
    try:
        return ",".join(item for item in (str(each).strip() for each in items) if item)
    except TypeError:
        raise TypeError(f"{name} is a text or several, not {value!r}") from None
