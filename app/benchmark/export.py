"""How close a skeleton comes to meshes, and how fast takes are fitted and written."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from app.export.take import export_take
from app.export.take_fit import FLIP, residuals_of
from app.export.take_options import TakeOptions
from app.takes.take import Take
from model.body import BodyModel
from model.fit import fit_body

SECONDS, RATE = 10.0, 30
_OWN_FRAMES = 120


@dataclass(frozen=True)
class ExportFigures:
    """What `measure_export` found."""

    cores: int
    own_mm: float
    """Mean distance of the fitted body from meshes that a posed body made."""
    own_worst_mm: float
    """In the worst frame."""
    take_mm: float
    """Mean distance of the skinned body from the take's meshes."""
    take_worst_mm: float
    fits_a_second: float
    """Meshes that are fitted in a second."""
    fits_a_processor_second: float
    """In a second of one core's work, which other programs do not shorten."""
    fbx_seconds: float
    """For ten seconds of one person at 30 frames a second, from the take to the file."""
    fbx_processor_seconds: float
    fbx_bytes: int


def measure_export(take: Take, body: BodyModel) -> ExportFigures:
    """The figures of this machine, on a take of the network's meshes. Raises UserError."""
    own = own_meshes(body, _OWN_FRAMES)
    fit_body(body, own[:32])  # Warm, so that no first use is measured.
    fit = fit_body(body, own)
    misses = np.concatenate(list(residuals_of(take, body).values()))
    person = take.people[0]
    fitting = _timed(lambda: fit_body(body, person.vertices * np.float32(FLIP)))
    with tempfile.TemporaryDirectory() as folder:
        path, long = Path(folder) / "take.fbx", ten_seconds(take)
        writing = _timed(lambda: export_take(long, body, path, TakeOptions("fbx")))
        size = path.stat().st_size
    return ExportFigures(
        os.cpu_count() or 1,
        fit.residual,
        float(fit.residuals.max()),
        float(misses.mean()),
        float(misses.max()),
        len(person.frames) / fitting[0],
        len(person.frames) / fitting[1],
        writing[0],
        writing[1],
        size,
    )


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def own_meshes(body: BodyModel, frames: int) -> np.ndarray:
    """(T, V, 3): a body of some shape that turns round and swings all its limbs."""
    rng, times = np.random.default_rng(5), np.arange(frames)[:, None, None] / RATE
    pose = rng.uniform(0.1, 0.6, (1, body.num_joints, 3))
    pose = pose * np.sin(3 * times + rng.uniform(0, 6, pose.shape))
    pose[:, 0] = times[:, 0] * [0.0, 2.2, 0.0] + [0.3, 0, 0]
    moves = np.concatenate([times[:, 0], 0.1 * np.sin(times[:, 0]), -times[:, 0]], axis=1)
    with torch.no_grad():
        vertices, _ = body(
            torch.from_numpy(pose.astype(np.float32)),
            torch.from_numpy(rng.normal(size=(1, body.num_betas)).astype(np.float32)),
            torch.from_numpy(moves.astype(np.float32)),
        )
    return np.asarray(vertices.numpy())


def ten_seconds(take: Take) -> Take:
    """The first person for ten seconds, there and back again where the take is shorter."""
    person, count = take.people[0], round(SECONDS * RATE)
    there_and_back = np.concatenate([np.arange(len(person.frames)), np.arange(len(person.frames))[::-1]])
    rows = np.resize(there_and_back, count)
    frames = np.arange(count)
    nearest = person.frames[rows]
    return replace(
        take,
        times=frames / RATE,
        indices=frames,
        sizes=take.sizes[nearest],
        hops=take.hops[nearest],
        people=(replace(person.rows(rows), frames=frames),),
    )
