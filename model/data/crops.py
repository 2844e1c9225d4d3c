"""Drawn people that are kept: the validation crops that ship, with the labels of model.data.synthetic.

The pictures are crops already, people turned upright, pixel by pixel what an evaluation looks at. A folder
holds `crops_images.zip` (WebP or JPEG) and `crops_labels.npz`: name (N,), pose (N, 24, 3) axis-angle with
joint 0 in camera axes, betas (N, 10), translation (N, 3) of the body into camera axes, intrinsics (N, 3):
focal length and principal point in pixels, person (N, H, ceil(W / 8)): bits of the pixels that show the
person, kinds (N,) with `;` between, key (N,). `python -m assets.build.validation` writes it. Nothing is
rendered here: the extra `train` is not needed.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from model.body import BodyModel
from model.data.people import project_pinhole
from model.data.pictures import ZippedPictures, read_labels
from model.data.sample import Sample
from model.data.synthetic import drawn_sample

IMAGES, LABELS = "crops_images.zip", "crops_labels.npz"
ARRAYS = ("name", "pose", "betas", "translation", "intrinsics", "person", "kinds", "key")
BETWEEN = ";"
"""Between the kinds of one picture."""


class CropsDataset:
    """Kept crops with full meshes, made anew from pose and shape. Raises UserError for a damaged folder."""

    name = "synthetic"

    def __init__(self, folder: Path, body: BodyModel) -> None:
        self._body = body
        self._labels = read_labels(folder / LABELS, *ARRAYS)
        self._pictures = ZippedPictures(folder / IMAGES)

    def __len__(self) -> int:
        return len(self._labels["name"])

    def __getitem__(self, index: int) -> Sample:
        labels = {name: rows[index] for name, rows in self._labels.items()}
        image = self._pictures[str(labels["name"])]
        points, joints3d = self._posed(labels)
        focal, x, y = labels["intrinsics"].tolist()
        intrinsics = np.array([[focal, 0, x], [0, focal, y], [0, 0, 1]])
        flat = [project_pinhole(each, intrinsics) for each in (points, joints3d)]
        sample = drawn_sample(image, len(image), points, flat[0], joints3d, flat[1])
        shown = np.unpackbits(labels["person"], axis=-1, count=image.shape[1]).astype(bool)
        return replace(
            sample,
            roll=0.0,
            pose=labels["pose"],
            betas=labels["betas"],
            key=str(labels["key"]),
            person=shown,
            kinds=tuple(str(labels["kinds"]).split(BETWEEN)),
        )

    @torch.no_grad()
    def _posed(self, labels: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Vertices (V, 3) and joints (14, 3) in camera axes."""
        vertices, _ = self._body(*(torch.from_numpy(labels[name][None]) for name in ("pose", "betas")))
        joints = self._body.keypoints(vertices)
        offset = labels["translation"]
        return vertices[0].numpy() + offset, joints[0].numpy() + offset
