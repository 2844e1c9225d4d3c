"""Colour of the person: ambient light by openness, key light with soft shadows, a highlight per material."""

from __future__ import annotations

import numpy as np

from assets.build.sample.person import Person, Surface
from assets.build.sample.trace import LIFT, Geometry, Hits, open_directions
from model.data.render.lighting import Light

# Highlight strength and exponent, and how far the key light wraps around the edge of its shadow.
GLOSS = {
    Surface.SKIN: (0.045, 18.0),
    Surface.EYE: (0.1, 60.0),
    Surface.CLOTH: (0.012, 8.0),
    Surface.LEATHER: (0.06, 25.0),
    Surface.HAIR: (0.05, 14.0),
}
SKIN_WRAP = np.array([0.28, 0.1, 0.06])  # blood scatters red light farthest
GOLDEN_ANGLE = np.pi * (3 - 5**0.5)
BOUNCE = 0.25  # share of the ambient light that blocked directions still pass on


class Shader:
    """Shades one frame; the ambient light is gathered once at the vertices."""

    def __init__(self, person: Person, geometry: Geometry, light: Light) -> None:
        self._person = person
        self._geometry = geometry
        self._light = light
        self._normals = self._soft_normals()
        self._ambient = self._gather()

    def colours(self, hits: Hits, directions: np.ndarray, key: np.ndarray) -> np.ndarray:
        """Radiance (H, 3) that leaves the hits against the rays' directions (H, 3), lit from `key` (3,)."""
        geometry = self._geometry
        surface = np.array([part.surface.value for part in geometry.parts])[geometry.part[hits.face]]
        normals = geometry.at(hits, self._normals)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        away = (normals * directions).sum(axis=1) > 0.15
        normals[away & (surface != Surface.SKIN.value)] *= -1
        albedo = self._albedo(hits, surface)
        lit = self._key(hits, normals, surface, key)
        ambient = geometry.at(hits, self._ambient)
        diffuse = albedo / np.pi * (ambient + lit * self._light.key_irradiance)
        return diffuse + self._highlight(surface, normals, directions, lit, ambient)

    def _soft_normals(self) -> np.ndarray:
        """Vertex normals; those of hair lean outwards from the head, as its sheets stand for many strands."""
        geometry = self._geometry
        normals = geometry.normals.copy()
        start = 0
        for part in geometry.parts:
            stop = start + len(part.mesh.vertices)
            if part.surface is Surface.HAIR:
                points = geometry.vertices[start:stop]
                outwards = points - points.mean(axis=0)
                outwards /= np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), 1e-9)
                blend = 0.35 * normals[start:stop] + outwards
                normals[start:stop] = blend / np.linalg.norm(blend, axis=1, keepdims=True)
            start = stop
        return normals

    def _gather(self) -> np.ndarray:
        """Ambient irradiance (V, 3) at every vertex that a face uses."""
        geometry = self._geometry
        used = np.unique(geometry.faces)
        directions, openness = open_directions(geometry, geometry.vertices[used], self._normals[used])
        radiance = self._light.radiance(directions)
        mean = radiance.mean(axis=0)
        closed = np.pi - openness.sum(axis=1, keepdims=True)
        result = np.zeros_like(geometry.vertices)
        result[used] = openness @ radiance + BOUNCE * closed * mean
        return result

    def _albedo(self, hits: Hits, surface: np.ndarray) -> np.ndarray:
        colour = self._geometry.texels(hits)[:, :3].astype(np.float64)
        rest = self._geometry.at(hits, self._geometry.rest)
        skin, eyes = surface == Surface.SKIN.value, surface == Surface.EYE.value
        look = self._person.look.skin
        colour[skin] = look.albedo(rest[skin], self._person.face)
        colour[eyes] = look.eye_albedo(rest[eyes], self._person.face)
        return colour

    def _key(self, hits: Hits, normals: np.ndarray, surface: np.ndarray, key: np.ndarray) -> np.ndarray:
        """Share of the key light (H, 3) that arrives: cosine, wrapped on skin, times a shadow ray."""
        points = self._geometry.at(hits, self._geometry.vertices)
        cosine = normals @ key
        wrap = np.where((surface == Surface.SKIN.value)[:, None], SKIN_WRAP, 0.0)
        share = np.maximum((cosine[:, None] + wrap) / (1 + wrap) ** 2, 0)
        facing = np.flatnonzero(share[:, 0] > 0)
        leave = points[facing] + LIFT * normals[facing]
        share[facing[self._geometry.blocked(leave, key)]] = 0
        return share

    def _highlight(
        self,
        surface: np.ndarray,
        normals: np.ndarray,
        directions: np.ndarray,
        lit: np.ndarray,
        ambient: np.ndarray,
    ) -> np.ndarray:
        table = np.array([GLOSS[kind] for kind in Surface])
        strength, power = table[surface].T
        half = self._light.key_direction - directions
        half /= np.linalg.norm(half, axis=1, keepdims=True)
        lobe = np.clip((normals * half).sum(axis=1), 0, 1) ** power * (power + 8) / (8 * np.pi)
        grazing = (1 - np.clip(-(normals * directions).sum(axis=1), 0, 1)) ** 5
        shine = (strength * lobe)[:, None] * lit * self._light.key_irradiance
        return shine + (strength * (0.3 + grazing))[:, None] * ambient / np.pi


def key_ray(light: Light, index: int, count: int) -> np.ndarray:
    """Direction (3,) to the `index`-th of `count` places spread over the key light's disc.

    All pixels share the places, so soft shadows neither show grain nor flicker.
    """
    side = np.cross(light.key_direction, [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    up = np.cross(side, light.key_direction)
    radius = np.tan(light.key_radius) * np.sqrt((index + 0.5) / count)
    angle = index * GOLDEN_ANGLE
    direction = light.key_direction + radius * (np.cos(angle) * side + np.sin(angle) * up)
    return direction / np.linalg.norm(direction)
