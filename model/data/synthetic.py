"""Endless rendered people: sample number k of a part and seed is always the same picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from model.body import BodyModel
from model.data.sample import HIPS, L_HIP, L_SHOULDER, R_HIP, R_SHOULDER, Sample, upright_roll
from model.errors import UserError
from model.hierarchy import Hierarchy

if TYPE_CHECKING:
    from model.data.render.studio import Shot

ENDLESS = 1 << 40
VALIDATION_CROPS = 1000
PARTS = {"train": 1, "val": 2}
"""First word of the random seed: the parts never share a picture, nor (by their clips) a pose."""
LEAST_VISIBLE = 0.08
"""Share of the coarse vertices that must be seen for a crop to be readable at all."""
NEAREST = 0.25
"""Metres from the camera within which no part of the body may come: it would fill the picture."""
ATTEMPTS = 20
FRAMING_KINDS = {"full": "full body", "cut": "truncated", "webcam": "webcam"}
HIDDEN = 0.1
"""Share of the vertices within the crop behind other things from which a person counts as occluded."""
TURNED_AWAY = -0.5
"""Cosine between the chest's direction and the one to the camera, below which the back is seen."""


class SyntheticDataset:
    """Pictures of 304 x 304 pixels with a crop of 256 x 256 in the middle; exact in 3D and 2D.

    appearance: clothes, hair and panoramas (model.data.render.library); motion: poses.npz, or a mixture
    (model.data.render.pose_mixture).
    Raises UserError when a folder or file cannot be used, or when numba is missing.
    """

    name = "synthetic"

    def __init__(
        self,
        appearance: Path,
        motion: Path,
        part: Literal["train", "val"],
        body: BodyModel,
        hierarchy: Hierarchy,
        seed: int = 0,
        *,
        full: bool = False,
    ) -> None:
        """full: label the full mesh instead of the coarse one."""
        if body.kind != "free":
            raise UserError("Synthetic pictures show the free body: they cannot train another one.")
        self._folders = appearance, motion
        self._part: Literal["train", "val"] = part
        self._seed = 0 if part == "val" else seed
        self._pick = hierarchy.vertex_of_coarse
        self._labelled = slice(None) if full else self._pick
        self._make_studio()

    def __len__(self) -> int:
        return VALIDATION_CROPS if self._part == "val" else ENDLESS

    def __getitem__(self, index: int) -> Sample:
        return self.sample_of(self.shot(index), index)

    def sample_of(self, shot: Shot, index: int) -> Sample:
        """What training and evaluation want to know of picture number `index`."""
        from model.data.render.camera import REGION

        joints3d = self.studio.poser.keypoints(shot.points)
        points, pixels = shot.points[self._labelled], shot.pixels[self._labelled]
        return replace(
            drawn_sample(shot.image, REGION, points, pixels, joints3d, shot.view.flat(joints3d)),
            pose=shot.pose.astype(np.float32),
            betas=shot.betas.astype(np.float32),
            key=f"synthetic-{self._part}:{index}",
            person=shot.person,
            kinds=kinds_of(shot, joints3d),
        )

    def shot(self, index: int) -> Shot:
        """Picture number `index` with everything that is known of it."""
        for attempt in range(ATTEMPTS):
            rng = np.random.default_rng((PARTS[self._part], self._seed, index, attempt))
            shot = self.studio.shoot(rng)
            if shot.visible[self._pick].mean() > LEAST_VISIBLE and shot.points[:, 2].min() > NEAREST:
                break
        return shot

    def _make_studio(self) -> None:
        try:
            from model.data.render.library import load_library
            from model.data.render.pose_mixture import open_poses
            from model.data.render.studio import Studio
        except ImportError as error:
            raise UserError(f"Rendering needs the packages of the extra `train`: {error}.") from error
        appearance, motion = self._folders
        self.studio = Studio(load_library(appearance), open_poses(motion, self._part))

    def __getstate__(self) -> dict[str, object]:
        """Worker processes load the assets themselves instead of receiving them through a pipe."""
        return {name: value for name, value in self.__dict__.items() if name != "studio"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._make_studio()


def drawn_sample(
    image: np.ndarray,
    side: float,
    points: np.ndarray,
    pixels: np.ndarray,
    joints3d: np.ndarray,
    joints2d: np.ndarray,
) -> Sample:
    """A picture with exact labels; the crop is the square of `side` pixels in its middle.

    points (N, 3) and joints3d (14, 3) are in camera axes, wherever they stand; pixels (N, 2) and joints2d
    (14, 2) are their places in the picture.
    """
    origin = joints3d[list(HIPS)].mean(axis=0)
    certain = np.column_stack([joints2d, np.ones(len(joints2d))])
    return Sample(
        image=image,
        centre=np.full(2, len(image) / 2),
        side=float(side),
        roll=upright_roll(certain),
        vertices=(points - origin).astype(np.float32),
        vertices2d=pixels.astype(np.float32),
        joints3d=(joints3d - origin).astype(np.float32),
        joints2d=certain.astype(np.float32),
    )


def kinds_of(shot: Shot, joints3d: np.ndarray) -> tuple[str, ...]:
    """How the picture is framed, whether something hides the person, whether the back is seen.

    joints3d: (14, 3) in camera axes. A full body that nothing hides is also "clear".
    """
    framing = FRAMING_KINDS[shot.framing.value]
    occluded = shot.hidden > HIDDEN
    across = joints3d[L_SHOULDER] - joints3d[R_SHOULDER]
    up = joints3d[[L_SHOULDER, R_SHOULDER]].mean(0) - joints3d[[L_HIP, R_HIP]].mean(0)
    front = np.cross(across, up)
    towards_camera = -front[2] / max(float(np.linalg.norm(front)), 1e-9)
    kinds = [framing]
    kinds += ["occluded"] if occluded else ["clear"] if framing == "full body" else []
    kinds += ["back view"] if towards_camera < TURNED_AWAY else []
    return tuple(kinds)
