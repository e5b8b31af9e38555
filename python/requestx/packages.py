"""
``requestx.packages``: the names by which requests gave access to urllib3, idna and chardet.

We need none of them to make requests, so each is imported when it is named here, and not before.
``requestx.packages.urllib3`` is urllib3 itself where that is installed; else a stand-in with what most code wants
of it: `disable_warnings`, the names of its warnings and exceptions, `Retry`, and a `PoolManager` for adapters.
``import requestx.packages.urllib3.poolmanager`` works too and yields urllib3's own module (`_Aliases`).
"""

from __future__ import annotations

import importlib
import sys
import warnings
from functools import lru_cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from . import _causes
from ._again import SameModule

# With a path this module counts as a package, so that import statements may go through it.
__path__: list[str] = []

_NAMES = {"urllib3": ("urllib3",), "idna": ("idna",), "chardet": ("chardet", "charset_normalizer")}


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        found = globals()[name] = _load(name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _load(name: str) -> ModuleType:
    """
    The module that `name`, urllib3.util say, stands for.
    """
    top, _, rest = name.partition(".")
    for candidate in _NAMES.get(top, ()):
        try:
            importlib.import_module(candidate)
        except ImportError:
            continue
        return importlib.import_module(f"{candidate}.{rest}" if rest else candidate)
    if name in _stand_in():
        return _stand_in()[name]
    raise ModuleNotFoundError(f"requestx works without {top}; install it to use {name}", name=name)


class _Aliases(MetaPathFinder):
    """
    Imports ``<this package>.urllib3.x`` as ``urllib3.x``: the same module object under a second name.
    """

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """
        A spec for names below this package, under whatever name it is imported.
        """
        head, marker, name = fullname.partition(".packages.")
        if not marker or sys.modules.get(f"{head}.packages") is not _this or name.partition(".")[0] not in _NAMES:
            return None
        return ModuleSpec(fullname, _loader)


_loader = SameModule(lambda fullname: _load(fullname.partition(".packages.")[2]))


def _disable_warnings(category: type[Warning] = _causes.HTTPWarning) -> None:
    """
    Ignore our warnings of a category, as `urllib3.disable_warnings` does.
    """
    warnings.simplefilter("ignore", category)


@lru_cache(maxsize=None)
def _stand_in() -> dict[str, ModuleType]:
    urllib3 = ModuleType("urllib3", "What requestx offers in the place of urllib3, which is not installed.")
    exceptions = ModuleType("urllib3.exceptions", "urllib3's names for what goes wrong.")
    vars(exceptions).update(_causes._OWN)
    from . import _pools, _retry

    util = ModuleType("urllib3.util", "The part of urllib3.util that adapters are given.")
    retry = ModuleType("urllib3.util.retry", "Where urllib3 keeps its Retry.")
    manager = ModuleType("urllib3.poolmanager", "Where urllib3 keeps its PoolManager.")
    vars(retry).update(Retry=_retry.Retry)
    vars(util).update(Retry=_retry.Retry, retry=retry, __path__=[])
    vars(manager).update(PoolManager=_pools.PoolManager)
    vars(urllib3).update(disable_warnings=_disable_warnings, exceptions=exceptions, __version__="2.0.0", __path__=[])
    vars(urllib3).update(util=util, poolmanager=manager, Retry=_retry.Retry, PoolManager=_pools.PoolManager)
    modules = (urllib3, exceptions, util, retry, manager)
    return {module.__name__: module for module in modules}


_this = sys.modules[__name__]
sys.meta_path.insert(0, _Aliases())
