"""The pipeline and the real window on the bundled clip: frames a second, slider, start, memory, stalls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from app.pipeline.frames import Hops
from app.pipeline.loading import leave_a_core
from app.pipeline.sources import open_source
from app.pipeline.speed import load_fastest
from model.errors import UserError

SLIDER: tuple[Hops, ...] = ((7, 5, 3, 1), (6, 5, 3, 1), (5, 4, 3, 1), (None, None, None, None))


def pipeline(frames: int) -> dict[str, Any]:
    """From grabbing a frame to its record, one after another; and other masks on the last one."""
    from app.commands.window import SAMPLE

    leave_a_core()
    line, reconstructor = load_fastest()
    source = open_source(str(SAMPLE))
    took, record = [], None
    try:
        for _ in range(frames):
            start = time.perf_counter()
            frame = source.read()
            if frame is None:
                break
            record = line.process(frame, SLIDER[0])
            took.append(time.perf_counter() - start)
    finally:
        source.close()
    assert record is not None
    slider = []
    for index in range(max(8, frames // 4)):
        start = time.perf_counter()
        line.regress_again(record, SLIDER[index % len(SLIDER)])
        slider.append(time.perf_counter() - start)
    took = took[len(took) // 10 :]  # The first ones detect and warm up.
    return {
        "engine": reconstructor.engine.name,
        "frames_per_second": 1 / median(took),
        "best_frames_per_second": 1 / min(took),
        "stages_ms": dict(record.timings),
        "slider_ms": 1000 * median(slider),
        "slider_min_ms": 1000 * min(slider),
    }


def window(seconds: float) -> dict[str, Any]:
    """The real window in a process of its own, without a screen. Raises UserError when it shows nothing."""
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": paths, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "app.benchmark.window_probe", str(time.time()), str(seconds)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        words = done.stderr.strip().splitlines()
        raise UserError(f"The window could not be measured: {words[-1] if words else 'it showed nothing'}.")
    result: dict[str, Any] = json.loads(lines[-1])
    return result
