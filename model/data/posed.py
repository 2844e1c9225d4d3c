"""Labels that are stored as pose and shape, turned into coarse meshes."""

from __future__ import annotations

import numpy as np
import torch

from model.body import BodyModel
from model.hierarchy import Hierarchy

CHUNK = 64


@torch.no_grad()
def pose_coarse(
    body: BodyModel, hierarchy: Hierarchy, pose: np.ndarray, betas: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Coarse vertices and joints of posed bodies, moved to the middle of the hips.

    pose: (N, 24, 3) axis-angle, column 0 in camera axes; betas: (N, 10).
    Returns (N, C, 3) and (N, 14, 3) float32 metres.
    """
    pick = torch.from_numpy(hierarchy.vertex_of_coarse)
    coarse, joints = [], []
    for start in range(0, len(pose), CHUNK):
        part = slice(start, start + CHUNK)
        vertices, _ = body(
            torch.from_numpy(pose[part].astype(np.float32)), torch.from_numpy(betas[part].astype(np.float32))
        )
        regressed = body.keypoints(vertices)
        origin = regressed[:, 2:4].mean(1, keepdim=True)
        coarse.append((vertices[:, pick] - origin).numpy())
        joints.append((regressed - origin).numpy())
    return np.concatenate(coarse), np.concatenate(joints)
