"""Known bodies and heatmaps made by hand: what is measured of them, and what is flagged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from app.pipeline.calibration import (
    Calibration,
    Risk,
    calibration_for,
    read_calibration,
    write_calibration,
)
from app.pipeline.diagnostics import BY_NAME, MEASURES
from app.pipeline.examiner import Examiner, jerk
from app.pipeline.frames import Person
from app.pipeline.heat_measures import measure_heatmaps
from app.pipeline.pipeline import Pipeline
from app.pipeline.shape_measures import BodyNorms
from app.pipeline.tracker import Tracker
from model.body import load_body
from model.errors import UserError
from model.hierarchy import load_hierarchy
from tests.app.fakes import FakeDetector, FakeReconstructor, frame, standing

HOPS = (7, 5, 3, 1)
BODY, HIERARCHY = load_body(), load_hierarchy()
LIMITS = Calibration(
    "test", "", {"limbs": 2.0, "symmetry": 1.6, "volume": 0.3, "stretch": 3.0, "angles": 20.0}
)


def posed(knee: float = 0.0) -> np.ndarray:
    """(V, 3) the free body with its left knee bent by this angle in radians; y down, hips in the origin."""
    pose = torch.zeros(1, 24, 3)
    pose[0, 4, 0] = knee
    vertices = BODY(pose)[0][0].numpy() * [1, -1, -1]
    joints = BODY.keypoint_regressor.numpy() @ vertices
    moved: np.ndarray = vertices - joints[2:4].mean(0)
    return moved


def measured(vertices: np.ndarray):
    joints = BODY.keypoint_regressor.numpy() @ vertices
    return BodyNorms(BODY, HIERARCHY).measure(vertices[HIERARCHY.vertex_of_coarse], joints)


def blobs(*places: tuple[float, float, float], side: int = 64) -> np.ndarray:
    """(4, side, side) heatmaps with a hill at each (x, y, height), x and y in [0, 1]."""
    axis = (np.arange(side) + 0.5) / side
    one = sum(h * np.exp(-((axis - x) ** 2 + (axis[:, None] - y) ** 2) / 0.002) for x, y, h in places)
    return np.tile((one / one.sum()).astype(np.float32), (4, 1, 1))


@pytest.mark.parametrize("knee", [0.0, 0.5, 1.5])
def test_a_body_at_rest_and_one_with_a_bent_knee_are_human(knee: float) -> None:
    shape = measured(posed(knee))
    assert shape.limbs < 1.2 and shape.symmetry < 1.2
    assert shape.reach == pytest.approx(1.0, abs=0.05)
    assert shape.volume == pytest.approx(1.0, abs=0.15)
    assert shape.stretch < 1.3
    assert shape.angles == 0.0


def test_a_knee_that_bends_forwards_is_told_from_one_that_bends_back() -> None:
    assert measured(posed(-1.2)).angles > 30


def test_turning_and_moving_a_body_changes_nothing() -> None:
    vertices = posed(0.7)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    before, after = measured(vertices), measured(vertices @ turn.T + [3, -2, 5])
    assert vars(after) == pytest.approx(vars(before), abs=1e-4)


def test_broken_bodies_are_measured_as_such() -> None:
    vertices = posed()
    arm = (BODY.part_of_vertex == 20) | (BODY.part_of_vertex == 22)
    stretched = np.where(arm[:, None], vertices + np.array([1.0, 0, 0]), vertices)
    assert measured(stretched).limbs > 2.5 and measured(stretched).symmetry > 2.5
    assert measured(vertices * [-1, 1, 1]).volume == pytest.approx(-1, abs=0.01)
    assert measured(10 * vertices).limbs == pytest.approx(10, rel=0.01)
    assert measured(0 * vertices).volume == 0 and measured(0 * vertices).limbs == 1000


def test_one_hill_is_sure_and_two_far_hills_are_ambiguous() -> None:
    one, two = measure_heatmaps(blobs((0.3, 0.4, 1))), measure_heatmaps(blobs((0.2, 0.4, 1), (0.8, 0.4, 0.6)))
    assert one.modes == 1 and one.ambiguity < 0.05
    assert two.modes == 2 and two.ambiguity == pytest.approx(0.6, abs=0.15)
    assert one.middles[0] == pytest.approx([0.3, 0.4], abs=0.02)
    assert two.spread > 3 * one.spread and one.confidence > 1.5 * two.confidence * 0.9


def test_an_even_or_empty_heatmap_has_no_hills() -> None:
    for maps in (np.full((4, 56, 56), 1 / 56**2, np.float32), np.zeros((4, 56, 56), np.float32)):
        heat = measure_heatmaps(maps)
        assert heat.ambiguity == 0 and heat.modes == 1
        assert heat.confidence == pytest.approx(1 / 196, rel=0.6)
        assert np.isfinite(heat.spread) and heat.spread > 0.3


def test_jerk_is_that_of_a_cubic_and_needs_four_moments_without_a_gap() -> None:
    times = np.array([0.0, 0.04, 0.07, 0.1])
    joints = np.zeros((4, 14, 3))
    joints[..., 0] = 2 * times[:, None] ** 3
    assert jerk(times, joints) == pytest.approx(12)
    assert jerk(times[:3], joints[:3]) is None
    assert jerk(times + np.array([0, 0, 0, 1]), joints) is None


def examined(spoil=lambda person: person) -> Person:
    reconstructor = FakeReconstructor()
    reconstructor.spoil = spoil
    pipeline = Pipeline(
        FakeDetector([standing()]), Tracker(), reconstructor, Examiner(BODY, HIERARCHY, LIMITS)
    )
    (person,) = pipeline.process(frame(), HOPS, [standing()]).people
    return person


def scaled(factor: float):
    def spoil(person: Person) -> Person:
        f = np.float32(factor)
        return replace(
            person, vertices=person.vertices * f, coarse=person.coarse * f, joints3d=person.joints3d * f
        )

    return spoil


def inside_out(person: Person) -> Person:
    mirror = np.array([-1, 1, 1], np.float32)
    return replace(
        person,
        vertices=person.vertices * mirror,
        coarse=person.coarse * mirror,
        joints3d=person.joints3d * mirror,
    )


def test_a_good_person_has_no_flags_and_agrees_with_its_heatmaps() -> None:
    found = examined().diagnostics
    assert found is not None and found.flags == () and found.severity == 0
    assert found.disagreement is not None and found.disagreement < 0.05
    assert found.joint_gap is None and found.landmark_gap is None and found.risk is None


@pytest.mark.parametrize(
    ("spoil", "kind"), [(scaled(10), "limbs"), (scaled(0.01), "limbs"), (inside_out, "volume")]
)
def test_impossible_bodies_are_flagged_with_a_reason(spoil, kind: str) -> None:
    found = examined(spoil).diagnostics
    assert found is not None
    flag = next(flag for flag in found.flags if flag.kind == kind)
    assert flag.reason.endswith(".") and any(letter.isdigit() for letter in flag.reason)
    assert flag.severity > 1 and found.severity == found.flags[0].severity


def test_every_number_is_in_the_json_and_nothing_that_is_unknown() -> None:
    found = examined(scaled(10)).diagnostics
    assert found is not None
    numbers = found.numbers()
    assert {m.name for m in MEASURES} - set(numbers) == {
        "error", "joint_gap", "landmark_gap", "visibility", "jerk",
    }  # fmt: skip
    assert numbers["flags"][0].keys() == {"kind", "reason", "severity"}


def test_the_risk_explains_itself_and_a_calibration_survives_its_file(tmp_path) -> None:
    risk = Risk(("volume", "jerk"), (1.0, 100.0), (0.2, 50.0), (-2.0, 1.0), -1.0)
    made = Calibration("m", "abc", {"risk": 0.5, "volume": 0.1}, risk, 120.0, {"seed": 2})
    found = examined().diagnostics
    assert found is not None
    thin = replace(found, volume=0.4)
    likely = replace(thin, risk=risk.probability(thin))
    assert risk.probability(found) < 0.5 < risk.probability(thin)
    (flag,) = made.flags(likely)
    assert flag.kind == "risk" and "volume 40 %" in flag.reason
    write_calibration(tmp_path / "c.json", made)
    assert read_calibration(tmp_path / "c.json") == made
    (tmp_path / "bad.json").write_text('{"model": 1}')
    with pytest.raises(UserError):
        read_calibration(tmp_path / "bad.json")


def test_other_weights_get_thresholds_but_no_risk() -> None:
    other = calibration_for("never heard of", "0" * 64)
    assert not other.risk.names and "risk" not in other.thresholds
    assert set(other.thresholds) <= set(BY_NAME) and other.thresholds
