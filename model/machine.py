"""What this process may use of the machine."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Cores that this process may run on, at least 1."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
