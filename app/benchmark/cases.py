"""Pictures that are easy and pictures that break meshes, with their truth, from the renderer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from app.pipeline.frames import Frame, PersonBox
from app.pipeline.truth import Truth
from model.body import load_body
from model.data.synthetic import NEAREST, SyntheticDataset
from model.errors import UserError
from model.hierarchy import load_hierarchy

if TYPE_CHECKING:
    from model.data.render.studio import Shot, Wish

KINDS = ("alone", "overlap", "occluded", "truncated", "noise")
NOISE_SIZE = 304
ATTEMPTS = 20
LEAST_OVERLAP = 0.1
"""Part of the person's box that the other's must cover for the two to overlap."""
LEAST_SEEN = 0.15
"""Share of the body's vertices that the picture must show."""


@dataclass(frozen=True)
class Case:
    """One picture of one kind."""

    kind: str
    frame: Frame
    box: PersonBox
    others: tuple[PersonBox, ...]
    truth: Truth | None
    """None for noise: whatever comes out is wrong."""
    second: bool = False
    """Whether it is about the companion of an overlap."""


class CaseMaker:
    """Case number k of a kind and seed is always the same. Raises UserError without the renderer's files."""

    def __init__(
        self, appearance: Path, motion: Path, seed: int, part: Literal["train", "val"] = "val"
    ) -> None:
        """part: whose clips the poses are from; the two share none."""
        body, hierarchy = load_body(), load_hierarchy()
        self._dataset = SyntheticDataset(appearance, motion, part, body, hierarchy)
        self._pick = hierarchy.vertex_of_coarse
        self._seed = seed

    def cases(self, kind: str, count: int) -> Iterator[Case]:
        """The first `count` ones."""
        return (self.case(kind, number) for number in range(count))

    def case(self, kind: str, number: int) -> Case:
        """Raises UserError when no picture of this kind comes out."""
        return self.pair(kind, number)[0]

    def pair(self, kind: str, number: int) -> list[Case]:
        """The case, and where the picture is an overlap the same picture about the companion."""
        words = (7, self._seed, KINDS.index(kind), number)
        name = f"{kind}_{self._seed}_{number:04d}"
        if kind == "noise":
            return [_noise(name, np.random.default_rng(words))]
        for attempt in range(ATTEMPTS):
            rng = np.random.default_rng((*words, attempt))
            shot = self._dataset.studio.shoot(rng, _wish(kind))
            case = self._case_of(kind, name, shot)
            if case is not None:
                return [case, *([self._turned(case, shot)] if kind == "overlap" else [])]
        raise UserError(f"No picture of the kind {kind!r} came out in {ATTEMPTS} attempts.")

    def _case_of(self, kind: str, name: str, shot: Shot) -> Case | None:
        """None for a picture that does not show what it should."""
        if shot.visible.mean() < LEAST_SEEN or shot.points[:, 2].min() < NEAREST:
            return None
        side = shot.image.shape[0]
        box = _box(shot.pixels, side)
        others: tuple[PersonBox, ...] = ()
        if shot.companion is not None:
            if shot.companion[:, 2].min() < NEAREST:
                return None
            others = tuple(b for b in [_box(shot.view.flat(shot.companion), side)] if b is not None)
        if box is None or (kind == "overlap" and not any(_covered(box, b) > LEAST_OVERLAP for b in others)):
            return None
        return Case(kind, Frame(shot.image, 0, 0.0, name), box, others, self._truth(shot, shot.points))

    def _turned(self, case: Case, shot: Shot) -> Case:
        assert shot.companion is not None
        truth = self._truth(shot, shot.companion)
        return replace(case, box=case.others[0], others=(case.box,), truth=truth, second=True)

    def _truth(self, shot: Shot, points: np.ndarray) -> Truth:
        joints = self._dataset.studio.poser.keypoints(points)
        hips = joints[2:4].mean(axis=0)
        return Truth(
            (points[self._pick] - hips).astype(np.float32),
            (joints - hips).astype(np.float32),
            shot.view.flat(joints).astype(np.float32),
        )


def _wish(kind: str) -> Wish:
    from model.data.render.camera import Framing
    from model.data.render.studio import Wish

    pair = kind == "overlap"
    framing = Framing.CUT if kind == "truncated" else Framing.FULL
    return Wish(framing, accompanied=pair, occluded=kind == "occluded", overlapping=pair)


def _noise(name: str, rng: np.random.Generator) -> Case:
    image = rng.integers(0, 256, (NOISE_SIZE, NOISE_SIZE, 3), dtype=np.uint8)
    margin = 0.1 * NOISE_SIZE
    box = PersonBox(margin, margin, NOISE_SIZE - 2 * margin, NOISE_SIZE - 2 * margin, id=1)
    return Case("noise", Frame(image, 0, 0.0, name), box, (), None)


def _box(pixels: np.ndarray, side: int) -> PersonBox | None:
    """What the picture shows of a body, (V, 2) pixels; None for next to nothing."""
    low, high = np.clip(pixels.min(axis=0), 0, side), np.clip(pixels.max(axis=0), 0, side)
    width, height = (high - low).tolist()
    return PersonBox(float(low[0]), float(low[1]), width, height, id=1) if min(width, height) > 8 else None


def _covered(box: PersonBox, by: PersonBox) -> float:
    width = min(box.x + box.width, by.x + by.width) - max(box.x, by.x)
    height = min(box.y + box.height, by.y + by.height) - max(box.y, by.y)
    return max(width, 0.0) * max(height, 0.0) / (box.width * box.height)
