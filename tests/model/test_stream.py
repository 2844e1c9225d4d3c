"""The processes beside the training: what they draw, and what becomes of the training when they die."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from multiprocessing import resource_tracker
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
import torch

from model.data.augment import NO_AUGMENTATION
from model.data.people import Bodies
from model.data.sample import Sample
from model.data.stream import TrainingStream
from model.errors import UserError
from model.training.run import train_recipe
from model.training.setup import Scene
from tests.model.free_hand import free_hand
from tests.model.test_recipes import Posed, hand_recipe, hand_set, small_hrnet

__all__ = ["hand_set", "small_hrnet"]


class Hands(Posed):
    """Drawn in the process that asks."""

    def __init__(self) -> None:
        super().__init__(Bodies(free_hand()[0]), 40, 0.5, 300.0)


class Mortal(Hands):
    """Kills the process that draws its fifth sample, as the kernel does when memory runs out."""

    drawn = 0

    def __getitem__(self, index: int) -> Sample:
        self.drawn += 1
        if self.drawn == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(index)


class Refusing(Hands):
    def __getitem__(self, index: int) -> Sample:
        raise UserError(f"Hand {index} is missing.")


def stream(sets: Sequence[Any], looks: int = 1) -> TrainingStream:
    return TrainingStream(sets, [1.0] * len(sets), 64, NO_AUGMENTATION, None, seed=0, looks=looks)


def trained_on(dataset: Hands, run: tuple[Scene, Path], output: Path, patch: pytest.MonkeyPatch) -> str:
    """The sentence with which a training on these hands ends."""
    scene, folder = run
    patch.setattr("model.training.run.make_stream", lambda *_: (stream([dataset]), 40))
    with pytest.raises(UserError) as told:
        train_recipe(hand_recipe(folder, workers=1, batch_size=2), output, torch.device("cpu"), scene)
    return str(told.value)


@pytest.mark.timeout(600)
def test_workers_draw_what_the_process_itself_would_and_leave_no_file() -> None:
    one = stream([Hands()], looks=2)
    here = one.batches(0, 3, workers=0)
    before = set(Path(gettempdir()).glob("pointhmr-*"))
    for number, there in zip(range(4), one.batches(0, 3, workers=2), strict=False):
        assert all(torch.equal(a, b) for a, b in zip(next(here), there, strict=True)), number
    assert set(Path(gettempdir()).glob("pointhmr-*")) <= before


@pytest.mark.timeout(600)
def test_a_worker_that_dies_before_it_has_read_anything_ends_the_training(
    hand_set: tuple[Scene, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource_tracker.ensure_running()  # a process of its own, by the same executable
    monkeypatch.setattr("multiprocessing.spawn._python_exe", b"/bin/false")
    assert "workers=N" in trained_on(Hands(), hand_set, tmp_path, monkeypatch)


@pytest.mark.timeout(600)
def test_a_worker_that_is_killed_on_the_way_ends_the_training(
    hand_set: tuple[Scene, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = trained_on(Mortal(), hand_set, tmp_path, monkeypatch)
    assert "probably for want of memory" in sentence and "\n" not in sentence


@pytest.mark.timeout(600)
def test_what_a_worker_refuses_is_told_in_its_own_words(
    hand_set: tuple[Scene, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = trained_on(Refusing(), hand_set, tmp_path, monkeypatch)
    assert sentence.startswith("1000 samples in a row") and sentence.endswith("is missing.")
