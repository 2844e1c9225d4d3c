"""The card beside a take: what was recorded, and how much of it the shown person was seen."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.gui.selection_panel import FactsCard


class TakeFacts(FactsCard):
    """What was recorded."""

    def __init__(self, parent: QWidget | None = None) -> None:
        rows = {
            "Length": "Time from the first to the last frame, and how many there are a second",
            "Frames": "Frames of the take",
            "People": "Different people in the take",
            "Seen": "Frames in which the shown person was found",
            "Size": "Of the file on the disk",
            "Model": "The network that made it, and the first digits of its SHA-256",
            "Body": "The mesh that it makes",
        }
        super().__init__("Recorded", rows, parent)
