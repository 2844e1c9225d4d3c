"""The embedded model's two tiers: who decides, on what, and what the menu does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtGui import QAction

from app.gui.model_choice import ModelChoice
from app.gui.settings import AUTOMATIC, load_settings
from app.pipeline.tiers import BUDGET_MS, COST, FRAMES, LITE, QUALITY, TierJudge
from tests.app import gui_fakes


def hear(
    judge: TierJudge, model: str, milliseconds: float, frames: int = FRAMES, *, final: bool = True
) -> str:
    """What the judge says after so many frames of this length; "" where it says nothing."""
    answers = [judge.hear(model, {"encode": milliseconds, "grab": 500.0}, final=final) for _ in range(frames)]
    return next((answer for answer in answers if answer is not None), "")


def test_a_fast_machine_gets_the_better_model_after_enough_frames() -> None:
    fast = 0.9 * BUDGET_MS / COST
    judge = TierJudge()
    assert hear(judge, LITE, fast, FRAMES - 1) == ""
    assert hear(judge, LITE, fast, 1) == QUALITY
    assert hear(TierJudge(), LITE, 1.1 * BUDGET_MS / COST) == ""


def test_a_better_model_that_is_too_slow_goes_and_does_not_come_back() -> None:
    judge = TierJudge()
    assert hear(judge, LITE, 10.0) == QUALITY
    assert hear(judge, QUALITY, 1.2 * BUDGET_MS, final=False) == "", "its fast engine is not there yet"
    assert hear(judge, QUALITY, 1.2 * BUDGET_MS) == LITE
    assert hear(judge, LITE, 10.0) == ""
    assert hear(TierJudge(), QUALITY, 0.9 * BUDGET_MS) == ""


def play(window, milliseconds: float, frames: int = FRAMES) -> None:
    record = replace(gui_fakes.record(), timings={"encode": milliseconds})
    for _ in range(frames):
        window.bridge.record_arrived.emit(record)


def action(window, choice: str) -> QAction:
    return next(a for a in window.commands.tiers.actions() if a.data() == choice)


def finish(window, fault: str = "") -> None:
    """The fake worker has loaded what it was last asked for."""
    window.models._finish(fault)


def test_the_window_goes_over_and_back_by_itself_and_says_so(shown, qtbot) -> None:
    window = shown()
    assert action(window, AUTOMATIC).isChecked()
    play(window, 10.0)
    assert window.models.wanted.weights == QUALITY
    assert "fast enough" in window.parts.banner.text.text()
    finish(window)
    play(window, 2 * BUDGET_MS)
    assert window.models.wanted is None, "the better model's fast engine is not there yet"
    window.info = replace(window.info, engine=lambda: "OpenVINO f32")
    play(window, 2 * BUDGET_MS)
    assert window.models.wanted.weights == LITE
    assert "too slow" in window.parts.banner.text.text()


def test_a_choice_by_hand_holds_and_is_remembered(shown, qtbot, tmp_path: Path) -> None:
    window = shown()
    action(window, QUALITY).trigger()
    assert window.models.wanted.weights == QUALITY
    finish(window)
    play(window, 2 * BUDGET_MS)
    assert window.models.wanted is None
    window.close()
    assert load_settings(window._settings_path)[0].tier == QUALITY


def test_a_tier_from_the_models_page_is_a_choice_by_hand(shown) -> None:
    window = shown()
    window.models.use(ModelChoice(QUALITY))
    assert action(window, QUALITY).isChecked() and window.settings.tier == QUALITY


def test_other_models_are_left_alone(shown) -> None:
    window = shown()
    window.models.use(ModelChoice("mine"))
    finish(window)
    play(window, 1.0)
    assert window.models.wanted is None and action(window, AUTOMATIC).isChecked()


def test_a_tier_that_is_chosen_while_another_one_loads_comes_after_it(shown) -> None:
    window = shown()
    play(window, 10.0)
    assert window.models.wanted.weights == QUALITY
    action(window, LITE).trigger()
    window.bridge.model_ready.emit(window.info)
    finish(window)
    assert window.models.wanted is not None and window.models.wanted.weights == LITE
    finish(window, "The weights are gone.")
    assert window.models.wanted is None, "what cannot be loaded is not asked for again"


def test_nothing_goes_over_by_itself_while_a_take_is_recorded(shown, monkeypatch) -> None:
    window = shown()
    monkeypatch.setattr(type(window.recording), "on", True)
    play(window, 10.0)
    assert window.models.wanted is None
    monkeypatch.setattr(type(window.recording), "on", False)
    play(window, 10.0)
    assert window.models.wanted.weights == QUALITY
