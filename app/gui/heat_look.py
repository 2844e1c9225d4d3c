"""How heatmaps are shown: each to its own peak or all on one scale, of a vertex or its whole part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.gui.heatmaps import enlarge
from app.gui.model_info import ModelInfo

ABSOLUTE_TOP = 0.25
"""Probability of a cell that has the full colour on the one scale."""


@dataclass(frozen=True)
class HeatLook:
    """Both switches of the heatmap strip."""

    absolute: bool = False
    whole_part: bool = False

    def heatmap(self, heatmaps: np.ndarray, info: ModelInfo, vertex: int) -> np.ndarray:
        """(C, n, n) -> (n, n) of a full vertex: its own, or the sum over its part, by the number of vertices.

        So both are probabilities that sum to one.
        """
        if not self.whole_part:
            own: np.ndarray = heatmaps[info.coarse_of_vertex[vertex]]
            return own
        inside = info.part_of_vertex[info.vertex_of_coarse] == info.part_of_vertex[vertex]
        inside[info.coarse_of_vertex[vertex]] = True
        mean: np.ndarray = heatmaps[inside].mean(axis=0)
        return mean

    def hill(self, heatmaps: np.ndarray, info: ModelInfo, vertex: int, side: int) -> np.ndarray:
        """(side, side) float32 in [0, 1]: the heatmap as it is tinted."""
        return enlarge(self.heatmap(heatmaps, info, vertex), side, ABSOLUTE_TOP if self.absolute else None)


PLAIN = HeatLook()
