"""Between the attention card, the pins and the mesh view of one window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.gui.attention import Look, paint_attention, weights_of
from app.gui.colourings import ATTENTION, Painted
from app.gui.model_info import ModelInfo
from app.pipeline.frames import Record

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow


class AttentionView(QObject):
    """Paints the attention of the chosen pin; shows its card only while these colours are chosen."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._card = window.parts.attention
        self._choice = window.parts.mesh.colour_by
        window.parts.mesh.view.colourings[ATTENTION] = self._paint
        self._card.changed.connect(self._again)
        window.pins.changed.connect(self._again)
        window.record_shown.connect(self._tell)
        self._choice.currentTextChanged.connect(self._tell)
        self._tell()

    @property
    def on(self) -> bool:
        """Whether the mesh is coloured by attention."""
        return self._choice.currentText() == ATTENTION

    @property
    def look(self) -> Look:
        """Weights of the chosen pin, or of the first one."""
        pins = self._window.pins
        vertex = pins.chosen if pins.chosen is not None else next(iter(pins.vertices), None)
        return self._card.look(vertex)

    def _paint(self, record: Record, info: ModelInfo) -> Painted:
        self._offer(record)
        return paint_attention(record, info, self.look)

    def _offer(self, record: Record) -> None:
        """The layers and heads that the chosen encoder has."""
        if record.attention is not None:
            layers = record.attention.weights[min(self.look.encoder, len(record.attention.weights) - 1)]
            self._card.set_counts(len(layers), layers[0].shape[0])

    def _again(self) -> None:
        """Other weights of the same record."""
        if self.on:
            self._window.parts.mesh.view.set_colour_by(ATTENTION)
            self._tell()

    def _tell(self) -> None:
        self._card.setVisible(self.on)
        record, info, look = self._window.record, self._window.info, self.look
        if not self.on or info is None or look.vertex is None:
            self._card.show_share("–", None)
            return
        attention = record.attention if record is not None else None
        weights = weights_of(attention, info, look) if attention is not None else None
        name = f"{info.vertex_name(look.vertex)}  {look.vertex:,}"
        self._card.show_share(name, None if weights is None else float(weights.sum()))
