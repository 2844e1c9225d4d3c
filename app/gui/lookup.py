"""Which vertices look at a spot, and which belong to a body part; no widgets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.gui.model_info import ModelInfo
from app.pipeline.frames import Person

RADIUS = 2.0
"""Cells of the heatmap around a spot that count as looking there."""
LONGEST = 12
"""As many vertices as a look-up lists."""
LEAST = 0.01
"""A vertex with less of its probability there does not look there."""


@dataclass(frozen=True)
class Found:
    """One coarse vertex of a list."""

    coarse: int
    vertex: int
    """The same vertex in the full mesh."""
    name: str
    """Its body part."""
    mass: float | None = None
    """Probability in [0, 1] within `RADIUS` cells of the spot; None in a list by part."""


def cell_of(person: Person, spot: tuple[float, float]) -> tuple[float, float]:
    """Pixels of the picture -> (column, row) in cells of the person's heatmaps, centres at .5."""
    crop, side = person.crop, person.heatmaps.shape[-1]
    x, y = np.asarray(crop.matrix, float) @ (*spot, 1.0) * (side / crop.size)
    return float(x), float(y)


def radius_in_picture(person: Person) -> float:
    """`RADIUS` in pixels of the picture."""
    shrink = float(np.hypot(*np.asarray(person.crop.matrix, float)[:, 0]))
    return RADIUS * person.crop.size / person.heatmaps.shape[-1] / shrink


def vertices_looking_at(person: Person, info: ModelInfo, spot: tuple[float, float]) -> list[Found]:
    """The coarse vertices whose heatmaps have most probability around a spot of the picture, most first.

    A cell counts when its centre is within `RADIUS` cells; nothing is found outside of the crop.
    """
    heatmaps = person.heatmaps
    x, y = cell_of(person, spot)
    centres = np.arange(heatmaps.shape[-1]) + 0.5
    near = (centres[None, :] - x) ** 2 + (centres[:, None] - y) ** 2 <= RADIUS**2
    mass = heatmaps[:, near].sum(axis=1)
    order = np.argsort(-mass, kind="stable")[:LONGEST]
    return [_found(info, int(c), float(mass[c])) for c in order if mass[c] >= LEAST]


def vertices_of_parts(info: ModelInfo, words: str) -> list[Found]:
    """Coarse vertices of the parts whose names hold every word, by part and index; none for no words."""
    wanted = words.lower().split()
    parts = [place for place, name in enumerate(info.part_names) if all(word in name for word in wanted)]
    if not wanted:
        return []
    found = [_found(info, coarse) for coarse in range(info.coarse_count)]
    inside = [one for one in found if int(info.part_of_vertex[one.vertex]) in parts]
    return sorted(inside, key=lambda one: (one.name, one.vertex))


def _found(info: ModelInfo, coarse: int, mass: float | None = None) -> Found:
    vertex = int(info.vertex_of_coarse[coarse])
    return Found(coarse, vertex, info.vertex_name(vertex), mass)
