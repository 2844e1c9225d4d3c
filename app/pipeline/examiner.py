"""Measures every person and flags what is suspicious: what the pipeline calls once a person is done."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.pipeline.calibration import Calibration, calibration_for
from app.pipeline.crop import to_crop
from app.pipeline.diagnostics import Diagnostics
from app.pipeline.error_estimate import ErrorEstimator, estimator_for
from app.pipeline.error_inputs import ErrorInputs
from app.pipeline.frames import Frame, Person
from app.pipeline.heat_measures import STEP, HeatMeasures, measure_heatmaps
from app.pipeline.reconstructor import Reconstructor
from app.pipeline.shape_measures import BodyNorms
from model.body import BodyModel
from model.evaluation.landmarks import LANDMARK_OF_LIMB
from model.hierarchy import Hierarchy

LONGEST_GAP = 0.15
"""Seconds between two frames beyond which nothing is said about the motion between them."""


@dataclass(frozen=True)
class _Moment:
    index: int
    time: float
    joints: np.ndarray


class Examiner:
    """Keeps each followed person's last joints, nothing else."""

    def __init__(
        self,
        body: BodyModel,
        hierarchy: Hierarchy,
        calibration: Calibration,
        estimator: ErrorEstimator | None = None,
    ) -> None:
        """estimator: must be of the weights that make the people; None leaves the expected error out."""
        self.calibration = calibration
        self.estimator = estimator
        self._inputs = ErrorInputs(np.asarray(body.part_of_vertex), hierarchy)
        self._norms = BodyNorms(body, hierarchy)
        self._past: dict[int, deque[_Moment]] = {}

    def examine(self, people: Sequence[Person], frame: Frame) -> list[Person]:
        """The same people with their diagnostics."""
        return [replace(person, diagnostics=self._diagnose(person, frame)) for person in people]

    def forget(self) -> None:
        """The next frame does not follow on the last one."""
        self._past.clear()

    def inputs_of(self, person: Person) -> np.ndarray | None:
        """(N,) what an estimator of the error reads; None for a network without landmarks."""
        if getattr(person.features, "landmarks", None) is None:
            return None
        heat = measure_heatmaps(person.heatmaps)
        return self._inputs.of(person, self._measure(person, heat), heat)

    def _diagnose(self, person: Person, frame: Frame) -> Diagnostics:
        heat = measure_heatmaps(person.heatmaps)
        plain = self._measure(person, heat)
        error = None
        if self.estimator is not None and getattr(person.features, "landmarks", None) is not None:
            inputs = self._inputs.of(person, plain, heat)
            error = float(self.estimator.millimetres(inputs[None])[0])
        risk = self.calibration.risk.probability(plain) if self.calibration.risk.names else None
        known = replace(plain, jerk=self._jerk(person, frame), error=error, risk=risk)
        return replace(known, flags=self.calibration.flags(known))

    def _measure(self, person: Person, heat: HeatMeasures) -> Diagnostics:
        """All but jerk and error, which need the frames before and the others."""
        shape = self._norms.measure(person.coarse, person.joints3d)
        landmarks = getattr(person.features, "landmarks", None)
        marks = None if landmarks is None else landmarks[0].float().cpu().numpy()
        return Diagnostics(
            confidence=heat.confidence,
            spread=heat.spread,
            modes=heat.modes,
            ambiguity=heat.ambiguity,
            disagreement=disagreement(person, heat.middles),
            joint_gap=joint_gap(person),
            landmark_gap=None if marks is None else landmark_gap(person, marks),
            visibility=None if marks is None else float(marks[:, 3].mean()),
            **vars(shape),
            jerk=None,
            presence=person.presence,
        )

    def _jerk(self, person: Person, frame: Frame) -> float | None:
        """From this frame and the three before it; the same frame again takes its old place."""
        past = self._past.setdefault(person.box.id, deque(maxlen=4))
        while past and past[-1].index >= frame.index:
            past.pop()
        past.append(_Moment(frame.index, frame.time, person.joints3d.astype(np.float64)))
        return jerk(np.array([m.time for m in past]), np.stack([m.joints for m in past]))


def examiner_for(reconstructor: Reconstructor) -> Examiner:
    """With the calibration of its weights."""
    calibration = calibration_for(reconstructor.model_name, reconstructor.sha256)
    estimator = estimator_for(reconstructor.sha256)
    return Examiner(reconstructor.body, reconstructor.hierarchy, calibration, estimator)


def disagreement(person: Person, middles: np.ndarray) -> float | None:
    """Mean distance of projected vertices from the middles of their heatmaps, in parts of the crop's side.

    Vertices outside of the crop have no heatmap and do not count; None when that is all of them.
    """
    points = to_crop(person.crop, person.project(person.coarse[::STEP])) / person.crop.size
    inside = ((points > 0) & (points < 1)).all(axis=1)
    if not inside.any():
        return None
    return float(np.linalg.norm(points[inside] - middles[inside], axis=1).mean())


def joint_gap(person: Person) -> float | None:
    """Millimetres between the network's own joints and the mesh's, both about their hips."""
    own = person.network_joints
    if own is None:
        return None
    mesh = person.joints3d
    difference = (own - own[2:4].mean(0)) - (mesh - mesh[2:4].mean(0))
    return float(1000 * np.linalg.norm(difference, axis=1).mean())


def landmark_gap(person: Person, landmarks: np.ndarray) -> float:
    """(L, 8) landmarks of BlazePose -> mean distance to the mesh's 12 limb joints, in parts of the crop."""
    seen = (landmarks[list(LANDMARK_OF_LIMB), :2] + 1) / 2
    limbs = to_crop(person.crop, person.joints2d[:12].astype(np.float64)) / person.crop.size
    return float(np.linalg.norm(seen - limbs, axis=1).mean())


def jerk(times: np.ndarray, joints: np.ndarray) -> float | None:
    """Mean size of the third derivative of (4, 14, 3) positions at (4,) seconds, in m/s³.

    None for fewer moments, a gap, or times that do not rise.
    """
    steps = np.diff(times)
    if len(times) < 4 or (steps <= 0).any() or (steps > LONGEST_GAP).any():
        return None
    differences = joints
    for order in (1, 2, 3):
        span = times[order:] - times[:-order]
        differences = np.diff(differences, axis=0) / span[:, None, None]
    return float(6 * np.linalg.norm(differences[0], axis=1).mean())
