"""Heatmaps on one scale and of a whole part: what is shown, in the strip and on the picture."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.gui.heat_look import ABSOLUTE_TOP, HeatLook
from app.gui.model_info import ModelInfo
from app.gui.overlay import heat_layers
from app.gui.pins import Pin
from tests.app import gui_fakes

INFO = gui_fakes.model_info


def flat(share: float) -> np.ndarray:
    """(C, n, n) with one cell of this probability a vertex, in the middle of the crop."""
    heatmaps = np.zeros((INFO().coarse_count, 64, 64), np.float32)
    heatmaps[:, 32, 32] = share
    return heatmaps


@pytest.mark.parametrize("share", [0.02, 0.1, ABSOLUTE_TOP])
def test_the_one_scale_shows_how_sure_a_heatmap_is_and_the_own_scale_does_not(share):
    hills = [HeatLook(absolute).hill(flat(share), INFO(), 4, 64).max() for absolute in (False, True)]
    assert hills == [pytest.approx(1.0), pytest.approx(share / ABSOLUTE_TOP)]


def test_the_whole_part_is_the_sum_over_its_vertices_as_a_probability():
    info: ModelInfo = INFO()
    person = gui_fakes.person()
    vertex = info.default_pins()[1]
    whole = HeatLook(whole_part=True).heatmap(person.heatmaps, info, vertex)
    part = info.part_of_vertex[info.vertex_of_coarse] == info.part_of_vertex[vertex]
    assert whole.sum() == pytest.approx(1.0, abs=1e-3)
    assert np.allclose(whole * part.sum(), person.heatmaps[part].sum(axis=0), atol=1e-5)
    other = np.flatnonzero(info.part_of_vertex == info.part_of_vertex[vertex])[0]
    assert np.array_equal(whole, HeatLook(whole_part=True).heatmap(person.heatmaps, info, int(other)))


@pytest.mark.parametrize("name", ["Pin colours", "Magma"])
def test_what_is_too_faint_for_the_one_scale_leaves_no_layer(name):
    person = gui_fakes.person(heatmaps=flat(1e-5))
    pins = (Pin(4, 0),)
    assert heat_layers(person, INFO(), pins, name, HeatLook(absolute=True)) == []
    assert len(heat_layers(person, INFO(), pins, name, HeatLook())) == 1


@pytest.mark.parametrize(("name", "key"), [("absolute", Qt.Key.Key_N), ("whole_part", Qt.Key.Key_W)])
def test_switches_change_strip_and_picture_and_back(shown, qtbot, name, key):
    window = shown()
    window.parts.image.mesh.setChecked(False)
    picture, strip = window.parts.image.view, window.parts.strip
    button = getattr(strip, name)
    before = picture.grab().toImage(), strip.cards[1].thumbnail.grab().toImage()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert button.isChecked()
    assert picture.grab().toImage() != before[0] and strip.cards[1].thumbnail.grab().toImage() != before[1]
    qtbot.keyClick(window, key)
    assert not button.isChecked()
    assert (picture.grab().toImage(), strip.cards[1].thumbnail.grab().toImage()) == before
