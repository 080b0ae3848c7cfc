"""Keeps None alive: PySide6 6.12 gives a reference of it away with every call that returns it.

Python 3.12 and newer do not count references to None. Python 3.11 does, and ends with "deallocating None" after some
thousand calls.
"""

from __future__ import annotations

import ctypes
import sys

PLENTY = 1 << 40


def keep() -> None:
    """Give None more references than any test run can take."""
    if sys.version_info < (3, 12) and sys.getrefcount(None) < PLENTY:
        ctypes.c_ssize_t.from_address(id(None)).value += 2 * PLENTY
