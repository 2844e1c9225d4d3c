"""A bank of square textures with smaller copies of each, and how to read them."""

from __future__ import annotations

import numpy as np

from model.cv import cv2
from model.data.render.compiled import compiled

SIDE = 512
LEVELS = 5
_SIZES = [SIDE >> level for level in range(LEVELS)]
_STARTS = np.cumsum([0] + [size * size for size in _SIZES[:-1]])
TEXELS = int(sum(size * size for size in _SIZES))


def pack_texture(image: np.ndarray) -> np.ndarray:
    """(h, w, 3 or 4) sRGB uint8 -> (TEXELS, 4) uint8: all levels, finest first."""
    if image.shape[2] == 3:
        image = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    interpolation = cv2.INTER_AREA if image.shape[0] >= SIDE else cv2.INTER_LINEAR
    levels = [cv2.resize(np.ascontiguousarray(image), (SIDE, SIDE), interpolation=interpolation)]
    for size in _SIZES[1:]:
        levels.append(cv2.resize(levels[-1], (size, size), interpolation=cv2.INTER_AREA))
    return np.concatenate([level.reshape(-1, 4) for level in levels])


def decoded(image: np.ndarray) -> np.ndarray:
    """sRGB uint8 -> linear float32."""
    return LINEAR[image]


_codes = np.arange(256) / 255
LINEAR = np.where(_codes < 0.04045, _codes / 12.92, ((_codes + 0.055) / 1.055) ** 2.4).astype(np.float32)


@compiled
def sample_texture(texture: np.ndarray, level: int, u: float, v: float) -> tuple[float, float, float, float]:
    """Linear RGB and alpha at (u, v), v upwards, wrapping; bilinear in one level."""
    size = SIDE >> level
    start = _STARTS[level]
    x = (u - np.floor(u)) * size - 0.5
    y = (1 - (v - np.floor(v))) * size - 0.5
    left, top = int(np.floor(x)), int(np.floor(y))
    fx, fy = x - left, y - top
    red, green, blue, alpha = 0.0, 0.0, 0.0, 0.0
    for dy in range(2):
        for dx in range(2):
            share = (fx if dx else 1 - fx) * (fy if dy else 1 - fy)
            texel = texture[start + ((top + dy) % size) * size + (left + dx) % size]
            red += share * LINEAR[texel[0]]
            green += share * LINEAR[texel[1]]
            blue += share * LINEAR[texel[2]]
            alpha += share * texel[3] / 255
    return red, green, blue, alpha
