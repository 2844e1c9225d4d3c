"""Labels must follow the picture through every crop, turn and flip."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from model.data.augment import NO_AUGMENTATION, PUBLISHED_AUGMENTATION, Augmentation, crop_sample
from model.data.landmarks import LandmarkGenerator
from model.data.sample import FLIPPED_JOINTS, Sample, collate, upright_roll
from model.hierarchy import load_hierarchy

MIRRORED = load_hierarchy().mirrored
assert MIRRORED is not None


def sample_with_spots(roll: float = 0.0) -> Sample:
    """A dark picture with a bright spot on every visible joint; vertices lie on the joints."""
    rng = np.random.default_rng(3)
    joints3d = rng.uniform(-0.8, 0.8, (14, 3))
    image = np.zeros((300, 400, 3), np.uint8)
    joints2d = np.c_[joints3d[:, :2] * 100 + [190, 150], np.ones(14)]
    for x, y, _ in joints2d:
        image[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2] = 255
    vertices = joints3d[np.arange(431) % 14]
    return Sample(
        image=image,
        centre=np.array([190.0, 150.0]),
        side=260.0,
        roll=roll,
        vertices=vertices,
        vertices2d=vertices[:, :2] * 100 + [190, 150],
        joints3d=joints3d,
        joints2d=joints2d,
    )


@pytest.mark.parametrize("seed", range(6))
def test_joints_stay_on_their_spots(seed: int) -> None:
    augmentation = Augmentation(scale=(0.8, 1.1), shift=0.05, roll=0.3, flip=True)
    crop = crop_sample(sample_with_spots(0.7), 256, augmentation, np.random.default_rng(seed), np.arange(431))
    for x, y, _ in crop.joints2d:
        if 3 < x < 253 and 3 < y < 253:
            patch = crop.image[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2]
            assert patch.max() > 100


def test_3d_turns_with_the_picture() -> None:
    crop = crop_sample(sample_with_spots(0.9), 256, NO_AUGMENTATION, np.random.default_rng(0), MIRRORED)
    scale = 256 / 260 * 100
    assert np.allclose(crop.joints2d[:, :2], crop.joints3d[:, :2] * scale + 128, atol=1e-6)


def test_the_published_scale_is_that_of_the_box() -> None:
    """A box larger by a quarter shows a person smaller by a fifth."""
    rows = [np.random.default_rng(seed) for seed in range(60)]
    crops = [crop_sample(sample_with_spots(), 256, PUBLISHED_AUGMENTATION, rng, None) for rng in rows]
    plain = crop_sample(sample_with_spots(), 256, NO_AUGMENTATION, np.random.default_rng(0), None)
    lengths = [np.linalg.norm(c.joints2d[0, :2] - c.joints2d[5, :2]) for c in (plain, *crops)]
    scales = np.array(lengths[1:]) / lengths[0]
    assert scales.min() == pytest.approx(0.8) and scales.max() == pytest.approx(4 / 3)


def test_a_flip_swaps_left_and_right() -> None:
    flip = Augmentation(flip=True)
    sample = sample_with_spots()
    seeds = (crop_sample(sample, 256, flip, np.random.default_rng(s), MIRRORED) for s in range(8))
    flipped = next(c for c in seeds if not np.allclose(c.joints3d, sample.joints3d))
    assert np.allclose(flipped.joints3d, (sample.joints3d * [-1, 1, 1])[FLIPPED_JOINTS])
    assert np.allclose(flipped.vertices, (sample.vertices * [-1, 1, 1])[MIRRORED])


@pytest.mark.parametrize("lean", [-2.5, -0.4, 0.0, 1.2, 3.0])
def test_upright_roll_undoes_a_lean(lean: float) -> None:
    joints = np.c_[np.zeros((14, 2)), np.ones(14)]
    joints[[8, 9], :2] = np.array([np.sin(lean), -np.cos(lean)]) * 100
    roll = upright_roll(joints)
    cos, sin = np.cos(roll), np.sin(roll)
    turned = np.array([[cos, -sin], [sin, cos]]) @ joints[8, :2]
    assert turned == pytest.approx([0, -100], abs=1e-6)


def test_heatmap_targets_put_the_mass_where_the_vertex_is() -> None:
    batch = collate(
        [crop_sample(sample_with_spots(), 256, NO_AUGMENTATION, np.random.default_rng(0), MIRRORED)]
    )
    targets = batch.heatmap_targets(64)
    x = (targets.cells % 64 + 0.5) * targets.mass
    y = (targets.cells // 64 + 0.5) * targets.mass
    centre = torch.stack([x.sum(-1), y.sum(-1)], -1) / 32 - 1
    assert torch.allclose(centre, batch.vertices2d, atol=1e-4)
    outside = batch._replace(vertices2d=batch.vertices2d + 5).heatmap_targets(64)
    assert outside.mass.sum() == 0


def test_landmarks_belong_to_upright_human_bodies(tmp_path: object, motion_file: object) -> None:
    from model.body import load_body

    generator = LandmarkGenerator(motion_file, load_body(), load_hierarchy(), bodies=16)  # type: ignore[arg-type]
    landmarks, batch = generator.batch(64)
    assert landmarks.shape == (64, 33, 8)
    assert torch.isfinite(landmarks).all()
    height = (batch.vertices.amax(1) - batch.vertices.amin(1)).norm(dim=-1)
    assert ((height > 1.0) & (height < 3.2)).all()
    axis = batch.joints3d[:, 8:10].mean(1) - batch.joints3d[:, 2:4].mean(1)
    assert (axis[:, 1] < 0).float().mean() > 0.95
    nose = batch.joints2d[:, 13, :2] - landmarks[:, 0, :2]
    assert nose.norm(dim=-1).median() < 0.4
