"""Pictures that show the ranges of integers, and on which engines are compared: the bundled clip's."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model.cv import cv2
from model.pointhmr import PointHMR


def calibration_images(network: PointHMR, count: int = 6) -> list[Tensor]:
    """[1, 3, S, S] each: squares from the middle of the bundled clip, and two of noise.

    Noise has no smooth parts: activations that a picture never reaches are covered, too.
    """
    size = network.config.image_size
    frames = _frames(Path(str(resources.files("assets"))) / "samples" / "salsa.mp4", count, size)
    normal = [np.random.RandomState(seed).standard_normal((1, 3, size, size)) for seed in range(1, 3)]
    noise = [torch.from_numpy(values).float() for values in normal]
    if network.config.image_mean == (0.0, 0.0, 0.0):
        noise = [(0.5 + 0.2 * values).clamp(0, 1) for values in noise]
    return [network.normalize(torch.from_numpy(frame)[None]) for frame in frames] + noise


def _frames(path: Path, count: int, size: int) -> list[np.ndarray]:
    """(size, size, 3) uint8 RGB, evenly spread over the clip; none where it is missing."""
    capture = cv2.VideoCapture(str(path))
    total = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    frames = []
    for index in np.linspace(0, max(total - 1, 0), count).astype(int):
        capture.set(cv2.CAP_PROP_POS_FRAMES, int(index))
        ok, frame = capture.read()
        if ok:
            side = min(frame.shape[:2])
            top, left = (frame.shape[0] - side) // 2, (frame.shape[1] - side) // 2
            square = frame[top : top + side, left : left + side]
            frames.append(
                cv2.cvtColor(
                    cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB
                )
            )
    capture.release()
    return frames
