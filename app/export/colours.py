"""Colours of the body's parts, on screen and in files (sRGB in [0, 1])."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def part_colours(names: tuple[str, ...]) -> np.ndarray:
    """(P, 3) one calm colour a part; left and right of a pair share the hue, the right is deeper."""
    plain = [name.removeprefix("left ").removeprefix("right ") for name in names]
    unique = list(dict.fromkeys(plain))
    rows = []
    for name, base in zip(names, plain, strict=True):
        place = unique.index(base)
        hue = (place * 0.381966) % 1.0
        right = name.startswith("right ")
        rows.append(_from_hsv(hue, 0.52 if right else 0.38, 0.74 if right else 0.90))
    return np.array(rows).reshape(-1, 3)


def vertex_colours(names: Sequence[str], part_of_vertex: np.ndarray) -> np.ndarray:
    """(V, 3) each vertex in the colour of its part."""
    return part_colours(tuple(names))[part_of_vertex]


def _from_hsv(hue: float, saturation: float, value: float) -> list[float]:
    sector = np.abs(np.array([hue * 6 - 3, hue * 6 - 2, hue * 6 - 4])) * [1, -1, -1] + [-1, 2, 2]
    return list(value * (1 - saturation + saturation * np.clip(sector, 0, 1)))
