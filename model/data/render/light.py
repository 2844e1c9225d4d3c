"""Light of one scene: ambient irradiance as spherical harmonics, and a sun (or lamp) with a shadow map."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from model.data.render.compiled import compiled
from model.data.render.lighting import LUMINANCE, SH_FACTORS, Light
from model.data.render.raster import depth_towards
from model.data.render.soup import Soup

MAP_SIDE = 256
BIAS = 0.012  # metres between a surface and its own shadow
# Cosine lobe over the bands of the harmonics (Ramamoorthi and Hanrahan 2001).
LOBE = np.pi * np.array([1, 2 / 3, 2 / 3, 2 / 3, 1 / 4, 1 / 4, 1 / 4, 1 / 4, 1 / 4])


class Lamp(NamedTuple):
    """What the shader reads; world axes, linear RGB."""

    towards: np.ndarray
    """(3,) unit direction to the sun."""
    colour: np.ndarray
    """(3,) irradiance on a plane that faces it."""
    ambient: np.ndarray
    """(9, 3) irradiance of everything else."""
    frame: np.ndarray
    """(3, 3) axes of the depth map; the last one points to the sun."""
    centre: np.ndarray
    """(3,) middle of the depth map."""
    scale: float
    """Cells per metre."""
    depth: np.ndarray
    """(MAP_SIDE, MAP_SIDE)."""


def lamp_over(soup: Soup, light: Light, exposure: float) -> Lamp:
    """Scale a light and draw the depth map of a scene under it."""
    towards = light.key_direction / np.linalg.norm(light.key_direction)
    side = np.cross(towards, [0.0, 1.0, 0.0] if abs(towards[1]) < 0.95 else [1.0, 0.0, 0.0])
    side /= np.linalg.norm(side)
    frame = np.stack([side, np.cross(towards, side), towards]).astype(np.float32)
    low, high = soup.points.min(0), soup.points.max(0)
    centre = ((low + high) / 2).astype(np.float32)
    scale = np.float32(MAP_SIDE * 0.92 / max(float(np.linalg.norm(high - low)), 1e-3))
    places = (soup.points - centre) @ frame.T
    places[:, :2] = places[:, :2] * scale + MAP_SIDE / 2
    return Lamp(
        towards=towards.astype(np.float32),
        colour=(light.key_irradiance * exposure).astype(np.float32),
        ambient=(light.ambient * LOBE[:, None] * exposure).astype(np.float32),
        frame=frame,
        centre=centre,
        scale=float(scale),
        depth=depth_towards(soup, np.ascontiguousarray(places, np.float32), MAP_SIDE),
    )


def exposure_for(light: Light, seen_from: np.ndarray) -> float:
    """The factor on a light that makes a grey surface, seen from a direction (3,), mid-grey in a photo."""
    up = np.array([0.0, 1.0, 0.0])
    total = 0.0
    for normal, share in ((seen_from, 0.7), (up, 0.3)):
        sun = light.key_irradiance * max(float(normal @ light.key_direction), 0.0)
        total += share * float((ambient_at(light, normal) + 0.7 * sun) @ LUMINANCE)
    return 0.8 * np.pi / max(total, 1e-3)


def ambient_at(light: Light, normal: np.ndarray) -> np.ndarray:
    """(3,) ambient irradiance on a plane with unit normal (3,)."""
    x, y, z = normal
    basis = np.array([1.0, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]) * SH_FACTORS
    return np.maximum((basis * LOBE) @ light.ambient, 0)


@compiled
def ambient_light(lamp: Lamp, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Ambient irradiance on a plane with unit normal (x, y, z)."""
    basis = (1.0, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y)
    red, green, blue = 0.0, 0.0, 0.0
    for i in range(9):
        factor = basis[i] * SH_FACTORS[i]
        red += factor * lamp.ambient[i, 0]
        green += factor * lamp.ambient[i, 1]
        blue += factor * lamp.ambient[i, 2]
    return max(red, 0.0), max(green, 0.0), max(blue, 0.0)


@compiled
def sunlit(lamp: Lamp, px: float, py: float, pz: float) -> float:
    """Share of the sun that reaches a world point, from four cells of the depth map."""
    x, y, z = px - lamp.centre[0], py - lamp.centre[1], pz - lamp.centre[2]
    frame = lamp.frame
    column = (frame[0, 0] * x + frame[0, 1] * y + frame[0, 2] * z) * lamp.scale + MAP_SIDE / 2 - 0.5
    row = (frame[1, 0] * x + frame[1, 1] * y + frame[1, 2] * z) * lamp.scale + MAP_SIDE / 2 - 0.5
    height = frame[2, 0] * x + frame[2, 1] * y + frame[2, 2] * z + BIAS
    left, top = int(np.floor(column)), int(np.floor(row))
    if left < 0 or top < 0 or left >= MAP_SIDE - 1 or top >= MAP_SIDE - 1:
        return 1.0
    fx, fy = column - left, row - top
    share = 0.0
    for dy in range(2):
        for dx in range(2):
            if lamp.depth[top + dy, left + dx] <= height:
                share += (fx if dx else 1 - fx) * (fy if dy else 1 - fy)
    return share
