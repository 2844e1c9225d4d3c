"""The faster engine gives the same person, and its absence is no fault."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.pipeline import speed
from app.pipeline.crop import crop_for_box
from app.pipeline.frames import Frame, Person, PersonBox
from app.pipeline.reconstructor import Reconstructor, load_reconstructor
from app.pipeline.speed import speed_up
from model.cv import cv2
from model.graphs import export, export_folder
from model.recipes import FLOAT32, Recipe


@pytest.fixture
def reconstructor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reconstructor:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return load_reconstructor()


def person(reconstructor: Reconstructor, hops: tuple[int | None, ...]) -> Person:
    picture = cv2.imread("tests/fixtures/figure.png")
    assert picture is not None
    image, box = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), PersonBox(76, 18, 104, 224)
    crop = crop_for_box(box, (256, 256), reconstructor.crop_size)
    (encoded,) = reconstructor.encode(Frame(image, 0, 0.0, "test"), [(box, crop)])
    return reconstructor.regress(encoded, hops)  # type: ignore[arg-type]


def test_openvino_gives_the_same_person(reconstructor: Reconstructor) -> None:
    masks = ((7, 5, 3, 1), (None, None, 1, 1))
    before = [person(reconstructor, hops) for hops in masks]
    export(reconstructor.network, export_folder(reconstructor.sha256))
    assert speed_up(reconstructor) is None
    assert reconstructor.engine.name == "OpenVINO f32"
    for hops, torch_person in zip(masks, before, strict=True):
        fast = person(reconstructor, hops)
        assert np.abs(fast.vertices - torch_person.vertices).max() < 1e-4
        assert np.abs(fast.heatmaps - torch_person.heatmaps).max() < 1e-4
        assert np.abs(fast.joints2d - torch_person.joints2d).max() < 0.05


def test_damaged_graphs_are_thrown_away_and_torch_goes_on(reconstructor: Reconstructor) -> None:
    folder = export_folder(reconstructor.sha256)
    folder.mkdir(parents=True)
    (folder / "encode.xml").write_text("nonsense")
    assert speed_up(reconstructor) is None
    assert reconstructor.engine.name == "torch"
    assert not folder.exists()
    assert person(reconstructor, (7, 5, 3, 1)).presence > 0.9


def test_a_failing_export_leaves_torch_at_work(
    reconstructor: Reconstructor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.graphs.sys.executable", "/bin/false")
    thread = speed_up(reconstructor)
    assert thread is not None
    thread.join(30)
    assert not thread.is_alive()
    assert reconstructor.engine.name == "torch"


def test_new_graphs_of_somebody_else_are_not_taken(
    reconstructor: Reconstructor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the export changed the network: its graphs are in float32, run, and give another person."""
    other = load_reconstructor("body-lite:random").network

    def wrong(_: Reconstructor, recipe: Recipe, folder: Path) -> bool:
        export(other, folder, recipe)
        return True

    monkeypatch.setattr(speed, "preferred", lambda config: (FLOAT32,))
    monkeypatch.setattr(speed, "_export", wrong)
    thread = speed_up(reconstructor)
    assert thread is not None
    thread.join(120)
    assert reconstructor.engine.name == "torch" and not reconstructor.engine.dropped
    assert not export_folder(reconstructor.sha256).exists(), "the next start would trust it"


def test_random_weights_have_no_graphs_of_their_own() -> None:
    assert speed_up(load_reconstructor("body-lite:random")) is None
