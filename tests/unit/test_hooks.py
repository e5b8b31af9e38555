"""Hooks: called in order, each with what the one before returned."""

from requestx.hooks import default_hooks, dispatch_hook


def test_there_is_one_event():
    """A new table each time, since lists are changed in place."""
    assert default_hooks() == {"response": []}
    assert default_hooks()["response"] is not default_hooks()["response"]


def test_hooks_replace_the_response_or_leave_it():
    """None leaves it as it is."""
    hooks = {"response": [lambda r, **kw: r + 1, lambda r, **kw: None, lambda r, **kw: r * kw["by"]]}

    assert dispatch_hook("response", hooks, 1, by=10) == 20


def test_one_hook_needs_no_list():
    """A callable alone is a hook."""
    assert dispatch_hook("response", {"response": lambda r: r + 1}, 1) == 2


def test_no_hooks_change_nothing():
    """No table, no event, no hook."""
    assert dispatch_hook("response", None, 1) == dispatch_hook("response", {}, 1) == 1
    assert dispatch_hook("response", {"response": []}, 1) == 1
