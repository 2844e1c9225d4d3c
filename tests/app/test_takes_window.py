"""Recording, the page of a take and its export, clicked like a person would; only the worker is a fake."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit

from app.gui.background import BackgroundJob
from app.gui.export_words import FORMATS
from app.gui.recording import made_by, name_of, new_file
from app.gui.settings import load_settings
from app.pipeline.worker import Status, WorkerState
from app.takes.recorder import Recorder
from app.takes.take import Made
from app.takes.take_file import load_take, save_take
from model.errors import UserError
from tests.app import gui_fakes, take_fakes
from tests.app.gltf_player import Player
from tests.app.mesh_files import assert_same_points
from tests.app.question import answer

FRAMES = 12


def send(window, qtbot, indices) -> None:
    """Records of somebody who walks to the right, as the worker would deliver them."""
    data = gui_fakes.body()
    for index in indices:
        moved = data["vertices"] + np.float32([0, 0, 0.002 * index * index])
        person = gui_fakes.person(1, (220.0, 320.0 + index, 250.0), moved)
        window.bridge.on_record(gui_fakes.record((person,), index))
    qtbot.waitUntil(lambda: window.record.frame.index == indices[-1])


def recorded(window, qtbot):
    """Record by the button until the page of the take is there."""
    qtbot.mouseClick(window.commands.record_button, Qt.MouseButton.LeftButton)
    assert window.recording.on
    send(window, qtbot, list(range(1, FRAMES)))
    qtbot.waitUntil(lambda: f"{FRAMES} frames" in window.commands.recorded.text())
    qtbot.mouseClick(window.commands.record_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.takes.on_page and window.takes.studio.info is not None, timeout=20_000)
    return window.takes


def press(qtbot, button: QAbstractButton) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_every_record_is_kept_and_stopping_opens_the_take(shown, qtbot):
    window = shown()
    desk = recorded(window, qtbot)
    assert ("every frame", True) in window.worker.calls and ("every frame", False) in window.worker.calls
    take = load_take(desk.path)
    assert take.indices.tolist() == list(range(FRAMES))
    assert take.made.model == "body-lite"
    first = gui_fakes.body()["vertices"]
    assert np.abs(take.people[0].vertices[0] - first).max() < 1e-4
    assert not list((window.recording.recordings).glob("*")), "the recording has become the take"
    assert window.parts.take.mesh.view.scene.ids == (1,)
    assert "Recorded" in window.parts.banner.text.text()
    assert not window.commands.recorded.text()


def test_a_pause_does_not_end_a_recording_and_another_source_does(shown, qtbot, tmp_path):
    window = shown()
    window.commands.record.trigger()
    send(window, qtbot, [1, 2])
    window.commands.play.trigger()
    assert window.recording.on
    send(window, qtbot, [3])
    window.open_source("other.mp4")
    assert not window.recording.on
    qtbot.waitUntil(lambda: not window.recording.busy)
    (path,) = (tmp_path / "takes").glob("*.take")
    assert len(load_take(path)) == 4
    assert not window.takes.on_page
    qtbot.waitUntil(lambda: bool(window.parts.banner.buttons))
    press(qtbot, window.parts.banner.buttons[0])
    qtbot.waitUntil(lambda: window.takes.on_page)
    assert window.takes.path == path


@pytest.mark.fault(17)
def test_two_windows_that_record_in_the_same_second_keep_both_takes(
    make_window, qtbot, tmp_path, monkeypatch
):
    monkeypatch.setattr("app.gui.warmup.Warmup.start", lambda self: None)  # in one process only one can draw
    both = threading.Barrier(2)

    def save(path, take):
        both.wait(20)  # each has its name, and neither has written yet
        save_take(path, take)

    monkeypatch.setattr("app.gui.recording.name_of", lambda made: "same.take")
    monkeypatch.setattr("app.gui.recording.save_take", save)
    windows = [make_window(), make_window()]
    for count, window in enumerate(windows, start=1):
        window.start("fake.mp4")
        qtbot.waitUntil(lambda window=window: window.record is not None)
        window.commands.record.trigger()
        send(window, qtbot, list(range(1, 2 + count)))
    for window in windows:
        window.recording.stop(show=False)
    qtbot.waitUntil(lambda: not any(window.recording.busy for window in windows), timeout=20_000)
    assert sorted(len(load_take(path)) for path in (tmp_path / "takes").iterdir()) == [3, 4]
    assert not list((tmp_path / "recordings").glob("*"))


def test_a_take_that_cannot_be_saved_leaves_no_empty_file(shown, qtbot, tmp_path, monkeypatch):
    def full(path, take):
        raise UserError("The disk is full.")

    monkeypatch.setattr("app.gui.recording.save_take", full)
    window = shown()
    window.commands.record.trigger()
    send(window, qtbot, [1, 2])
    window.recording.stop(show=False)
    qtbot.waitUntil(lambda: "offered at the next start" in window.parts.banner.text.text())
    assert list((tmp_path / "takes").iterdir()) == []
    assert len(list((tmp_path / "recordings").glob("*"))) == 1


def test_a_name_that_a_killed_program_left_empty_is_used_again(tmp_path):
    path = new_file(tmp_path / "one.take")
    assert new_file(path) == tmp_path / "one 2.take", "another window may be about to save"
    minutes_ago = time.time() - 300
    os.utime(path, (minutes_ago, minutes_ago))
    assert new_file(path) == path
    path.write_bytes(b"a take")
    os.utime(path, (minutes_ago, minutes_ago))
    assert new_file(path) == tmp_path / "one 3.take"


def test_a_disk_that_refuses_is_told_and_nothing_is_lost(shown, qtbot, tmp_path):
    window = shown()
    (tmp_path / "file").write_text("")
    window.recording.folder = tmp_path / "file" / "takes"
    desk = recorded(window, qtbot)
    assert desk.path is None and len(desk.take) == FRAMES
    qtbot.waitUntil(lambda: "cannot be written" in window.parts.banner.text.text())
    assert len(list((tmp_path / "recordings").glob("*"))) == 1


def test_a_place_where_nothing_can_be_recorded_is_told(shown, tmp_path):
    window = shown()
    (tmp_path / "file").write_text("")
    window.recording.recordings = tmp_path / "file" / "recordings"
    window.commands.record.trigger()
    assert "Nothing can be recorded" in window.parts.banner.text.text()
    assert not window.recording.on and not window.commands.record.isChecked()


def test_a_disk_that_fills_up_ends_the_recording_and_keeps_what_came(shown, qtbot, tmp_path):
    window = shown()
    window.commands.record.trigger()
    send(window, qtbot, [1, 2, 3])
    window.recording.recorder.ended = "The recording has ended, for the disk refused: No space left."
    qtbot.waitUntil(lambda: "No space left" in window.parts.banner.text.text())
    assert not window.commands.record.isChecked()
    assert len(window.takes.take) == 4


@pytest.mark.fault(17)
def test_closing_keeps_the_recording_and_the_next_start_offers_it(shown, make_window, qtbot, tmp_path):
    window = shown()
    window.commands.record.trigger()
    send(window, qtbot, [1, 2, 3])
    window.close()
    again = make_window()
    again.recording.offer_unfinished()
    qtbot.waitUntil(lambda: "was not saved" in again.parts.banner.text.text())
    press(qtbot, again.parts.banner.buttons[0])
    qtbot.waitUntil(lambda: again.takes.on_page)
    assert len(again.takes.take) == 4
    assert not list((tmp_path / "recordings").glob("*"))


@pytest.mark.fault(17)
def test_what_a_crash_left_can_be_thrown_away(make_window, qtbot, tmp_path):
    recorder = Recorder(Made("m"), tmp_path / "recordings")
    recorder.add(gui_fakes.record())
    recorder.close()
    window = make_window()
    window.recording.offer_unfinished()
    qtbot.waitUntil(lambda: len(window.parts.banner.buttons) == 2)
    press(qtbot, window.parts.banner.buttons[1])
    qtbot.waitUntil(lambda: not list((tmp_path / "recordings").glob("*")))


def test_scrubbing_by_mouse_keys_and_buttons(shown, qtbot):
    window = shown()
    desk = recorded(window, qtbot)
    track, bar = window.parts.take.bar.track, window.parts.take.bar
    middle = QPoint(round(track.x_of(5)), 40)
    qtbot.mouseClick(track, Qt.MouseButton.LeftButton, pos=middle)
    assert desk.frame == 5
    shown_now = window.parts.take.mesh.view.scene.vertices
    press(qtbot, bar.forward)
    assert desk.frame == 6
    assert not np.allclose(shown_now, window.parts.take.mesh.view.scene.vertices)
    qtbot.keyClick(track, Qt.Key.Key_Left)
    assert desk.frame == 5
    qtbot.keyClick(window, Qt.Key.Key_Comma)
    assert desk.frame == 4 and ("step", -1) not in window.worker.calls
    press(qtbot, bar.to_last)
    assert desk.frame == FRAMES - 1
    assert f"{FRAMES} / {FRAMES}" in bar.clock.text()


def test_playing_goes_through_the_kept_frames_and_stops(shown, qtbot):
    window = shown()
    desk = recorded(window, qtbot)
    window.parts.take.bar.repeat.setChecked(False)
    desk.trim(2, 8)
    desk.go(0)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert desk.playing
    qtbot.waitUntil(lambda: not desk.playing)
    assert desk.frame == 8


def test_trimming_by_keys_and_by_dragging_a_handle(shown, qtbot):
    window = shown()
    desk = recorded(window, qtbot)
    track = window.parts.take.bar.track
    desk.go(3)
    qtbot.keyClick(window, Qt.Key.Key_I, Qt.KeyboardModifier.ShiftModifier)
    assert (desk.first, desk.last) == (3, FRAMES - 1)
    spot = track.handle("last").toPoint()
    qtbot.mousePress(track, Qt.MouseButton.LeftButton, pos=spot)
    qtbot.mouseMove(track, QPoint(round(track.x_of(7)), spot.y()))
    qtbot.mouseRelease(track, Qt.MouseButton.LeftButton)
    assert (desk.first, desk.last) == (3, 7)
    assert "5 frames" in window.parts.take.bar.kept.text()
    press(qtbot, window.parts.take.bar.untrim)
    assert (desk.first, desk.last) == (0, FRAMES - 1)


def test_the_key_goes_there_and_back_and_the_source_rests_meanwhile(shown, qtbot):
    window = shown()
    recorded(window, qtbot)
    assert ("pause", None) in window.worker.calls
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert not window.takes.on_page
    assert window.worker.calls[-1] == ("play", None)
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert window.takes.on_page


def test_a_source_that_is_still_opening_rests_behind_a_take(shown, qtbot, tmp_path):
    save_take(tmp_path / "walk.take", take_fakes.take(5))
    window = shown()
    window.bridge.on_status(Status(WorkerState.OPENING))
    qtbot.waitUntil(lambda: window.state is WorkerState.OPENING)
    window.worker.calls.clear()
    window.open_source(tmp_path / "walk.take")
    qtbot.waitUntil(lambda: window.takes.on_page)
    assert ("pause", None) in window.worker.calls
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert window.worker.calls[-1] == ("play", None)


def test_a_take_without_a_running_model_finds_its_body(make_window, qtbot, tmp_path):
    path = tmp_path / "walk ü.take"
    save_take(path, take_fakes.take(6, (1, 2)))
    window = make_window(info=False)
    window.open_source(path)
    qtbot.waitUntil(lambda: window.takes.studio.info is not None, timeout=20_000)
    assert window.parts.take.mesh.view.scene.ids == (1, 2)
    assert window.worker.opened == []
    people = window.parts.take.bar.people
    qtbot.keyClick(people, Qt.Key.Key_Down)
    assert window.takes.person_id == 2


def test_a_damaged_take_is_told(make_window, qtbot, tmp_path):
    path = tmp_path / "bad.take"
    path.write_bytes(b"nothing")
    window = make_window()
    window.open_source(path)
    qtbot.waitUntil(lambda: "bad.take" in window.parts.banner.text.text())
    assert not window.takes.on_page


def test_a_take_of_another_body_is_told_and_the_window_goes_on(make_window, qtbot, tmp_path):
    path, walk = tmp_path / "hand.take", take_fakes.take(3)
    small = replace(walk.people[0], vertices=walk.people[0].vertices[:, :778])
    save_take(path, walk.with_people((small,)))
    window = make_window()
    window.open_source(path)
    qtbot.waitUntil(lambda: "do not belong together" in window.parts.banner.text.text(), timeout=20_000)
    window.takes.go(1)
    assert window.takes.studio.info is None and window.exports.subject() is None


def test_a_recording_names_its_body_by_hash_too():
    info = replace(gui_fakes.model_info(), body_sha256="b" * 64)
    assert made_by(info, "me.mp4") == Made(info.model_name, info.sha256, info.body, "b" * 64, "me.mp4")


def test_smoothing_follows_the_slider_and_can_be_taken_off(shown, qtbot):
    window = shown()
    desk = recorded(window, qtbot)
    card, studio = window.parts.take.edits, desk.studio
    qtbot.waitUntil(lambda: not studio.busy)
    raw = desk.take.people[0].vertices
    assert card.smooth.text() == "Raw" and np.array_equal(studio.shown.people[0].vertices, raw)
    assert "m/s²" in card.acceleration.text() and "→" not in card.acceleration.text()
    desk.go(6)
    before = window.parts.take.mesh.view.scene.vertices
    card.strength.setValue(90)
    qtbot.waitUntil(lambda: not np.allclose(studio.shown.people[0].vertices, raw, atol=1e-6))
    qtbot.waitUntil(lambda: not studio.busy)
    assert card.smooth.text() == "Smoothed" and "→" in card.acceleration.text()
    assert not np.allclose(window.parts.take.mesh.view.scene.vertices, before)
    curve = window.parts.take.bar.track.track.curves[0]
    assert curve.before is not None and np.nanmax(np.abs(curve.values - curve.before)) > 0.1
    qtbot.keyClick(window, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: np.array_equal(studio.shown.people[0].vertices, raw))
    window.close()
    settings = load_settings(window._settings_path)[0]
    assert settings.take_strength == pytest.approx(0.9) and not settings.take_smoothed


def test_gaps_are_filled_and_left_open_again(make_window, qtbot, tmp_path):
    path = tmp_path / "gap.take"
    save_take(path, take_fakes.take(8, seen=[True] * 3 + [False] * 2 + [True] * 3))
    window = make_window(info=False)
    window.open_source(path)
    desk, card = window.takes, window.parts.take.edits
    qtbot.waitUntil(lambda: desk.studio.info is not None and not desk.studio.busy, timeout=20_000)
    assert card.gaps.text() == "2 frames filled."
    desk.go(3)
    assert window.parts.take.mesh.view.scene.ids == (1,)
    qtbot.keyClick(window, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: "2 without the person" in card.gaps.text())
    assert window.parts.take.mesh.view.scene.ids == ()


def test_the_skeleton_is_measured_and_its_worst_frame_shown(shown, qtbot):
    window = shown()
    desk = recorded(window, qtbot)
    card = window.parts.take.fit
    qtbot.waitUntil(lambda: desk.studio.fit.misses(1) is not None, timeout=30_000)
    misses = desk.studio.fit.misses(1)
    assert card.values["Mean"].text() == f"{misses.mean():.1f} mm"
    assert [curve.name for curve in window.parts.take.bar.track.track.curves] == [
        "Acceleration",
        "Skeleton off",
    ]
    press(qtbot, card.worst)
    assert desk.frame == misses.argmax()
    assert card.values["This frame"].text() == card.values["Worst"].text()


def test_a_measurement_that_another_take_ends_says_nothing(shown, qtbot, monkeypatch):
    def residuals_of(take, body, watch):
        desk.studio.fit.measure()  # as when another take is opened
        monkeypatch.undo()
        watch.at(0.5)

    window = shown()
    desk = recorded(window, qtbot)
    qtbot.waitUntil(lambda: desk.studio.fit.misses(1) is not None, timeout=30_000)
    window.parts.banner.hide()
    monkeypatch.setattr("app.export.take_fit.residuals_of", residuals_of)
    desk.studio.fit.measure()
    qtbot.waitUntil(lambda: not desk.studio.fit._job.busy, timeout=30_000)
    assert not window.parts.banner.isVisible() and desk.studio.fit.misses(1) is not None


def test_the_page_of_a_take_is_not_about_the_live_source(shown, qtbot):
    window = shown()
    recorded(window, qtbot)
    do, status = window.commands, window.parts.status
    assert not any(a.isEnabled() for a in (do.isolate, do.everyone, do.freeze))
    assert "frame 1 of 12" in status.message.text() and status.latency.isHidden()
    window.takes.go(4)
    assert "frame 5 of 12" in status.message.text()
    window.worker.calls.clear()
    window.cases.ask()
    qtbot.keyClick(window, Qt.Key.Key_BracketRight)
    assert "keeps no pictures" in window.parts.banner.text.text() and not window.worker.calls
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert do.isolate.isEnabled() and "fake.mp4" in status.message.text() and not status.latency.isHidden()


def test_controls_of_page_and_dialog_have_tooltips_and_names(shown, qtbot):
    window = shown()
    recorded(window, qtbot)
    window.commands.export.trigger()
    for root in (window, window.exports.dialog):
        for kind in (QAbstractButton, QComboBox, QLineEdit):
            for control in root.findChildren(kind):
                if control.isVisible() and control.objectName() != "qt_toolbar_ext_button":
                    assert control.toolTip(), control
    for button in window.parts.take.bar.buttons:
        assert button.accessibleName()
    keys = [a.shortcut().toString() for a in window.actions() if not a.shortcut().isEmpty()]
    assert len(keys) == len(set(keys))


# Export


def choose(box: QComboBox, data: object) -> None:
    box.setCurrentIndex(box.findData(data))


def fill_in(window, path: Path, kind: str, *, of_take: bool, preset: str = "any"):
    """The open dialog with these choices."""
    window.commands.export.trigger()
    dialog = window.exports.dialog
    choose(dialog.form.what, of_take)
    choose(dialog.form.format, kind)
    choose(dialog.form.preset, preset)
    dialog.form.place.setText(str(path))
    return dialog


def export(window, qtbot, path: Path, kind: str, *, replace: bool = False, **choices) -> str:
    """Fill in the dialog, press its button; returns what it says."""
    dialog = fill_in(window, path, kind, **choices)
    with qtbot.waitSignal(window.exports.done, timeout=60_000):
        press(qtbot, dialog.start)
        if replace:
            answer(qtbot, dialog, "Replace")
    return dialog.outcome.text()


@pytest.mark.parametrize("kind", ["obj", "glb", "ply"])
def test_the_shown_frame_of_a_take_is_exported_and_read_back(shown, qtbot, tmp_path, kind):
    window = shown()
    desk = recorded(window, qtbot)
    desk.go(6)
    path = tmp_path / f"frame.{kind}"
    assert str(path) in export(window, qtbot, path, kind, of_take=False)
    mesh = trimesh.load(path, process=False, force="mesh")
    want = desk.take.people[0].vertices[6] * [1, -1, -1]
    assert np.abs(mesh.bounds - [want.min(axis=0), want.max(axis=0)]).max() < 1e-5
    assert window.exports.dialog.reveal.isVisible()
    assert load_settings(window._settings_path)[0].export_format == "obj", "written at the close"
    window.close()
    assert load_settings(window._settings_path)[0].export_format == kind


def test_fbx_of_the_live_frame_has_the_axes_of_the_program(shown, qtbot, tmp_path):
    window = shown()
    path = tmp_path / "me.fbx"
    export(window, qtbot, path, "fbx", of_take=False, preset="unreal")
    content = path.read_bytes()
    assert content.startswith(b"Kaydara FBX Binary")
    assert b"x right, z up, front -y" in content
    assert (
        "z up" in window.exports.dialog.form.axes.text()
        and "centimetres" in window.exports.dialog.form.axes.text()
    )


def test_the_kept_frames_become_a_folder_of_files(shown, qtbot, tmp_path):
    window = shown()
    desk = recorded(window, qtbot)
    desk.trim(3, 6)
    folder = tmp_path / "walk"
    export(window, qtbot, folder, "obj", of_take=True)
    assert sorted(p.name for p in folder.glob("*.obj")) == [f"walk_{n:06d}.obj" for n in range(4)]
    mesh = trimesh.load(folder / "walk_000002.obj", process=False)
    want = desk.take.people[0].vertices[5] * [1, -1, -1]
    assert_same_points(np.asarray(mesh.vertices), want, 1e-5)
    desk.trim(4, 4)
    export(window, qtbot, folder, "obj", of_take=True, replace=True)
    assert [p.name for p in folder.glob("*.obj")] == ["walk_000000.obj"], "the old sequence is replaced"


def test_cancelling_leaves_the_old_files(shown, qtbot, tmp_path):
    window = shown()
    recorded(window, qtbot)
    folder = tmp_path / "walk"
    folder.mkdir()
    (folder / "walk_000099.obj").write_text("old")
    dialog = fill_in(window, folder, "obj", of_take=True)
    window.exports.progress.connect(lambda part: dialog.stop.click() if 0 < part < 1 else None)
    with qtbot.waitSignal(window.exports.done, timeout=20_000):
        press(qtbot, dialog.start)
        answer(qtbot, dialog, "Replace")
    assert "cancelled" in dialog.outcome.text()
    assert [p.name for p in folder.iterdir()] == ["walk_000099.obj"]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".walk")] == []


def test_a_folder_with_other_files_is_left_alone(shown, qtbot, tmp_path):
    window = shown()
    recorded(window, qtbot)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    said = export(window, qtbot, tmp_path / "mine", "obj", of_take=True, replace=True)
    assert "letter.txt" in said
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_a_read_only_place_is_told_in_the_dialog(shown, qtbot, tmp_path):
    window = shown()
    (tmp_path / "file").write_text("old")
    said = export(window, qtbot, tmp_path / "file" / "me.obj", "obj", of_take=False)
    assert "cannot be written" in said and (tmp_path / "file").read_text() == "old"


def test_a_name_has_only_what_every_disk_takes():
    made = replace(Made("m"), source="/a/b/wer: tanzt?.mp4", started="2026-11-24T14:05:06+01:00")
    assert name_of(made) == "wer tanzt 2026-11-24 14.05.06.take"


def test_waiting_for_a_job_ends_with_it():
    job = BackgroundJob()
    job.start(lambda: None)
    assert job.wait(5)


def test_the_estimated_size_is_near_that_of_the_file(shown, qtbot, tmp_path):
    window = shown()
    info = window.info
    window.set_model_info(replace(info, uv=_body_arrays()["vt"], uv_faces=_body_arrays()["ft"]))
    window.bridge.on_record(gui_fakes.record(index=1))
    qtbot.waitUntil(lambda: window.record is not None)
    for kind in FORMATS:
        path = tmp_path / f"size.{kind}"
        export(window, qtbot, path, kind, of_take=False)
        told = float(window.exports.dialog.form.amount.text().split()[1]) * 1e6
        assert told == pytest.approx(path.stat().st_size, rel=0.15)


def _body_arrays():
    from model.body import load_body

    return load_body().data.arrays


def test_a_skinned_take_is_exported_as_it_is_edited(shown, qtbot, tmp_path):
    window = shown()
    desk = recorded(window, qtbot)
    window.parts.take.edits.strength.setValue(60)
    desk.trim(2, 9)
    window.commands.export.trigger()
    form = window.exports.dialog.form
    assert (form.first.text(), form.last.text()) == ("3", "10") and form.kind == "fbx"
    form.last.setText("8")
    qtbot.keyClick(form.last, Qt.Key.Key_Return)
    assert (desk.first, desk.last) == (2, 7) and "6 of 12" in form.length.text()
    assert "Smoothed by 60%" in form.edits.text()
    choose(form.format, "glb")
    choose(form.rate, "60")
    assert "60 frames a second" in form.pace.text() and not form.preset.isEnabled()
    path = tmp_path / "walk.glb"
    said = export(window, qtbot, path, "glb", of_take=True)
    assert str(path) in said and "mm" in said
    extras = Player(path).document["asset"]["extras"]
    assert "smoothed with strength 0.60" in extras["edits"] and extras["frames a second"] == "60"
    assert "trimmed" in extras["edits"] and "fit residual of person_1 in mm" in extras


def test_a_skeleton_that_fits_badly_is_told_and_shapes_are_offered(make_window, qtbot, tmp_path):
    walk, path = take_fakes.take(3, (1, 4)), tmp_path / "long.take"
    stretched = [replace(one, vertices=one.vertices * np.float32([1, 1.3, 1.6])) for one in walk.people]
    save_take(path, walk.with_people(tuple(stretched)))
    window = make_window(info=False)
    window.open_source(path)
    desk = window.takes
    qtbot.waitUntil(lambda: desk.studio.fit.misses(1) is not None, timeout=60_000)
    window.commands.export.trigger()
    dialog = window.exports.dialog
    form = dialog.form
    assert "only roughly" in form.fit.text() and form.exact.isVisible()
    form.people.actions_of[1].setChecked(False)
    assert form.people.text().startswith("Person 4") and form.options.people == (4,)
    form.people.actions_of[4].setChecked(False)
    assert form.options.people == (4,), "somebody is always exported"
    form.camera.click()
    said = export(window, qtbot, tmp_path / "rough.fbx", "fbx", of_take=True)
    assert "The skeleton misses the meshes by" in said and "a shape for each frame is exact" in said
    press(qtbot, form.exact)
    assert form.kind == "fbx-shapes" and form.fit.text().startswith("Exact") and not form.exact.isVisible()
    assert form.path.suffix == ".fbx"
    assert dialog.form.camera.isChecked()


def test_the_open_dialog_follows_to_the_source_and_back(shown, qtbot, tmp_path):
    window = shown()
    recorded(window, qtbot)
    export(window, qtbot, tmp_path / "walk.glb", "glb", of_take=True)
    form = window.exports.dialog.form
    assert form.of_take
    window.commands.take.trigger()
    qtbot.waitUntil(lambda: not window.takes.on_page)
    assert not form.of_take and form.subject.take is None
    window.commands.take.trigger()
    qtbot.waitUntil(lambda: window.takes.on_page)
    assert form.subject.take is window.takes.take


def test_the_same_model_on_another_device_goes_on_with_a_recording(shown, qtbot):
    window = shown()
    window.recording.start()
    assert window.recording.on
    window.bridge.model_ready.emit(replace(window.info, device="CPU"))
    assert window.recording.on
    window.bridge.model_ready.emit(replace(window.info, sha256="1" * 64))
    qtbot.waitUntil(lambda: not window.recording.on)


def test_a_take_that_is_read_late_does_not_take_the_window_away(shown, qtbot, tmp_path, monkeypatch):
    go_on = threading.Event()
    save_take(tmp_path / "big.take", take_fakes.take(5))
    monkeypatch.setattr("app.gui.take_desk.load_take", lambda path: go_on.wait(30) and load_take(path))
    window = shown()
    window.open_source(tmp_path / "big.take")
    window.open_source("other.mp4")
    go_on.set()
    qtbot.waitUntil(lambda: not window.takes._opening.busy)
    assert not window.takes.on_page and window.takes.take is None


def test_the_next_recording_goes_on_while_the_last_one_is_saved(shown, qtbot, monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr("app.gui.recording.save_take", lambda *both: go_on.wait(30) and save_take(*both))
    window = shown()
    for indices in ([1, 2], [3, 4]):
        window.commands.record.trigger()
        send(window, qtbot, indices)
        if indices[0] == 1:
            window.commands.record.trigger()
    go_on.set()
    qtbot.waitUntil(lambda: not window.recording.busy)
    assert window.recording.on and not window.takes.on_page
    assert "Recorded" in window.parts.banner.text.text()
