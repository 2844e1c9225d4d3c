"""LSP-extended photographs with 2D joints and bodies fitted to them.

A folder with `lspet_images.zip` (JPEGs) and `lspet_labels.npz`: name, joints2d (N, 14, 3), pose (N, 24, 3)
with column 0 in camera axes, betas (N, 10), camera (N, 3) pixels per metre and mid-hip position,
confidence3d, val, and, if fits may have gone wrong, keep: the others are not trained on and say nothing in
3D.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from model.body import BodyModel
from model.data.pictures import ZippedPictures, read_labels
from model.data.posed import pose_coarse
from model.data.sample import Sample, rotation, upright_roll
from model.hierarchy import Hierarchy

ARRAYS = ("name", "joints2d", "pose", "betas", "camera", "confidence3d", "val")
BOX_SCALE = 1.25
FULL_TRUST = 0.25
LEAST_TRUST = 0.15


class LspetDataset:
    """Photographs; their 3D labels are fits, weighted by how sure the fit was."""

    name = "lspet"

    def __init__(
        self, folder: Path, part: Literal["train", "val"], body: BodyModel, hierarchy: Hierarchy
    ) -> None:
        labels = read_labels(folder / "lspet_labels.npz", *ARRAYS)
        keep = labels.get("keep", np.ones(len(labels["name"]), bool))
        chosen = np.flatnonzero(labels["val"] if part == "val" else ~labels["val"] & keep)
        self._fitted = keep[chosen]
        self._pictures = ZippedPictures(folder / "lspet_images.zip")
        self._names = labels["name"][chosen]
        self._joints2d = labels["joints2d"][chosen]
        self._camera = labels["camera"][chosen]
        self._weight = np.clip(labels["confidence3d"][chosen] / FULL_TRUST, LEAST_TRUST, 1)
        self._vertices, self._joints3d = pose_coarse(
            body, hierarchy, labels["pose"][chosen], labels["betas"][chosen]
        )

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Sample:
        vertices, joints2d = self._vertices[index], self._joints2d[index]
        scale, *middle = self._camera[index]
        vertices2d = vertices[:, :2] * scale + middle
        roll = upright_roll(joints2d)
        low, high = turned_bounds(vertices2d, roll)
        return Sample(
            image=self._pictures[str(self._names[index])],
            centre=unturn((low + high) / 2, roll),
            side=float((high - low).max() * BOX_SCALE),
            roll=roll,
            vertices=vertices,
            vertices2d=vertices2d,
            joints3d=self._joints3d[index],
            joints2d=joints2d,
            weight3d=float(self._weight[index]),
            has_mesh=bool(self._fitted[index]),
            has_3d=bool(self._fitted[index]),
            key=f"lspet/{self._names[index]}",
        )


def turned_bounds(points: np.ndarray, roll: float) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper corner, in turned axes, of (N, 2) points turned by `roll` radians."""
    turned = points @ rotation(roll).T
    return turned.min(0), turned.max(0)


def unturn(point: np.ndarray, roll: float) -> np.ndarray:
    """Back from turned axes to the picture's."""
    return point @ rotation(roll)
