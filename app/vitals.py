"""What a process holds: memory, threads, handles. For the soak, which wants all three flat.

Resident memory is what counts, for that is what the machine lacks. It can grow where nothing is kept: freed
pieces between two that live stay resident (see `app.malloc`). What was given out and not freed tells that
from a leak, so it stands beside: a leak raises both.
"""

from __future__ import annotations

import statistics
import threading
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from app.malloc import in_use_mb

MOST_GROWTH_MB = 20.0
MOST_MORE = 2
"""Threads or handles that may be more at the end: somebody is always just opening a file."""
WARM_UP = 0.2
"""Part of the time that is left out: caches fill, engines are compiled."""
_PROCESS = Path("/proc/self")


@dataclass(frozen=True)
class Vitals:
    """One look at this process."""

    seconds: float
    """Since the start of the soak."""
    memory_mb: float
    """Resident, without what is only mapped from files; the soak first gives back what is free."""
    in_use_mb: float
    """Given out by malloc and not freed; 0 where it does not tell. Python's small objects are not in it."""
    threads: int
    """Of the operating system, where it tells; else Python's."""
    handles: int
    """Open files, sockets, devices; 0 where the system does not tell."""
    widgets: int
    records: int
    """Drawn since the start."""


@dataclass(frozen=True)
class Growth:
    """What became more between the first fifth after the warm-up and the last fifth, by medians."""

    memory_mb: float
    in_use_mb: float
    threads: float
    handles: float
    widgets: float

    @property
    def flat(self) -> bool:
        """Whether nothing leaks."""
        more = max(self.threads, self.handles, self.widgets)
        return self.memory_mb <= MOST_GROWTH_MB and more <= MOST_MORE


def look(seconds: float, widgets: int, records: int) -> Vitals:
    """The process as it is now."""
    if not _PROCESS.is_dir():
        return Vitals(seconds, _peak_mb(), in_use_mb(), threading.active_count(), 0, widgets, records)
    pairs = (line.split(":", 1) for line in (_PROCESS / "status").read_text().splitlines() if ":" in line)
    status = {name: value.split() for name, value in pairs}
    handles = sum(1 for _ in (_PROCESS / "fd").iterdir())
    memory = int(status["RssAnon"][0]) / 1024.0
    return Vitals(seconds, memory, in_use_mb(), int(status["Threads"][0]), handles, widgets, records)


def growth(samples: Sequence[Vitals]) -> Growth:
    """Over a soak; raises ValueError for fewer than five samples."""
    if len(samples) < 5:
        raise ValueError("a soak has at least five samples")
    warm = samples[int(len(samples) * WARM_UP) :]
    part = max(1, len(warm) // 5)

    def more(name: str) -> float:
        first, last = ([getattr(one, name) for one in some] for some in (warm[:part], warm[-part:]))
        return float(statistics.median(last) - statistics.median(first))

    return Growth(*(more(item.name) for item in fields(Growth)))


def _peak_mb() -> float:
    """The largest resident size so far, where the present one is not told."""
    import resource  # not on every system

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
