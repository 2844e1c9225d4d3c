"""The model that ships, on the clip that ships, against the clip's ground truth."""

from __future__ import annotations

import numpy as np
import pytest

import assets
from app.pipeline.frames import Record
from app.pipeline.loading import load_pipeline
from app.pipeline.sources import open_source
from model.metrics import mpjpe, pck

HOPS = (7, 5, 3, 1)
CLIP = assets.SAMPLES / "salsa.mp4"
EVERY = 24


@pytest.fixture(scope="module")
def records() -> list[Record]:
    pipeline, _ = load_pipeline()
    source = open_source(CLIP)
    found = []
    for index in range(0, 240, EVERY):
        source.seek(index)
        frame = source.read()
        assert frame is not None
        pipeline.reset()
        found.append(pipeline.process(frame, HOPS))
    source.close()
    return found


def truth(name: str) -> np.ndarray:
    return np.load(assets.SAMPLES / "salsa.npz")[name][::EVERY].astype(np.float64)


def test_the_person_is_found_in_every_frame(records: list[Record]) -> None:
    assert [len(record.people) for record in records] == [1] * len(records)


def test_the_mesh_sits_on_the_person(records: list[Record]) -> None:
    predicted = np.stack([record.people[0].joints2d for record in records])
    target = np.concatenate([truth("joints2d"), np.ones((len(records), 14, 1))], axis=-1)
    assert pck(predicted, target) > 0.8


def test_the_mesh_is_right_in_depth(records: list[Record]) -> None:
    predicted = np.stack([record.people[0].joints3d for record in records])
    assert mpjpe(predicted, truth("joints3d")).mean() < 130


def test_the_mesh_is_a_human_body(records: list[Record]) -> None:
    for record in records:
        joints = record.people[0].joints3d
        for thigh, shin in (((2, 1), (1, 0)), ((3, 4), (4, 5))):
            for a, b in (thigh, shin):
                assert 0.25 < np.linalg.norm(joints[a] - joints[b]) < 0.6


def test_masks_change_the_mesh(records: list[Record]) -> None:
    pipeline, _ = load_pipeline()
    again = pipeline.regress_again(records[0], (1, 1, 1, 1))
    moved = np.linalg.norm(again.people[0].vertices - records[0].people[0].vertices, axis=1)
    assert moved.max() > 0.001
