"""Faults 14 and 15 in the window: weights and bodies of strangers, while a source plays.

What the files are refused for is tested one by one in tests/model/test_safe_load.py, test_weights.py,
test_unpickle.py and test_body.py.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import assets
from app.gui.model_choice import ModelChoice
from app.pipeline.worker import WorkerState
from model import weights
from model.paths import sha256
from model.safe_load import check_state, load_checkpoint
from model.weights import list_models, models_dir
from tests.faults.harness import Capture, Live, is_sentence
from tests.model.foreign import Touch, chumpy_members, foreign_pickle, small_smpl

Make = Callable[..., Live]


def switch(one: Live, choice: ModelChoice) -> str:
    """Ask for another model as the Models page does; returns what was told."""
    told: list[str] = []
    one.window.models.done.connect(told.append)
    one.do(lambda: one.window.models.use(choice))
    one.wait(lambda: told, 60)
    return told[0]


def checkpoints(folder: Path) -> dict[str, Path]:
    """Hostile, broken and foreign weight files."""
    state = {"layer.weight": torch.ones(2, 2)}
    contents: dict[str, Any] = {
        "hostile": {"layer.weight": torch.ones(1), "bait": Touch(folder / "ran")},
        "wrong architecture": state,
        "not finite": {"layer.weight": torch.tensor([float("nan")])},
    }
    paths = {}
    for name, content in contents.items():
        paths[name] = folder / f"{name}.bin"
        torch.save(content, paths[name])
    whole = paths["wrong architecture"].read_bytes()
    for name, data in {"empty": b"", "truncated": whole[: len(whole) // 2], "text": b"weights?" * 9}.items():
        paths[name] = folder / f"{name}.bin"
        paths[name].write_bytes(data)
    return paths


@pytest.mark.fault(14)
def test_each_bad_checkpoint_has_its_own_sentence_and_the_source_goes_on(live: Make, tmp_path: Path) -> None:
    one = live({0: Capture()})
    one.open("camera")
    one.wait_records(3)
    sentences = {}
    for name, path in checkpoints(tmp_path).items():
        fault = switch(one, ModelChoice(path))
        assert is_sentence(fault) and path.name in fault, fault
        assert one.banner == fault
        sentences[name] = fault.replace(path.name, "")
        one.wait_records(2)
    assert len(set(sentences.values())) == len(sentences), sentences
    assert "refused" in sentences["hostile"] and not (tmp_path / "ran").exists()
    assert set(one.states) == {WorkerState.OPENING, WorkerState.RUNNING}
    assert len(one.pipelines) == 1, "the model of before is still there"


def bodies(folder: Path) -> dict[str, Path]:
    """Hostile and broken SMPL files."""
    members = chumpy_members(small_smpl())
    contents = {
        "hostile": pickle.dumps({"v_template": np.zeros(3), "f": Touch(folder / "ran")}, 2),
        "renamed": b"a JPEG, perhaps" * 20,
        "truncated": foreign_pickle(members)[:-200],
        "something else": pickle.dumps({"weights": np.ones(4)}),
    }
    paths = {}
    for name, data in contents.items():
        paths[name] = folder / f"{name}.pkl"
        paths[name].write_bytes(data)
    return paths


@pytest.mark.fault(15)
def test_each_bad_body_has_its_own_sentence_and_the_source_goes_on(live: Make, tmp_path: Path) -> None:
    one = live({0: Capture()})
    one.open("camera")
    one.wait_records(3)
    sentences = {}
    for name, path in bodies(tmp_path).items():
        fault = switch(one, ModelChoice("body-hrnet-w32:random", path))
        assert is_sentence(fault) and path.name in fault, fault
        sentences[name] = fault
        one.wait_records(2)
    assert "refused" in sentences["hostile"] and not (tmp_path / "ran").exists()
    assert "not a readable" in sentences["renamed"] and "not a readable" in sentences["truncated"]
    assert "lacks v_template" in sentences["something else"]
    assert set(one.states) == {WorkerState.OPENING, WorkerState.RUNNING}


def changed_copy(folder: Path) -> Path:
    """A checkpoint that is not recognised as the one that ships."""
    source, copy = Path(str(assets.WEIGHTS / "body-lite.safetensors")), folder / "mine.safetensors"
    state = load_checkpoint(source)
    first = next(iter(state))
    state[first] = state[first] + 1e-3
    with safe_open(source, "pt") as file:
        save_file(state, copy, file.metadata())
    return copy


IMPORTS = """
import sys
from pathlib import Path
from model.weights import import_weights
import_weights(Path(sys.argv[1]))
"""


@pytest.mark.fault(14)
def test_a_card_is_of_the_file_that_another_process_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one comes after this one's digest, and its card before this one's."""
    copy = changed_copy(tmp_path)
    write, replaced = weights.write_atomically, []

    def late(path: Path, fill: Callable[[Path], object]) -> None:
        if path.suffix == ".json" and not replaced:
            model = path.with_suffix(".safetensors")
            with safe_open(model, "pt") as file:
                save_file(load_checkpoint(model), model, (file.metadata() or {}) | {"other": "process"})
            replaced.append(model)
        write(path, fill)

    monkeypatch.setattr(weights, "write_atomically", late)
    card = weights.import_weights(copy)
    (kept,) = [card for card in list_models() if card.source == copy.name]
    assert [Path(card.path)] == replaced and card == kept
    assert sha256(Path(card.path)) == card.sha256


@pytest.mark.fault(14)
def test_two_processes_that_import_the_same_checkpoint_leave_one_good_model(tmp_path: Path) -> None:
    """Each writes beside, then renames: whoever is last has written the same network."""
    copy = changed_copy(tmp_path)
    state = load_checkpoint(copy)
    several = [subprocess.Popen([sys.executable, "-c", IMPORTS, str(copy)]) for _ in range(2)]
    assert [process.wait(120) for process in several] == [0, 0]
    mine = [card for card in list_models() if card.source == copy.name]
    assert mine and {card.source_sha256 for card in mine} == {sha256(copy)}
    for card in mine:
        assert sha256(Path(card.path)) == card.sha256
        check_state(
            load_checkpoint(Path(card.path)), {k: tuple(v.shape) for k, v in state.items()}, "mine", "net"
        )
    assert not [path for path in models_dir().iterdir() if path.name.startswith(".")]
