"""Clothes without a garment: the body's own surface pushed outwards and cut at hems, and skirts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.data.render.figure import Figure, Poser, Rig
from model.data.render.skin import noise
from model.data.render.soup import Piece

LEAST = 0.004  # metres between cloth and skin
COVERED = 0.035  # metres inside a hem from which the skin below is left out
COLUMNS, ROWS = 56, 16


@dataclass(frozen=True)
class Cut:
    """Where a shell is (clip (V,) >= 0, in metres from its hem) and how far it stands off (V,)."""

    clip: np.ndarray
    offset: np.ndarray


class Tailor:
    """Measures of the resting mean body, from which clothes are cut."""

    def __init__(self, poser: Poser) -> None:
        self.poser = poser
        self.rest = poser.rest.astype(np.float64)
        self.arm = poser.part >= 16
        self.head = poser.part == 15
        joints = poser.joints
        self.pelvis, self.hip, self.knee, self.ankle = (float(joints[j, 1]) for j in (0, 1, 4, 7))
        self.neck = joints[12]
        self.shoulder, self.elbow, self.wrist = (abs(float(joints[j, 0])) for j in (16, 18, 20))

    def trousers(self, rng: np.random.Generator, hem: float, loose: float) -> Cut:
        """From the waist down to a hem (y in metres)."""
        y = self.rest[:, 1]
        waist = self.pelvis + rng.uniform(0.02, 0.1)
        clip = np.minimum(waist - y, y - hem) + self._wobble(rng)
        clip[self.arm] = -1
        down = np.clip((waist - y) / (waist - hem + 1e-3), 0, 1)
        return Cut(clip, 0.006 + loose * (0.1 + 0.9 * np.sqrt(down)) * (1 + 0.4 * self._field(rng, 0.15)))

    def top(self, rng: np.random.Generator, sleeve: float, hem: float, loose: float) -> Cut:
        """From the neck to a hem (y) and along the arms to |x| = sleeve."""
        x, y, z = self.rest.T
        neckline = self.neck[1] + rng.uniform(-0.02, 0.05) - rng.uniform(0.1, 0.8) * (z - self.neck[2])
        wobble = self._wobble(rng)
        torso = np.minimum(y - hem + wobble, neckline - y)
        out = np.abs(x)
        sleeves = self.arm | ((out > self.shoulder) & (y > self.pelvis + 0.22))
        clip = np.where(sleeves, sleeve - out + wobble, torso)
        if sleeve < self.shoulder:
            clip = np.minimum(clip, np.where(y > self.pelvis + 0.22, sleeve + 0.02 - out, 1))
        clip[self.head] = -1
        down = np.where(
            self.arm,
            np.clip((out - self.shoulder) / (self.elbow - self.shoulder), 0, 1) * 0.6,
            np.clip((self.neck[1] - y) / (self.neck[1] - hem), 0, 1),
        )
        offset = 0.009 + loose * (0.3 + 0.7 * down) * (1 + 0.4 * self._field(rng, 0.15))
        return Cut(clip, offset + 0.014 * (~self.arm & (y < self.pelvis + 0.12)))

    def scalp(self, rng: np.random.Generator, depth: float, ragged: float = 0.0) -> Cut:
        """A beanie or cropped hair above a line that rises towards the forehead; ragged: metres."""
        brow = self.neck[1] + rng.uniform(0.115, 0.135)
        front = (self.rest[:, 2] - self.neck[2]) / 0.1
        clip = self.rest[:, 1] - brow - 0.045 * np.clip(front, -0.8, 1.2)
        clip += ragged * noise(self.rest, 0.008)
        clip[~self.head] = -1
        return Cut(clip, depth * np.clip(clip / 0.02, 0.15, 1))

    def socks(self, rng: np.random.Generator, height: float) -> Cut:
        """Over the feet up to a height above the ankle."""
        clip = self.ankle + height - self.rest[:, 1] + self._wobble(rng)
        clip[self.arm] = -1
        return Cut(clip, np.full(len(clip), 0.007))

    def shell(self, figure: Figure, cut: Cut, material: np.ndarray, smooth: int) -> tuple[Piece, np.ndarray]:
        """The posed piece, and which body vertices (V,) it hides."""
        offset = np.maximum(cut.offset, LEAST).astype(np.float32)
        points = figure.points + figure.normals * offset[:, None]
        for _ in range(smooth):
            points = self.poser.neighbours @ points
            above = ((points - figure.points) * figure.normals).sum(axis=1)
            points += figure.normals * np.maximum(0.6 * offset - above, 0)[:, None]
        near = any_corner(cut.clip > -0.05, self.poser.faces)
        faces, uv = self.poser.faces[near], self.poser.uv[near]
        piece = Piece(points, faces, material, self.poser.rest, uv, cut.clip.astype(np.float32))
        return piece, cut.clip > COVERED

    def skirt(self, rng: np.random.Generator, figure: Figure, hem: float, material: np.ndarray) -> Piece:
        """A tube from the waist to a hem; it hangs on the pelvis and, farther down, on both legs."""
        waist = self.pelvis + rng.uniform(0.04, 0.1)
        flare = rng.uniform(0.02, 0.16) * (waist - hem) / 0.5
        pleats, depth = rng.integers(5, 14), rng.uniform(0.0, 0.012)
        down = np.linspace(0, 1, ROWS)[:, None]
        angle = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)[None]
        wide, deep, middle = self._girth(waist + (hem - waist) * down[:, 0])
        ease = 0.018 + flare * down + depth * down * np.cos(pleats * angle)
        x = (wide[:, None] + ease) * np.cos(angle)
        z = middle[:, None] + (deep[:, None] + ease) * np.sin(angle)
        y = np.broadcast_to(waist + (hem - waist) * down, x.shape)
        rest = np.stack([x, y, z], axis=-1).reshape(-1, 3).astype(np.float32)
        rig = Rig.of(self._skirt_weights(rest))
        points = figure.carry(rest, np.zeros((len(rest), 3, 10), np.float32), rig)
        return Piece(points, _tube_faces(), material, rest)

    def _girth(self, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Half width, half depth and middle z of the trunk and both legs at heights; never narrower below."""
        wide, deep, middle = [], [], []
        for height in heights:
            ring = self.rest[~self.arm & (np.abs(self.rest[:, 1] - height) < 0.03)]
            wide.append(np.abs(ring[:, 0]).max())
            deep.append(np.ptp(ring[:, 2]) / 2)
            middle.append((ring[:, 2].max() + ring[:, 2].min()) / 2)
        return np.maximum.accumulate(wide), np.maximum.accumulate(deep), np.array(middle)

    def _skirt_weights(self, rest: np.ndarray) -> np.ndarray:
        weights = np.zeros((len(rest), 24))
        left = np.clip(rest[:, 0] / 0.2 + 0.5, 0, 1)
        leg = np.clip((self.hip + 0.05 - rest[:, 1]) / 0.2, 0, 1) * 0.95
        shin = np.clip((self.knee - 0.02 - rest[:, 1]) / 0.25, 0, 1) * 0.8
        weights[:, 0] = 1 - leg
        weights[:, 1], weights[:, 2] = leg * (1 - shin) * left, leg * (1 - shin) * (1 - left)
        weights[:, 4], weights[:, 5] = leg * shin * left, leg * shin * (1 - left)
        return weights

    def _field(self, rng: np.random.Generator, size: float) -> np.ndarray:
        """(V,) smooth random values."""
        return noise(self.rest + rng.uniform(0, 5, 3), size)

    def _wobble(self, rng: np.random.Generator) -> np.ndarray:
        """(V,) metres by which a hem is not straight."""
        return 0.006 * self._field(rng, 0.08)


def any_corner(chosen: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F,) faces with a chosen vertex; faster than a reduction over three columns."""
    return chosen[faces[:, 0]] | chosen[faces[:, 1]] | chosen[faces[:, 2]]


def _tube_faces() -> np.ndarray:
    row, column = np.meshgrid(np.arange(ROWS - 1), np.arange(COLUMNS), indexing="ij")
    a, b = row * COLUMNS + column, row * COLUMNS + (column + 1) % COLUMNS
    quads = np.stack([a, b, b + COLUMNS, a + COLUMNS], axis=-1).reshape(-1, 4)
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
