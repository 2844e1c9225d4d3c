"""What this process may use of the machine."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Cores that this process may run on, at least 1."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself; else float32 is almost twice as fast."""
    import torch  # here: whoever counts cores, as the window does at its start, needs no second of it

    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
