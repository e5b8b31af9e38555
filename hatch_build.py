"""
hatchling's build hook: one ``py3-none-<platform>`` wheel, with the library and the cffi module inside.

A wheel gets the two built files from a scratch folder, so that building one leaves the checkout clean.
An editable install gets them beside the sources, where ``import requestx`` looks, in cargo's quick profile.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import build_core  # noqa: E402  (found by the path above)
import build_ffi  # noqa: E402


class NativeBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """
    Builds ``librequestx`` and ``_native.py``, and names the wheel after the platform.
    """

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """
        zig, if the target asks for an older glibc than this machine's.
        """
        return build_core.ZIG_PACKAGES if "-gnu" in _target() and ".2." in _target() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """
        Called by hatchling before it collects the files.
        """
        if self.target_name != "wheel":
            return
        editable = version == "editable"
        folder = build_core.PACKAGE if editable else ROOT / "build" / "wheel"
        try:
            what = build_core.plan("dev" if editable else "release")
            build_core.place(build_core.build(what), folder / what.library)
            build_ffi.generate(target=folder / "_native.py")
        except (build_core.BuildError, build_ffi.HeaderError) as error:
            sys.exit(f"\nrequestx cannot be built: {error}")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{what.platform_tag}"
        if not editable:
            inside = build_data["force_include"]
            inside[str(folder / what.library)] = f"requestx/{what.library}"
            inside[str(folder / "_native.py")] = "requestx/_native.py"


def _target() -> str:
    return os.environ.get("REQUESTX_TARGET", "")
