"""Cases: the same arrays to the last bit in another process, and one sentence for whatever is not a case."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.export.case import ABOUT, ARRAYS, PICTURE, Case, is_case, load_case, save_case
from app.gui.model_info import case_model
from app.pipeline.frames import PersonBox, Study
from model.errors import UserError
from tests.app import gui_fakes
from tests.app.case_fakes import flagged, record
from tests.app.fakes import standing

PROBE = "from tests.app.test_case import digest; import sys; print(digest(sys.argv[1]))"


def case() -> Case:
    """A frame with a baseline, flags and settings."""
    told = record(flagged(("modes", 3.0)), index=7)
    told = replace(told, study=Study((None, None, 3, 1)), baseline=told.people)
    return Case(told, case_model(gui_fakes.model_info()), 1, {"pins": [3, 9]}, "pointhmr 0")


def digest(folder: str) -> str:
    """Of every array of a case: names, types, shapes and bits."""
    return digest_of(load_case(Path(folder)))


def digest_of(case: Case) -> str:
    person, other = case.record.people[0], case.record.baseline[0]
    meshes = ("vertices", "coarse", "joints3d", "joints2d")
    features = person.features
    arrays = [
        case.record.frame.image,
        *(getattr(p, name) for p in (person, other) for name in meshes),
        np.asarray(person.crop.matrix, float),
        np.array([*person.camera, *person.box.xywh, person.presence]),
        *(getattr(features, n).numpy() for n in ("heatmaps", "vertex_tokens", "grid_tokens", "presence")),
        *case.model.arrays.values(),
    ]
    mark = hashlib.sha256()
    for array in arrays:
        mark.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return mark.hexdigest()


def test_a_case_is_the_same_to_the_last_bit_in_a_new_process(tmp_path):
    saved = case()
    save_case(tmp_path / "one", saved)
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(tmp_path / "one")],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout.strip() == digest_of(saved)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one"], "nothing temporary is left"


def test_everything_that_is_no_array_comes_back_too(tmp_path):
    saved = case()
    save_case(tmp_path / "one", saved)
    again = load_case(tmp_path / "one")
    assert is_case(tmp_path / "one") and not is_case(tmp_path)
    assert again.record.hops == saved.record.hops and again.record.study == saved.record.study
    assert again.record.people[0].diagnostics == saved.record.people[0].diagnostics
    assert again.record.frame.index == 7 and again.settings == {"pins": [3, 9]} and again.chosen == 1
    assert (again.model.name, again.model.sha256) == (saved.model.name, saved.model.sha256)


def test_who_else_was_known_comes_back_so_that_people_can_be_isolated_again(tmp_path):
    seen, unseen = standing((300, 100), id=4), PersonBox(1, 2, 3, 4, score=0.5, id=7)
    saved = case()
    save_case(tmp_path / "one", replace(saved, record=replace(saved.record, others=(seen, unseen))))
    first, second = load_case(tmp_path / "one").record.others
    assert (first.xywh, first.id) == (seen.xywh, 4) and np.array_equal(first.keypoints, seen.keypoints)
    assert second == unseen
    about = json.loads((tmp_path / "one" / ABOUT).read_text())
    del about["others"]
    (tmp_path / "one" / ABOUT).write_text(json.dumps(about))
    assert load_case(tmp_path / "one").record.others == (), "older cases do not say"


def test_what_is_there_already_is_never_overwritten(tmp_path):
    (tmp_path / "one").mkdir()
    with pytest.raises(UserError, match="is there already"):
        save_case(tmp_path / "one", case())
    assert list((tmp_path / "one").iterdir()) == []


def spoil_json(folder: Path, **changes: object) -> None:
    about = json.loads((folder / ABOUT).read_text())
    (folder / ABOUT).write_text(json.dumps(about | changes))


def spoil_arrays(folder: Path, **changes: np.ndarray) -> None:
    with np.load(folder / ARRAYS) as content:
        arrays = dict(content)
    np.savez(folder / ARRAYS, **(arrays | changes))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda f: (f / ABOUT).write_text("{"),
        lambda f: (f / ABOUT).write_text("[1]"),
        lambda f: spoil_json(f, version=99),
        lambda f: spoil_json(f, people=[{}]),
        lambda f: spoil_json(f, masks=[0, 1, 2, 3]),
        lambda f: spoil_json(f, others=[{"box": [1, 2, 3, float("nan")], "score": 1, "id": 2}]),
        lambda f: (f / PICTURE).unlink(),
        lambda f: (f / PICTURE).write_bytes(b"\x89PNG\r\n\x1a\n"),
        lambda f: (f / ARRAYS).write_bytes((f / ARRAYS).read_bytes()[:9999]),
        lambda f: spoil_arrays(f, faces=np.full((4, 3), 10**6)),
        lambda f: spoil_arrays(f, coarse_of_vertex=np.zeros(3, int)),
        lambda f: spoil_arrays(f, person0_vertices=np.full((9, 3), np.nan, np.float32)),
        lambda f: spoil_arrays(f, person0_feature_heatmaps=np.zeros((1, 2, 4, 4), np.float32)),
        lambda f: spoil_arrays(f, person0_coarse=np.array([{"a": 1}], object)),
    ],
)
def test_whatever_is_no_whole_case_gets_one_sentence(tmp_path, spoil):
    save_case(tmp_path / "one", case())
    spoil(tmp_path / "one")
    with pytest.raises(UserError) as error:
        load_case(tmp_path / "one")
    assert str(error.value).endswith(".") and "\n" not in str(error.value)
