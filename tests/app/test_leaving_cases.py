"""A case is opened and left in the real window: what it brings along, and what is the person's own again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from app.export.case import Case, load_case, save_case
from app.facts import packages
from app.gui.model_info import case_model
from app.gui.settings import Settings, load_settings, save_settings
from app.pipeline.frames import Study
from app.pipeline.worker import Status, WorkerState
from tests.app import gui_fakes
from tests.app.case_fakes import examined, measured, open_case, record
from tests.app.test_lab import press, send


@pytest.fixture
def window(shown):
    """A window that shows a source."""
    return shown(examined())


@pytest.fixture
def case(tmp_path):
    """A case with other masks than the window's, not isolated, with its errors."""
    return measured(tmp_path / "case")


def test_after_a_case_the_switches_and_the_model_are_as_before(window, qtbot, case):
    running, hops = window.info, window.masking.hops
    for _ in range(2):  # One case after another counts as one.
        open_case(window, qtbot, case)
        assert window.info.device == "stored"
        assert not window.commands.isolate.isChecked() and window.masking.hops == (None, 5, 3, 1)
    window.open_source("fake.mp4")
    assert window.commands.isolate.isChecked() and window.masking.hops == hops
    assert window.info is running
    open_case(window, qtbot, case)
    window.masking.set_hops((1, 1, 1, 1))
    window.open_source("fake.mp4")
    assert window.masking.hops == (1, 1, 1, 1), "what the person moved stays"


def test_a_case_that_was_looked_at_twice_comes_back_so(window, qtbot, case, tmp_path):
    kept = load_case(case)
    save_case(tmp_path / "twice", replace(kept, record=replace(kept.record, mirror=True)))
    open_case(window, qtbot, tmp_path / "twice")
    assert window.record.mirror and window.commands.mirror.isChecked()
    window.open_source("fake.mp4")
    assert not window.commands.mirror.isChecked() and not window.worker.sent.mirror, "as before the case"


def test_the_errors_of_a_case_are_told_while_its_own_mesh_is_shown(window, qtbot, case):
    truth = window.parts.status.truth
    open_case(window, qtbot, case)
    qtbot.waitUntil(truth.isVisible)
    assert truth.text() == "MPJPE 180 · PA-MPJPE 118 · PVE 189 mm"
    send(window, qtbot, replace(window.record, hops=(1, 1, 1, 1)))
    assert not truth.isVisible(), "other masks make another mesh"
    window.open_source("fake.mp4")
    qtbot.waitUntil(lambda: window.record is not None and window.record.frame.index != 9)
    assert not truth.isVisible()


def test_a_late_record_of_the_source_before_does_not_replace_a_case(window, qtbot, case):
    open_case(window, qtbot, case)
    shown = window.record
    with qtbot.waitSignal(window.bridge.record_arrived):
        window.bridge.on_record(record(index=6))
    assert window.record is shown


def test_what_the_window_has_not_shown_yet_goes_with_its_source(window, qtbot):
    window.bridge.on_record(record(index=57))
    window.open_source("other.mp4")
    qtbot.wait(50)
    assert window.record is None or window.record.frame.index == 0


def test_a_case_brings_its_a_and_takes_it_along(window, qtbot, tmp_path):
    kept, study = record(), Study(baseline=(1, 1, 1, 1), baseline_plain=True)
    model = case_model(gui_fakes.model_info())
    save_case(tmp_path / "ab", Case(replace(kept, study=study, baseline=kept.people, isolate=True), model))
    open_case(window, qtbot, tmp_path / "ab")
    assert window.lab.baseline == (1, 1, 1, 1) and window.masking.compare.pin.isChecked()
    assert window.worker.studies[-1] == study and window.record.baseline
    window.open_source("fake.mp4")
    assert window.lab.baseline is None and not window.masking.compare.pin.isChecked()


