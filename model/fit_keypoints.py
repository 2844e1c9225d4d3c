"""Bodies from annotated joints: what the annotation says in the picture, what landmarks say of depth.

Method: many people at once, Adam over turn, pose, shape and a weak-perspective camera. The loss holds
annotated joints (robust: Geman and McClure 1987), the directions of bones between BlazePose's world
landmarks, weighted by how well its landmarks agree with the annotation, a pose prior, and limits of knees
and elbows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor
from torch.nn.functional import normalize

from model.body import BodyModel
from model.evaluation.landmarks import LANDMARK_OF_LIMB
from model.fit_points import PointBody, Points, rotations_of
from model.pose_prior import PosePrior, beyond_limits

STEPS, LOOSE, FINE = 220, 90, 160
"""Of the optimiser: all; with a wide loss and much prior; before the rate is lowered."""
_ASSIGN_EVERY = 25
_AGREES = 0.08
"""Distance of a landmark from its annotated joint, over the person's extent, at which trust is 1/e."""
_UNANNOTATED = 0.4
_HEIGHT = 1.7
_JOINT_WEIGHTS = (1.0, 1.0, 0.6, 0.6, 1.0, 1.0, 1.0, 1.0, 0.9, 0.9, 1.0, 1.0, 0.7, 0.7)
_NAMED_LANDMARKS = (0, 7, 8, 29, 30, 31, 32)
"""BlazePose's landmark of each of `fit_points.NAMED`."""
_LEFT_SHOULDER, _RIGHT_SHOULDER, _LEFT_HIP, _RIGHT_HIP = 11, 12, 23, 24
_BONES = (
    (16, 18, 11, 13), (18, 20, 13, 15), (17, 19, 12, 14), (19, 21, 14, 16), (1, 4, 23, 25), (4, 7, 25, 27),
    (2, 5, 24, 26), (5, 8, 26, 28), (27, 29, 29, 31), (28, 30, 30, 32), (17, 16, 12, 11), (2, 1, 24, 23),
    (25, 26, 7, 8),
)  # fmt: skip
"""From and to: of joints and named vertices, one after the other; of landmarks."""
_BONE_WEIGHTS = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 1.5, 1.5, 0.5)


@dataclass(frozen=True)
class Evidence:
    """What is known of N people; pixels and axes are those of any upright crop or picture."""

    joints2d: np.ndarray
    """(N, 14, 3) LSP joints: x, y, and above 0 where annotated."""
    landmarks: np.ndarray
    """(N, 33, 2) BlazePose's landmarks in the same pixels."""
    world: np.ndarray
    """(N, 33, 3) its world landmarks: metres, x right, y down, z forward."""
    visibility: np.ndarray
    """(N, 33) in [0, 1]."""
    presence: np.ndarray
    """(N,) in [0, 1]: 0 leaves the annotation alone with the prior."""


@dataclass(frozen=True)
class Fitted:
    """Bodies of N people."""

    pose: np.ndarray
    """(N, 24, 3) float32 axis-angle, column 0 in the axes of the evidence."""
    betas: np.ndarray
    """(N, 10) float32."""
    camera: np.ndarray
    """(N, 3) float32: pixels a metre, and where the middle of the 14 joints' hips is."""
    residual: np.ndarray
    """(N,) mean distance of annotated joints over the person's extent."""
    bones: np.ndarray
    """(N,) degrees between bones and landmarks', weighted; nan where nothing was trusted."""
    confidence: np.ndarray
    """(N,) in [0, 1]: how much of the landmarks' depth was trusted."""


def fit_people(body: BodyModel, prior: PosePrior, evidence: Evidence, steps: int = STEPS) -> Fitted:
    """Fit all people at once; memory grows with their number, so give some dozens."""
    return _Fit(PointBody(body), prior, evidence).run(steps)


