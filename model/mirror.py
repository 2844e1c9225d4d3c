"""A person looked at twice, as they are and in the mirror: the mean is more exact and costs twice the time.

A network that takes right for left errs one way in the picture and the other way in the mirror. The tokens of
both travel together, the mirror images last; only the finished meshes meet.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from model.data.sample import FLIPPED_JOINTS
from model.errors import UserError
from model.pointhmr import Features, Mesh, PointHMR

_FLIP = torch.tensor([-1.0, 1.0, 1.0])


def has_mirror(network: PointHMR) -> bool:
    """Whether it is known which vertex is which one's mirror image."""
    return network.hierarchy.mirrored is not None and network.config.num_joints == len(FLIPPED_JOINTS)


def check_mirror(network: PointHMR) -> None:
    """Raises UserError for a network whose mesh has no mirror image."""
    if not has_mirror(network):
        raise UserError(f"The mesh of {network.config.name} has no mirror image: leave --mirror out.")


def with_mirror(images: Tensor) -> Tensor:
    """[B, 3, S, S] -> [2 B, 3, S, S], the mirror images last."""
    return torch.cat([images, images.flip(3)])


def both_of(features: Features, index: int) -> Features:
    """One person and the mirror image, a batch of two, out of the features of `with_mirror`."""
    half = len(features.vertex_tokens) // 2
    own, other = features.one(index), features.one(half + index)
    names = [name for name, value in vars(own).items() if value is not None]
    return replace(own, **{name: torch.cat([getattr(own, name), getattr(other, name)]) for name in names})


def mean_with_mirror(network: PointHMR, mesh: Mesh) -> Mesh:
    """The mesh of [2 B] people, mirror images last -> the mean mesh of [B], at all three resolutions."""
    assert network.hierarchy.mirrored is not None
    half = len(mesh.coarse) // 2
    coarse = _mean(mesh.coarse, half, torch.from_numpy(network.hierarchy.mirrored))
    joints = _mean(mesh.joints, half, torch.from_numpy(FLIPPED_JOINTS))
    own, other = mesh.camera.split(half)
    scale, x, y = other.unbind(1)
    other = torch.stack([scale, -x, y], dim=1)
    mid, fine = network.upsample(coarse)
    return Mesh(joints, coarse, (own + other) / 2, mid, fine)


def _mean(points: Tensor, half: int, counterparts: Tensor) -> Tensor:
    own, other = points.split(half)
    return (own + other[:, counterparts.to(points.device)] * _FLIP.to(points)) / 2