def test_a_case_has_no_frames_to_play(window, qtbot, case):
    commands = window.commands
    moves = (commands.play, commands.back, commands.forward, commands.freeze, commands.everyone)
    window.bridge.on_status(Status(WorkerState.PAUSED))
    qtbot.waitUntil(lambda: all(move.isEnabled() for move in moves))
    open_case(window, qtbot, case)
    assert not any(move.isEnabled() for move in moves) and commands.isolate.isEnabled()
    window.open_source("fake.mp4")
    qtbot.waitUntil(lambda: all(move.isEnabled() for move in moves))


def test_another_model_takes_a_case_over_with_its_first_record(window, qtbot, case):
    open_case(window, qtbot, case)
    chosen = replace(gui_fakes.model_info(), sha256="f" * 64)
    with qtbot.waitSignal(window.bridge.model_ready):
        window.bridge.on_model(chosen)
    assert window.info.device == "stored" and window.record is not None
    send(window, qtbot, replace(window.record, hops=(1, 1, 1, 1)))
    assert window.info is chosen and window.record.hops == (1, 1, 1, 1)
    assert not window.parts.status.truth.isVisible()


def test_a_case_that_was_left_before_it_was_read_is_not_shown(window, qtbot, case):
    hops, jobs = window.masking.hops, window.cases._opening
    window.open_source(case)
    window.open_source("fake.mp4")
    with qtbot.waitSignal(jobs.done, timeout=30_000):
        pass
    assert window.cases.case is None and window.record is not None and window.record.frame.index == 0
    window.open_source(case)
    open_case(window, qtbot, case)
    qtbot.waitUntil(lambda: not jobs.busy, timeout=30_000)
    assert window.masking.hops == (None, 5, 3, 1)
    window.open_source("fake.mp4")
    assert window.masking.hops == hops, "both cases count as one"


def test_after_a_case_the_colours_are_the_persons_own(window, qtbot, tmp_path):
    mesh, image = window.parts.mesh.colour_by, window.parts.image.map
    qtbot.keyClick(mesh, Qt.Key.Key_Down)
    qtbot.keyClick(image, Qt.Key.Key_Down)
    own = mesh.currentText(), image.currentText()
    case = measured(tmp_path / "case", colour_by="Depth", colour_map="Viridis")
    assert own != ("Depth", "Viridis")
    open_case(window, qtbot, case)
    assert (mesh.currentText(), image.currentText()) == ("Depth", "Viridis")
    window.open_source("fake.mp4")
    assert (mesh.currentText(), image.currentText()) == own
    open_case(window, qtbot, case)
    qtbot.keyClick(image, Qt.Key.Key_Down)
    chosen = image.currentText()
    window.open_source("fake.mp4")
    assert (mesh.currentText(), image.currentText()) == (own[0], chosen), "what the person chose stays"


def test_a_window_that_closes_on_a_case_remembers_the_persons_own(window, qtbot, tmp_path):
    mesh, image = window.parts.mesh.colour_by, window.parts.image.map
    press(qtbot, window.masking.presets[1])
    qtbot.keyClick(mesh, Qt.Key.Key_Down)
    qtbot.keyClick(image, Qt.Key.Key_Down)
    own = window.masking.hops, mesh.currentText(), image.currentText()
    case = measured(tmp_path / "case", colour_by="Depth", colour_map="Viridis")
    open_case(window, qtbot, case)
    assert (window.masking.hops, mesh.currentText(), image.currentText()) == (
        (None, 5, 3, 1), "Depth", "Viridis",
    )  # fmt: skip
    window.close()
    kept, _ = load_settings(tmp_path / "pointhmr.ini")
    assert (kept.hops, kept.colour_by, kept.colour_map) == own


def test_masks_that_are_moved_on_a_case_are_the_persons_own(window, qtbot, case, tmp_path):
    open_case(window, qtbot, case)
    qtbot.keyClick(window.masking.sliders[3], Qt.Key.Key_Right)
    window.close()
    assert load_settings(tmp_path / "pointhmr.ini")[0].hops == (None, 5, 3, 2)


