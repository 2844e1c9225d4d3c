"""The pinned vertices: one list that the strip, the picture and the mesh all show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.gui.colours import PIN_COLOURS, pin_colour

LIMIT = len(PIN_COLOURS)
"""As many as can be told apart."""


@dataclass(frozen=True)
class Pin:
    """One pinned vertex of the full mesh."""

    vertex: int
    slot: int
    """Which colour; kept while others come and go."""

    @property
    def colour(self) -> np.ndarray:
        """(3,) sRGB in [0, 1]."""
        return pin_colour(self.slot)


class Pins(QObject):
    """Pinned vertices in order, and which one is chosen, if any."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.items: tuple[Pin, ...] = ()
        self.chosen: int | None = None
        """Vertex of the chosen pin; None shows all."""
        self.touched = False
        """Whether the person changed the defaults."""
        self._before: tuple[tuple[Pin, ...], int | None, bool] = ((), None, False)

    @property
    def vertices(self) -> tuple[int, ...]:
        """The pinned vertices in order."""
        return tuple(pin.vertex for pin in self.items)

    @property
    def shown(self) -> tuple[Pin, ...]:
        """Pins whose heatmaps are drawn on the picture: the chosen one, else all."""
        return tuple(p for p in self.items if self.chosen is None or p.vertex == self.chosen)

    def reset(self, vertices: Iterable[int]) -> None:
        """Replace all pins, without counting it as a change by the person."""
        unique = list(dict.fromkeys(vertices))[:LIMIT]
        self.items = tuple(Pin(vertex, slot) for slot, vertex in enumerate(unique))
        self.chosen = None
        self.changed.emit()

    @property
    def own(self) -> tuple[int, ...] | None:
        """What the person chose; None while these are the model's."""
        return self.vertices if self.touched else None

    def recall(self, own: tuple[int, ...] | None, default: tuple[int, ...], count: int) -> None:
        """The person's pins where a mesh of `count` vertices has them all, else the model's."""
        known = own is not None and all(0 <= vertex < count for vertex in own)
        self.touched = known
        self.reset(own if known and own is not None else default)

    def add(self, vertex: int) -> None:
        """Pin a vertex and choose it; the oldest goes when there are too many."""
        self._before = (self.items, self.chosen, self.touched)
        if vertex not in self.vertices:
            kept = self.items[-(LIMIT - 1) :]
            used = {pin.slot for pin in kept}
            free = [slot for slot in range(LIMIT) if slot not in used]
            self.items = (*kept, Pin(vertex, free[0]))
            self.touched = True
        self.chosen = vertex
        self.changed.emit()

    def take_back(self) -> None:
        """Undo the last `add`."""
        self.items, self.chosen, self.touched = self._before
        self.changed.emit()

    def remove(self, vertex: int) -> None:
        """Take a pin away."""
        self.items = tuple(pin for pin in self.items if pin.vertex != vertex)
        self.chosen = None if self.chosen == vertex else self.chosen
        self.touched = True
        self.changed.emit()

    def toggle(self, vertex: int) -> None:
        """Choose a pin, or show all again when it was chosen."""
        self.chosen = None if self.chosen == vertex else vertex
        self.changed.emit()
