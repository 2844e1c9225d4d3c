"""Small data in the real formats."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from model.cv import cv2


@pytest.fixture
def motion_file(tmp_path: Path) -> Path:
    """Poses near rest."""
    rng = np.random.default_rng(0)
    path = tmp_path / "poses.npz"
    np.savez(path, poses=rng.normal(0, 0.15, (20, 24, 3)), weight=np.ones(20))
    return path


@pytest.fixture
def rendered_folder(tmp_path: Path) -> Path:
    """210 noise crops in the format of RenderedDataset, standing bodies as labels."""
    rng = np.random.default_rng(1)
    count = 210
    folder = tmp_path / "rendered"
    folder.mkdir()
    names = np.array([f"{i:06d}.jpg" for i in range(count)])
    with zipfile.ZipFile(folder / "synthetic_images.zip", "w") as archive:
        for name in names:
            picture = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
            ok, data = cv2.imencode(".jpg", cv2.resize(picture, (256, 256)))
            assert ok
            archive.writestr(str(name), io.BytesIO(data.tobytes()).getvalue())
    pose = rng.normal(0, 0.1, (count, 24, 3)).astype(np.float32)
    pose[:, 0] = [np.pi, 0, 0]
    points = rng.uniform(40, 216, (count, 431, 2))
    joints2d = rng.uniform(40, 216, (count, 14, 2))
    joints2d[:, 8:10, 1], joints2d[:, 2:4, 1] = 60, 160
    np.savez(
        folder / "synthetic_labels.npz",
        name=names,
        pose=pose,
        betas=np.zeros((count, 10), np.float32),
        joints2d=joints2d.astype(np.float32),
        uv431=points.astype(np.float16),
        visible431=np.ones((count, 431), bool),
    )
    return folder
