"""Fault 9: a body that no human has is flagged as a failure case, in one sentence with its number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from app.pipeline.calibration import calibration_for
from app.pipeline.examiner import Examiner
from app.pipeline.frames import Person
from app.pipeline.pipeline import Pipeline
from app.pipeline.tracker import Tracker
from model.body import load_body
from model.hierarchy import load_hierarchy
from tests.app.fakes import FakeDetector, FakeReconstructor, frame, standing
from tests.faults.harness import is_sentence

pytestmark = pytest.mark.fault(9)
COARSE = load_hierarchy().vertex_of_coarse
SHAPE = {"limbs", "reach", "symmetry", "volume", "stretch"}
SPOIL: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "inside out": (lambda points: points * np.array([-1, 1, 1], np.float32), "volume"),
    "ten times too large": (lambda points: points * np.float32(10), "limbs"),
    "ten times too small": (lambda points: points * np.float32(0.1), "limbs"),
    "collapsed to a line": (lambda points: points * np.array([0, 1, 0], np.float32), "volume"),
    "collapsed to a point": (lambda points: points * np.float32(0), "limbs"),
    "one arm torn away": (lambda points: np.where(points[:, :1] > 0.4, points * 4, points), "stretch"),
}


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    return Examiner(load_body(), load_hierarchy(), calibration_for("body-lite", ""))


def flagged(examiner: Examiner, spoil: Callable[[Person], Person]) -> dict[str, str]:
    """Kind of each flag about the shape -> its sentence, of the one person that the pipeline lets through."""
    reconstructor = FakeReconstructor()
    reconstructor.spoil = spoil
    pipeline = Pipeline(FakeDetector([standing()]), Tracker(), reconstructor, examiner)
    (person,) = pipeline.process(frame(), (7, 5, 3, 1)).people
    assert person.diagnostics is not None
    return {flag.kind: flag.reason for flag in person.diagnostics.flags if flag.kind in SHAPE}


def changed(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Person], Person]:
    """Mesh and joints of a person after `change`, for (N, 3) points about the hips."""

    def spoil(person: Person) -> Person:
        vertices = change(person.vertices).astype(np.float32)
        joints = change(person.joints3d).astype(np.float32)
        return replace(person, vertices=vertices, coarse=vertices[COARSE], joints3d=joints)

    return spoil


def test_a_human_body_is_not_flagged_for_its_shape(examiner: Examiner) -> None:
    assert flagged(examiner, changed(lambda points: points)) == {}


@pytest.mark.parametrize("name", SPOIL)
def test_what_no_human_looks_like_is_flagged(examiner: Examiner, name: str) -> None:
    change, kind = SPOIL[name]
    found = flagged(examiner, changed(change))
    assert kind in found, found
    assert all(is_sentence(reason) and any(c.isdigit() for c in reason) for reason in found.values())
