"""
`install_as_requests`: from then on ``import requests`` gives requestx, to the libraries a program uses as well.

Each module is the very module of ours, so what a test patches in ``requests.adapters`` takes effect.
Three are not: `requests`, `requests.api` and `requests.sessions` name the functions and the Session that always block,
for what was written for requests knows of no event loop, and would not await.
Each of these three is a `_Twin`, which has a few names of its own and for all others is ours.

What nobody has imported yet is found by `_Finder`, first of all: `requests.help`, whatever else somebody asks for, and
`requests` itself where it is reloaded or was taken out of `sys.modules`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from . import blocking
from .__version__ import __requests_build__, __requests_version__
from ._again import SameModule

_SAME = (
    "_internal_utils _types adapters auth certs compat cookies exceptions hooks models packages status_codes "
    "structures utils"
).split()
_VERBS = ("delete", "get", "head", "options", "patch", "post", "put", "request")


def install_as_requests() -> None:
    """
    Let ``import requests`` give requestx, in this process, whoever imports it.

    Call it first of all, before anything imports requests. A second call does nothing.
    `requests.__version__` is then the release of requests whose names and behaviour these are.

    Raises:
        RuntimeError: requests itself is imported already, and somebody may hold a part of it.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    there = sorted(name for name in sys.modules if name.partition(".")[0] == "requests")
    if there:
        raise RuntimeError(
            f"{', '.join(there)} imported already: call requestx.install_as_requests() before anything imports requests"
        )
    made = _modules()
    sys.meta_path.insert(0, _Finder(made))
    sys.modules.update(made)


def _modules() -> dict[str, ModuleType]:
    ours = import_module(".", __package__)
    made: dict[str, ModuleType] = {f"requests.{name}": import_module(f".{name}", __package__) for name in _SAME}
    versions = {"__version__": __requests_version__, "__build__": __requests_build__}
    made["requests.__version__"] = _Twin("requests.__version__", import_module(".__version__", __package__), versions)
    ours_that_block = {"Session": blocking, "session": blocking}
    made["requests.sessions"] = _Twin("requests.sessions", import_module(".sessions", __package__), {}, ours_that_block)
    made["requests.api"] = _Twin("requests.api", blocking, {"sessions": made["requests.sessions"]})
    own: dict[str, Any] = {name: getattr(ours, name) for name in ours.__all__}
    own.update((name, getattr(blocking, name)) for name in (*_VERBS, "Session", "session"))
    own.update({name.partition(".")[2]: module for name, module in made.items()}, **versions)
    made["requests"] = _Twin("requests", ours, dict(own, __path__=[*ours.__path__]))
    return made


class _Finder(MetaPathFinder):
    """
    Imports ``requests.x`` as ``requestx.x``: the same module under a second name.

    Args:
        made: modules by the names that they are to be found by.
    """

    def __init__(self, made: dict[str, ModuleType]) -> None:
        self._made = made
        self._loader = _Loader(lambda name: made.get(name) or import_module(_ours(name)))

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """
        A spec for requests and what is below it; what `requests.packages` has is found by that module's own finder.
        """
        top, _, rest = fullname.partition(".")
        if top != "requests" or rest.startswith("packages."):
            return None
        home = self._made[fullname].__spec__ if fullname in self._made else find_spec(_ours(fullname))
        if home is None:
            return None
        spec = ModuleSpec(fullname, self._loader, origin=home.origin, loader_state=home)
        spec.submodule_search_locations = home.submodule_search_locations
        return spec


class _Loader(SameModule):
    """
    And it runs one as a program.
    """

    def get_code(self, fullname: str) -> Any:
        """
        The code of ours, for ``python -m requests.help``.
        """
        home: Any = find_spec(_ours(fullname))
        return home.loader.get_code(home.name)


def _ours(fullname: str) -> str:
    return fullname.replace("requests", str(__package__), 1)


class _Twin(ModuleType):
    """
    A module that is another under a second name, but for a few names.

    Args:
        name: the second name.
        home: the module that has all names but those that follow.
        own: names of its own.
        elsewhere: names that are another module's, and the module.
    """

    def __init__(
        self, name: str, home: ModuleType, own: dict[str, Any], elsewhere: dict[str, ModuleType] | None = None
    ) -> None:
        super().__init__(name, home.__doc__)
        spec = ModuleSpec(name, None, origin=home.__file__)
        spec.submodule_search_locations = own.get("__path__")
        more = {"__spec__": spec, "__package__": spec.parent, "__file__": home.__file__}
        vars(self).update(own, **more, _home=home, _elsewhere=elsewhere or {})

    def _owner(self, name: str) -> ModuleType:
        found: ModuleType = self._elsewhere.get(name, self._home)
        return found

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self._owner(name), name)
        except AttributeError:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name in vars(self):
            super().__setattr__(name, value)
        else:
            setattr(self._owner(name), name, value)

    def __delattr__(self, name: str) -> None:
        if name in vars(self):
            super().__delattr__(name)
        else:
            delattr(self._owner(name), name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._home), *self._elsewhere})
