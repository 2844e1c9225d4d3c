"""Colours of the mesh that are made from a whole record, such as the change against A."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.gui.colours import colour_map, to_hex
from app.gui.model_info import ModelInfo
from app.pipeline.frames import Person, Record

CHANGE, ATTENTION, ERROR = "Change (mm)", "Attention", "Error (mm)"
SCALE_RANGE = (0.12, 0.96)
"""Part of a map that is used: its ends are too dark or too pale to take light."""
_STEPS = (1.0, 2.0, 5.0)


@dataclass(frozen=True)
class Painted:
    """How everyone of a record is coloured, and what the colours mean."""

    colours: tuple[np.ndarray | None, ...] = ()
    """Per person (V, 3) before light; None is plain."""
    legend: tuple[list[str], tuple[str, str]] | None = None
    """Colours from low to high ("#rrggbb") and the words at both ends."""
    note: str = ""
    """What to do to see colours, or what the grey part is."""


Colouring = Callable[[Record, ModelInfo], Painted]


def on_map(name: str, share: np.ndarray) -> np.ndarray:
    """Shares in [0, 1] -> (..., 3) colours of the usable part of a map."""
    low, high = SCALE_RANGE
    return colour_map(name, low + (high - low) * share)


def ramp(name: str) -> list[str]:
    """Seven colours of the usable part of a map, from low to high."""
    return [to_hex(colour) for colour in on_map(name, np.linspace(0, 1, 7))]


def displacement(person: Person, baseline: Person) -> np.ndarray:
    """(V,) millimetres between both meshes, each with the middle of its hips in the origin."""
    apart: np.ndarray = np.linalg.norm(person.vertices - baseline.vertices, axis=1) * 1000.0
    return apart


def baseline_of(record: Record, person: Person) -> Person | None:
    """The same person under A's masks, or None when nothing is pinned."""
    return next((other for other in record.baseline if other.box.id == person.box.id), None)


def round_scale(largest: float) -> float:
    """The end of a scale from 0: the next of 1, 2, 5, 10, 20 ... that holds `largest`; at least 1."""
    tens = 10.0 ** np.floor(np.log10(max(largest, 1.0)))
    return float(next((step * tens for step in _STEPS if step * tens >= largest), 10.0 * tens))


def paint_change(record: Record, info: ModelInfo) -> Painted:
    """Displacement of each vertex against A; one scale for everyone."""
    pairs = [(person, baseline_of(record, person)) for person in record.people]
    apart = [None if other is None else displacement(person, other) for person, other in pairs]
    known = [float(values.max()) for values in apart if values is not None]
    if not known:
        return Painted(tuple(None for _ in pairs), note="Pin as A in the masking panel, then change a mask.")
    end = round_scale(max(known))
    colours = tuple(None if values is None else on_map("Magma", values / end) for values in apart)
    return Painted(colours, (ramp("Magma"), ("0", f"{end:.0f} mm against A")))
