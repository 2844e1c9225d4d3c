"""Between the attention card, the pins and the mesh view of one window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject

from app.gui.attention import Look, grid_weights, paint_attention, weights_of
from app.gui.attention_card import JOINTS
from app.gui.colourings import ATTENTION, Painted
from app.gui.model_info import ModelInfo
from app.gui.overlay import grid_layer
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
        image = self._window.parts.image.view
        if not self.on or info is None or (look.vertex is None and look.joint is None):
            image.set_cells(None)
            self._card.show_share("–", None)
            return
        attention = record.attention if record is not None else None
        weights = weights_of(attention, info, look) if attention is not None else None
        grid = self._grid(record, info, look) if record is not None else None
        name = JOINTS[look.joint] if look.joint is not None else ""
        if look.joint is None and look.vertex is not None:
            name = f"{info.vertex_name(look.vertex)}  {look.vertex:,}"
        shares = (None if part is None else float(part.sum()) for part in (weights, grid))
        self._card.show_share(name, *shares)

    def _grid(self, record: Record, info: ModelInfo, look: Look) -> np.ndarray | None:
        """Draw the weights of the picture's cells over the image; returns them."""
        attention, image = record.attention, self._window.parts.image.view
        person = record.person(attention.person_id) if attention is not None else None
        tokens = getattr(person.features, "grid_tokens", None) if person is not None else None
        grid = None
        if attention is not None and tokens is not None:
            grid = grid_weights(attention, info, look, tokens.shape[1])
        image.set_cells(None if grid is None or person is None else grid_layer(person, grid))
        return grid
