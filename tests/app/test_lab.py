"""The masking laboratory in the real window: A is pinned, B moves, and the difference is seen and read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.gui.colourings import CHANGE, displacement, paint_change, round_scale
from app.pipeline.frames import Record, Study
from tests.app import gui_fakes

LIFT = 0.03
"""Metres by which B's head is off A's."""


def compared(index: int = 1) -> Record:
    """A record whose people have moved their heads against A."""
    baseline = gui_fakes.person()
    vertices = baseline.vertices.copy()
    head = gui_fakes.model_info().part_of_vertex == gui_fakes.PARTS.index("head")
    vertices[head, 1] -= LIFT
    moved = replace(baseline, vertices=vertices)
    record = gui_fakes.record((moved,), index=index)
    return replace(record, study=Study(baseline=(7, 5, 3, 1)), baseline=(baseline,))


def press(qtbot, button) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def send(window, qtbot, record: Record) -> None:
    before = window.shown
    window.bridge.on_record(record)
    qtbot.waitUntil(lambda: window.shown > before)


@pytest.mark.parametrize(
    ("largest", "end"), [(0.0, 1), (0.4, 1), (1.0, 1), (1.01, 2), (4.9, 5), (5.1, 10), (37, 50), (1e3, 1e3)]
)
def test_a_scale_ends_at_a_round_number_that_holds_everything(largest, end):
    assert round_scale(largest) == end


def test_displacement_is_in_millimetres():
    record = compared()
    apart = displacement(record.people[0], record.baseline[0])
    assert apart.max() == pytest.approx(LIFT * 1000, rel=1e-3)
    assert apart.min() == 0


def test_only_what_moved_is_coloured():
    info = gui_fakes.model_info()
    painted = paint_change(compared(), info)
    colours = painted.colours[0]
    head = info.part_of_vertex == gui_fakes.PARTS.index("head")
    assert len(np.unique(colours[~head], axis=0)) == 1
    assert colours[head].sum(axis=1).min() > colours[~head].sum(axis=1).max()
    assert painted.legend[1] == ("0", "50 mm against A")
    assert paint_change(gui_fakes.record(), info).colours == (None,)


def test_pinning_asks_the_worker_for_both_and_unpinning_for_one(make_window, qtbot):
    window = make_window()
    compare = window.masking.compare
    assert not compare.peek.isEnabled() and not compare.masks.isVisible()
    press(qtbot, compare.pin)
    assert window.worker.studies == [Study(baseline=(7, 5, 3, 1))]
    assert "7 · 5 · 3 · 1" in compare.masks.text() and compare.masks.isVisible()
    window.masking.sliders[0].setValue(2)
    assert window.worker.hops[-1] == (2, 5, 3, 1)
    assert "7 · 5 · 3 · 1" in compare.masks.text(), "A stays as it was"
    press(qtbot, compare.pin)
    assert window.worker.studies[-1] == Study()
    assert not compare.masks.isVisible() and compare.pin.text() == "Pin as A"


def test_mean_and_largest_change_are_read_in_the_panel(shown, qtbot):
    window = shown()
    press(qtbot, window.masking.compare.pin)
    send(window, qtbot, compared())
    record = compared()
    mean = displacement(record.people[0], record.baseline[0]).mean()
    assert window.masking.compare.numbers.text() == f"Change: mean {mean:.1f} mm, max {LIFT * 1000:.1f} mm"


def test_the_mesh_is_coloured_by_the_change_with_a_scale(shown, qtbot):
    window = shown()
    view = window.parts.mesh.view
    window.parts.mesh.colour_by.setCurrentText(CHANGE)
    assert "Pin as A" in view._painted.note
    press(qtbot, window.masking.compare.pin)
    plain = view.scene.albedo.copy()
    send(window, qtbot, compared())
    assert not np.allclose(view.scene.albedo, plain)
    assert view._painted.legend is not None and not view._painted.note


def test_the_key_shows_the_mesh_of_a_and_again_that_of_b(shown, qtbot):
    window = shown()
    qtbot.keyClick(window, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    record = compared()
    send(window, qtbot, record)
    view = window.parts.mesh.view
    tall = np.ptp(view.scene.vertices[:, 1])
    count = window.shown
    qtbot.keyClick(window, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: window.shown > count)
    assert tall - np.ptp(view.scene.vertices[:, 1]) == pytest.approx(LIFT, abs=1e-4)
    assert view.badge.startswith("A:")
    assert window.person.vertices is record.people[0].vertices, "facts and export stay with B"
    qtbot.keyClick(window, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: window.shown > count + 1)
    assert np.ptp(view.scene.vertices[:, 1]) == pytest.approx(tall)
    assert view.badge == ""


def test_unpinning_while_a_is_shown_returns_to_b(shown, qtbot):
    window = shown()
    press(qtbot, window.masking.compare.pin)
    send(window, qtbot, compared())
    press(qtbot, window.masking.compare.peek)
    press(qtbot, window.masking.compare.pin)
    assert not window.masking.compare.peek.isChecked()
    assert window.parts.mesh.view.badge == ""
