"""People of one record -> one mesh to draw: where each stands, and the colour of each vertex."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.export.colours import vertex_colours
from app.export.people import placements
from app.gui.colourings import ATTENTION, CHANGE, ERROR, on_map, ramp
from app.gui.colours import person_colour
from app.gui.model_info import ModelInfo
from app.pipeline.frames import Person

COLOUR_BY = ("Plain", "Part", "Depth", "Confidence", CHANGE, ERROR, ATTENTION)
SCALES = {"Depth": ("Viridis", ("far", "near")), "Confidence": ("Magma", ("unsure", "sure"))}
"""Colour map and the words at its ends."""
CONFIDENT = 0.25
"""Peak of a heatmap that counts as fully confident on the colour scale."""


@dataclass(frozen=True)
class Scene:
    """All people on one floor (y = 0), stacked person by person."""

    vertices: np.ndarray
    """(P * V, 3) float32 metres."""
    faces: np.ndarray
    """(P * F, 3) int."""
    albedo: np.ndarray
    """(P * V, 3) colours before light."""
    ids: tuple[int, ...]
    """Person of each stack."""
    vertex_count: int
    """V, so that stacked index // V is the place in `ids` and index % V the vertex."""

    def stack_of(self, person_id: int) -> int:
        """Place of a person in the stacks; 0 when gone."""
        return self.ids.index(person_id) if person_id in self.ids else 0


def build_scene(
    people: Sequence[Person],
    info: ModelInfo,
    width: int,
    colour_by: str,
    faces: np.ndarray,
    painted: Sequence[np.ndarray | None] = (),
) -> Scene:
    """Stand everyone on the floor. `faces` are those of as many stacks.

    `painted`: (V, 3) colours per person that go before `colour_by`, where there are some.
    """
    spots = placements(people, width)
    stacks, colours = [], []
    own = painted or (None,) * len(people)
    for person, spot, colour in zip(people, spots, own, strict=True):
        vertices = person.vertices
        stacks.append(vertices + np.array([spot[0], -vertices[:, 1].max(), spot[2]], np.float32))
        colours.append(albedo(person, info, colour_by) if colour is None else colour)
    empty = np.zeros((0, 3), np.float32)
    return Scene(
        vertices=np.vstack(stacks) if stacks else empty,
        faces=faces,
        albedo=np.vstack(colours) if colours else empty,
        ids=tuple(p.box.id for p in people),
        vertex_count=len(info.part_of_vertex),
    )


def albedo(person: Person, info: ModelInfo, colour_by: str) -> np.ndarray:
    """(V, 3) colours of one person's mesh before light."""
    if colour_by == "Part":
        return vertex_colours(info.part_names, info.part_of_vertex)
    if colour_by == "Depth":
        depth = person.vertices[:, 2]
        share = (depth - depth.min()) / max(float(np.ptp(depth)), 1e-6)
        return on_map(SCALES[colour_by][0], 1 - share)
    if colour_by == "Confidence":
        peak = person.heatmaps.reshape(info.coarse_count, -1).max(axis=1)
        share = np.sqrt(np.clip(peak / CONFIDENT, 0, 1))[info.coarse_of_vertex]
        return on_map(SCALES[colour_by][0], info.topology.smooth(share, 6))
    return np.broadcast_to(person_colour(person.box.id), person.vertices.shape)


def legend(colour_by: str) -> tuple[list[str], tuple[str, str]] | None:
    """Colours ("#rrggbb", from low to high) and the words at both ends; None where there is no scale."""
    if colour_by not in SCALES:
        return None
    name, ends = SCALES[colour_by]
    return ramp(name), ends
