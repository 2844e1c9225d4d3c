"""What a picture shows of a body: edges and landmarks decide; and the switch that draws the rest faded."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import torch
from PySide6.QtCore import Qt

from app.benchmark.visible import Looked, rates
from app.gui.studio import Studio
from app.pipeline.visibility import LANDMARKS, PARTS, inside, seen
from tests.app import gui_fakes

LEFT_LEG = (1, 4, 7, 10)


def with_landmarks(visibility: np.ndarray):
    """A person whose backbone sees its 33 landmarks so well."""
    tokens = np.zeros((1, 33, 8), np.float32)
    tokens[0, :, 3] = visibility
    return replace(gui_fakes.person(), features=SimpleNamespace(landmarks=torch.from_numpy(tokens)))


def test_what_lies_outside_of_the_picture_is_not_seen() -> None:
    person, part = gui_fakes.person(), gui_fakes.model_info().part_of_vertex
    assert seen(person, (640, 480), part).min() == 1
    waist = person.camera[2]
    share = seen(person, (640, round(waist)), part)
    assert np.array_equal(share == 1, person.project(person.vertices)[:, 1] <= round(waist))
    assert np.array_equal(share == 1, inside(person, (640, round(waist))))


def test_hidden_limbs_are_not_seen_and_doubtful_ones_half() -> None:
    part = gui_fakes.model_info().part_of_vertex
    visibility = np.ones(33)
    visibility[[25, 27, 29, 31]] = 0.0
    share = seen(with_landmarks(visibility), (640, 480), part)
    by_part = np.array([share[part == k].mean() for k in range(PARTS)])
    assert (by_part[[4, 7, 10]] == 0).all()
    assert by_part[1] == 1, "the hip's landmark still sees the thigh"
    assert (np.delete(by_part, [4, 7, 10]) == 1).all()
    visibility[[25, 27, 29, 31]] = 0.11
    half = seen(with_landmarks(visibility), (640, 480), part)[part == 7]
    assert np.allclose(half, 0.5, atol=0.05)


def test_every_part_has_landmarks_on_its_own_side() -> None:
    assert len(LANDMARKS) == PARTS
    left, right = (1, 4, 7, 10, 16, 18, 20, 22), (2, 5, 8, 11, 17, 19, 21, 23)
    for a, b in zip(left, right, strict=True):
        assert all(mark % 2 == 1 for mark in LANDMARKS[a])
        assert tuple(mark + 1 for mark in LANDMARKS[a]) == LANDMARKS[b]


def test_rates_by_hand() -> None:
    truth = np.array([0.0, 0.05, 0.3, 0.8, 1.0, 1.0])
    told = np.array([0.1, 0.9, 0.0, 0.2, 1.0, 0.6])
    looked = [Looked("full", truth, told), Looked("cut", truth, np.ones(6))]
    assert rates(looked, "full") == (0.5, 1 / 3, 1)
    assert rates(looked) == (0.25, 1 / 6, 2)


def test_what_is_seen_of_a_person_is_worked_out_once_for_both_views(monkeypatch) -> None:
    looked = []
    monkeypatch.setattr("app.gui.studio.seen", lambda *about: looked.append(about) or seen(*about))
    studio, people = Studio(), (gui_fakes.person(camera=(400.0, 420.0, 400.0)),)
    studio.set_model_info(gui_fakes.model_info())
    first, again = (studio.opacity(people, (640, 480)) for _ in range(2))
    assert np.array_equal(first, again) and 0 < first.min() < first.max() <= 1 and len(looked) == 1
    assert studio.opacity(people, (6400, 4800)) is None, "a larger picture shows all of the same person"
    assert len(looked) == 2


def test_the_switch_draws_both_views_again_without_fading(shown, qtbot) -> None:
    """A person who reaches below the picture, in a window that is too narrow for every control."""
    person = gui_fakes.person(camera=(400.0, 320.0, 250.0))
    window = shown(person)
    image, mesh = window.parts.image.view, window.parts.mesh.view
    assert window.fading.switch.isChecked()
    faded = mesh._layer.image.copy()
    qtbot.mouseClick(window.fading.switch, Qt.MouseButton.LeftButton)
    assert not window.parts.studio.fade
    assert mesh._layer.image != faded and image._mesh is not None
    qtbot.keyClick(window, Qt.Key.Key_U)
    assert window.parts.studio.fade
    window.resize(1080, 680)
    qtbot.waitUntil(lambda: not window.steadying.strength.isVisible())
    assert window.steadying.switch.isVisible() and window.fading.switch.isVisible()
