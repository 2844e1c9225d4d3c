"""Cards of the pinned vertices: crop, heatmap, name, peak, spread and modes."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QToolButton, QVBoxLayout, QWidget

from app.gui.colours import to_hex
from app.gui.heat_look import ABSOLUTE_TOP, HeatLook
from app.gui.heatmaps import HeatmapStats, heatmap_stats, tint
from app.gui.model_info import ModelInfo
from app.gui.overlay import picture_of
from app.gui.pins import Pin, Pins
from app.gui.theme import Theme
from app.gui.thumbnail import SIDE, Dot, Thumbnail
from app.gui.widgets import Card, IconButton, clear, label
from app.pipeline.frames import Frame, Person, Record
from model.cv import cv2

CARD_WIDTH = 172


def crop_picture(frame: Frame, person: Person) -> np.ndarray:
    """(SIDE, SIDE, 3) uint8: what the network saw, small."""
    shrink = SIDE / person.crop.size
    matrix = np.asarray(person.crop.matrix, float) * shrink
    picture: np.ndarray = cv2.warpAffine(frame.image, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA)
    return picture


DIM = 0.53
"""Brightness of the crop under its heatmap."""


def heat_on_crop(dimmed: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 picture under (h, w, 4) uint8 premultiplied RGBA -> (h, w, 3) uint8."""
    clear = cv2.merge([255 - heat[..., 3]] * 3)
    return np.asarray(
        cv2.add(cv2.multiply(dimmed, clear, scale=1 / 255), cv2.cvtColor(heat, cv2.COLOR_RGBA2RGB))
    )


