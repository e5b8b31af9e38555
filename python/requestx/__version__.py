"""
What this package calls itself; the same number as in pyproject.toml, which a test compares.

It counts on from the release of requests that it follows, since code written for requests compares
``requests.__version__`` with the oldest that it can do with, also where ``requests`` is us.
"""

from __future__ import annotations

__title__ = "requestx"
__description__ = "The requests API, sync and awaitable, over one Rust core."
__version__ = "2.34.0"
__build__ = 0x023400
# The release of requests whose names and behaviour these are: what `install_as_requests` shows, since libraries compare
# it with the oldest that they can do with.
__requests_version__ = "2.34.2"
__requests_build__ = 0x023402
__license__ = "Apache-2.0"
__author__ = "The requestx maintainers"
__copyright__ = "Copyright The requestx maintainers"
# Names that bug reports read as well; the first two have nothing to name yet.
__author_email__ = __url__ = ""
__cake__ = "\N{TEACUP WITHOUT HANDLE}"
