"""The frozen records that travel from source to views: nothing reaches back.

Axes of every 3D array are the camera's: x right, y down, z forward, in metres, with the origin in the
middle of the two hips. 2D arrays are pixels of the full picture (x right, y down; pixel centres at .5).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from app.pipeline.diagnostics import Diagnostics
    from model.pointhmr import Features

Hops = tuple[int | None, int | None, int | None, int | None]
"""Attention-mask threshold of each encoder in hops on the coarse mesh; None is off."""
PAPER_HOPS: Hops = (7, 5, 3, 1)
"""As published, and as every shipped network was trained."""
MOST_HOPS = 1000
"""More than there are vertices in any coarse mesh."""


def hops_of(values: Iterable[int | None]) -> Hops:
    """Thresholds from outside. Raises ValueError unless they are four, each None or from 1 to MOST_HOPS."""
    four = tuple(values)
    if len(four) != 4 or any(hop is not None and not 1 <= hop <= MOST_HOPS for hop in four):
        raise ValueError("its masks are not four thresholds")
    return four


@dataclass(frozen=True)
class Frame:
    """One picture of a source."""

    image: np.ndarray
    """(H, W, 3) uint8 RGB."""
    index: int
    """Position in the source, from 0."""
    time: float
    """Seconds since the start of the source (a camera: since it was opened)."""
    source: str
    """Path or name of the source, as a person reads it."""


@dataclass(frozen=True)
class PersonBox:
    """Where a person is, in pixels of the full picture."""

    x: float
    y: float
    width: float
    height: float
    score: float = 1.0
    id: int = 0
    """Stays with the person from frame to frame."""
    keypoints: np.ndarray | None = None
    """(17, 2) COCO joints of the detector, coarse; None for a box given by hand."""

    @property
    def xywh(self) -> tuple[float, float, float, float]:
        """Left, top, width, height."""
        return self.x, self.y, self.width, self.height


@dataclass(frozen=True)
class Crop:
    """The square, possibly turned region that the network sees."""

    matrix: np.ndarray
    """(2, 3) similarity: picture pixels -> crop pixels."""
    size: int
    """Side of the crop in pixels."""


@dataclass(frozen=True)
class Person:
    """One reconstructed person of one frame."""

    box: PersonBox
    crop: Crop
    vertices: np.ndarray
    """(V, 3) float32 full mesh."""
    coarse: np.ndarray
    """(C, 3) float32 coarse mesh, the network's own output."""
    joints3d: np.ndarray
    """(14, 3) float32, LSP order, regressed from the full mesh."""
    joints2d: np.ndarray
    """(14, 2) float32, projections of `joints3d`."""
    camera: tuple[float, float, float]
    """Weak perspective in the full picture: pixel = s * (X, Y) + (tx, ty); s in pixels per metre."""
    presence: float
    """Probability in [0, 1] that the crop shows a person at all; 1 where the backbone cannot tell."""
    features: Features
    """What `regress` needs to answer again with other masks, without the backbone."""
    plain: Features | None = None
    """The features before the person was isolated, where that was done: `features` are the isolated ones."""
    network_joints: np.ndarray | None = None
    """(14, 3) float32: the network's own joints, beside those of its mesh; axes and origin of `joints3d`."""
    diagnostics: Diagnostics | None = None
    """None until the pipeline has examined the person."""

    @property
    def heatmaps(self) -> np.ndarray:
        """(C, n, n) float32: for each coarse vertex the probability over the crop's n x n cells."""
        return self.features.heatmaps[0].cpu().numpy()

    def project(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) metres -> (N, 2) pixels of the full picture."""
        scale, tx, ty = self.camera
        return points[:, :2] * scale + np.array([tx, ty], points.dtype)


@dataclass(frozen=True)
class Study:
    """What else is wanted of each frame; nothing of it is computed unless asked for."""

    baseline: Hops | None = None
    """Other masks under which everybody is reconstructed too, to compare with."""
    attention: bool = False
    """Whether the attention weights of the followed person are wanted."""
    baseline_plain: bool = False
    """Whether the others' pull is left in the baseline although the record's people are isolated."""


NO_STUDY = Study()


@dataclass(frozen=True)
class Attention:
    """The weights of one person under the record's masks."""

    person_id: int
    weights: tuple[tuple[np.ndarray, ...], ...]
    """Per encoder and layer (heads, N, N) float32, rows sum to one; coarse vertices are the last tokens."""


@dataclass(frozen=True)
class Record:
    """All that is known about one frame once the pipeline is through with it."""

    frame: Frame
    people: tuple[Person, ...]
    hops: Hops
    timings: dict[str, float] = field(default_factory=dict)
    """Milliseconds by stage: grab, detect, encode, regress, examine, and study where one was asked for."""
    others: tuple[PersonBox, ...] = ()
    """People whom the last detection saw but nobody follows: they can be chosen by their id."""
    study: Study = NO_STUDY
    """What was asked for beyond the people; the two below are its answers."""
    baseline: tuple[Person, ...] = ()
    """The same people under the masks of `study.baseline`."""
    attention: Attention | None = None
    isolate: bool = False
    """Whether each person's heatmaps were kept off the other people."""
    mirror: bool = False
    """Whether each person was looked at in the mirror too, and the mean taken."""
    raw: tuple[Person, ...] = ()
    """The people as the network made them, where `people` are smoothed over time (`app.pipeline.steady`)."""

    @property
    def unsmoothed(self) -> Record:
        """The same with the people as the network made them."""
        return replace(self, people=self.raw, raw=()) if self.raw else self

    def person(self, person_id: int | None) -> Person | None:
        """The person with this id, or the first one when `person_id` is None or gone."""
        first = self.people[0] if self.people else None
        return next((p for p in self.people if p.box.id == person_id), first)
