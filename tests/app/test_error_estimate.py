"""The expected error: what is learnt is right on other crops, and no other network gets it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from app.benchmark import estimator_fit
from app.benchmark.diagnosed import Finding, fit, rates
from app.benchmark.estimator_fit import held_out_estimates, train_estimator
from app.benchmark.training_crops import (
    Table,
    findings_in,
    mirror_box,
    mirror_joints,
    read_table,
    write_table,
)
from app.pipeline.calibration import Calibration, calibration_for
from app.pipeline.diagnostics import ERROR, RISK
from app.pipeline.error_estimate import ErrorEstimator, estimator_for, read_estimator, write_estimator
from app.pipeline.error_inputs import MEASURED
from app.pipeline.examiner import Examiner
from app.pipeline.frames import PersonBox
from app.pipeline.tiers import LITE, QUALITY
from model.body import load_body
from model.errors import UserError
from model.hierarchy import load_hierarchy
from tests.app.case_fakes import examined
from tests.app.fakes import frame
from tests.app.test_diagnosed import FINE


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(estimator_fit, "EPOCHS", 8)


def crops(count: int, seed: int = 0) -> Table:
    """Crops whose error follows from the spread; a third of the other numbers is unknown."""
    rng = np.random.default_rng(seed)
    errors = rng.uniform(40, 220, count)
    inputs = rng.normal(0, 1, (count, len(MEASURED) + 5)).astype(np.float32)
    inputs[:, : len(MEASURED)] = [FINE[name] for name in MEASURED]
    inputs[:, MEASURED.index("spread")] = errors / 2000 + rng.normal(0, 0.003, count)
    inputs[rng.random(inputs.shape) < 0.01] = np.nan
    second = np.arange(count) % 5 == 4
    return Table("a" * 64, count, inputs, errors, np.ones(count, int), np.arange(count) // 2, second)


def test_an_estimate_is_right_on_other_crops_and_the_same_every_time():
    learned, other = crops(1500), crops(300, seed=1)
    first = train_estimator(learned.inputs, learned.errors, 120.0, "a" * 64, members=2)
    told = first.millimetres(other.inputs)
    assert np.corrcoef(told, other.errors)[0, 1] > 0.9 and np.isfinite(told).all()
    again = train_estimator(learned.inputs, learned.errors, 120.0, "a" * 64, members=2)
    assert np.array_equal(told, again.millimetres(other.inputs))


def test_an_input_that_never_changes_is_left_out():
    """Its last digits are those of the engine: they must not move the estimate."""
    rows = crops(200)
    rows.inputs[:, -1] = 0.3 + np.random.default_rng(0).normal(0, 1e-6, 200)
    made = train_estimator(rows.inputs, rows.errors, 120.0, "", members=1)
    other = rows.inputs.copy()
    other[:, -1] += 1e-5
    assert np.array_equal(made.millimetres(other), made.millimetres(rows.inputs))


def test_held_out_estimates_know_nothing_of_their_own_crops():
    rng = np.random.default_rng(0)
    inputs, errors = rng.normal(0, 1, (400, 20)).astype(np.float32), rng.uniform(40, 220, 400)
    told = held_out_estimates(inputs, errors, np.arange(400), 120.0)
    assert abs(np.corrcoef(told, errors)[0, 1]) < 0.25, "noise can only be known by heart"


def test_the_threshold_keeps_false_alarms_in_bounds_on_other_crops():
    learned, other = crops(1500), crops(600, seed=2)
    estimator = train_estimator(learned.inputs, learned.errors, 120.0, "", members=1)
    estimates = held_out_estimates(learned.inputs, learned.errors, learned.groups, 120.0)
    calibration = fit("fake", "", findings_in(learned, estimates, 120.0), jerk=1.0, made={})
    assert RISK not in calibration.thresholds and 60 < calibration.thresholds[ERROR] < 160
    found: list[Finding] = findings_in(other, estimator.millimetres(other.inputs), 120.0)
    counted = rates(calibration, found)["any"]["overlap"]
    assert counted.broken + counted.good == (~other.second).sum()
    assert counted.hits / counted.broken > 0.9 and counted.false_alarms / counted.good < 0.28


def test_an_estimator_survives_its_file_and_others_are_told(tmp_path):
    rows = crops(200)
    made = train_estimator(rows.inputs, rows.errors, 120.0, "b" * 64, members=2)
    write_estimator(tmp_path / "e.safetensors", made)
    again = read_estimator(tmp_path / "e.safetensors")
    assert again.sha256 == made.sha256
    assert again.millimetres(rows.inputs) == pytest.approx(made.millimetres(rows.inputs), rel=0.01)
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match="no estimator"):
        read_estimator(tmp_path / "bad.safetensors")


def test_a_table_is_read_back_for_the_same_weights_only(tmp_path):
    rows = crops(20)
    write_table(tmp_path / "t.npz", rows)
    again = read_table(tmp_path / "t.npz", rows.sha256)
    assert np.array_equal(again.inputs, rows.inputs, equal_nan=True) and again.pictures == 20
    with pytest.raises(UserError, match="other weights"):
        read_table(tmp_path / "t.npz", "c" * 64)


def test_a_mirror_twice_is_what_it_was():
    box = PersonBox(10, 20, 30, 40, keypoints=np.random.default_rng(0).uniform(0, 90, (17, 2)))
    twice = mirror_box(mirror_box(box, 100), 100)
    assert twice.xywh == box.xywh and np.allclose(twice.keypoints, box.keypoints)
    assert mirror_box(box, 100).x == 60
    joints = np.random.default_rng(1).normal(0, 1, (14, 3))
    assert np.array_equal(mirror_joints(mirror_joints(joints)), joints)
    assert mirror_joints(joints)[0] == pytest.approx(joints[5] * [-1, 1, 1])


def constant(inputs: int, millimetres: float) -> ErrorEstimator:
    """Says the same of everybody."""
    shapes = ((1, inputs, 2), (1, 2), (1, 2, 2), (1, 2), (1, 2, 1), (1, 1))
    layers = [np.zeros(shape, np.float32) for shape in shapes]
    layers[-1][:] = np.log(millimetres / 100)
    return ErrorEstimator("", np.zeros(inputs, np.float32), np.ones(inputs, np.float32), tuple(layers))


def test_the_examiner_tells_the_error_of_networks_with_landmarks_only():
    person = examined(None)
    limits = Calibration("test", "", {ERROR: 110.0})
    examiner = Examiner(load_body(), load_hierarchy(), limits)
    assert examiner.inputs_of(person) is None
    seen = replace(person, features=replace(person.features, landmarks=torch.rand(1, 33, 8)))
    inputs = examiner.inputs_of(seen)
    assert inputs is not None and inputs.ndim == 1 and np.isfinite(inputs[len(MEASURED) :]).all()
    examiner.estimator = constant(len(inputs), 150.0)
    (told,) = examiner.examine([seen], frame())
    assert told.diagnostics is not None and told.diagnostics.error == pytest.approx(150.0)
    (flag,) = told.diagnostics.flags
    assert flag.kind == ERROR and "150 mm" in flag.reason and "110 mm" in flag.reason
    (plain,) = examiner.examine([person], frame())
    assert plain.diagnostics is not None and plain.diagnostics.error is None and not plain.diagnostics.flags


def test_only_the_weights_that_were_measured_have_an_estimate():
    assert estimator_for("0" * 64) is None
    assert ERROR not in calibration_for("never heard of", "0" * 64).thresholds


@pytest.mark.parametrize("model", [LITE, QUALITY])
def test_the_shipped_calibration_is_of_the_shipped_weights(model: str) -> None:
    import assets
    from model.paths import sha256

    weights = sha256(assets.WEIGHTS / f"{model}.safetensors")
    assert calibration_for(model, weights).sha256 == weights
    assert ERROR in calibration_for(model, weights).thresholds
    assert estimator_for(weights) is not None, "pointhmr benchmark diagnostics --calibrate"
