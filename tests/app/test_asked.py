"""A dialog's answer becomes a file with the right ending, and never one that nobody asked about."""

from __future__ import annotations

from pathlib import Path

from app.gui.asked import asked_file


def test_an_ending_is_added_and_none_is_taken_away(tmp_path: Path) -> None:
    told: list[str] = []
    assert asked_file(str(tmp_path / "report-v1.2"), ".zip", told.append) == tmp_path / "report-v1.2.zip"
    assert asked_file(str(tmp_path / "Cases.PNG"), ".png", told.append) == tmp_path / "Cases.PNG"
    assert not told


def test_a_file_that_the_dialog_did_not_ask_about_stays(tmp_path: Path) -> None:
    told: list[str] = []
    (tmp_path / "cases.png").touch()
    assert asked_file(str(tmp_path / "cases"), ".png", told.append) is None
    assert "cases.png is there already" in told[0]
    assert asked_file(str(tmp_path / "cases.png"), ".png", told.append) == tmp_path / "cases.png"
