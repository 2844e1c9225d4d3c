"""The embedded model's recipe as `pointhmr train` runs it: its files, its lifter, its averages."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from app import cli
from model.training.recipe import RECIPES, with_samples
from model.training.run import Run
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


def test_the_average_is_of_weights_and_of_normalisation() -> None:
    """Steps far apart in what the layer sees: the average keeps a part of each, counters are as they are."""
    run = Run.__new__(Run)
    run.recipe = dataclasses.replace(RECIPES["lite"], ema=0.5)
    layer = torch.nn.BatchNorm2d(1, momentum=1.0)
    run.network = layer  # type: ignore[assignment]
    run.averaged = copy.deepcopy(layer)  # type: ignore[assignment]
    expected = [0.0, 1.0]
    for step, seen in enumerate((8.0, 4.0, -2.0)):
        layer(torch.tensor([seen - 1, seen + 1]).reshape(2, 1, 1, 1))
        with torch.no_grad():
            layer.weight.fill_(seen)
        run._average(step + 100)
        expected = [(old + new) / 2 for old, new in zip(expected, (seen, seen), strict=True)]
    averaged = run.averaged
    assert averaged is not None
    assert averaged.running_mean.item() == pytest.approx(expected[0])
    assert averaged.weight.item() == pytest.approx(expected[1])
    assert averaged.running_var.item() == pytest.approx(0.125 * 1 + 0.875 * 2)
    assert averaged.num_batches_tracked.item() == 3


def test_samples_become_epochs() -> None:
    recipe = with_samples(RECIPES["lite"], 32_000)
    assert (recipe.epochs, recipe.epoch_samples) == (3, 10_666)
    assert with_samples(RECIPES["lite"], 8).epochs == 1
