"""Timeline, failures, measures, cases, isolation and ground truth in the real window, clicked and typed."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage

from app.export.case import is_case, save_case
from app.gui.colourings import ERROR
from app.gui.sheet import CAPTION, CELL, COLUMNS, GAP, LATE
from app.gui.watch import KEPT
from app.pipeline.frames import Study
from app.pipeline.truth import GroundTruth
from app.pipeline.worker import Status, WorkerState
from tests.app import gui_fakes
from tests.app.case_fakes import examined, flagged, record
from tests.app.test_lab import press, send


@pytest.fixture
def failing(shown, qtbot):
    """A window that has seen five frames, two of them flagged."""
    window = shown(examined())
    for index in range(5):
        told = {1: flagged(("limbs", 2.0)), 3: flagged(("modes", 4.0), ("limbs", 1.2))}.get(index)
        send(window, qtbot, record(told, index=index) if told else record(index=index))
    window.parts.tabs.setCurrentWidget(window.parts.cases)
    window.watch.tell()
    window.worker.calls.clear()
    return window


def test_cases_are_listed_by_severity_and_filtered_by_kind(failing):
    card = failing.parts.failures
    assert [one.index for one in card.failures] == [3, 1]
    assert [card.kind.itemText(i) for i in range(card.kind.count())] == [
        "Every kind", "Limb lengths", "Separate peaks",
    ]  # fmt: skip
    card.kind.setCurrentIndex(1)
    assert [(one.index, one.severity) for one in card.failures] == [(1, 2.0), (3, 1.2)]
    card.rows.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert [one.index for one in card.failures] == [3, 1]


def test_a_click_on_a_case_goes_to_its_frame(failing, qtbot):
    rows = failing.parts.failures.rows
    qtbot.wait(100)
    place = rows.visualItemRect(rows.topLevelItem(1)).center()
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert ("pause", None) in failing.worker.calls and ("seek", 1) in failing.worker.calls
    qtbot.waitUntil(lambda: failing.record.frame.index == 1)


def test_the_keys_walk_through_the_cases(failing, qtbot):
    qtbot.keyClick(failing, Qt.Key.Key_BracketRight)
    qtbot.keyClick(failing, Qt.Key.Key_BracketRight)
    qtbot.keyClick(failing, Qt.Key.Key_BracketLeft)
    assert [call for call in failing.worker.calls if call[0] == "seek"] == [
        ("seek", 3),
        ("seek", 1),
        ("seek", 3),
    ]


def test_the_keys_come_back_to_the_only_case(failing, qtbot):
    failing.parts.failures.kind.setCurrentIndex(2)
    assert len(failing.parts.failures.failures) == 1
    for frame in (1, 2):
        qtbot.keyClick(failing, Qt.Key.Key_BracketRight)
        assert [call[0] for call in failing.worker.calls].count("seek") == frame
        send(failing, qtbot, record(index=40 + frame))


def test_the_timeline_is_clicked_dragged_and_typed(failing, qtbot):
    timeline = failing.parts.timeline
    spot = QPoint(round(timeline.position_of(2)), 30)
    qtbot.mouseClick(timeline.viewport, Qt.MouseButton.LeftButton, pos=spot)
    assert failing.worker.calls[-1] == ("seek", 2)
    qtbot.keyClick(timeline._plot, Qt.Key.Key_Right)
    qtbot.keyClick(timeline._plot, Qt.Key.Key_Home)
    assert [call[1] for call in failing.worker.calls if call[0] == "seek"] == [2, 3, 0]
    assert len(timeline._flags.getData()[0]) == 2


def test_the_timeline_is_up_to_date_when_it_is_shown_again(failing, qtbot):
    timeline = failing.parts.timeline
    qtbot.keyClick(failing, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    send(failing, qtbot, record(flagged(("modes", 2.0)), index=5))
    failing.watch.tell()
    qtbot.keyClick(failing, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert timeline.isVisible() and timeline._flags.getData()[0].tolist() == [1, 3, 5]


def test_the_measures_are_told_in_words(failing, qtbot):
    card = failing.parts.diagnostics
    send(failing, qtbot, record(flagged(("limbs", 2.0)), index=8))
    assert card.reasons.text() == "Its limbs is bad."
    assert (card.words["limbs"].text(), card.words["modes"].text()) == ("too high", "fine")
    assert card.values["confidence"].text() == "60.0 %" and card.words["visibility"].text() == ""


def test_a_camera_keeps_its_flagged_frames_and_tells_when_one_is_gone(failing, qtbot):
    failing.watch.forget(live=True)
    kept = record(flagged(("modes", 2.0)), index=50)
    for one in (kept, record(index=51), record(index=52)):
        send(failing, qtbot, one)
    failing.worker.calls.clear()
    failing.watch.go(50)
    assert failing.record is kept and ("seek", 50) not in failing.worker.calls
    failing.watch.go(51)
    assert "are gone" in failing.parts.banner.text.text()


def picture(window, qtbot) -> np.ndarray:
    """The image view as it is drawn at rest, without the message above it."""
    window.parts.banner.hide()
    qtbot.wait(600)
    window.parts.refine()
    image = window.parts.image.view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].astype(int)


def test_a_case_is_saved_and_opened_again_to_the_same_picture(failing, qtbot, tmp_path, monkeypatch):
    told = record(flagged(("modes", 3.0)), index=9)
    send(failing, qtbot, told)
    folder = tmp_path / "case"
    monkeypatch.setattr("app.gui.cases.QFileDialog.getSaveFileName", lambda *_: (str(folder), ""))
    press(qtbot, failing.parts.failures.save)
    qtbot.waitUntil(lambda: failing.parts.banner.text.text().startswith("Saved"), timeout=30_000)
    before = picture(failing, qtbot)
    send(failing, qtbot, record(index=10))
    failing._runs.open_path(str(folder))
    qtbot.waitUntil(lambda: failing.record is not None and failing.record.frame.index == 9, timeout=30_000)
    assert np.array_equal(failing.record.people[0].vertices, told.people[0].vertices)
    assert np.array_equal(failing.record.people[0].heatmaps, told.people[0].heatmaps)
    after = picture(failing, qtbot)
    assert after.shape == before.shape and np.abs(after - before).max() <= 2
    assert ("adopt", failing.info.sha256) in failing.worker.calls
    assert failing.worker.opened == ["fake.mp4"], "no source is opened for a case"


def test_a_case_comes_back_with_its_colours_its_row_and_its_place(failing, qtbot, tmp_path):
    mesh, image = failing.parts.mesh.colour_by, failing.parts.image.map
    mesh.setCurrentText("Depth")
    image.setCurrentIndex(image.count() - 1)
    look = mesh.currentText(), image.currentText()
    send(failing, qtbot, replace(record(flagged(("modes", 3.0)), index=9), isolate=True))
    failing.cases.save(tmp_path / "case")
    qtbot.waitUntil(lambda: failing.parts.banner.text.text().startswith("Saved"), timeout=30_000)
    mesh.setCurrentIndex(0)
    image.setCurrentIndex(0)
    failing.commands.isolate.setChecked(False)
    failing.open_source(tmp_path / "case")
    qtbot.waitUntil(lambda: failing.cases.case is not None, timeout=30_000)
    assert (mesh.currentText(), image.currentText()) == look
    assert failing.commands.isolate.isChecked(), "as it was when the case was saved"
    qtbot.waitUntil(lambda: len(failing.parts.failures.failures) == 1)
    assert failing.parts.failures.failures[0].index == 9
    assert failing.parts.timeline.place.text() == "frame 10"
    assert failing.parts.timeline._flags.getData()[0].tolist() == [9]


def test_the_menu_opens_a_case(failing, qtbot, tmp_path, monkeypatch):
    send(failing, qtbot, record(flagged(("modes", 3.0)), index=9))
    failing.cases.save(tmp_path / "case")
    qtbot.waitUntil(lambda: failing.parts.banner.text.text().startswith("Saved"), timeout=30_000)
    monkeypatch.setattr("app.gui.cases.QFileDialog.getExistingDirectory", lambda *_: str(tmp_path / "case"))
    (menu,) = [action.menu() for action in failing.menuBar().actions() if action.text() == "&File"]
    (entry,) = [action for action in menu.actions() if action.text() == "Open case…"]
    send(failing, qtbot, record(index=10))
    entry.trigger()
    qtbot.waitUntil(lambda: failing.record is not None and failing.record.frame.index == 9, timeout=30_000)
    assert failing.windowTitle().startswith("case")


def test_what_is_no_case_is_told_and_changes_nothing(failing, qtbot, tmp_path):
    (tmp_path / "case.json").write_text("{}")
    before = failing.windowTitle(), failing.spec, failing.record, list(failing.worker.opened)
    failing.open_source(tmp_path)
    qtbot.waitUntil(lambda: "is not a case" in failing.parts.banner.text.text())
    assert (failing.windowTitle(), failing.spec, failing.record, failing.worker.opened) == before
    assert failing.watch.history.moments, "the source goes on"


def test_isolating_is_a_switch_and_a_pinned_before_stays_plain(failing, qtbot):
    assert failing.commands.isolate.isChecked() and failing.worker.sent.isolate, "on from the start"
    qtbot.keyClick(failing, Qt.Key.Key_I)
    press(qtbot, failing.masking.compare.pin)
    qtbot.keyClick(failing, Qt.Key.Key_I)
    assert [on for call, on in failing.worker.calls if call == "isolate"] == [False, True]
    assert failing.worker.studies[-1] == Study(baseline=(7, 5, 3, 1), baseline_plain=True)
    assert "not isolated" in failing.masking.compare.masks.text()


def test_looking_twice_is_a_switch_of_models_that_can(failing, qtbot):
    switch = failing.commands.mirror
    assert not switch.isChecked() and switch.isVisible()
    switch.trigger()
    switch.trigger()
    told = [on for call, on in failing.worker.calls if call == "mirror"]
    assert told[-2:] == [True, False] and not any(told[:-2])
    switch.trigger()
    failing.set_model_info(replace(gui_fakes.model_info(), has_mirror=False))
    assert not switch.isVisible() and not failing.worker.sent.mirror


def test_errors_against_the_truth_are_colours_and_numbers(failing, qtbot):
    person = examined()
    moved = replace(person, coarse=person.coarse + np.float32(0.045) * np.eye(3, dtype=np.float32)[0])
    arrays = (moved.coarse[None], person.joints3d[None], person.joints2d[None])
    failing.truth._truth = GroundTruth(*arrays)
    failing.parts.mesh.colour_by.setCurrentText(ERROR)
    send(failing, qtbot, record(index=0))
    assert "PVE 45 mm" in failing.parts.status.truth.text() and failing.parts.status.truth.isVisible()
    assert failing.parts.mesh.view._painted.legend[1] == ("0", "50 mm from the truth")
    send(failing, qtbot, record(index=4))
    assert not failing.parts.status.truth.isVisible()
    assert "no ground truth" in failing.parts.mesh.view._painted.note


def test_a_sheet_shows_every_listed_case(failing, qtbot, tmp_path, monkeypatch):
    target = tmp_path / "sheet.png"
    monkeypatch.setattr("app.gui.sheet.QFileDialog.getSaveFileName", lambda *_: (str(target), ""))
    press(qtbot, failing.parts.failures.sheet)
    qtbot.waitUntil(target.is_file, timeout=60_000)
    qtbot.waitUntil(lambda: failing.parts.banner.text.text().startswith("Saved"))
    picture = QImage(str(target))
    assert picture.width() == 2 * (CELL[0] + GAP) + GAP
    colours = {picture.pixelColor(x, 100).name() for x in range(0, picture.width(), 3)}
    assert len(colours) > 10, "two frames are drawn, not two plates"


def test_after_a_jump_the_same_person_is_chosen_under_another_id(failing, qtbot, tmp_path):
    """As after a seek: the tracker starts anew, and who was person 2 is now number 1."""
    left, right = examined(), examined(flagged(("limbs", 5.0)), person_id=2)
    far = replace(right.box, x=right.box.x + 200)
    right = replace(right, box=far)
    send(failing, qtbot, gui_fakes.record((left, right), index=20))
    failure = next(one for one in failing.watch.history.failures() if one.index == 20)
    assert failure.person_id == 2
    send(failing, qtbot, record(index=21))
    known = gui_fakes.record((replace(left, box=replace(left.box, id=2)),), others=(replace(far, id=1),))
    failing.worker.sent = known
    failing.watch.go_to(failure)
    qtbot.waitUntil(lambda: failing.record.frame.index == 20)
    qtbot.waitUntil(lambda: ("person", 1) in failing.worker.calls)
    assert not failing.watch.shows(failure), "he is not reconstructed yet"
    now = gui_fakes.record((replace(right, box=replace(far, id=1)),), index=20)
    send(failing, qtbot, now)
    assert failing.watch.shows(failure) and failing.person.box.id == 1
    failing.people.choose(None)
    send(failing, qtbot, now)
    assert failing.people.chosen is None, "a later choice is not undone"


def test_the_button_stops_a_sheet_and_nothing_is_written(failing, qtbot, tmp_path):
    failing.sheet.start(tmp_path / "sheet.png", failing.parts.failures.failures)
    assert failing.sheet.busy and failing.parts.failures.sheet.text().startswith("Stop 1/2")
    press(qtbot, failing.parts.failures.sheet)
    assert not failing.sheet.busy and not list(tmp_path.glob("*.png"))


def test_a_sheet_of_a_camera_leaves_out_what_is_gone_at_once(failing, qtbot, tmp_path):
    failing.watch.forget(live=True)
    for index in range(KEPT + 4):
        send(failing, qtbot, record(flagged(("limbs", 2.0)), index=index))
    failing.watch.tell()
    listed = failing.parts.failures.failures
    assert len(listed) == KEPT + 4
    failing.sheet.start(tmp_path / "sheet.png", listed)
    qtbot.waitUntil((tmp_path / "sheet.png").is_file, timeout=LATE - 1000)
    rows = -(-KEPT // COLUMNS)
    assert QImage(str(tmp_path / "sheet.png")).height() == rows * (CELL[1] + CAPTION + GAP) + GAP


def test_a_case_that_is_being_written_is_there_after_the_window_closed(failing, tmp_path, monkeypatch):
    def slowly(folder, case):
        time.sleep(0.5)
        save_case(folder, case)

    monkeypatch.setattr("app.gui.cases.save_case", slowly)
    failing.cases.save(tmp_path / "case")
    failing.close()
    assert is_case(tmp_path / "case")


def test_a_flagged_frame_of_a_camera_stays_though_another_one_was_in_work(failing, qtbot, monkeypatch):
    monkeypatch.setattr(failing.worker, "pause", lambda: None)  # Its status comes later, by hand.
    failing.watch.forget(live=True)
    kept = record(flagged(("modes", 2.0)), index=50)
    for one in (kept, record(index=51)):
        send(failing, qtbot, one)
    failing.bridge.status_changed.emit(Status(WorkerState.RUNNING))
    failing.watch.go(50)
    send(failing, qtbot, record(index=52))
    failing.bridge.status_changed.emit(Status(WorkerState.PAUSED))
    assert failing.record is kept
    failing.bridge.status_changed.emit(Status(WorkerState.RUNNING))
    send(failing, qtbot, record(index=53))
    failing.bridge.status_changed.emit(Status(WorkerState.PAUSED))
    assert failing.record.frame.index == 53, "only what was asked for"
