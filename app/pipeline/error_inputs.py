"""What the expected error is estimated from: the measures, and what the network itself knows of a crop.

Only what every engine gives is read (heatmaps, tokens, landmarks, the mesh), so that none has to run again.
"""

from __future__ import annotations

import numpy as np

from app.pipeline.crop import to_crop
from app.pipeline.diagnostics import ERROR, MEASURES, Diagnostics
from app.pipeline.frames import Person
from app.pipeline.heat_measures import STEP, HeatMeasures
from model.evaluation.landmarks import LANDMARK_OF_LIMB
from model.hierarchy import Hierarchy
from model.metrics import pa_mpjpe

MEASURED = tuple(measure.name for measure in MEASURES if measure.name not in ("jerk", ERROR))
"""Jerk needs a film, and the error is the answer itself."""
_QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75)


class ErrorInputs:
    """Makes the numbers of one person, always in the same order."""

    def __init__(self, part_of_vertex: np.ndarray, hierarchy: Hierarchy) -> None:
        """part_of_vertex: (V,) int of the full mesh."""
        part = part_of_vertex[hierarchy.vertex_of_coarse][::STEP]
        same = part[None] == np.unique(part)[:, None]
        self._mean_of_part = (same / same.sum(axis=1, keepdims=True)).astype(np.float32)

    def of(self, person: Person, told: Diagnostics, heat: HeatMeasures) -> np.ndarray:
        """(N,) float32; NaN for a measure that there is none of. The network must have landmarks."""
        features = person.features
        assert features.landmarks is not None
        marks = features.landmarks[0].float().cpu().numpy()
        size = person.crop.size
        limbs = to_crop(person.crop, person.joints2d[:12].astype(np.float64)) / size
        seen, world = marks[list(LANDMARK_OF_LIMB), :2], marks[list(LANDMARK_OF_LIMB), 5:8]
        points = to_crop(person.crop, person.project(person.coarse[::STEP]).astype(np.float64)) / size
        off = np.linalg.norm(points - heat.middles, axis=1)
        tokens, grid = (t[0].float().cpu().numpy() for t in (features.vertex_tokens, features.grid_tokens))
        values = [told.value(name) for name in MEASURED]
        parts = [
            np.array([np.nan if value is None else value for value in values]),
            [pa_mpjpe(world[None].astype(float), person.joints3d[None, :12].astype(float))[0]],
            np.linalg.norm((seen + 1) / 2 - limbs, axis=1),
            marks.ravel(),
            np.ptp(person.joints3d, axis=0),
            np.quantile(heat.tops, _QUANTILES),
            *(self._mean_of_part @ column for column in (heat.spreads, heat.tops, off.astype(np.float32))),
            tokens.mean(axis=0), tokens.std(axis=0), grid.mean(axis=0), grid.max(axis=0),
        ]  # fmt: skip
        return np.concatenate(parts).astype(np.float32)
