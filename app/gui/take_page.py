"""The page of a take: the people in 3D, the time line below, what is done to it beside; only widgets."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.gui.layout import side_column, splitter
from app.gui.settings import Settings
from app.gui.studio import Studio
from app.gui.take_cards import EditCard, FitCard, TakeFacts
from app.gui.take_track import TakeTrack
from app.gui.theme import Theme
from app.gui.view_cards import Choice, MeshCard
from app.gui.widgets import Card, IconButton, label

COLOURS = ("Plain", "Part", "Depth")
"""A take keeps no heatmaps, so the mesh cannot be coloured by them."""
TRIM_TIP = "Begin here (Shift+I): what is before is left out\nHandles of the time line can be dragged, too"


class TakeBar(Card):
    """Playing, trimming, and the time line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Take", parent)
        self.name = label("", "value", "Name of the take's file")
        self.to_first = IconButton("first", "To the first frame that is kept (Home)")
        self.back = IconButton("back", "One frame back (,)")
        self.play = IconButton("play", "Play or pause (Space)")
        self.forward = IconButton("forward", "One frame forward (.)")
        self.to_last = IconButton("last", "To the last frame that is kept (End)")
        self.repeat = IconButton("repeat", "Start again at the end", checkable=True)
        self.clock = label("–", "value", "Time and frame shown, of the whole take")
        self.mark_in = IconButton("mark_in", TRIM_TIP)
        self.mark_out = IconButton("mark_out", "End here (Shift+O): what is after is left out")
        self.untrim = IconButton("reset", "Keep all frames again (Shift+U)")
        self.kept = label("", "small", "What will be exported")
        self.people = Choice(("Person 1",), "Person 1", "Whose curves and frames the time line shows (P)")
        self.track = TakeTrack()
        self._playing = False
        self._theme: Theme | None = None
        self._lay_out()

    def _lay_out(self) -> None:
        self.repeat.setChecked(True)
        self.clock.setMinimumWidth(168)
        rows: tuple[tuple[QWidget, ...], ...] = (
            (self.name,),
            (self.to_first, self.back, self.play, self.forward, self.to_last, self.repeat, self.clock),
            (self.mark_in, self.mark_out, self.untrim, self.kept),
            (self.people,),
        )
        while self.header.count() > 1:
            self.header.takeAt(1)
        for place, row in enumerate(rows):
            if place:
                self.header.addSpacing(10)
            for widget in row:
                self.header.addWidget(widget)
            if place != 1:
                self.header.addStretch(1 if place != 3 else 0)
        inside = QHBoxLayout()
        inside.setContentsMargins(4, 0, 4, 6)
        inside.addWidget(self.track)
        self.body.addLayout(inside, 1)
        self.setMinimumHeight(178)

    @property
    def buttons(self) -> tuple[IconButton, ...]:
        """All that have an icon."""
        playing = (self.to_first, self.back, self.play, self.forward, self.to_last, self.repeat)
        return (*playing, self.mark_in, self.mark_out, self.untrim)

    def set_playing(self, on: bool) -> None:
        """The sign on the button is what it does."""
        self._playing = on
        self.play.set_icon("pause" if on else "play")

    def set_theme(self, theme: Theme) -> None:
        """Colours of icons and time line."""
        for button in self.buttons:
            button.set_theme(theme)
        self.people.set_theme(theme)
        self.track.set_theme(theme)


class TakePage(QWidget):
    """In the place of the live views while a take is looked at."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.studio = Studio()
        self._enabled = False
        self.mesh = MeshCard(settings, self.studio, "Mesh of the take", COLOURS)
        self.mesh.view.setAccessibleName("Mesh of the take")
        self.bar = TakeBar()
        self.facts, self.edits, self.fit = TakeFacts(), EditCard(settings), FitCard()
        self.side = side_column(self.facts, self.edits, self.fit)
        self.rows = splitter(Qt.Orientation.Vertical, self.mesh, self.bar)
        self.rows.setSizes([520, 210])
        self.rows.setStretchFactor(0, 4)
        self.columns = splitter(Qt.Orientation.Horizontal, self.rows, self.side)
        self.columns.setSizes([2000, 268])
        self.columns.setStretchFactor(1, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.columns)

    def set_theme(self, theme: Theme) -> None:
        """Everything that is painted and not styled."""
        for part in (self.mesh, self.bar):
            part.set_theme(theme)

    def enable(self) -> None:
        """Open3D is imported; what draws meshes here is made when the page is first seen."""
        self._enabled = True
        if self.isVisible():
            self._open()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what has come meanwhile."""
        super().showEvent(event)
        if self._enabled:
            self._open()

    def _open(self) -> None:
        self.studio.open()
        self.mesh.view.draw()

    def shutdown(self) -> None:
        """Free what draws meshes."""
        self.mesh.view.shutdown()
        self.studio.close()
