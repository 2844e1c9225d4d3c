"""The real window, clicked like a person would; only the worker is a fake."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QLabel

from app.export.take_options import TakeOptions
from app.gui.masking_panel import PRESETS
from app.gui.orbit import HOME
from app.gui.settings import Settings, load_settings, save_settings
from app.pipeline.frames import PersonBox
from app.pipeline.worker import Status, WorkerState
from tests.app import gui_fakes


def click(qtbot, widget, spot: QPointF) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(round(spot.x()), round(spot.y())))


def drop(window, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    keys = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPoint(50, 50), *keys)
    window.dragEnterEvent(enter)
    assert enter.isAccepted()
    window.dropEvent(QDropEvent(QPointF(50, 50), *keys))


def test_a_dropped_file_is_opened_and_its_folder_remembered(make_window, tmp_path):
    window = make_window()
    path = tmp_path / "clip ü.mp4"
    path.touch()
    drop(window, path)
    assert window.worker.opened == [path]
    assert window.settings.last_folder == str(tmp_path)


def test_a_record_reaches_picture_mesh_strip_and_status(shown):
    window = shown()
    mesh = window.parts.mesh.view
    assert mesh.scene.ids == (1,)
    assert mesh.scene.vertices[:, 1].max() == 0, "the lowest vertex stands on the floor"
    assert [card.peak.text() for card in window.parts.strip.cards] != ["–"] * 5
    card = window.parts.strip.cards[0]
    wide = card.peak.minimumWidth()
    card.peak.setText("100.0 %")
    assert card.peak.sizeHint().width() <= wide, "the picture beside it keeps its size"
    texts = " ".join(window.parts.status.texts)
    assert "body-lite 9f3ac2d4" in texts
    assert "encode 31" in texts and "draw" in texts
    assert "fake.mp4   ·   frame 1" in texts


def test_freeze_pauses_and_thawing_plays(shown, qtbot):
    window = shown()
    qtbot.waitUntil(lambda: window.state is WorkerState.RUNNING)
    qtbot.keyClick(window, Qt.Key.Key_F)
    qtbot.waitUntil(lambda: window.state is WorkerState.PAUSED)
    assert window.worker.calls[-1] == ("pause", None)
    assert window.parts.image.view.badge == "Frozen"
    window.commands.freeze.trigger()
    qtbot.waitUntil(lambda: window.state is WorkerState.RUNNING)
    assert window.worker.calls[-1] == ("play", None)
    assert window.parts.image.view.badge == ""


def test_play_and_step_buttons_command_the_worker(shown, qtbot):
    window = shown()
    qtbot.waitUntil(lambda: window.state is WorkerState.RUNNING)
    window.commands.play.trigger()
    qtbot.waitUntil(lambda: window.commands.play.text() == "Play")
    window.commands.forward.trigger()
    window.commands.back.trigger()
    assert window.worker.calls[-3:] == [("pause", None), ("step", 1), ("step", -1)]


def test_a_click_on_the_mesh_pins_the_vertex_under_it(shown, qtbot):
    window = shown()
    window.commands.front.trigger()
    mesh = window.parts.mesh.view
    chest = front_vertex(window)
    spot, facing = mesh.vertex_position(chest, 1)
    assert facing
    click(qtbot, mesh, spot)
    picked = window.pins.chosen
    near = gui_fakes.body()["vertices"]
    assert np.linalg.norm(near[picked] - near[chest]) < 0.05
    assert window.parts.strip.cards[-1].pin.vertex == picked
    assert window.parts.vertex.values["Vertex"].text().startswith(f"{picked:,}")


def test_a_double_click_resets_the_view_and_pins_nothing(shown, qtbot):
    window = shown()
    mesh, pins = window.parts.mesh.view, window.pins.items
    mesh.orbit.turn(200, 0)
    mesh.draw()
    spot = mesh.vertex_position(front_vertex(window), 1)[0].toPoint()
    qtbot.mouseClick(mesh, Qt.MouseButton.LeftButton, pos=spot)
    assert window.pins.items != pins
    qtbot.mouseDClick(mesh, Qt.MouseButton.LeftButton, pos=spot)
    assert window.pins.items == pins
    assert mesh.orbit.yaw == HOME[0]


def front_vertex(window) -> int:
    """The vertex nearest to the camera in the middle of the body."""
    vertices = gui_fakes.body()["vertices"]
    middle = np.abs(vertices[:, 0]) < 0.05
    high = (vertices[:, 1] < -0.1) & (vertices[:, 1] > -0.4)
    return int(np.flatnonzero(middle & high)[vertices[middle & high, 2].argmin()])


def test_a_pin_is_removed_by_its_cross_and_solo_by_a_click(shown, qtbot):
    window = shown()
    cards = window.parts.strip.cards
    first, second = cards[0].pin.vertex, cards[1].pin.vertex
    qtbot.mouseClick(cards[1], Qt.MouseButton.LeftButton, pos=QPoint(30, 60))
    assert [pin.vertex for pin in window.pins.shown] == [second]
    qtbot.mouseClick(cards[0].close_button, Qt.MouseButton.LeftButton)
    assert first not in window.pins.vertices
    assert [card.pin.vertex for card in window.parts.strip.cards] == list(window.pins.vertices)


def test_a_slider_sends_all_four_thresholds_and_the_last_notch_is_off(make_window):
    window = make_window()
    window.masking.sliders[2].setValue(4)
    assert window.worker.hops[-1] == (7, 5, 4, 1)
    window.masking.sliders[0].setValue(window.masking.sliders[0].maximum())
    assert window.worker.hops[-1] == (None, 5, 4, 1)


def test_presets_move_all_sliders_at_once_and_reset_returns(make_window, qtbot):
    window = make_window()
    qtbot.mouseClick(window.masking.presets[1], Qt.MouseButton.LeftButton)
    assert window.worker.hops == [PRESETS[1].hops]
    assert "published" in window.masking.presets[1].toolTip().lower()
    assert "50.7" in window.masking.presets[1].toolTip()
    qtbot.mouseClick(window.masking.reset_button, Qt.MouseButton.LeftButton)
    assert window.masking.hops == (7, 5, 3, 1)


def test_sparsity_is_counted_from_the_hops(make_window):
    window = make_window()
    window.masking.set_hops((1, 3, 5, 7))
    numbers = [float(word) for word in window.masking.sparsity.text().split("\n")[1].split("·")]
    assert np.allclose(numbers, [7.0, 40.8, 99.3, 177.2], atol=0.06)


def test_a_click_on_a_box_chooses_the_person(shown, qtbot):
    window = shown(gui_fakes.person(4, (90, 160, 250)), gui_fakes.person(9, (90, 470, 250)))
    view = window.parts.image.view
    click(qtbot, view, view.box_rect(window.record.people[1].box).center())
    assert window.worker.calls[-1] == ("person", 9)
    assert window.person.box.id == 9
    assert window.people.button.text().startswith("Person 9")
    assert window.people.button.accessibleName() == "Person 9"
    assert window.parts.mesh.view.scene.ids == (4, 9)


def test_somebody_who_is_not_followed_is_seen_and_chosen_by_a_click_or_in_the_menu(shown, qtbot):
    window = shown(gui_fakes.person(4, (90, 160, 250)))
    view = window.parts.image.view
    other = PersonBox(430, 150, 80, 200, id=7)
    alone = view.grab().toImage()
    window.bridge.on_record(gui_fakes.record(window.record.people, index=1, others=(other,)))
    qtbot.waitUntil(lambda: window.shown > 1)
    edge = view.box_rect(other).toRect()
    assert view.grab(edge).toImage() != alone.copy(edge)
    window.commands.person_menu.aboutToShow.emit()
    texts = [action.text() for action in window.commands.person_group.actions()]
    assert texts == ["Largest person", "Person 4", "Person 7"]
    click(qtbot, view, view.box_rect(other).center())
    assert window.worker.calls[-1] == ("person", 7)
    assert window.person.box.id == 4, "until the next record the one who is there is shown"


def test_hidden_boxes_cannot_be_clicked(shown, qtbot):
    window = shown()
    view = window.parts.image.view
    window.parts.image.boxes.setChecked(False)
    click(qtbot, view, view.box_rect(window.record.people[0].box).center())
    assert "person" not in [name for name, _ in window.worker.calls]


def test_everyone_is_asked_of_the_worker(make_window):
    window = make_window()
    window.commands.everyone.trigger()
    assert window.worker.calls == [("everyone", True)]


def test_theme_switch_repaints_the_whole_window(shown):
    window = shown()
    dark = QColor(window.grab().toImage().pixel(3, 200)).lightness()
    light = next(a for a in window.commands.themes.actions() if a.data() == "light")
    light.trigger()
    assert QColor(window.grab().toImage().pixel(3, 200)).lightness() > dark + 120


def test_a_missing_camera_is_a_sentence_and_the_next_source_works(make_window, qtbot):
    window = make_window(fault="Camera 0 cannot be opened: is it plugged in?")
    window.start("camera")
    qtbot.waitUntil(lambda: window.parts.banner.isVisible())
    assert window.parts.banner.text.text() == "Camera 0 cannot be opened: is it plugged in?"
    window.worker.fault = ""
    window.open_source("fake.mp4")
    qtbot.waitUntil(lambda: window.shown > 0)
    assert not window.parts.banner.isVisible()


def test_a_fault_greys_the_last_picture(shown, qtbot):
    window = shown()
    before = mean_lightness(window)
    window.bridge.on_status(Status(WorkerState.FAULTED, "The camera was unplugged."))
    qtbot.waitUntil(lambda: window.parts.image.view.stale)
    assert mean_lightness(window) < before * 0.7


def mean_lightness(window) -> float:
    """Lightness of the middle of the picture view."""
    image = window.parts.image.view.grab().toImage()
    return float(np.mean([QColor(image.pixel(x, 200)).lightness() for x in range(100, 300, 10)]))


def test_the_window_tells_that_the_model_is_loading(make_window, qtbot):
    window = make_window(info=False)
    window.bridge.on_status(Status(WorkerState.OPENING, "Opening fake.mp4"))
    qtbot.waitUntil(lambda: "Loading the model" in window.parts.image.view.hint)
    window.bridge.on_model(gui_fakes.model_info())
    qtbot.waitUntil(lambda: window.info is not None)
    assert len(window.parts.strip.cards) == 5


def test_a_record_without_people_says_so(shown, qtbot):
    window = shown()
    window.bridge.on_record(gui_fakes.record(people=()))
    qtbot.waitUntil(lambda: window.shown > 1)
    assert "No person" in window.parts.mesh.view.hint
    assert not window.commands.export.isEnabled()


def test_export_writes_the_shown_mesh(shown, qtbot, tmp_path):
    window = shown()
    path = tmp_path / "me.obj"
    with qtbot.waitSignal(window.exports.done):
        window.exports.write(path, TakeOptions("obj"), of_take=False)
    mesh = trimesh.load(path, process=False)
    assert mesh.is_watertight
    qtbot.waitUntil(lambda: window.parts.banner.isVisible())
    assert "me.obj" in window.parts.banner.text.text()


def test_export_to_a_bad_place_is_told_in_the_banner(shown, qtbot, tmp_path):
    window = shown()
    (tmp_path / "a file, no folder").write_text("")
    with qtbot.waitSignal(window.exports.done):
        window.exports.write(tmp_path / "a file, no folder" / "me.obj", TakeOptions("obj"), of_take=False)
    assert "cannot be written" in window.parts.banner.text.text()


def test_every_control_has_a_tooltip_and_every_action_a_text(make_window):
    window = make_window()
    from PySide6.QtWidgets import QAbstractButton, QComboBox, QSlider

    for kind in (QAbstractButton, QComboBox, QSlider):
        for control in window.findChildren(kind):
            if control.isVisible():
                assert control.toolTip(), (control, control.objectName())
    assert all(action.text() for action in window.actions())


def test_enter_presses_the_button_that_has_the_focus(make_window, qtbot):
    window = make_window()
    button = window.masking.presets[1]
    button.setFocus()
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
        window.masking.set_hops((1, 1, 1, 1))
        qtbot.keyClick(button, key)
        assert window.masking.hops == PRESETS[1].hops


def test_shortcuts_do_not_collide(make_window):
    window = make_window()
    keys = [a.shortcut().toString() for a in window.actions() if not a.shortcut().isEmpty()]
    assert len(keys) == len(set(keys))


def test_a_window_that_closes_before_its_model_came_keeps_the_pins(make_window, tmp_path):
    save_settings(tmp_path / "pointhmr.ini", Settings(pins=(5, 7)))
    make_window(info=False).close()
    assert load_settings(tmp_path / "pointhmr.ini")[0].pins == (5, 7)


def test_pins_theme_and_masks_are_remembered(make_window, qtbot):
    first = make_window()
    first.pins.add(123)
    first.masking.set_hops((None, 5, 3, 1))
    first.themes.choose("light")
    first.close()
    second = make_window()
    assert 123 in second.pins.vertices
    assert second.masking.hops == (None, 5, 3, 1)
    assert second.settings.theme == "light"


def test_a_window_that_was_closed_full_screen_comes_back_so_and_f11_leaves(make_window):
    first = make_window()
    first.commands.full_screen.trigger()
    assert first.isFullScreen() and first.commands.full_screen.isChecked()
    first.close()
    second = make_window(size=None)
    assert second.isFullScreen() and second.commands.full_screen.isChecked()
    second.commands.full_screen.trigger()
    assert not second.isFullScreen() and not second.commands.full_screen.isChecked()


def test_full_screen_that_the_system_ends_is_told_and_a_maximized_window_stays_so(make_window):
    window = make_window()
    window.showMaximized()
    window.commands.full_screen.trigger()
    window.commands.full_screen.trigger()
    assert window.isMaximized() and not window.isFullScreen()
    window.commands.full_screen.trigger()
    window.showNormal()
    assert not window.commands.full_screen.isChecked()


def test_closing_ends_the_worker(shown):
    window = shown()
    window.close()
    assert window.worker.closed
    assert window.parts.studio.name == ""


def test_help_windows_name_the_licences_and_the_keys(make_window):
    from PySide6.QtWidgets import QDialog, QTextBrowser

    window = make_window()
    window.commands.about.trigger()
    window.commands.shortcuts.trigger()
    texts = [d.findChild(QTextBrowser).toPlainText() for d in window.findChildren(QDialog)]
    assert any("non-commercial" in t and "research use" in t and "mocap.cs.cmu.edu" in t for t in texts)
    assert any("Ctrl+E" in t for t in texts)
    for dialog in window.findChildren(QDialog):
        dialog.close()


def test_labels_fit_the_smallest_screen(make_window):
    window = make_window(size=(1280, 800))
    assert window.width() == 1280 and window.height() == 800
    cut = [
        label.text()
        for label in window.parts.side.findChildren(QLabel)
        if not label.wordWrap() and label.width() < label.sizeHint().width()
    ]
    assert cut == []
