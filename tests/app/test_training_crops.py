"""The crops that the estimate of the error is trained on are cut as the window cuts them."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from app.benchmark.cases import KINDS, Case
from app.benchmark.training_crops import SHARES, build_table
from app.pipeline.frames import Frame, Person, PersonBox
from app.pipeline.pipeline import Pipeline
from app.pipeline.tracker import Tracker
from app.pipeline.truth import Truth
from tests.app.fakes import PICTURE, FakeDetector, FakeReconstructor, frame, standing

ONE, OTHER = standing((110, 120), 160), standing((150, 125), 150)


@dataclass(frozen=True)
class Pairs:
    """Stands for a CaseMaker: both people of every overlap, one person of all other pictures."""

    truth: Truth

    def pair(self, kind: str, number: int) -> list[Case]:
        """The same for every number."""
        first = Case(kind, frame(), ONE, (OTHER,) if kind == "overlap" else (), self.truth)
        second = Case(kind, frame(), OTHER, (ONE,), self.truth, second=True)
        return [first, second] if kind == "overlap" else [first]


def square_of(person: Person) -> np.ndarray:
    """(3,) centre and scale of the crop, in place of an examiner's numbers."""
    linear, offset = person.crop.matrix[:, :2], person.crop.matrix[:, 2]
    centre = np.linalg.solve(linear, FakeReconstructor.crop_size / 2 - offset)
    return np.append(centre, np.linalg.norm(linear[0]))


def shown(one: PersonBox, others: tuple[PersonBox, ...], shot: Frame) -> np.ndarray:
    """(3,) `square_of` what `Pipeline.process` shows of somebody."""
    (person,) = make_pipeline().process(shot, (None,) * 4, [one], others=others).people
    return square_of(person)


def make_pipeline() -> Pipeline:
    """For a network that wants air about a person."""
    reconstructor = FakeReconstructor()
    reconstructor.crop_scale = 1.2
    return Pipeline(FakeDetector(), Tracker(), reconstructor)


def test_who_stands_beside_others_is_cut_out_knowing_them_in_the_mirror_too() -> None:
    (person,) = make_pipeline().process(frame(), (None,) * 4, [ONE]).people
    truth = Truth(person.coarse, person.joints3d, person.joints2d)
    examiner = cast(Any, SimpleNamespace(inputs_of=square_of))
    table = build_table(make_pipeline(), examiner, "0" * 64, cast(Any, Pairs(truth)), pictures=1)
    together, alone = table.kinds == KINDS.index("overlap"), table.kinds == KINDS.index("alone")
    assert together.sum() == 4 and len(table.inputs) == 4 + 2 * (len(SHARES) - 1)

    (first, second) = shown(ONE, (OTHER,), frame()), shown(OTHER, (ONE,), frame())
    mirrored = [np.array([PICTURE[0] - x, y, scale]) for x, y, scale in (first, second)]
    expected = [first, mirrored[0], second, mirrored[1]]
    np.testing.assert_allclose(table.inputs[together], expected, rtol=1e-6)
    assert first[2] > 1.15 * shown(ONE, (), frame())[2], "two people near each other are seen apart"
    np.testing.assert_allclose(table.inputs[alone][0], shown(ONE, (), frame()), rtol=1e-6)
