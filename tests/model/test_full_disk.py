"""What the program writes of networks and data: a full disk is one sentence, and the old file stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from app.pipeline.error_estimate import ErrorEstimator, write_estimator
from model.body import load_body
from model.config import preset
from model.data.manifest import write_manifest
from model.data.people import Bodies
from model.data.pictures import read_picture, write_picture
from model.errors import UserError
from model.pointhmr import PointHMR
from model.training.checkpoints import STATE, WEIGHTS, load_checkpoint_of, save_checkpoint, save_network
from model.weights import import_weights, models_dir
from tests.app.mesh_files import small_files_only
from tests.model.test_recipes import SMALL_LITE, Posed

TOO_SMALL = 1000
"""Bytes: less than any of these files."""
NOISE = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)


@pytest.fixture(scope="module")
def network() -> PointHMR:
    torch.manual_seed(0)
    return PointHMR(replace(preset("body-lite"), **SMALL_LITE))  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def refused(write: Callable[[], object], folder: Path, size: int = TOO_SMALL) -> None:
    """On a disk that holds files up to `size` bytes."""
    before = contents(folder)
    with small_files_only(size), pytest.raises(UserError, match="cannot be written: File too large"):
        write()
    assert contents(folder) == before


def test_weights_and_estimators(network: PointHMR, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_text("the old file")
    refused(lambda: save_network(path, network, "free body"), tmp_path)
    layer = np.ones((1, 40, 40), np.float32)
    estimator = ErrorEstimator("", np.zeros(40), np.ones(40), (layer,) * 6)
    refused(lambda: write_estimator(path, estimator), tmp_path)


def test_imported_weights(network: PointHMR, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    models_dir().mkdir(parents=True)
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, tmp_path / "mine.safetensors", {"config": network.config.to_json()})
    refused(lambda: import_weights(tmp_path / "mine.safetensors"), tmp_path)


def test_a_checkpoint_whose_state_does_not_fit_leaves_the_one_before(
    network: PointHMR, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path, 1, network, "free body", {"optimizer": torch.ones(3)})
    size = (tmp_path / "step-00000001" / WEIGHTS).stat().st_size
    state = {"optimizer": torch.ones(size // 4)}
    with small_files_only(size), pytest.raises(UserError, match=f"{STATE} cannot be written: File too large"):
        save_checkpoint(tmp_path, 2, network, "free body", state)
    resumed = load_checkpoint_of(tmp_path, network)
    assert resumed is not None and resumed["step"] == 1


def test_pictures(tmp_path: Path) -> None:
    for ending in ("png", "jpg"):
        path = tmp_path / f"sheet.{ending}"
        write_picture(path, NOISE)
        refused(lambda path=path: write_picture(path, NOISE[::-1]), tmp_path)  # type: ignore[misc]
    assert np.array_equal(read_picture(tmp_path / "sheet.png"), NOISE)


@pytest.mark.parametrize("name", ["sheet", "sheet.xyz", "sheet.txt"])
def test_a_picture_of_no_known_ending(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not end as a picture"):
        write_picture(tmp_path / name, NOISE)
    assert not list(tmp_path.iterdir())


def test_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    people = Posed(Bodies(load_body()), 2, 3.0, 150.0)
    refused(lambda: write_manifest(tmp_path, people, range(2), "free"), tmp_path)