def test_the_pins_of_a_case_go_with_it(window, qtbot, tmp_path):
    default, case = window.pins.vertices, measured(tmp_path / "case", pins=[3, 9])
    open_case(window, qtbot, case)
    assert window.pins.vertices == (3, 9)
    window.open_source("fake.mp4")
    assert window.pins.vertices == default and not window.pins.touched
    press(qtbot, window.parts.strip.cards[0].close_button)
    own = window.pins.vertices
    assert own == default[1:]
    open_case(window, qtbot, case)
    assert [card.pin.vertex for card in window.parts.strip.cards] == [3, 9]
    window.open_source("fake.mp4")
    assert [card.pin.vertex for card in window.parts.strip.cards] == list(own)
    open_case(window, qtbot, case)
    window.close()
    assert load_settings(tmp_path / "pointhmr.ini")[0].pins == own


def test_pins_that_are_changed_on_a_case_are_the_persons_own(window, qtbot, tmp_path):
    open_case(window, qtbot, measured(tmp_path / "case", pins=[3, 9]))
    press(qtbot, window.parts.strip.cards[0].close_button)
    window.open_source("fake.mp4")
    assert window.pins.vertices == (9,)
    window.close()
    assert load_settings(tmp_path / "pointhmr.ini")[0].pins == (9,)


def test_remembered_pins_wait_for_the_model_behind_a_case(make_window, qtbot, tmp_path):
    """As the program starts on a case: the model comes later than the case, or never."""
    save_settings(tmp_path / "pointhmr.ini", Settings(pins=(5, 7)))
    case = measured(tmp_path / "case", pins=[3, 9])
    for end in ("closed", "left"):
        window = make_window(info=False)
        open_case(window, qtbot, case)
        assert window.pins.vertices == (3, 9)
        if end == "left":
            window.open_source("fake.mp4")
            with qtbot.waitSignal(window.bridge.model_ready):
                window.bridge.on_model(gui_fakes.model_info())
            assert window.pins.vertices == (5, 7)
        window.close()
        assert load_settings(tmp_path / "pointhmr.ini")[0].pins == (5, 7)


def save_again(window, qtbot, monkeypatch, folder) -> Case:
    """What is in the folder, saved with the button."""
    monkeypatch.setattr("app.gui.cases.QFileDialog.getSaveFileName", lambda *_: (str(folder), ""))
    window.parts.tabs.setCurrentWidget(window.parts.cases)
    press(qtbot, window.parts.failures.save)
    qtbot.waitUntil(lambda: window.parts.banner.text.text() == f"Saved {folder}", timeout=30_000)
    return load_case(folder)


def test_a_case_that_is_saved_again_keeps_its_errors_and_what_made_it(
    window, qtbot, case, tmp_path, monkeypatch
):
    old = tmp_path / "old"
    save_case(old, replace(load_case(case), versions="torch 1.0"))
    open_case(window, qtbot, old)
    again = save_again(window, qtbot, monkeypatch, tmp_path / "again")
    assert again.settings["errors"] == load_case(case).settings["errors"]
    assert again.versions == "torch 1.0"
    window.open_source("fake.mp4")
    open_case(window, qtbot, tmp_path / "again")
    qtbot.waitUntil(lambda: window.parts.status.truth.text() == "MPJPE 180 · PA-MPJPE 118 · PVE 189 mm")


def test_errors_are_not_kept_with_another_mesh(window, qtbot, case, tmp_path, monkeypatch):
    open_case(window, qtbot, case)
    press(qtbot, window.masking.presets[3])
    send(window, qtbot, replace(window.record, hops=window.worker.hops[-1]))
    other = save_again(window, qtbot, monkeypatch, tmp_path / "other")
    assert "errors" not in other.settings and other.versions == packages(), "made here and now"
    window.open_source("fake.mp4")
    qtbot.waitUntil(lambda: window.record is not None and window.record.frame.index != 9)
    assert "errors" not in save_again(window, qtbot, monkeypatch, tmp_path / "none").settings
