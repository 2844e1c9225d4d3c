"""Colours that carry data: pins, people, parts, and perceptual colour maps (all sRGB in [0, 1])."""

from __future__ import annotations

import numpy as np

PIN_COLOURS = np.array(
    [
        (0.98, 0.75, 0.24),
        (0.36, 0.72, 0.98),
        (0.97, 0.47, 0.45),
        (0.36, 0.83, 0.62),
        (0.71, 0.58, 0.98),
        (0.98, 0.56, 0.80),
        (0.70, 0.86, 0.36),
        (0.27, 0.83, 0.85),
        (0.98, 0.60, 0.33),
        (0.62, 0.72, 0.83),
    ]
)
"""One for each pinned vertex, in order; readable on the dark and on the light theme."""

PERSON_COLOURS = np.array(
    [
        (0.72, 0.77, 0.83),
        (0.60, 0.80, 0.72),
        (0.74, 0.69, 0.88),
        (0.86, 0.80, 0.58),
        (0.86, 0.66, 0.74),
        (0.58, 0.72, 0.88),
    ]
)
"""Skin of each person's mesh, by id: pale, so that the light shapes the body."""

_MAP_STOPS = {
    "Magma": "000004 1c1044 4f127b 812581 b5367a e55064 fb8761 fec287 fcfdbf",
    "Viridis": "440154 472d7b 3b528b 2c728e 21918c 28ae80 5ec962 addc30 fde725",
    "Inferno": "000004 210c4a 57106e 8a226a bc3754 e45a31 f98e09 f9cb35 fcffa4",
    "Ice": "0b1320 14304f 1b5082 2673b3 459bd0 77bfe0 aadcec d9f1f6 ffffff",
}
MAP_NAMES = tuple(_MAP_STOPS)


def _hex_row(text: str) -> list[float]:
    return [int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)]


def colour_map(name: str, values: np.ndarray) -> np.ndarray:
    """Values in [0, 1] of any shape -> (..., 3) colours of the map called `name`."""
    stops = np.array([_hex_row(stop) for stop in _MAP_STOPS[name].split()])
    at = np.clip(np.nan_to_num(values), 0.0, 1.0) * (len(stops) - 1)
    low = np.minimum(at.astype(int), len(stops) - 2)
    share = (at - low)[..., None]
    return stops[low] * (1 - share) + stops[low + 1] * share


def pin_colour(index: int) -> np.ndarray:
    """(3,) colour of the pin at this place in the strip."""
    return PIN_COLOURS[index % len(PIN_COLOURS)]


def person_colour(person_id: int) -> np.ndarray:
    """(3,) colour of a person, the same from frame to frame."""
    return PERSON_COLOURS[(person_id - 1) % len(PERSON_COLOURS)]


def to_hex(colour: np.ndarray) -> str:
    """(3,) in [0, 1] -> "#rrggbb"."""
    return "#" + "".join(f"{round(float(c) * 255):02x}" for c in np.clip(colour, 0, 1))
