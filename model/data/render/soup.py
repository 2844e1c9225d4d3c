"""All triangles of a scene as flat arrays, and what their surfaces are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

(
    TEXTURE,  # index in the texture bank, below 0: none
    CUTOUT,  # texture alpha below which there is a hole, 0: none
    CLIPPED,  # 1: nothing where the vertices' clip value is below 0
    RED, GREEN, BLUE,  # albedo, or factor on the texture
    RED2, GREEN2, BLUE2,  # the pattern's other colour
    DYE,  # mean luminance of a texture whose colour is replaced, 0: its colour stays
    PATTERN, PERIOD,  # kind of pattern and its size in metres
    GLOSS, POWER,  # highlight strength and exponent
    FOLD, FOLD_SIZE,  # how far folds bend the normal, and their size in metres
    WRAP,  # how far light reaches round the edge of its shadow
    COLUMNS,
) = range(18)  # fmt: skip

PLAIN, RINGS, STRIPES, CHECKS, DOTS, BLOTCHES, PRINT, WOOD = range(8)


class Soup(NamedTuple):
    """Triangles (T) over vertices (V) in world axes: metres, y up."""

    points: np.ndarray
    """(V, 3) float32."""
    rest: np.ndarray
    """(V, 3) float32 places on the resting body, where patterns live."""
    clip: np.ndarray
    """(V,) float32."""
    faces: np.ndarray
    """(T, 3) int32."""
    uv: np.ndarray
    """(T, 3, 2) float32, v upwards."""
    material: np.ndarray
    """(T,) int32 row of `materials`."""
    materials: np.ndarray
    """(M, COLUMNS) float32."""


@dataclass(frozen=True)
class Piece:
    """One posed mesh with its material; the fields are those of Soup."""

    points: np.ndarray
    faces: np.ndarray
    material: np.ndarray
    rest: np.ndarray | None = None
    uv: np.ndarray | None = None
    clip: np.ndarray | None = None

    def moved(self, offset: np.ndarray) -> Piece:
        """The same piece somewhere else."""
        points = (self.points + offset).astype(np.float32)
        rest = self.points if self.rest is None else self.rest
        return Piece(points, self.faces, self.material, rest, self.uv, self.clip)


@dataclass
class Builder:
    """Collects pieces into a soup."""

    pieces: list[Piece] = field(default_factory=list)

    def build(self) -> Soup:
        """Concatenate; raises ValueError without pieces."""
        sizes = [len(piece.points) for piece in self.pieces]
        starts = np.cumsum([0, *sizes[:-1]])
        counts = [len(piece.faces) for piece in self.pieces]
        pieces = list(zip(self.pieces, sizes, counts, strict=True))
        return Soup(
            _stack([p.points for p in self.pieces], np.float32),
            _stack([p.points if p.rest is None else p.rest for p in self.pieces], np.float32),
            _stack([np.ones(n) if p.clip is None else p.clip for p, n, _ in pieces], np.float32),
            _stack([p.faces + start for p, start in zip(self.pieces, starts, strict=True)], np.int32),
            _stack([np.zeros((n, 3, 2)) if p.uv is None else p.uv for p, _, n in pieces], np.float32),
            np.repeat(np.arange(len(counts), dtype=np.int32), counts),
            _stack([p.material[None] for p in self.pieces], np.float32),
        )


def _stack(arrays: list[np.ndarray], dtype: type) -> np.ndarray:
    return np.ascontiguousarray(np.concatenate(arrays), dtype=dtype)


def material(
    colour: np.ndarray | tuple[float, float, float],
    *,
    texture: int = -1,
    cutout: float = 0.0,
    clipped: bool = False,
    second: np.ndarray | tuple[float, float, float] = (0.0, 0.0, 0.0),
    dye: float = 0.0,
    pattern: int = PLAIN,
    period: float = 0.05,
    gloss: tuple[float, float] = (0.015, 8.0),
    fold: float = 0.0,
    fold_size: float = 0.12,
    wrap: float = 0.0,
) -> np.ndarray:
    """One row (COLUMNS,) of a soup's materials; colours are linear RGB."""
    row = [texture, cutout, clipped, *colour, *second, dye, pattern, period, *gloss, fold, fold_size, wrap]
    return np.array(row, dtype=np.float32)
