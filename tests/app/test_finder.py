"""From a spot of the picture, or a word, to vertices on the mesh."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from app.gui.lookup import RADIUS, cell_of, radius_in_picture, vertices_looking_at, vertices_of_parts
from app.gui.vertex_list import HOW
from tests.app import gui_fakes
from tests.app.gui_fakes import HEAT_SIDE, PARTS

INFO = gui_fakes.model_info


def spot_of(person, vertex: int) -> tuple[float, float]:
    """Where a full vertex is in the picture."""
    x, y = person.project(person.vertices[[vertex]])[0].tolist()
    return x, y


def test_the_vertex_that_is_there_looks_there():
    person, info = gui_fakes.person(), INFO()
    for vertex in info.default_pins():
        found = vertices_looking_at(person, info, spot_of(person, vertex))
        assert vertex in [one.vertex for one in found]
        masses = [one.mass for one in found]
        assert masses == sorted(masses, reverse=True) and 0.01 <= masses[-1] <= masses[0] <= 1.0


def test_the_mass_is_that_of_the_cells_in_the_circle():
    heatmaps = np.zeros((INFO().coarse_count, HEAT_SIDE, HEAT_SIDE), np.float32)
    heatmaps[7, 20, 30], heatmaps[7, 20, 32], heatmaps[7, 20, 33] = 0.5, 0.25, 0.25
    heatmaps[9, 21, 30] = 0.3
    person = gui_fakes.person(heatmaps=heatmaps)
    cells = np.linalg.inv(np.vstack([person.crop.matrix * HEAT_SIDE / person.crop.size, [0, 0, 1]]))
    x, y, _ = (cells @ (30.5, 20.5, 1)).tolist()
    found = vertices_looking_at(person, INFO(), (x, y))
    assert [(one.coarse, round(one.mass, 3)) for one in found] == [(7, 0.75), (9, 0.3)]
    edge = (x + radius_in_picture(person), y)
    assert cell_of(person, edge)[0] == pytest.approx(30.5 + RADIUS)


def test_nothing_is_found_outside_of_the_crop():
    assert vertices_looking_at(gui_fakes.person(), INFO(), (-500.0, -500.0)) == []


def test_words_find_the_parts_that_hold_all_of_them():
    info = INFO()
    names = {one.name for one in vertices_of_parts(info, "  HAND left ")}
    assert names == {"Left hand"}
    assert {one.name for one in vertices_of_parts(info, "hand")} == {"Left hand", "Right hand"}
    assert vertices_of_parts(info, "tail") == vertices_of_parts(info, " ") == []


def alt_click(qtbot, window, spot: tuple[float, float], key=Qt.KeyboardModifier.AltModifier) -> None:
    view = window.parts.image.view
    place = view.port.to_widget(QPointF(*spot)).toPoint()
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, key, place)


def listed(window) -> list[int]:
    rows = window.parts.finder.rows
    return [rows.item(i).data(Qt.ItemDataRole.UserRole) for i in range(rows.count())]


def test_alt_click_lists_and_marks_and_a_double_click_pins(shown, qtbot):
    window = shown()
    person = window.record.people[0]
    vertex = window.info.default_pins()[1]
    calls = list(window.worker.calls)
    alt_click(qtbot, window, spot_of(person, vertex))
    assert vertex in listed(window)
    assert window.worker.calls == calls, "nobody was chosen by that click"
    rows = window.parts.finder.rows
    assert rows.isVisible() and "%" in rows.item(0).text()
    place = rows.visualItemRect(rows.item(2)).center()
    qtbot.mouseMove(rows.viewport(), place - QPoint(0, 3))
    qtbot.mouseMove(rows.viewport(), place)
    third = listed(window)[2]
    assert window.parts.mesh.view._marks == (listed(window), third)
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.pins.chosen == third


def test_the_look_tool_makes_a_plain_click_look(shown, qtbot):
    window = shown()
    qtbot.keyClick(window, Qt.Key.Key_L)
    assert window.parts.image.look.isChecked()
    spot = spot_of(window.record.people[0], window.info.default_pins()[0])
    alt_click(qtbot, window, spot, Qt.KeyboardModifier.NoModifier)
    assert listed(window) and "person" not in [name for name, _ in window.worker.calls]
    qtbot.mouseClick(window.parts.image.look, Qt.MouseButton.LeftButton)
    window.finder.clear()
    alt_click(qtbot, window, spot, Qt.KeyboardModifier.NoModifier)
    assert listed(window) == []


def test_the_circle_is_painted_and_the_cross_takes_all_away(shown, qtbot):
    window = shown()
    view = window.parts.image.view
    before = view.grab().toImage()
    alt_click(qtbot, window, spot_of(window.record.people[0], window.info.default_pins()[0]))
    assert view.grab().toImage() != before
    qtbot.mouseClick(window.parts.finder.clear_button, Qt.MouseButton.LeftButton)
    assert view.grab().toImage() == before
    assert listed(window) == [] and window.parts.mesh.view._marks == ([], None)
    assert window.parts.finder.caption.text() == HOW


def test_the_look_up_follows_the_frames(shown, qtbot):
    window = shown()
    alt_click(qtbot, window, spot_of(window.record.people[0], window.info.default_pins()[0]))
    assert listed(window)
    elsewhere = gui_fakes.person(camera=(100.0, 560.0, 380.0))
    window.bridge.on_record(gui_fakes.record((elsewhere,), index=1))
    qtbot.waitUntil(lambda: not listed(window))
    assert window.parts.finder.caption.text() == "No vertex looks there."


def test_a_spot_of_one_picture_is_nothing_in_the_next_source(shown, qtbot):
    window = shown()
    window.finder.look_at(100.0, 100.0)
    window.open_source("fake.mp4")
    assert window.finder.spot is None


def test_a_part_is_typed_found_and_pinned_with_the_keyboard_alone(shown, qtbot):
    window = shown()
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    words = window.parts.finder.words
    qtbot.keyClicks(words, "left hand")
    part = window.info.part_of_vertex[listed(window)]
    assert set(part) == {PARTS.index("left hand")}
    assert words.text() == "left hand"
    rows = window.parts.finder.rows
    qtbot.keyClick(rows, Qt.Key.Key_Down)
    qtbot.keyClick(rows, Qt.Key.Key_Down)
    current = rows.currentItem().data(Qt.ItemDataRole.UserRole)
    assert window.parts.mesh.view._marks[1] == current
    qtbot.keyClick(rows, Qt.Key.Key_Return)
    assert window.pins.chosen == current


def test_a_look_up_takes_the_place_of_a_search(shown, qtbot):
    window = shown()
    qtbot.keyClicks(window.parts.finder.words, "hand")
    alt_click(qtbot, window, spot_of(window.record.people[0], window.info.default_pins()[0]))
    assert window.parts.finder.words.text() == ""
    assert "circle" in window.parts.finder.caption.text()


def test_vertices_of_another_mesh_are_neither_listed_nor_marked(shown, qtbot):
    window = shown()
    qtbot.keyClicks(window.parts.finder.words, "hand")
    assert listed(window) and window.parts.mesh.view._marks[0]
    window.set_model_info(INFO())
    assert not listed(window) and not window.parts.mesh.view._marks[0]
    assert window.parts.finder.words.text() == ""
