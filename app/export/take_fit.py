"""The skeleton in a take's meshes: fitted, placed, and by how much it misses them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from app.export.camera import Camera
from app.export.colours import vertex_colours
from app.export.people import camera_of, over_picture, spots_of
from app.export.skeleton import Motion, SkinnedTake, posed, skeleton_of
from app.export.take_options import TakeOptions, Watch
from app.takes.take import Performer, Take
from model.body import BodyModel
from model.fit import fit_body

FLIP = np.array([1.0, -1.0, -1.0])
"""From camera axes to a body's, and back."""
_STEPS = 24


@dataclass(frozen=True)
class Fitted:
    """One person with a skeleton."""

    person: Performer
    skinned: SkinnedTake
    """Where the person stands."""
    misses: np.ndarray
    """(T,) mean distance in millimetres of the skinned body's vertices from the take's."""


def fits(take: Take, body: BodyModel, options: TakeOptions, watch: Watch) -> Iterator[Fitted]:
    """Everybody of a prepared take. Raises UserError when it is not this body's, or was cancelled."""
    share, colours = 1.0 / max(len(take.people), 1), colours_of(body, options)
    for number, (person, places) in enumerate(zip(take.people, places_of(take, options), strict=True)):
        part = watch.within(number * share, (number + 0.9) * share)
        fit = fit_body(body, person.vertices * np.float32(FLIP), part.at)
        skeleton = skeleton_of(body, person.name, fit.betas, colours)
        motion = Motion(take.times_of(person), fit.rotations, fit.translations)
        misses = []
        for start in range(0, len(person.frames), _STEPS):
            watch.at((number + 0.9) * share)
            rows = slice(start, start + _STEPS)
            piece = Motion(motion.times[rows], motion.rotations[rows], motion.translations[rows])
            seen = posed(SkinnedTake(skeleton, piece)) - person.vertices[rows] * FLIP
            misses.append(np.linalg.norm(seen, axis=-1).mean(axis=1) * 1000)
        moved = replace(motion, translations=motion.translations + places * FLIP)
        yield Fitted(person, SkinnedTake(skeleton, moved), np.concatenate(misses))


def residuals_of(take: Take, body: BodyModel, watch: Watch | None = None) -> dict[int, np.ndarray]:
    """Person's id -> (T,) millimetres by which a skinned file would miss the meshes; nothing is written.

    Raises UserError when the take is not this body's, or it was cancelled.
    """
    found = fits(take, body, TakeOptions(), watch or Watch())
    return {one.person.id: one.misses for one in found}


def places_of(take: Take, options: TakeOptions) -> list[np.ndarray]:
    """For each person (T, 3) metres in camera axes, where the middle of the hips stands."""
    if options.camera:
        return [over_picture(one.cameras, take.sizes[one.frames].astype(float)) for one in take.people]
    if not take.people:
        return []
    cameras = np.stack([np.median(one.cameras, axis=0) for one in take.people])
    spots = spots_of(cameras, int(take.sizes[0, 0]))
    return [
        np.tile(spot - spots[0], (len(one.frames), 1)) for one, spot in zip(take.people, spots, strict=True)
    ]


def camera_of_take(take: Take) -> Camera:
    """The camera before which `places_of` puts people over the first picture."""
    width, height = take.sizes[0].tolist()
    return camera_of(width, height)


def colours_of(body: BodyModel, options: TakeOptions) -> np.ndarray | None:
    """(V, 3) of the body's parts, where they are wanted."""
    return vertex_colours(body.part_names, body.part_of_vertex) if options.colours else None
