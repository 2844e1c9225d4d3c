"""From the backbone's landmarks to a first mesh, so that the network only has to mend it.

Landmarks can be made without pictures, endlessly; what the lifter learns of bodies and poses from
thousands of samples a second need not be learnt from photographs. What landmarks do not tell (which way
a limb goes in depth, how heavy a body is), it takes from the picture's features, where it is given any.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.blazepose import BODY_LANDMARKS, BlazePoseOutput

LANDMARK_FEATURES = 8
"""x and y in [-1, 1] of the crop, z in the same unit, visibility, presence, world x, y, z in metres."""


def landmark_tokens(output: BlazePoseOutput, image_size: int, count: int = BODY_LANDMARKS) -> Tensor:
    """BlazePose's first `count` landmarks as [B, count, 8], see `LANDMARK_FEATURES`.

    image_size: side of the crop in pixels.
    """
    half = image_size / 2
    image, world = output.landmarks[:, :count], output.world[:, :count]
    position = torch.cat([image[..., :2] / half - 1, image[..., 2:3] / half], dim=-1)
    return torch.cat([position.clamp(-3, 3), image[..., 3:5].sigmoid(), world.clamp(-2, 2)], dim=-1)


class FirstMesh(NamedTuple):
    """The lifter's answer."""

    points: Tensor
    """[B, J + C, 3] joints, then coarse vertices; metres, camera axes, mid-hip origin."""
    camera: Tensor
    """[B, 3] weak perspective (s, tx, ty): x2d = s * (X + t) in [-1, 1] of the crop."""


class Lifter(nn.Module):
    """A residual multi-layer perceptron over all landmarks (and the picture's features) at once."""

    def __init__(
        self, num_landmarks: int, width: int, num_points: int, picture_features: int = 0, blocks: int = 2
    ) -> None:
        super().__init__()
        self.stem = nn.Linear(num_landmarks * LANDMARK_FEATURES, width)
        self.picture: nn.Linear | None = None
        if picture_features:
            # Begins with zeros: a lifter that knows landmarks goes on as if nothing had been added.
            self.picture = nn.Linear(picture_features, width, bias=False)
            nn.init.zeros_(self.picture.weight)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
            for _ in range(blocks)
        )
        self.norm = nn.LayerNorm(width)
        self.points = nn.Linear(width, 3 * num_points)
        self.camera = nn.Linear(width, 3)
        nn.init.normal_(self.points.weight, std=0.01)
        nn.init.normal_(self.camera.weight, std=0.01)
        nn.init.zeros_(self.points.bias)
        with torch.no_grad():
            self.camera.bias.copy_(torch.tensor([0.9, 0.0, 0.0]))

    @torch.no_grad()
    def start_from(self, mean_points: Tensor) -> None:
        """Begin with the mean body, [J + C, 3] metres."""
        self.points.bias.copy_(mean_points.flatten())

    def forward(self, landmarks: Tensor, picture: Tensor | None = None) -> FirstMesh:
        """landmarks: [B, L, 8] as `LANDMARK_FEATURES` says; picture: [B, F], None: nothing is known of it."""
        x = self.stem(landmarks.flatten(1))
        if self.picture is not None and picture is not None:
            x = x + self.picture(picture)
        x = F.gelu(x)
        for block in self.blocks:
            x = x + block(x)
        x = self.norm(x)
        return FirstMesh(self.points(x).unflatten(1, (-1, 3)), self.camera(x))
