"""Memory that stays with the process between two batches."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_MIB = 1024 * 1024
KEPT_BYTES = 256 * _MIB
"""So much freed memory the process may keep."""


@cache
def keep_freed_memory() -> bool:
    """Have the C library keep freed feature maps for the next batch, for the rest of this process.

    By its own rules glibc may hand them back after every batch, and as many as 18 000 pages an epoch are then cleared
    and mapped anew: a tenth of a training's time, and more where several trainings run side by side. Results do not
    change.

    Returns:
        Whether the C library can be told; only glibc can.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    # 32 MiB is the most that glibc takes for what it maps apart; setting one threshold alone would freeze the other
    # at 128 KiB.
    return mallopt is not None and all(
        mallopt(name, size) == 1 for name, size in ((_M_MMAP_THRESHOLD, 32 * _MIB), (_M_TRIM_THRESHOLD, KEPT_BYTES))
    )
