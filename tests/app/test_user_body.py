"""`--body FILE`: a user's SMPL from its file to result.json, and networks that cannot make it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from app.cli import main
from model.config import preset
from model.hierarchy import load_hierarchy
from model.pointhmr import PointHMR
from model.released import released_shapes
from model.verify import rule_state
from tests.model.foreign import chumpy_members, foreign_pickle, metro_members, smpl_like

FIGURE = "tests/fixtures/figure.png"


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    yield


@pytest.fixture
def smpl(tmp_path: Path) -> Path:
    path = tmp_path / "SMPL_NEUTRAL.pkl"
    path.write_bytes(foreign_pickle(chumpy_members(smpl_like())))
    return path


def run(tmp_path: Path, weights: str, body: Path | None = None) -> int:
    more = [] if body is None else ["--body", str(body)]
    return main(["reconstruct", FIGURE, "--output", str(tmp_path / "out"), "--weights", weights, *more])


def check_result(tmp_path: Path, body: str) -> None:
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["body"] == body
    (person,) = result["frames"][0]["people"]
    vertices = np.load(tmp_path / "out" / person["vertices"])["vertices"][person["row"]]
    assert vertices.shape == (6890, 3) and np.isfinite(vertices).all()
    assert np.ptp(vertices, axis=0).max() > 0.01


def test_a_users_smpl_goes_from_its_file_to_the_result(tmp_path: Path, smpl: Path) -> None:
    np.savez(tmp_path / "mesh_downsampling.npz", **metro_members(load_hierarchy()))
    assert run(tmp_path, "body-lite:random", smpl) == 0
    check_result(tmp_path, "SMPL")


@pytest.mark.slow
def test_without_metros_file_the_hierarchy_is_built_from_the_faces(tmp_path: Path, smpl: Path) -> None:
    assert run(tmp_path, "body-hrnet-w32:random", smpl) == 0
    check_result(tmp_path, "SMPL")
    assert len(list((tmp_path / "cache" / "pointhmr" / "hierarchies").iterdir())) == 1


def test_the_published_network_reconstructs(tmp_path: Path) -> None:
    assert run(tmp_path, "body-hrnet-w32:random") == 0
    check_result(tmp_path, "free body")


def test_a_network_of_the_free_body_refuses_smpl(
    tmp_path: Path, smpl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = PointHMR(preset("body-lite"))
    kept = {k: v.contiguous() for k, v in network.state_dict().items() if not k.startswith("backbone.")}
    save_file(kept, tmp_path / "lite.safetensors", {"config": network.config.to_json()})
    assert run(tmp_path, str(tmp_path / "lite.safetensors"), smpl) == 2
    error = capsys.readouterr().err
    assert "lite was trained on the free body and cannot make SMPL" in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_released_checkpoint_over_the_free_body_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = PointHMR(preset("body-hrnet-w32"))
    state = rule_state(released_shapes(network), 3)
    state["transformer.cam_predictor.bias"] = torch.tensor([40.0, 0.0, 0.0])
    torch.save(state, tmp_path / "released.bin")
    assert run(tmp_path, str(tmp_path / "released.bin")) == 0
    assert (
        "released was trained on SMPL: over the free body its mesh means nothing" in capsys.readouterr().err
    )
    check_result(tmp_path, "free body")
