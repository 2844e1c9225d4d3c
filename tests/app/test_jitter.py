"""What `benchmark jitter` measures, by hand; and that its clips are one person in one place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.benchmark.jitter import (
    Filmed,
    acceleration_error,
    delay,
    floors,
    measure,
    one_euro,
    raw,
    steadied,
)
from app.commands.benchmark_jitter import report
from tests.app.gui_fakes import person
from tests.app.test_steady import at


def swinging(count: int, seed: int = 0) -> np.ndarray:
    """(T, 14, 3) joints that swing smoothly about a body's, hips still."""
    rng = np.random.default_rng(seed)
    time = np.arange(count)[:, None, None] / 30
    sway = 0.3 * np.sin(2 * np.pi * rng.uniform(0.4, 0.9, (1, 14, 3)) * time + rng.uniform(0, 6, (1, 14, 3)))
    sway[:, 2:4] = 0
    return person().joints3d.astype(np.float64) + sway


def film_of(truth: np.ndarray, noise: float) -> Filmed:
    rng, base = np.random.default_rng(1), person()
    people = [
        replace(base, joints3d=(joints + rng.normal(0, noise, joints.shape)).astype(np.float32))
        for joints in truth
    ]
    records = [at(i, one) for i, one in enumerate(people)]
    stored = truth + rng.normal(0, 0.002, truth.shape)
    return Filmed("swing", records, truth, stored, truth.astype(np.float16).astype(np.float64), 30.0)


def test_acceleration_error_of_one_joint_by_hand() -> None:
    truth = np.zeros((5, 14, 3))
    found = truth.copy()
    found[2, 0, 0] = 0.014  # second differences 14, -28, 14 mm of one of 14 joints, over three moments
    assert acceleration_error(found, truth) == pytest.approx((14 + 28 + 14) / (14 * 3))
    assert acceleration_error(found + np.array([0.3, 0, 1.0]), truth) == pytest.approx(4 / 3), "hips centred"


@pytest.mark.parametrize("frames", [0, 1, 2, 3])
def test_the_delay_is_found(frames: int) -> None:
    whole = swinging(100)
    assert delay(whole[10 - frames : 90 - frames], whole[10:90]) == pytest.approx(frames, abs=0.1)


def test_filters_are_measured_against_each_other() -> None:
    films = [film_of(swinging(80, seed), 0.01) for seed in range(2)]
    rows = {"none": measure(films, raw), "steady 1": measure(films, steadied(1.0))}
    rows["One-Euro 1"] = measure(films, one_euro(1.0))
    # Second differences of noise, in three dimensions, about the middle of two hips that tremble too.
    trembling = np.sqrt(6) * np.sqrt(8 / np.pi) * (12 * np.sqrt(1.5) + 2 * np.sqrt(0.5)) / 14
    assert rows["none"].acceleration == pytest.approx(10 * trembling, rel=0.1)
    assert rows["steady 1"].acceleration < 0.2 * rows["none"].acceleration
    assert abs(rows["none"].delay) < 0.1 and 1.0 < rows["steady 1"].delay < 3.0
    floor, rounding = floors(films)
    assert rounding < floor == pytest.approx(2 * trembling, rel=0.1)
    text = report("fake", films, rows, floor, rounding)
    assert "2 clips, 160 frames" in text
    goal = text.splitlines()[-1].split(": ")[1].rstrip(".").split(", ")
    met = [n for n, r in rows.items() if r.acceleration <= 1.5 * floor and r.delay <= 2]
    assert goal == (met or ["none of these"])
