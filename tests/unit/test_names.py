"""Names that requests' modules hold by accident, and that code reaches for all the same."""

import ast
import importlib
import sys
import urllib.parse
from pathlib import Path

import pytest

import requestx
from requestx import _names, adapters, models, packages, sessions

NAMES = [
    (module, source, entry.partition("=")[0])
    for module, sources in _names._TABLE.items()
    for source, entries in sources.items()
    for entry in entries.split() or (source,)
]


@pytest.mark.parametrize("module, source, name", NAMES)
def test_every_name_of_the_table_is_there(module, source, name):
    """What the table promises is found on the module, where the package it comes from is installed."""
    if source.startswith(".packages."):
        pytest.importorskip(f"requestx{source}")

    home = importlib.import_module("requestx" if module == "requestx" else f"requestx.{module}")
    assert hasattr(home, name)


def test_a_name_is_the_thing_itself():
    """Not a copy: whoever compares or subclasses gets what the name stands for."""
    assert models.urlencode is urllib.parse.urlencode
    assert adapters.ConnectTimeout is requestx.ConnectTimeout
    assert sessions.os is sys.modules["os"]


def test_a_patched_name_is_put_back(monkeypatch):
    """The module keeps what was found, so that a patch and its undoing both work."""
    with monkeypatch.context() as patched:
        patched.setattr(models, "urlencode", None)
        assert models.urlencode is None

    assert models.urlencode is urllib.parse.urlencode


def test_other_names_are_not_there():
    """The message says whose name it would be."""
    with pytest.raises(AttributeError, match="module 'requestx.models' has no attribute 'nothing'"):
        models.nothing  # noqa: B018


def test_names_of_urllib3_are_its_own_or_those_of_the_stand_in():
    """An exception class of the connection is the one that `packages` gives."""
    assert adapters.MaxRetryError is packages.urllib3.exceptions.MaxRetryError
    assert models.SSLError is packages.urllib3.exceptions.SSLError


def test_the_table_names_what_a_module_does_not_use_itself():
    """A module's own imports come first, so such an entry would never be read."""
    for module, sources in _names._TABLE.items():
        path = Path(requestx.__file__).with_name("__init__.py" if module == "requestx" else f"{module}.py")
        top = ast.parse(path.read_text(encoding="utf-8")).body
        imported = {alias.asname or alias.name for node in top if hasattr(node, "names") for alias in node.names}
        listed = {entry.partition("=")[0] for entries in sources.values() for entry in entries.split()}
        assert listed & imported == set(), module