class _Fit:
    def __init__(self, body: PointBody, prior: PosePrior, evidence: Evidence) -> None:
        self._body, self._prior = body, prior
        arrays = (
            evidence.joints2d,
            evidence.landmarks,
            evidence.world,
            evidence.visibility,
            evidence.presence,
        )
        joints, self._marks, self._world, visibility, presence = (
            torch.from_numpy(np.ascontiguousarray(array, np.float32)) for array in arrays
        )
        self._seen = (joints[..., 2] > 0).float()
        self._joints = joints[..., :2]
        self._size = _extent(self._joints, self._seen)
        self._trust = _trust(self._joints, self._seen, self._marks, visibility, presence, self._size)
        self._weigh()
        count = len(joints)
        total = self._seen.sum(1, keepdim=True).clamp_min(1)
        self._middle = (self._joints * self._seen[..., None]).sum(1) / total
        self.root = _turn_of(self._world)
        self.pose = prior.middle.expand(count, -1, -1).clone()
        self.betas = torch.zeros(count, 10)
        self.scale = torch.log(self._size / _HEIGHT)
        self.shift = torch.zeros(count, 2)

    def _weigh(self) -> None:
        """Wanted directions and their weights, of the bones, the trunk and the head."""
        world, trust = self._world, self._trust
        start, end = ([bone[k] for bone in _BONES] for k in (2, 3))
        head = (world[:, 7] + world[:, 8]) / 2
        up = (world[:, 11] + world[:, 12] - world[:, 23] - world[:, 24]) / 2
        bones = torch.cat(
            [world[:, end] - world[:, start], up[:, None], (world[:, 0] - head)[:, None]], dim=1
        )
        self._directions = normalize(bones, dim=-1)
        weights = trust[:, start] * trust[:, end]
        self._bone_weights = weights * torch.tensor(_BONE_WEIGHTS)
        trunk = 1.5 * trust[:, [11, 12, 23, 24]].mean(1, keepdim=True)
        self._all_weights = torch.cat([self._bone_weights, trunk, 0.5 * trust[:, :1]], dim=1)

    def run(self, steps: int) -> Fitted:
        rates = (
            (self.root, 0.03),
            (self.pose, 0.03),
            (self.betas, 0.05),
            (self.scale, 0.02),
            (self.shift, 0.02),
        )
        for variable, _ in rates:
            variable.requires_grad_(True)
        optimiser = torch.optim.Adam([{"params": [variable], "lr": rate} for variable, rate in rates])
        chosen = self._prior.nearest(self.pose)
        for step in range(steps):
            if step == FINE:
                for group in optimiser.param_groups:
                    group["lr"] *= 0.3
            if step % _ASSIGN_EVERY == 0:
                chosen = self._prior.nearest(self.pose)
            optimiser.zero_grad()
            self._loss(chosen, loose=step < LOOSE).sum().backward()
            optimiser.step()
        with torch.no_grad():
            return self._result()

    def _points(self) -> tuple[Tensor, Points, Tensor]:
        """Rotations, points, and pixels [B, 24 + 14 + 7, 2] of all points."""
        rotations = rotations_of(self.root, self.pose)
        points = self._body(rotations, self.betas)
        flat = torch.cat(points, dim=1)[..., :2] * torch.exp(self.scale)[:, None, None]
        return rotations, points, flat + (self._middle + self.shift * self._size[:, None])[:, None]

    def _loss(self, chosen: Tensor, *, loose: bool) -> Tensor:
        """[B]."""
        _, points, pixels = self._points()
        width = 0.2 if loose else 0.06
        apart = self._apart(pixels[:, 24:38], self._joints)
        annotated = (_robust(apart, width) * self._seen * torch.tensor(_JOINT_WEIGHTS)).sum(1)
        marks = self._apart(pixels[:, 38:], self._marks[:, _NAMED_LANDMARKS])
        named = (_robust(marks, 0.05) * self._trust[:, _NAMED_LANDMARKS] * 0.25).sum(1)
        turned = ((self._bones(points) - self._directions).square().sum(-1) * self._all_weights).sum(1)
        likely = self._prior.distance(self.pose, chosen)
        stiff = self.pose[:, [2, 5, 8, 19, 20]].square().sum((1, 2))
        shape = self.betas.square().sum(1)
        prior = (
            (0.003 if loose else 0.0012) * likely + beyond_limits(self.pose) + 0.02 * shape + 0.005 * stiff
        )
        return 60 * annotated + 40 * named + 0.35 * turned + prior

    def _apart(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Squared distances over the person's squared extent."""
        return (found - wanted).square().sum(-1) / self._size[:, None] ** 2

    def _bones(self, points: Points) -> Tensor:
        """[B, 15, 3] unit directions of bones, trunk and head."""
        both = torch.cat([points.joints, points.named], dim=1)
        start, end = ([bone[k] for bone in _BONES] for k in (0, 1))
        up = (both[:, 16] + both[:, 17] - both[:, 1] - both[:, 2]) / 2
        head = both[:, 24] - (both[:, 25] + both[:, 26]) / 2
        return normalize(
            torch.cat([both[:, end] - both[:, start], up[:, None], head[:, None]], dim=1), dim=-1
        )

    def _result(self) -> Fitted:
        rotations, points, pixels = self._points()
        hips = points.keypoints[:, 2:4].mean(1)
        scale = torch.exp(self.scale)
        where = self._middle + self.shift * self._size[:, None] + scale[:, None] * hips[:, :2]
        apart = self._apart(pixels[:, 24:38], self._joints).sqrt() * self._seen
        count = len(_BONES)
        cosine = (self._bones(points) * self._directions).sum(-1)[:, :count].clamp(-1, 1)
        weight = self._bone_weights.sum(1)
        turned = torch.rad2deg((torch.acos(cosine) * self._bone_weights).sum(1) / weight)
        first = Rotation.from_matrix(rotations[:, 0].double().numpy()).as_rotvec()[:, None]
        hands = np.zeros((len(first), 2, 3))
        return Fitted(
            np.concatenate([first, self.pose.numpy(), hands], axis=1).astype(np.float32),
            self.betas.numpy().copy(),
            torch.cat([scale[:, None], where], dim=1).numpy(),
            (apart.sum(1) / self._seen.sum(1).clamp_min(1)).numpy(),
            turned.numpy(),
            (weight / sum(_BONE_WEIGHTS)).numpy(),
        )


def _robust(squared: Tensor, width: float) -> Tensor:
    """Geman-McClure: squared where small, `width`² at most."""
    return squared / (squared + width**2) * width**2


def _extent(joints: Tensor, seen: Tensor) -> Tensor:
    """[B] the longer side of the annotated joints' box, a little enlarged; at least 8 pixels."""
    far = torch.tensor(1e6)
    low = torch.where(seen[..., None] > 0, joints, far).amin(1)
    high = torch.where(seen[..., None] > 0, joints, -far).amax(1)
    return (1.1 * (high - low).amax(1)).clamp_min(8)


def _trust(
    joints: Tensor, seen: Tensor, marks: Tensor, visibility: Tensor, presence: Tensor, size: Tensor
) -> Tensor:
    """[B, 33] in [0, 1]: landmarks near their annotated joint are right, others as far as visible."""
    limbs = list(LANDMARK_OF_LIMB)
    apart = (marks[:, limbs] - joints[:, :12]).norm(dim=-1) / size[:, None]
    agreed = torch.where(
        seen[:, :12] > 0, torch.exp(-((apart / _AGREES) ** 2)), _UNANNOTATED * visibility[:, limbs]
    )
    trust = torch.zeros(visibility.shape)
    trust[:, limbs] = agreed * presence[:, None]
    for mark, near in ((29, 27), (31, 27), (30, 28), (32, 28), (19, 15), (20, 16)):
        trust[:, mark] = trust[:, near] * visibility[:, mark]
    head = torch.minimum(trust[:, _LEFT_SHOULDER], trust[:, _RIGHT_SHOULDER])
    trust[:, [0, 7, 8]] = head[:, None]
    return trust


def _turn_of(world: Tensor) -> Tensor:
    """[B, 6] the first two columns of the trunk's turn: the person's left, and up."""
    up = world[:, _LEFT_SHOULDER] + world[:, _RIGHT_SHOULDER] - world[:, _LEFT_HIP] - world[:, _RIGHT_HIP]
    left = world[:, _LEFT_SHOULDER] - world[:, _RIGHT_SHOULDER] + world[:, _LEFT_HIP] - world[:, _RIGHT_HIP]
    up = normalize(up, dim=-1)
    left = normalize(left - (left * up).sum(-1, keepdim=True) * up, dim=-1)
    return torch.cat([left, up], dim=-1)