class PinCard(QFrame):
    """One pinned vertex."""

    clicked = Signal(int)
    removed = Signal(int)

    def __init__(self, pin: Pin, name: str, theme: Theme) -> None:
        super().__init__()
        self.pin = pin
        self.setObjectName("pin")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumWidth(CARD_WIDTH)
        self.setMaximumWidth(380)
        self.setToolTip(f"{name}, vertex {pin.vertex:,}. Click to show only this heatmap; Delete removes it.")
        self.setAccessibleName(f"{name}, vertex {pin.vertex}")
        self.thumbnail = Thumbnail()
        self.peak = label("–", "value", "Peak: largest probability of a cell")
        self.spread = label("–", "value", "Spread: root mean square distance in pixels of the crop")
        self.modes = label("–", "value", "Modes: separate hills; two mean two places for this vertex")
        self.close_button = IconButton("close", "Remove this pin (Delete)")
        self.close_button.setIconSize(QSize(12, 12))
        self.close_button.set_theme(theme)
        self.close_button.clicked.connect(lambda: self.removed.emit(pin.vertex))
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(Dot(QColor(to_hex(pin.colour))))
        top.addWidget(label(name, "value"))
        top.addWidget(label(f"{pin.vertex:,}", "small"))
        top.addStretch(1)
        top.addWidget(self.close_button)
        # As wide as it ever gets: the picture beside it would change its size with the numbers.
        self.peak.ensurePolished()
        self.peak.setMinimumWidth(self.peak.fontMetrics().horizontalAdvance("100.0 %"))
        facts = QVBoxLayout()
        facts.setSpacing(0)
        facts.addStretch(1)
        for value, name_of in ((self.peak, "peak"), (self.spread, "spread"), (self.modes, "modes")):
            facts.addWidget(value)
            facts.addWidget(label(name_of, "small", value.toolTip()))
            facts.addStretch(1)
        middle = QHBoxLayout()
        middle.setSpacing(10)
        middle.addWidget(self.thumbnail, 1)
        middle.addLayout(facts)
        column = QVBoxLayout(self)
        column.setContentsMargins(9, 4, 8, 8)
        column.setSpacing(3)
        column.addLayout(top)
        column.addLayout(middle, 1)

    def set_chosen(self, chosen: bool) -> None:
        """Mark or unmark the card."""
        self.setProperty("chosen", chosen)
        self.style().unpolish(self)
        self.style().polish(self)

    def show_stats(self, stats: HeatmapStats | None) -> None:
        """The three numbers, or dashes."""
        self.peak.setText("–" if stats is None else f"{stats.peak * 100:.1f} %")
        self.spread.setText("–" if stats is None else f"{stats.spread:.0f} px")
        self.modes.setText("–" if stats is None else str(stats.modes))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Choose."""
        if self.rect().contains(event.position().toPoint()):
            self.clicked.emit(self.pin.vertex)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter chooses, Delete removes."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.clicked.emit(self.pin.vertex)
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit(self.pin.vertex)
        else:
            super().keyPressEvent(event)


SCALE_TIP = f"One scale for all, 0 to {ABSOLUTE_TOP * 100:.0f} % a cell, instead of each to its peak (N)"
PART_TIP = "Sum of the heatmaps of the whole body part, as a probability, instead of the vertex's own (W)"


class HeatmapStrip(Card):
    """The row of cards under the views; `look_changed` carries how heatmaps are to be shown."""

    look_changed = Signal(object)

    def __init__(self, pins: Pins, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Heatmaps", parent)
        self.pins = pins
        self._theme = theme
        self._info: ModelInfo | None = None
        self._shown: tuple[Record | None, int | None] = (None, None)
        self.cards: list[PinCard] = []
        self.hint = label("where the network looks for each pinned vertex", "small")
        self.header.insertWidget(1, self.hint)
        self.absolute = self._switch("Absolute", SCALE_TIP)
        self.whole_part = self._switch("Whole part", PART_TIP)
        self.reset_button = IconButton("reset", "Pin head, hands and feet again")
        self.reset_button.clicked.connect(self._defaults)
        self.header.addWidget(self.reset_button)
        self._row = QHBoxLayout()
        self._row.setContentsMargins(10, 0, 10, 8)
        self._row.setSpacing(8)
        inside = QWidget()
        inside.setObjectName("bare")
        inside.setLayout(self._row)
        self._scroll = scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.viewport().setAutoFillBackground(False)
        scroll.setWidget(inside)
        self.body.addWidget(scroll)
        self.setMinimumHeight(198)
        pins.changed.connect(self._rebuild)

    def set_model_info(self, info: ModelInfo) -> None:
        """Names and coarse vertices of the pins."""
        self._info = info
        self._rebuild()

    @property
    def look(self) -> HeatLook:
        """How heatmaps are shown."""
        return HeatLook(self.absolute.isChecked(), self.whole_part.isChecked())

    def _switch(self, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName("view")
        button.setCheckable(True)
        button.setText(text)
        button.setToolTip(tip)
        button.toggled.connect(self._look)
        self.header.addWidget(button)
        return button

    def _look(self) -> None:
        self.look_changed.emit(self.look)
        self.set_record(*self._shown)

    def set_theme(self, theme: Theme) -> None:
        """Icons in the theme's colours."""
        self._theme = theme
        self.reset_button.set_theme(theme)
        for card in self.cards:
            card.close_button.set_theme(theme)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what came while hidden."""
        super().showEvent(event)
        self.set_record(*self._shown)

    def set_record(self, record: Record | None, chosen: int | None) -> None:
        """Show the heatmaps of one person of a record."""
        self._shown = (record, chosen)
        person = record.person(chosen) if record else None
        if not self.isVisible() and person is not None:
            return
        if record is None or person is None or self._info is None:
            for card in self.cards:
                card.thumbnail.show_picture(None)
                card.show_stats(None)
            return
        dimmed = cv2.convertScaleAbs(crop_picture(record.frame, person), alpha=DIM)
        heatmaps, look = person.heatmaps, self.look
        for card in self.cards:
            heatmap = look.heatmap(heatmaps, self._info, card.pin.vertex)
            heat = tint(look.hill(heatmaps, self._info, card.pin.vertex, SIDE), card.pin.colour)
            card.thumbnail.show_picture(picture_of(heat_on_crop(dimmed, heat)))
            card.show_stats(heatmap_stats(heatmap, person.crop.size))

    def _defaults(self) -> None:
        if self._info is not None:
            self.pins.touched = False
            self.pins.reset(self._info.default_pins())

    def _rebuild(self) -> None:
        if self._info is None:
            return
        if [card.pin for card in self.cards] != list(self.pins.items):
            clear(self._row)
            self.cards = [self._card(pin) for pin in self.pins.items]
            for card in self.cards:
                self._row.addWidget(card, 1)
            if not self.cards:
                self._row.addWidget(label("Click the mesh to pin a vertex.", "muted"))
            self._row.addStretch(0)
            self.set_record(*self._shown)
            QTimer.singleShot(0, self, self._reveal)
        for card in self.cards:
            card.set_chosen(card.pin.vertex == self.pins.chosen)

    def _reveal(self) -> None:
        """Bring the chosen card into sight once it has its place."""
        for card in self.cards:
            if card.pin.vertex == self.pins.chosen:
                self._scroll.ensureWidgetVisible(card)

    def _card(self, pin: Pin) -> PinCard:
        assert self._info is not None
        card = PinCard(pin, self._info.vertex_name(pin.vertex), self._theme)
        card.clicked.connect(self.pins.toggle)
        card.removed.connect(self.pins.remove)
        return card
