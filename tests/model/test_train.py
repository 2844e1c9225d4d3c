"""A run that is stopped and resumed ends where an unbroken one ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model.checkpoint import load_state, save_weights
from model.errors import UserError
from model.train import Trainer, TrainSettings, train
from model.weights import load_network


@pytest.fixture
def settings(tmp_path: Path, rendered_folder: Path, motion_file: Path) -> TrainSettings:
    return TrainSettings(
        output=tmp_path / "run",
        rendered=rendered_folder,
        motion=motion_file,
        samples=8,
        lifter_steps=3,
        lifter_bodies=16,
        batch_size=2,
        evaluate_samples=1000,
        evaluate_crops=2,
        workers=0,
        compile=False,
    )


@pytest.mark.slow
def test_a_resumed_run_is_the_unbroken_run(settings: TrainSettings) -> None:
    train(settings)
    halves = replace(settings, output=settings.output.with_name("halves"), stop_after=4)
    train(halves)
    train(replace(halves, stop_after=None))
    whole, resumed = (torch.load(s.output / "state.pt", weights_only=True) for s in (settings, halves))
    assert whole["seen"] == resumed["seen"] == 8
    for name, value in whole["network"].items():
        assert torch.allclose(value.float(), resumed["network"][name].float(), atol=1e-6), name


def test_a_short_run_writes_weights_that_load(settings: TrainSettings) -> None:
    train(replace(settings, samples=2))
    network, card = load_network(settings.output / "weights.safetensors")
    assert card.config == network.config.name == "body-lite"
    entries = [json.loads(line) for line in (settings.output / "log.jsonl").read_text().splitlines()]
    assert any("evaluated" in entry and entry["mpjpe"] > 0 for entry in entries)


def test_a_broken_state_is_a_users_error(settings: TrainSettings, tmp_path: Path) -> None:
    trainer = Trainer(settings)
    path = tmp_path / "state.pt"
    path.write_bytes(b"not a state")
    with pytest.raises(UserError, match="cannot be resumed"):
        load_state(path, trainer.network, trainer.ema, trainer.optimizer)


def test_training_without_pictures_is_refused(settings: TrainSettings) -> None:
    with pytest.raises(UserError, match="needs pictures"):
        Trainer(replace(settings, rendered=None))


def test_weights_leave_the_frozen_backbone_out(settings: TrainSettings, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    trainer = Trainer(settings)
    save_weights(tmp_path / "w.safetensors", trainer.network)
    names = load_file(tmp_path / "w.safetensors").keys()
    assert names and not any(name.startswith("backbone.") for name in names)
