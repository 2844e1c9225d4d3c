"""Random rooms round a scene."""

from __future__ import annotations

import numpy as np

from model.data.render import colours
from model.data.render.backdrop import FLAT, PICTURE, SHELF, WINDOW, Room
from model.data.render.lighting import Light
from model.data.render.soup import CHECKS, PLAIN, RINGS, STRIPES

MARGIN = 0.15  # metres between a wall and what stands in the room


def random_room(points: np.ndarray, camera: np.ndarray, rng: np.random.Generator) -> Room:
    """A room that holds points (N, 3) on y >= 0 and the camera (3,)."""
    yaw = rng.uniform(-np.pi, np.pi)
    cos, sin = np.cos(yaw), np.sin(yaw)
    everything = np.concatenate([points, camera[None]])
    x, z = everything[:, 0], everything[:, 2]
    local = np.column_stack([cos * x - sin * z, everything[:, 1], sin * x + cos * z])
    low, high = local.min(axis=0) - MARGIN, local.max(axis=0) + MARGIN
    for axis in (0, 2):
        low[axis] -= rng.exponential(1.2)
        high[axis] += rng.exponential(1.2)
    low[1], high[1] = 0.0, max(high[1] + 0.1, rng.uniform(2.4, 3.3))
    studio = rng.random() < 0.15
    wall = colours.pick(rng, colours.WALL)
    floor = wall if studio else colours.pick(rng, colours.FLOOR)
    second = wall if studio else floor * rng.uniform(0.7, 0.95)
    ceiling = wall if studio or rng.random() < 0.3 else np.full(3, rng.uniform(0.5, 0.8))
    skirting = wall if studio or rng.random() < 0.3 else np.full(3, rng.uniform(0.1, 0.75))
    pattern = int(rng.choice([PLAIN, RINGS, STRIPES, CHECKS], p=[0.35, 0.15, 0.3, 0.2]))
    return Room(
        low=low.astype(np.float32),
        high=high.astype(np.float32),
        turn=np.array([cos, sin], np.float32),
        colours=np.stack([floor, second, wall, ceiling, skirting]).astype(np.float32),
        floor=np.array([pattern, rng.uniform(0.12, 0.6)], np.float32),
        decorations=_decorations(low, high, 0 if studio else int(rng.integers(1, 9)), rng),
    )


def _decorations(low: np.ndarray, high: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    rows = np.zeros((count, 12), np.float32)
    for row in rows:
        wall = int(rng.integers(4))
        axis = 2 if wall < 2 else 0
        kind = int(rng.choice([FLAT, WINDOW, SHELF, PICTURE], p=[0.25, 0.25, 0.2, 0.3]))
        width, height, bottom = {
            FLAT: (rng.uniform(0.7, 1.1), rng.uniform(1.9, 2.1), 0.0),
            WINDOW: (rng.uniform(0.8, 2.2), rng.uniform(1.0, 1.6), rng.uniform(0.5, 1.0)),
            SHELF: (rng.uniform(0.6, 1.8), rng.uniform(0.8, 2.0), rng.uniform(0.0, 0.3)),
            PICTURE: (rng.uniform(0.3, 1.2), rng.uniform(0.3, 0.9), rng.uniform(1.0, 1.5)),
        }[kind]
        start = rng.uniform(low[axis], max(high[axis] - width, low[axis] + 0.1))
        colour = colours.pick(rng, colours.FURNITURE if kind in (FLAT, SHELF) else colours.WALL, 0.3)
        second = colours.cloth_colour(rng)
        row[:] = [wall, start, start + width, bottom, bottom + height, kind, *colour, *second]
        if kind == SHELF:
            row[11] = rng.integers(3, 6)
    return rows


def room_light(light: Light, rng: np.random.Generator) -> Light:
    """A lamp or window instead of the sun, its light and the ambient one nearly without colour."""
    height, azimuth = np.radians(rng.uniform(25, 80)), rng.uniform(-np.pi, np.pi)
    towards = np.array([np.cos(height) * np.sin(azimuth), np.sin(height), np.cos(height) * np.cos(azimuth)])
    grey = light.ambient.mean(axis=1, keepdims=True)
    ambient = grey + 0.35 * (light.ambient - grey)
    ambient[1:] *= 0.7  # walls send light back from all sides
    tint = np.exp(rng.normal(0, 0.05) * np.array([1.0, 0.0, -1.0]))
    key = ambient[0].mean() * rng.uniform(0.1, 1.6) * tint
    return Light(towards, key, light.key_radius, ambient)


def plain_light(rng: np.random.Generator) -> Light:
    """Daylight from above, for libraries without panoramas."""
    ambient = np.zeros((9, 3))
    ambient[0] = 3.0 * np.exp(rng.normal(0, 0.04, 3))
    ambient[1] = 1.0
    towards = np.array([0.4, 0.8, 0.45])
    return Light(towards / np.linalg.norm(towards), np.full(3, 1.5), 0.0, ambient)
