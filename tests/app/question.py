"""Answers the question that a dialog asks."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QMessageBox


def answer(qtbot, dialog: QDialog, text: str) -> str:
    """Press a button of the question; returns the question."""
    box = dialog.findChild(QMessageBox)
    qtbot.waitExposed(box)
    question = box.text()
    button = next(one for one in box.buttons() if one.text().replace("&", "") == text)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog.findChild(QMessageBox) is None)
    return str(question)
