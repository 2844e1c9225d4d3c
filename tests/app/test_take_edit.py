"""Edits of takes, and the filter that they share with the live pipeline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.pipeline.smoothing import Body, BodySmoother, OneEuro, cutoffs
from app.takes.edit import acceleration, filled, gaps, only, resampled, smoothed, trimmed
from app.takes.take import Take
from model.errors import UserError
from tests.app.take_fakes import take


def trembling(frames: int = 60) -> Take:
    """The walk with 5 mm of noise on every point and two pixels on the camera."""
    still, rng = take(frames), np.random.default_rng(3)
    person = still.people[0]
    noisy = replace(
        person,
        vertices=person.vertices + rng.normal(0, 0.005, person.vertices.shape).astype(np.float32),
        joints=person.joints + rng.normal(0, 0.005, person.joints.shape).astype(np.float32),
        cameras=person.cameras + rng.normal(0, 1, person.cameras.shape) * [0.5, 2, 2],
    )
    return still.with_people((noisy,))


def test_trim_keeps_what_lies_between(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = take(10, ids=(1, 2), seen=[True] * 4 + [False] * 2 + [True] * 4)
    part = trimmed(whole, 3 / 30, 6 / 30)
    assert part.indices.tolist() == [3, 4, 5, 6]
    assert part.people[0].frames.tolist() == [0, 3]
    assert np.array_equal(part.people[0].vertices[1], whole.people[0].vertices[4])
    assert trimmed(whole, 4 / 30, 5 / 30).people == ()
    assert trimmed(whole, 0, 9) is whole
    with pytest.raises(UserError, match="no frame"):
        trimmed(whole, 5, 6)
    assert "trimmed" in part.made.history[-1] and whole.made.history == ()


def test_people_are_chosen_by_their_ids() -> None:
    assert [person.id for person in only(take(2, ids=(1, 2, 5)), (5, 1)).people] == [1, 5]
    with pytest.raises(UserError, match="no person 3"):
        only(take(2), (3,))


def test_short_gaps_are_filled_and_long_ones_stay() -> None:
    seen = [True, False, False, True] + [False] * 20 + [True, True]
    broken = take(26, seen=seen)
    assert gaps(broken, broken.people[0]) == [(1, 2), (4, 23)]
    person = filled(broken, 0.2).people[0]
    assert person.frames.tolist() == [0, 1, 2, 3, 24, 25]
    assert person.filled.tolist() == [False, True, True, False, False, False]
    raw = broken.people[0]
    third = raw.vertices[0] + (raw.vertices[1] - raw.vertices[0]) / 3
    assert np.abs(person.vertices[1] - third).max() < 1e-6
    assert person.cameras[1] == pytest.approx(raw.cameras[0] + (raw.cameras[1] - raw.cameras[0]) / 3)
    assert np.isnan(person.diagnostics["presence"][1]) and person.diagnostics["presence"][0] > 0
    assert gaps(filled(broken, 5.0), filled(broken, 5.0).people[0]) == []
    assert filled(take(4)).made.history == ()


def test_smoothing_takes_the_trembling_and_leaves_the_motion() -> None:
    noisy, calm = trembling(), take(60).people[0]
    before = acceleration(noisy, noisy.people[0])
    errors = []
    for strength in (0.25, 0.5, 1.0):
        smooth = smoothed(noisy, strength)
        errors.append(acceleration(smooth, smooth.people[0]))
    assert before > errors[0] > errors[1] > errors[2] and errors[1] < 0.3 * before
    person = smoothed(noisy, 0.5).people[0]
    for name, part in (("vertices", 0.5), ("joints", 0.5), ("cameras", 0.7)):
        truth, raw, now = (getattr(one, name) for one in (calm, noisy.people[0], person))
        assert np.abs(now - truth)[5:-5].mean() < part * np.abs(raw - truth)[5:-5].mean(), name
    assert smoothed(noisy, 0) is noisy


def test_a_fast_limb_hardly_lags_live_and_not_at_all_in_a_take() -> None:
    times = np.arange(60) / 30
    fast = 2.0 * times[:, None] * [1.0, 0, 0]
    smoother = OneEuro(*cutoffs(0.5))
    lag = [fast[i] - smoother(fast[i], 1 / 30) for i in range(60)][-1][0]
    assert 0 <= lag < 0.05
    walk = take(60)
    moved = walk.people[0].joints + fast[:, None].astype(np.float32)
    person = smoothed(walk.with_people((replace(walk.people[0], joints=moved),)), 0.5).people[0]
    assert np.abs(person.joints - moved)[20:40].max() < 0.01


def test_a_body_starts_afresh_after_a_gap_and_with_another_mesh() -> None:
    smoother = BodySmoother(1.0)
    here = Body(np.zeros((5, 3)), np.zeros((2, 3)), (100.0, 0.0, 0.0))
    there = Body(np.ones((5, 3)), np.ones((2, 3)), (200.0, 50.0, 0.0))
    smoother(0.0, here)
    assert smoother(0.03, there).vertices.max() < 0.9
    assert smoother(5.0, there).vertices.min() == 1 and smoother(4.0, here).vertices.max() == 0
    small = replace(there, vertices=np.ones((3, 3)))
    assert smoother(4.03, small).camera == pytest.approx((200.0, 50.0, 0.0))


@pytest.mark.parametrize("rate", [24.0, 25.0, 30.0, 60.0])
def test_resampling_keeps_times_and_places(rate: float) -> None:
    walk = take(31)
    other = resampled(walk, rate)
    assert len(other) == rate + 1 and np.diff(other.times) == pytest.approx(1 / rate)
    person = other.people[0]
    assert person.frames.tolist() == list(range(len(other)))
    assert np.abs(person.cameras[:, 1] - walk.people[0].cameras[0, 1] - 10 * other.times).max() < 1e-6
    assert np.abs(person.vertices[-1] - walk.people[0].vertices[-1]).max() < 1e-6


def test_resampling_invents_nobody() -> None:
    broken = take(10, seen=[True] * 4 + [False] * 3 + [True] * 3)
    frames = resampled(broken, 60.0).people[0].frames.tolist()
    assert frames == [*range(7), *range(14, 19)]
    assert resampled(broken, None) is broken
    with pytest.raises(UserError, match="not possible"):
        resampled(broken, 0)
    assert np.isnan(acceleration(take(2), take(2).people[0]))
