"""Short clips of one dressed person in motion, with the truth: the studio's pictures, frame after frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from model.data.pictures import read_labels
from model.data.render.camera import PICTURE, Framing, View, choose_view
from model.data.render.figure import Figure, Poser
from model.data.render.motion import smooth_poses, walk
from model.data.render.photo import develop
from model.data.render.poses import held_out
from model.data.render.soup import Builder, Piece
from model.data.render.studio import Studio
from model.errors import UserError

SIZE = 480
"""Side of a clip's pictures in pixels."""
RATE = 30.0
SEED = 11
"""First word of the random seed of every clip."""
SOFTNESS = 1.0
"""Frames over which stored poses are low-passed: capture and half precision make a still body tremble."""
_ROOM = 1.1
"""Reach of the place about all that the person walks through."""


@dataclass(frozen=True)
class Motion:
    """Consecutive poses of one captured clip."""

    name: str
    poses: np.ndarray
    """(T, 24, 3) axis-angle at 30 Hz, y up, low-passed: what is drawn and taken for the truth."""
    stored: np.ndarray
    """(T, 24, 3) the same as the file has them."""


def validation_motions(path: Path, count: int, frames: int, least: int = 30) -> list[Motion]:
    """`count` stretches of up to `frames` frames of clips that training never draws from.

    path: sequences with poses (N, 24, 3), clip_index (N,) and clips (M,) at 30 Hz. The stretches take turns
    through the clips, each from the clip's middle outwards, so that none overlaps another.
    Raises UserError when there are no such clips.
    """
    data = read_labels(path)
    if not {"poses", "clip_index", "clips"} <= set(data):
        raise UserError(f"{path} has no sequences: it needs poses, clip_index and clips.")
    names = data["clips"].astype(str)
    pieces: list[list[Motion]] = []
    for number in np.flatnonzero(held_out(names)).tolist():
        stored = data["poses"][data["clip_index"] == number].astype(np.float64)
        if len(stored) >= least:
            smooth = smooth_poses(stored, SOFTNESS)
            starts = _starts(len(stored), frames)
            parts = [slice(start, start + frames) for start in starts]
            pieces.append([Motion(str(names[number]), smooth[p], stored[p]) for p in parts])
    if not pieces:
        raise UserError(f"{path} has no clip that is kept for validation.")
    rounds = max(map(len, pieces))
    turns = [piece[k] for k in range(rounds) for piece in pieces if k < len(piece)]
    return turns[:count]


def _starts(length: int, frames: int) -> list[int]:
    """First frames of stretches side by side, the middle ones first."""
    whole = max(length // frames, 1)
    first = max(length - whole * frames, 0) // 2
    starts = [first + k * frames for k in range(whole)]
    return sorted(starts, key=lambda start: abs(start + frames / 2 - length / 2))


@dataclass(frozen=True)
class Clip:
    """A person, a place and a camera; `frames` draws them."""

    motion: Motion
    points: np.ndarray
    """(T, V, 3) float32 body vertices in camera axes, metres."""
    stored_points: np.ndarray
    """(T, V, 3) the same from the poses as the file has them."""
    rounded_points: np.ndarray
    """(T, V, 3) the same from the drawn poses, rounded to half precision."""
    view: View
    studio: Studio
    figures: tuple[Figure, ...]
    offsets: np.ndarray
    seed: int

    def __len__(self) -> int:
        return len(self.figures)

    def frames(self) -> Iterator[np.ndarray]:
        """(SIZE, SIZE, 3) uint8 RGB pictures: one outfit, place, light and camera; fresh grain in each."""
        space = np.concatenate([f.points[::40] + o for f, o in zip(self.figures, self.offsets, strict=True)])
        middle = space.mean(axis=0)
        space = np.maximum(middle + (space - middle) * _ROOM, [-np.inf, 0.0, -np.inf]).astype(np.float32)
        for number, figure in enumerate(self.figures):
            pieces = self._dressed(figure, self.offsets[number])
            soup = Builder(pieces).build()
            place = np.random.default_rng((SEED, self.seed, 2))
            radiance = self.studio.radiance(soup, self.view, place, size=SIZE, space=space)[0]
            lens = np.random.default_rng((SEED, self.seed, 3))
            yield develop(radiance, lens, np.random.default_rng((SEED, self.seed, 4, number)))

    def _dressed(self, figure: Figure, offset: np.ndarray) -> list[Piece]:
        # What is worn may depend on how high a thigh is raised: the highest of the clip decides for all.
        highest = max(one.thigh_lift for one in self.figures)
        pieces = self.studio.wardrobe.dress(
            replace(figure, thigh_lift=highest), np.random.default_rng((SEED, self.seed, 1))
        )
        return [piece.moved(offset) for piece in pieces]


def make_clip(studio: Studio, motion: Motion, seed: int) -> Clip:
    """Motion on the ground before a camera that shows all of it; the same for the same seed."""
    rng = np.random.default_rng((SEED, seed))
    poser = studio.poser
    turn = Rotation.from_euler("y", rng.uniform(-np.pi, np.pi))
    betas = np.clip(rng.normal(0, 1, 10), -2.0, 2.0)
    figures = tuple(poser.pose(pose, betas) for pose in _turned(motion.poses, turn))
    soles = _soles(poser)
    offsets = walk(np.stack([figure.points[soles] for figure in figures])).astype(np.float32)
    everything = np.concatenate([f.points + o for f, o in zip(figures[::4], offsets[::4], strict=True)])
    parts = np.tile(poser.part, len(figures[::4]))
    half = len(figures) // 2
    joints = poser.keypoints(figures[half].points + offsets[half])
    view, _ = choose_view(Framing.FULL, everything, joints, parts, rng)
    view = view._replace(intrinsics=(view.intrinsics * SIZE / PICTURE).astype(np.float32))
    points = np.stack([view.to_camera(f.points + o) for f, o in zip(figures, offsets, strict=True)])
    stored, rounded = (
        np.stack(
            [
                view.to_camera(poser.pose(pose, betas).points + offset)
                for pose, offset in zip(_turned(poses, turn), offsets, strict=True)
            ]
        )
        for poses in (motion.stored, motion.poses.astype(np.float16).astype(np.float64))
    )
    return Clip(motion, points, stored, rounded, view, studio, figures, offsets, seed)


def _turned(poses: np.ndarray, turn: Rotation) -> np.ndarray:
    """The same motion (T, 24, 3), started in another direction."""
    turned = poses.copy()
    turned[:, 0] = (turn * Rotation.from_rotvec(poses[:, 0])).as_rotvec()
    return turned


def _soles(poser: Poser) -> np.ndarray:
    """Vertices of feet and toes."""
    return np.flatnonzero(np.isin(poser.part, (7, 8, 10, 11)))[::3]
