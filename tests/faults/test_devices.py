"""Faults 10 and 11: a graphics card that is full, broken or absent. It is a fake; its errors are torch's."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.gui import model_choice
from app.gui.model_choice import ModelChoice
from app.pipeline import rescue
from app.pipeline.frames import Crop, Frame, PersonBox
from app.pipeline.pipeline import Pipeline
from app.pipeline.reconstructor import choose_device
from app.pipeline.tracker import Tracker
from app.pipeline.worker import WorkerState
from model.errors import UserError
from tests.app import gui_fakes
from tests.app.fakes import FakeReconstructor, standing
from tests.faults.harness import Capture, Live, is_sentence

Make = Callable[..., Live]
FULL = "CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has a total capacity of 7.79 GiB."
LOST = "CUDA error: device-side assert triggered\nCompile with `TORCH_USE_CUDA_DSA`."


class Card(FakeReconstructor):
    """A network on a graphics card that takes `most` crops at once, and may break."""

    device = "cuda"

    def __init__(self) -> None:
        super().__init__()
        self.most = 99
        self.error: type[Exception] = torch.OutOfMemoryError
        self.words = FULL
        self.tries: list[int] = []
        """Crops of each try."""
        self.tensors: list[weakref.ref[Any]] = []
        """What lies on the card during a try that fails."""

    def encode(
        self,
        frame: Frame,
        crops: Sequence[tuple[PersonBox, Crop]],
        log_weights: object = None,
        *,
        mirror: bool = False,
    ) -> list[Any]:
        self.tries.append(len(crops))
        if len(crops) > self.most:
            activations = np.zeros(8).view(Activations)
            self.tensors.append(weakref.ref(activations))
            raise self.error(self.words)
        return super().encode(frame, crops, log_weights, mirror=mirror)


class Activations(np.ndarray):
    """An array that can be watched."""


class Cpu(FakeReconstructor):
    """The same network on the CPU."""


def with_card(live: Make, captures: dict[int, Any]) -> tuple[Live, Card, Cpu, list[str]]:
    """A window whose network is on a card, with a way to the CPU; the reasons that it was told."""
    one = live(captures)
    card, cpu, reasons = Card(), Cpu(), []
    one.reconstructor = card

    def on_cpu(why: str) -> Pipeline:
        reasons.append(why)
        info = gui_fakes.model_info()
        one.bridge.on_model(model_choice.replace(info, device="cpu", notice=why))
        return Pipeline(one.detector, Tracker(), cpu)

    one.on_cpu = on_cpu
    return one, card, cpu, reasons


@pytest.mark.fault(10)
def test_a_full_card_is_tried_once_more_with_less(live: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    freed: list[bool] = []
    one, card, _, reasons = with_card(live, {0: Capture()})
    monkeypatch.setattr(
        rescue,
        "free_memory",
        lambda: freed.append(all(tensor() is None for tensor in card.tensors)),
    )
    one.detector.people = [standing((80, 120), 150), standing((240, 120), 140)]
    one.do(one.window.commands.everyone.trigger)
    card.most = 1
    one.open("camera")
    one.wait(lambda: one.window.record is not None and len(one.window.record.people) == 2)
    assert card.tries[:3] == [2, 1, 1] and 2 not in card.tries[1:], "once, and from then on one by one"
    assert freed == [True], "the failed attempt's tensors were gone when the memory was freed"
    assert reasons == [] and not one.banner and WorkerState.FAULTED not in one.states


@pytest.mark.fault(10)
def test_a_card_that_stays_full_hands_over_to_the_cpu(live: Make) -> None:
    one, card, cpu, reasons = with_card(live, {0: Capture()})
    card.most = 0
    one.open("camera")
    one.wait_records(3)
    assert card.tries == [1, 1], "one retry"
    assert len(reasons) == 1 and cpu.encoded
    assert one.banner == reasons[0] and "full" in one.banner and is_sentence(one.banner)
    assert "cpu" in " ".join(one.window.parts.status.texts).lower()
    assert one.window.state is WorkerState.RUNNING and one.opened == ["camera"], "the camera went on"


@pytest.mark.fault(10)
def test_the_frame_at_which_masks_filled_the_card_comes_from_the_cpu(live: Make, picture: Path) -> None:
    one, card, cpu, _ = with_card(live, {})
    one.open(picture)
    one.wait_state(WorkerState.ENDED)
    one.wait(lambda: one.window.record is not None)

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError(FULL)

    card.regress = full  # type: ignore[method-assign, assignment]
    one.do(lambda: one.window.masking.set_hops((2, 2, 2, 2)))
    one.wait(lambda: one.window.record is not None and one.window.record.hops == (2, 2, 2, 2))
    one.wait_state(WorkerState.ENDED)  # The other model brings its record along, before this word.
    assert cpu.encoded == [0] and one.window.state is WorkerState.ENDED
    one.do(lambda: one.window.masking.set_hops((3, 3, 3, 3)))
    one.wait(lambda: one.window.record is not None and one.window.record.hops == (3, 3, 3, 3))
    assert cpu.encoded == [0], "only the regressor"


@pytest.mark.fault(11)
@pytest.mark.parametrize("error", [RuntimeError, getattr(torch, "AcceleratorError", RuntimeError)])
def test_a_device_assert_restarts_the_network_on_the_cpu(live: Make, error: type[Exception]) -> None:
    one, card, cpu, reasons = with_card(live, {0: Capture()})
    one.open("camera")
    one.wait_records(3)
    card.error, card.words, card.most = error, LOST, 0
    one.wait(lambda: len(cpu.encoded) > 3)
    one.wait_records(2)
    after = one.states[one.states.index(WorkerState.FAULTED) :]
    assert after[:2] == [WorkerState.FAULTED, WorkerState.RUNNING]
    assert one.banner == reasons[0] and is_sentence(one.banner)
    assert "device-side assert" in one.banner and one.opened == ["camera"]
    tries = len(card.tries)
    one.open("camera")
    one.wait_records(3)
    assert len(card.tries) == tries and one.window.state is WorkerState.RUNNING, "nobody asks the card again"


@pytest.mark.fault(11)
def test_while_the_cpu_takes_over_the_window_answers(live: Make) -> None:
    one, card, _, _ = with_card(live, {0: Capture()})
    loading, loaded = threading.Event(), threading.Event()
    make = one.on_cpu
    assert make is not None

    def slow(why: str) -> Pipeline:
        loading.set()
        assert loaded.wait(20)
        return make(why)

    one.on_cpu = slow
    card.error, card.words, card.most = RuntimeError, LOST, 0
    one.open("camera")
    one.wait(loading.is_set)
    one.wait_state(WorkerState.FAULTED)
    assert "CPU" in one.banner
    one.do(one.window.commands.shortcuts.trigger)
    loaded.set()
    one.wait_state(WorkerState.RUNNING)


@pytest.mark.fault(11)
def test_without_cuda_the_cpu_is_chosen_or_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == "cpu"
    with pytest.raises(UserError, match="no CUDA device") as caught:
        choose_device("cuda")
    assert is_sentence(str(caught.value))


@pytest.mark.fault(10)
@pytest.mark.fault(11)
@pytest.mark.parametrize(
    ("error", "words"), [(torch.OutOfMemoryError(FULL), "full"), (RuntimeError(LOST), "failed")]
)
def test_a_model_that_the_card_does_not_take_is_loaded_on_the_cpu(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    devices: list[str] = []
    info = gui_fakes.model_info()

    def load(choice: ModelChoice) -> Any:
        devices.append(choice.device)
        if choice.device != "cpu":
            raise error
        return "pipeline", info

    monkeypatch.setattr(ModelChoice, "_load", load)
    pipeline, told = ModelChoice()()
    assert pipeline == "pipeline" and devices == ["auto", "cpu"]
    assert words in told.notice and is_sentence(told.notice)
    monkeypatch.setattr(ModelChoice, "_load", lambda choice: (_ for _ in ()).throw(ValueError("no file")))
    with pytest.raises(ValueError, match="no file"):
        ModelChoice()()


@pytest.mark.fault(11)
def test_the_rescue_of_a_choice_is_the_same_model_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[ModelChoice] = []
    info = gui_fakes.model_info()
    monkeypatch.setattr(ModelChoice, "_load", lambda choice: (loaded.append(choice), ("pipeline", info))[1])
    told: list[Any] = []
    assert ModelChoice("mine", fast=True).rescue(told.append)("It broke.") == "pipeline"  # type: ignore[comparison-overlap]
    assert loaded == [ModelChoice("mine", device="cpu", fast=True)]
    assert told[0].notice == "It broke."
