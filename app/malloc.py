"""The C library's allocator, where it is glibc's: how it keeps memory, and what it says of it."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

_M_ARENA_MAX = -8
_ARENAS = 2


class _Info(ctypes.Structure):
    """The `struct mallinfo2`: sums over all arenas, in bytes."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def use_few_arenas() -> None:
    """Let all threads but the first share one arena; call it before there are threads.

    By itself glibc gives each thread its own, up to eight a core. Frames and meshes are made in one thread
    and freed in others, so each arena is left with holes that no other one can use. At rest after each of
    eleven rounds of everything the window went from 516 to 559 MB resident, of which 384 and 386 were in use;
    with two arenas, from 580 to 577 after nine, of which 419 and 421.
    """
    mallopt = _function("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return freed memory to the system: what stays resident is in use, or lies between what is."""
    trim = _function("malloc_trim")
    if trim is not None:
        trim(0)


def in_use_mb() -> float:
    """What was given out, from arenas and as mappings of its own, and not freed; 0 where nobody tells."""
    told = _function("mallinfo2")
    if told is None:
        return 0.0
    told.restype = _Info
    info = told()
    return float((info.uordblks + info.hblkhd) / 2**20)


def _function(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
