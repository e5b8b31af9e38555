"""
A module that is imported a second time, under another name: the very module, with its own spec.

`_install` and `packages` find modules by names that are not theirs, and load them by this.
"""

from __future__ import annotations

from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Callable


class SameModule(Loader):
    """
    A loader that gives a module which is there already, or is imported under its own name now.

    Args:
        find: called with the second name; gives the module.
    """

    def __init__(self, find: Callable[[str], ModuleType]) -> None:
        self._find = find

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """
        The module itself; its own spec is kept, since importlib is about to replace it.
        """
        module = self._find(spec.name)
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """
        It ran already; give it back its spec.
        """
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state
