"""The export dialog alone, clicked like a person would: names, endings, and what is there already."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app.gui.export_dialog import ExportDialog
from app.gui.export_words import Subject
from app.gui.settings import Settings
from tests.app.question import answer
from tests.app.take_fakes import take


@pytest.fixture
def dialog(qtbot) -> ExportDialog:
    """Open on a take of two people; `wishes` holds what it wanted to be written."""
    result = ExportDialog(Settings())
    qtbot.addWidget(result)
    result.open_for(Subject("walk", 6890, take(4, ids=(1, 3)), 0, 3))
    qtbot.waitExposed(result)
    result.wishes = []
    result.wanted.connect(lambda path, options, of_take: result.wishes.append((path, options.kind, of_take)))
    return result


def fill_in(dialog: ExportDialog, path: Path | str, kind: str, *, of_take: bool) -> None:
    form = dialog.form
    form.what.setCurrentIndex(form.what.findData(of_take))
    form.format.setCurrentIndex(form.format.findData(kind))
    form.place.setText(str(path))


def press(qtbot, dialog: ExportDialog) -> None:
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize("typed", ["me", "me.obj", "me.GLB ", "  me.glb"])
def test_a_typed_name_gets_the_ending_of_the_format(typed, dialog, qtbot, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill_in(dialog, typed, "glb", of_take=False)
    press(qtbot, dialog)
    assert dialog.form.place.text() == "me.glb"
    assert dialog.wishes == [(Path("me.glb"), "glb", False)]


def test_the_ending_is_seen_before_anything_is_written(dialog, qtbot, tmp_path):
    fill_in(dialog, tmp_path / "v1.2", "fbx", of_take=True)
    dialog.form.place.setFocus()
    qtbot.keyClick(dialog.form.place, Qt.Key.Key_Tab)
    assert dialog.form.place.text() == str(tmp_path / "v1.2.fbx") and not dialog.wishes
    fill_in(dialog, tmp_path / "walk.obj", "obj", of_take=True)
    press(qtbot, dialog)
    assert dialog.wishes == [(tmp_path / "walk", "obj", True)]


def test_bvh_is_y_up_and_its_frame_rate_is_to_be_ticked(dialog):
    form = dialog.form
    fill_in(dialog, "walk", "bvh", of_take=True)
    for program, unit in (("blender", "metres"), ("unreal", "centimetres")):
        form.preset.setCurrentIndex(form.preset.findData(program))
        assert form.axes.text() == f"x right, y up, front +z, in {unit}"
    assert not form.pace.isHidden() and "Scale FPS" in form.pace.text()


@pytest.mark.parametrize(
    ("kind", "of_take", "there"),
    [
        ("fbx", True, "walk.fbx"),
        ("glb", False, "walk.glb"),
        ("obj", False, "walk.mtl"),
        ("ply", True, "walk"),
        ("bvh", True, "walk_about.json"),
        ("bvh", True, "walk_person_3.bvh"),
    ],
)
def test_nothing_is_replaced_without_a_question(kind, of_take, there, dialog, qtbot, tmp_path):
    file = tmp_path / there
    file.write_text("old") if file.suffix else file.mkdir()
    for button in ("Cancel", "Replace"):
        fill_in(dialog, tmp_path / "walk", kind, of_take=of_take)
        press(qtbot, dialog)
        assert not dialog.busy and not dialog.wishes
        question = answer(qtbot, dialog, button)
        assert question.startswith(f"{file}\n") and "It is there already. Replace?" in question
    assert [(path.stem, kind, of_take) for path, kind, of_take in dialog.wishes] == [("walk", kind, of_take)]
    assert dialog.busy
