"""
What this package calls itself; the same number as in pyproject.toml, which a test compares.
"""

from __future__ import annotations

__title__ = "requestx"
__description__ = "The requests API, sync and awaitable, over one Rust core."
__version__ = "0.1.0"
__build__ = 0x000100
# The release of requests whose names and behaviour these are: what `install_as_requests` shows, since libraries compare
# it with the oldest that they can do with.
__requests_version__ = "2.34.2"
__requests_build__ = 0x023402
__license__ = "Apache-2.0"
