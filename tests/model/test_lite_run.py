"""The embedded model's recipe as `pointhmr train` runs it: its files, its lifter, its averages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from app import cli
from model.training.recipe import RECIPES, with_samples
from model.weights import load_network

SMALL = [
    *("--batch-size", "2", "--no-compile"),
    *(text for value in ("lifter_steps=3", "lifter_bodies=16", "evaluate_limit=2", "workers=0")
      for text in ("--override", value)),
]  # fmt: skip


def train(output: Path, rendered: Path, motion: Path, *more: str) -> int:
    folders = ["--output", str(output), "--rendered", str(rendered), "--motion", str(motion)]
    return cli.main(["train", *folders, *SMALL, *more])


def entries(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


@pytest.mark.timeout(600)
def test_a_run_writes_weights_that_load_and_is_resumed_exactly(
    tmp_path: Path, rendered_folder: Path, motion_file: Path
) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    assert train(whole, rendered_folder, motion_file, "--samples", "6") == 0
    network, card = load_network(whole / "weights.safetensors")
    assert card.config == network.config.name == "body-lite"
    names = load_file(whole / "weights.safetensors").keys()
    assert names and not any(name.startswith("backbone.") for name in names)
    groups = {entry["group"] for entry in entries(whole)}
    assert groups == {"lifter", "loss", "rendered"}
    assert load_network(whole / "best.safetensors")[1].config == "body-lite"
    more = ("--samples", "6", "--override", "stop_after=1")
    assert train(halves, rendered_folder, motion_file, *more) == 0
    assert train(halves, rendered_folder, motion_file, "--samples", "6") == 0
    states = [
        torch.load(next(run.glob("step-00000003/state.pt")), weights_only=True) for run in (whole, halves)
    ]
    for name, value in states[0]["averaged"].items():
        assert torch.allclose(value.float(), states[1]["averaged"][name].float(), atol=1e-6), name
    losses = [[e["all"] for e in entries(run) if e["group"] == "loss"][-1] for run in (whole, halves)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_mistakes_are_one_sentence(
    tmp_path: Path, rendered_folder: Path, motion_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fault(*arguments: str) -> str:
        assert cli.main(["train", "--output", str(tmp_path), *arguments]) == 2
        return capsys.readouterr().err

    assert "needs pictures" in fault("--recipe", "published")
    assert "no recipe" in fault("--recipe", "nonsense")
    assert "`ema`" in fault("--rendered", str(rendered_folder), "--override", "ema=2")
    (tmp_path / "state.pt").write_bytes(b"of the old trainer")
    assert "--start-from" in fault("--rendered", str(rendered_folder))


def test_samples_become_epochs() -> None:
    recipe = with_samples(RECIPES["lite"], 32_000)
    assert (recipe.epochs, recipe.epoch_samples) == (3, 10_666)
    assert with_samples(RECIPES["lite"], 8).epochs == 1
