"""Attention as colours: which row is read, what the mask hides, and when it is computed at all."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.gui.attention import MASKED, Look, grid_weights, paint_attention, weights_of, within_mask
from app.gui.colourings import ATTENTION
from app.pipeline.frames import Attention, Record, Study
from tests.app import gui_fakes
from tests.app.case_fakes import examined

OTHERS = 5
"""Tokens before the vertices."""
INFO = gui_fakes.model_info


def attention(seed: int = 0) -> Attention:
    """Random rows that sum to one: encoders with 1 or 2 layers of 2 or 3 heads."""
    generator = np.random.default_rng(seed)
    count = OTHERS + INFO().coarse_count

    def layer(heads: int) -> np.ndarray:
        weights = generator.random((heads, count, count), dtype=np.float32)
        return weights / weights.sum(axis=2, keepdims=True)

    return Attention(1, ((layer(2), layer(2)), (layer(3),), (layer(2),), (layer(2),)))


@pytest.fixture(scope="module")
def known() -> Attention:
    return attention()


def attended(known: Attention, index: int = 1) -> Record:
    return replace(gui_fakes.record(index=index), study=Study(attention=True), attention=known)


def joint_attention() -> Attention:
    """One layer and head, in which the token of joint 3 looks at cell 2 of 2 x 2 and at coarse vertex 7."""
    count = 1 + 4 + 14 + INFO().coarse_count
    weights = np.zeros((1, count, count), np.float32)
    weights[0, 5 + 3, [1 + 2, count - INFO().coarse_count + 7]] = 0.75, 0.25
    return Attention(1, ((weights,),))


def test_a_joint_attends_to_cells_of_the_picture_and_no_mask_hides_anything_from_it():
    look = Look(None, joint=3)
    grid = grid_weights(joint_attention(), INFO(), look, 4)
    assert grid.tolist() == [[0.0, 0.0], [0.75, 0.0]]
    on_mesh = weights_of(joint_attention(), INFO(), look)
    assert on_mesh[7] == 0.25 and on_mesh.sum() == 0.25
    assert within_mask(INFO(), look, (1, 1, 1, 1)).all()
    assert grid_weights(joint_attention(), INFO(), look, 10_000) is None


def test_cells_are_drawn_over_the_image_while_attention_is_chosen(shown, qtbot):
    person = examined()
    features = replace(person.features, grid_tokens=person.features.grid_tokens[:, :4])
    window = shown(person)
    window.parts.mesh.colour_by.setCurrentText(ATTENTION)
    window.parts.attention.source.setCurrentText("Left hip")
    told = replace(attended(joint_attention()), people=(replace(person, features=features),))
    before = window.shown
    window.bridge.on_record(told)
    qtbot.waitUntil(lambda: window.shown > before)
    card, view = window.parts.attention, window.parts.image.view
    assert (card.vertex.text(), card.share.text(), card.on_grid.text()) == ("Left hip", "25 %", "75 %")
    assert view._cells is not None
    window.parts.mesh.colour_by.setCurrentText("Plain")
    assert view._cells is None


def test_the_row_of_the_vertex_is_read_for_one_head_and_for_the_mean(known):
    info = INFO()
    vertex = int(info.vertex_of_coarse[17])
    row = OTHERS + int(info.coarse_of_vertex[vertex])
    one = weights_of(known, info, Look(vertex, 1, 0, 2))
    assert np.array_equal(one, known.weights[1][0][2, row, OTHERS:])
    mean = weights_of(known, info, Look(vertex, 0))
    assert np.allclose(mean, np.mean([layer[:, row, OTHERS:] for layer in known.weights[0]], axis=(0, 1)))
    assert 0 < mean.sum() < 1


@pytest.mark.parametrize("look", [Look(None), Look(3, 4), Look(3, 1, 1), Look(3, 0, 0, 2)])
def test_what_does_not_exist_has_no_weights(known, look):
    assert weights_of(known, INFO(), look) is None


def test_beyond_the_threshold_the_mesh_is_grey_and_nowhere_else(known):
    info, record = INFO(), attended(known)
    vertex = info.default_pins()[1]
    painted = paint_attention(record, info, Look(vertex, 2))
    far = info.hops[info.coarse_of_vertex[vertex]][info.coarse_of_vertex] > record.hops[2]
    grey = (painted.colours[0] == MASKED).all(axis=1)
    assert np.array_equal(grey, far) and far.any() and not far.all()
    assert "3 hops" in painted.note and "%" in painted.legend[1][1]
    unmasked = replace(record, hops=(None,) * 4)
    assert within_mask(info, Look(vertex, 2), unmasked.hops).all()
    assert paint_attention(unmasked, info, Look(vertex, 2)).note == ""


def test_only_the_person_whose_attention_is_known_is_coloured(known):
    people = (gui_fakes.person(1, (90, 160, 250)), gui_fakes.person(2, (90, 470, 250)))
    record = replace(gui_fakes.record(people), attention=known)
    colours = paint_attention(record, INFO(), Look(4)).colours
    assert colours[0] is not None and colours[1] is None


def send(window, qtbot, record: Record) -> None:
    before = window.shown
    window.bridge.on_record(record)
    qtbot.waitUntil(lambda: window.shown > before)


def test_attention_is_asked_for_only_while_its_colours_are_chosen(shown, qtbot):
    window = shown()
    card, choice = window.parts.attention, window.parts.mesh.colour_by
    assert window.worker.studies == [] and not card.isVisible()
    choice.setFocus()
    qtbot.keyClick(choice, Qt.Key.Key_End)
    assert choice.currentText() == ATTENTION
    assert window.worker.studies == [Study(attention=True)] and card.isVisible()
    qtbot.keyClick(choice, Qt.Key.Key_Home)
    assert window.worker.studies[-1] == Study() and not card.isVisible()


def test_encoder_head_and_pin_change_the_colours_without_the_worker(shown, qtbot, known):
    window = shown()
    window.parts.mesh.colour_by.setCurrentText(ATTENTION)
    send(window, qtbot, attended(known))
    card, view = window.parts.attention, window.parts.mesh.view
    asked = list(window.worker.studies)
    seen = [view.scene.albedo.copy()]
    assert card.head.count() == 3, "the mean and two heads"
    card.encoder.setFocus()
    qtbot.keyClick(card.encoder, Qt.Key.Key_Down)
    assert card.head.count() == 4 and card.layer.count() == 2
    seen.append(view.scene.albedo.copy())
    qtbot.keyClick(card.head, Qt.Key.Key_End)
    assert card.look(0).head == 2
    seen.append(view.scene.albedo.copy())
    window.pins.toggle(window.pins.vertices[2])
    seen.append(view.scene.albedo.copy())
    assert all(not np.array_equal(a, b) for a, b in pairwise(seen))
    assert window.worker.studies == asked
    assert card.vertex.text().startswith("Right hand")
    weights = weights_of(known, window.info, card.look(window.pins.chosen))
    assert card.share.text() == f"{weights.sum() * 100:.0f} %"
    qtbot.keyClick(card.encoder, Qt.Key.Key_Up)
    assert card.look(0).head is None, "the first encoder has no third head"


def test_without_pins_the_view_says_what_to_do(shown, qtbot, known):
    window = shown()
    window.parts.mesh.colour_by.setCurrentText(ATTENTION)
    for vertex in window.pins.vertices:
        window.pins.remove(vertex)
    send(window, qtbot, attended(known))
    assert "Pin a vertex" in window.parts.mesh.view._painted.note
    assert window.parts.attention.share.text() == "–"


def test_remembered_attention_is_asked_for_at_the_next_start(make_window):
    first = make_window()
    first.parts.mesh.colour_by.setCurrentText(ATTENTION)
    first.close()
    second = make_window()
    assert second.worker.studies == [Study(attention=True)]
    assert second.parts.attention.isVisible()
