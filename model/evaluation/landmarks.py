"""BlazePose's landmarks as the limb joints that they stand for: the yardstick of heatmap networks."""

from __future__ import annotations

import numpy as np

LANDMARK_OF_LIMB = (28, 26, 24, 23, 25, 27, 16, 14, 12, 11, 13, 15)
"""BlazePose's landmark of each of the 12 limb joints in LSP order."""
BACKBONE = "backbone"
"""The yardstick that comes with a network over BlazePose: its own landmarks."""


def lsp_from_landmarks(landmarks: np.ndarray) -> np.ndarray:
    """(N, 33, 8) BlazePose landmarks -> (N, 14, 2) in [-1, 1]; neck and head top (not limbs) stay 0."""
    joints = np.zeros((len(landmarks), 14, 2), landmarks.dtype)
    joints[:, :12] = landmarks[:, LANDMARK_OF_LIMB, :2]
    return joints
