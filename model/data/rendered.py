"""Rendered 256x256 crops with exact labels, stored in a folder.

`synthetic_images.zip` (JPEGs) and `synthetic_labels.npz`: name, pose (N, 24, 3) with column 0 in camera axes,
betas (N, 10), joints14 (N, 14, 3), joints2d (N, 14, 2), uv431 (N, C, 2), visible431 (N, C).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from model.body import BodyModel
from model.data.pictures import ZippedPictures, read_labels
from model.data.posed import pose_coarse
from model.data.sample import Sample, upright_roll
from model.hierarchy import Hierarchy

ARRAYS = ("name", "pose", "betas", "joints2d", "uv431", "visible431")
HELD_OUT = 200
"""The last crops, by number of scene, are for validation."""
LEAST_VISIBLE = 0.08
"""Share of the vertices that must be seen for a crop to be readable at all."""


class RenderedDataset:
    """Synthetic crops; exact in 3D and 2D."""

    name = "rendered"

    def __init__(
        self, folder: Path, part: Literal["train", "val"], body: BodyModel, hierarchy: Hierarchy
    ) -> None:
        labels = read_labels(folder / "synthetic_labels.npz", *ARRAYS)
        order = np.argsort(labels["name"], kind="stable")
        chosen = order[-HELD_OUT:] if part == "val" else order[:-HELD_OUT]
        chosen = chosen[labels["visible431"][chosen].mean(1) > LEAST_VISIBLE]
        self._pictures = ZippedPictures(folder / "synthetic_images.zip")
        self._names = labels["name"][chosen]
        self._joints2d = labels["joints2d"][chosen]
        self._vertices2d = labels["uv431"][chosen].astype(np.float32)
        self._vertices, self._joints3d = pose_coarse(
            body, hierarchy, labels["pose"][chosen], labels["betas"][chosen]
        )

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Sample:
        name = str(self._names[index])
        image = self._pictures[name if name.endswith(".jpg") else f"{name}.jpg"]
        size = image.shape[0]
        joints2d = np.c_[self._joints2d[index], np.ones(14)]
        return Sample(
            image=image,
            centre=np.full(2, size / 2),
            side=float(size),
            roll=upright_roll(joints2d),
            vertices=self._vertices[index],
            vertices2d=self._vertices2d[index],
            joints3d=self._joints3d[index],
            joints2d=joints2d,
            key=f"rendered/{name}",
        )
