"""Files that hold nonsense are told in one sentence, whatever reading them raises."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from app.commands.options import read_boxes
from model.config import NetworkConfig, preset
from model.data.catalogue import distinct
from model.data.manifest import FILE, ManifestDataset
from model.data.pictures import ZippedPictures
from model.errors import UserError
from model.weights import load_network

DEEP = "[" * 100_000


def weights_file(folder: Path, config: str) -> Path:
    path = folder / "odd.safetensors"
    save_file({"weight": torch.zeros(1)}, path, {"config": config})
    return path


@pytest.mark.parametrize(
    "change",
    [
        {"heads": [3, 3, 3, 3]},
        {"widths": []},
        {"token_width": "wide"},
        {"num_vertices": -1},
        {"backbone": 5},
        {"image_mean": None},
    ],
    ids=str,
)
def test_a_network_that_cannot_be_built(tmp_path: Path, change: dict[str, Any]) -> None:
    config = dataclasses.asdict(preset("body-lite")) | change
    with pytest.raises(UserError, match=r"^odd\.safetensors describes a network that cannot be built"):
        load_network(weights_file(tmp_path, json.dumps(config)))


@pytest.mark.parametrize(
    "change",
    [
        {"num_vertices": 10**9},
        {"lifter_cells": 2000},
        {"lifter_cells": 200, "lifter_width": 4096},
        {"layers": [4000, 1, 1, 1], "widths": [4096, 128, 64, 64]},
    ],
    ids=str,
)
def test_a_network_that_no_memory_could_hold(tmp_path: Path, change: dict[str, Any]) -> None:
    config = dataclasses.asdict(preset("body-lite")) | change
    with pytest.raises(UserError, match=r"sizes are at most 4096|larger than any"):
        load_network(weights_file(tmp_path, json.dumps(config)))


def test_json_that_is_nested_without_end(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_text(DEEP)
    with pytest.raises(UserError, match="nested too deeply"):
        NetworkConfig.from_json(DEEP)
    with pytest.raises(UserError, match="nested too deeply"):
        load_network(weights_file(tmp_path, DEEP))
    with pytest.raises(UserError, match="not a JSON object"):
        read_boxes(path)
    with pytest.raises(UserError, match="does not begin"):
        ManifestDataset(tmp_path)


def test_a_damaged_zip_of_pictures(tmp_path: Path) -> None:
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", bytes(range(256)) * 40)
    data = bytearray(path.read_bytes())
    start = 30 + len("a.jpg")  # behind the entry's head
    data[start : start + 20] = b"\xff" * 20
    path.write_bytes(data)
    with pytest.raises(UserError, match="cannot be read"):
        ZippedPictures(path)


def test_sets_of_one_name_are_told_apart() -> None:
    assert distinct(["a", "b", "a", "a-2", "a"]) == ["a", "b", "a-2", "a-2-2", "a-3"]
