"""
Hooks: functions that the caller wants called with each response.

There is one event, `response`.
A hook may return another response in its place, or None to leave it as it is.
Awaited hooks are the flow's business (`_flow`); here is what both worlds share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._types import HookType

HOOKS = ["response"]


def default_hooks() -> dict[str, list[HookType]]:
    """
    A new table of hooks with none in it.
    """
    return {event: [] for event in HOOKS}


def dispatch_hook(key: str, hooks: Any, hook_data: Any, **kwargs: Any) -> Any:
    """
    Call the hooks for an event, each with what the one before returned.

    Args:
        key: the event.
        hooks: event to hook, or to a list of hooks; may be None.
        hook_data: the response.
        **kwargs: passed on to each hook.

    Returns:
        What the last hook made of `hook_data`.
    """
    found = (hooks or {}).get(key)
    if not found:
        return hook_data
    for hook in (found,) if callable(found) else found:
        returned = hook(hook_data, **kwargs)
        if returned is not None:
            hook_data = returned
    return hook_data
