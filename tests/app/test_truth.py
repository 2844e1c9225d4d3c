"""Ground truth beside a source, and errors against it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import assets
from app.pipeline.frames import Record
from app.pipeline.truth import Truth, errors_against, errors_of, truth_beside
from model.errors import UserError
from tests.app.fakes import FakeReconstructor, frame, standing


def person():
    from app.pipeline.crop import crop_for_box

    fake, box = FakeReconstructor(), standing(id=3)
    (encoded,) = fake.encode(frame(), [(box, crop_for_box(box, (320, 240), 256))])
    return fake.regress(encoded, (7, 5, 3, 1))


def truth_of(found) -> Truth:
    return Truth(found.coarse, found.joints3d, found.joints2d)


def test_the_bundled_clip_has_a_truth_for_each_frame() -> None:
    truth = truth_beside(assets.SAMPLES / "salsa.mp4")
    assert truth is not None and len(truth) == 240
    first = truth.at(0)
    assert first is not None and first.coarse.shape == (431, 3) and first.joints3d.shape == (14, 3)
    assert truth.at(240) is None and truth.at(-1) is None
    assert truth_beside(assets.SAMPLES / "still.jpg") is None


def test_the_truth_itself_has_no_error_and_a_moved_vertex_its_own() -> None:
    found = person()
    none = errors_of(Record(frame(), (found,), (7, 5, 3, 1)), truth_of(found))
    assert none is not None and none.person_id == 3 and none.pve == pytest.approx(0, abs=1e-3)
    coarse = found.coarse.copy()
    coarse[7] += [0.03, 0, 0.04]
    moved = errors_against(replace(found, coarse=coarse), truth_of(found))
    assert moved is not None and moved.vertices[7] == pytest.approx(50, abs=0.01)
    assert moved.pve == pytest.approx(50 / 431, abs=0.01) and "PVE 0 mm" in moved.sentence


def test_a_turned_body_has_no_aligned_error() -> None:
    found = person()
    turn = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]], np.float32)
    turned = replace(found, coarse=found.coarse @ turn, joints3d=found.joints3d @ turn)
    errors = errors_against(turned, truth_of(found))
    assert errors is not None and errors.pa_mpjpe < 0.1 < errors.mpjpe


def test_somebody_elsewhere_and_another_body_are_not_compared() -> None:
    found = person()
    record = Record(frame(), (found,), (7, 5, 3, 1))
    assert errors_of(record, replace(truth_of(found), joints2d=found.joints2d + 500)) is None
    assert errors_against(found, replace(truth_of(found), coarse=found.coarse[:100])) is None
    assert errors_of(replace(record, people=()), truth_of(found)) is None


def test_arrays_that_do_not_fit_are_told_and_other_files_are_none(tmp_path) -> None:
    np.savez(
        tmp_path / "a.npz",
        vertices=np.zeros((2, 431, 3)),
        joints3d=np.zeros((3, 14, 3)),
        joints2d=np.zeros((2, 14, 2)),
    )
    np.savez(tmp_path / "b.npz", something=np.zeros(3))
    with pytest.raises(UserError):
        truth_beside(tmp_path / "a.mp4")
    assert truth_beside(tmp_path / "b.mp4") is None and truth_beside("camera 0") is None
