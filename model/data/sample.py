"""The record that every dataset delivers, and how records become a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from model.pointhmr import HeatmapTargets

R_HIP, L_HIP, R_SHOULDER, L_SHOULDER = 2, 3, 8, 9
"""Of the 14 LSP joints: R ankle, knee, hip, L hip, knee, ankle, R wrist, elbow, shoulder, L shoulder,
elbow, wrist, neck, head top."""
HIPS = (R_HIP, L_HIP)
WRIST = (0,)
"""The joints whose middle is a hand's origin: FreiHAND's first keypoint."""
OUTSIDE = 1e6
"""Pixel coordinate of a vertex whose place in the picture is not known: far outside."""
Gender = Literal["neutral", "male", "female"]
FLIPPED_JOINTS = np.array([5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 12, 13])


@dataclass(frozen=True)
class Sample:
    """A labelled person in a picture. 2D in pixels of `image`; 3D in metres, camera axes, mid-hip origin."""

    image: np.ndarray
    """(H, W, 3) uint8 RGB."""
    centre: np.ndarray
    """(2,) centre of the region to look at."""
    side: float
    """Side of that square region in pixels."""
    roll: float
    """Radians by which the picture must turn for the person to stand upright."""
    vertices: np.ndarray
    """(N, 3) coarse or full mesh, as the dataset has it; zeros without `has_mesh`."""
    vertices2d: np.ndarray
    """(N, 2); OUTSIDE where it is not known."""
    joints3d: np.ndarray
    """(P, 3): 14 joints in LSP order of a body, FreiHAND's 21 of a hand; zeros without `has_3d`."""
    joints2d: np.ndarray
    """(P, 3): x, y, confidence in [0, 1]; zeros without `has_2d`."""
    weight3d: float = 1.0
    """How far the 3D labels can be trusted, in [0, 1]."""
    confidence3d: np.ndarray | None = None
    """(P,) in [0, 1], for each joint of `joints3d`; all 1 when None."""
    has_mesh: bool = True
    has_3d: bool = True
    has_2d: bool = True
    gender: Gender = "neutral"
    """Of the body that made `vertices`."""
    pose: np.ndarray | None = None
    """(J, 3) axis-angle, joint 0 in the axes of the whole picture's camera; where the dataset has it."""
    betas: np.ndarray | None = None
    """(10,) standard deviations."""
    key: str = ""
    """Names the picture and the person in it, for reports."""
    sequence: str = ""
    """The clip and person that the picture is a frame of; empty for pictures on their own."""
    frame: int = 0
    """Its number in the sequence."""
    person: np.ndarray | None = None
    """(H, W) bool: pixels that show the person, where that is known."""
    kinds: tuple[str, ...] = ()
    """What sort of picture this is, such as "full body" or "back view": errors are told for each."""


class Dataset(Protocol):
    """A finite set of samples."""

    name: str

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...


class Batch(NamedTuple):
    """Samples of one crop size, stacked."""

    images: Tensor
    """[B, S, S, 3] uint8 RGB."""
    vertices: Tensor
    """[B, N, 3], coarse or full meshes."""
    vertices2d: Tensor
    """[B, N, 2] in [-1, 1] of the crop."""
    joints3d: Tensor
    """[B, P, 3]."""
    joints2d: Tensor
    """[B, P, 3]: x, y in [-1, 1] of the crop, confidence (0 where there is no label)."""
    weight3d: Tensor
    """[B], of the mesh; 0 where there is none."""
    confidence3d: Tensor = torch.ones(1, 1)
    """[B, P], of `joints3d`; 0 where there is no label."""

    def heatmap_targets(self, size: int) -> HeatmapTargets:
        """Bilinear shares of the four cells round each projected vertex of a size x size heatmap.

        A vertex outside of the picture gets no share.
        """
        position = (self.vertices2d + 1) * (size / 2) - 0.5
        corner = position.floor()
        fraction = position - corner
        cells, mass = [], []
        for dx in (0, 1):
            for dy in (0, 1):
                x, y = corner[..., 0].long() + dx, corner[..., 1].long() + dy
                inside = (x >= 0) & (x < size) & (y >= 0) & (y < size)
                share = (fraction[..., 0] if dx else 1 - fraction[..., 0]) * (
                    fraction[..., 1] if dy else 1 - fraction[..., 1]
                )
                cells.append(y.clamp(0, size - 1) * size + x.clamp(0, size - 1))
                mass.append(share * inside)
        return HeatmapTargets(torch.stack(cells, -1), torch.stack(mass, -1))


def collate(samples: list[Sample]) -> Batch:
    """Stack samples whose images are square and of one size (see model.data.augment).

    A label that a sample lacks gets no weight.
    """
    half = samples[0].image.shape[0] / 2

    def stack(arrays: list[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.stack(arrays).astype(np.float32))

    joints2d = stack([s.joints2d for s in samples])
    joints2d[..., :2] = joints2d[..., :2] / half - 1
    joints2d[..., 2] *= stack([np.array(s.has_2d) for s in samples])[:, None]
    return Batch(
        images=torch.from_numpy(np.stack([s.image for s in samples])),
        vertices=stack([s.vertices for s in samples]),
        vertices2d=stack([s.vertices2d for s in samples]) / half - 1,
        joints3d=stack([s.joints3d for s in samples]),
        joints2d=joints2d,
        weight3d=torch.tensor([s.weight3d * s.has_mesh for s in samples], dtype=torch.float32),
        confidence3d=stack([joint_weights(s) for s in samples]),
    )


def joint_weights(sample: Sample) -> np.ndarray:
    """(P,) trust in each joint of `joints3d`."""
    given = np.ones(len(sample.joints3d)) if sample.confidence3d is None else sample.confidence3d
    return given * (sample.weight3d * sample.has_3d)


def upright_roll(joints2d: np.ndarray) -> float:
    """Radians that turn the axis hips -> shoulders to point up in the picture (y down).

    joints2d: (14, 3) with confidence. 0 where the axis is not visible or too short to trust.
    """
    hips = [i for i in (R_HIP, L_HIP) if joints2d[i, 2] > 0]
    shoulders = [i for i in (R_SHOULDER, L_SHOULDER) if joints2d[i, 2] > 0]
    if not hips or not shoulders:
        return 0.0
    axis = joints2d[shoulders, :2].mean(0) - joints2d[hips, :2].mean(0)
    if np.linalg.norm(axis) < 8:
        return 0.0
    return float(-np.arctan2(axis[0], -axis[1]))


def rotation(angle: float) -> np.ndarray:
    """(2, 2) rotation in the picture (y down), clockwise to the eye for positive angles."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])
