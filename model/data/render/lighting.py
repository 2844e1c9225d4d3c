"""Light and background from one HDR panorama: a key light, and the rest as spherical harmonics.

Panorama columns turn clockwise seen from above; the middle row is the horizon.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.cv import cv2
from model.errors import UserError

KEY_RADIUS = 14.0  # degrees around the brightest spot that the key light gathers
BRIGHTEST = 30_000.0
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
# Real spherical harmonics of order 2 as polynomials of a unit vector (Ramamoorthi and Hanrahan 2001).
SH_FACTORS = np.array(
    [0.282095, 0.488603, 0.488603, 0.488603, 1.092548, 1.092548, 0.315392, 1.092548, 0.546274]
)


@dataclass(frozen=True)
class Key:
    """How the key light is staged; the defaults leave it as the panorama has it.

    elevation: degrees above the horizon (None keeps it); swing: degrees it moves clockwise;
    strength: factor of its irradiance; saturation: share of its colour that stays.
    """

    elevation: float | None = None
    swing: float = 0.0
    strength: float = 1.0
    saturation: float = 1.0


@dataclass(frozen=True)
class Light:
    """key_direction (3,) towards the key light; key_irradiance (3,) on a plane that faces it;
    key_radius in radians; ambient (9, 3) radiance of everything else. Linear RGB, y up.
    """

    key_direction: np.ndarray
    key_irradiance: np.ndarray
    key_radius: float
    ambient: np.ndarray

    def radiance(self, directions: np.ndarray) -> np.ndarray:
        """Ambient radiance (N, 3) from unit directions (N, 3), never negative."""
        return np.maximum(harmonics(directions) @ self.ambient, 0.0)

    def ground_irradiance(self) -> tuple[np.ndarray, np.ndarray]:
        """Ambient and key irradiance (3,) on open, level ground."""
        directions = fibonacci_sphere(400)
        cosine = np.maximum(directions[:, 1], 0)
        ambient = np.pi * cosine @ self.radiance(directions) / cosine.sum()
        return ambient, self.key_irradiance * self.key_direction[1]


@dataclass(frozen=True)
class Panorama:
    """radiance (h, w, 3) linear RGB float32; turn: degrees of azimuth that lie straight ahead (-z)."""

    radiance: np.ndarray
    turn: float

    @classmethod
    def load(cls, path: Path, turn: float) -> Panorama:
        """Read an OpenEXR panorama; raises UserError where the package is missing."""
        try:
            import OpenEXR
        except ImportError:
            raise UserError("Reading .exr panoramas needs the package OpenEXR (extra `train`).") from None
        channels = OpenEXR.File(str(path)).channels()
        if "RGB" in channels or "RGBA" in channels:
            image = channels.get("RGB", channels.get("RGBA")).pixels[..., :3]
        else:
            image = np.stack([channels[name].pixels for name in "RGB"], axis=-1)
        image = np.nan_to_num(image.astype(np.float32), nan=0.0, posinf=BRIGHTEST)
        return cls(np.clip(image, 0.0, BRIGHTEST), turn)

    def directions(self) -> tuple[np.ndarray, np.ndarray]:
        """Unit directions (h, w, 3) of the pixels and their solid angles (h, w)."""
        height, width = self.radiance.shape[:2]
        polar = (np.arange(height) + 0.5) / height * np.pi
        azimuth = (np.arange(width) + 0.5) / width * 2 * np.pi - np.radians(self.turn)
        sine = np.sin(polar)[:, None]
        flat = np.cos(polar)[:, None] * np.ones(width)
        solid = sine * (np.pi / height) * (2 * np.pi / width) * np.ones(width)
        return np.stack([sine * np.sin(azimuth), flat, -sine * np.cos(azimuth)], axis=-1), solid

    def sample(self, directions: np.ndarray) -> np.ndarray:
        """Radiance (..., 3) seen along unit directions (h, w, 3), bicubic."""
        height, width = self.radiance.shape[:2]
        azimuth = np.arctan2(directions[..., 0], -directions[..., 2]) + np.radians(self.turn)
        column = (azimuth / (2 * np.pi)) % 1 * width - 0.5
        row = np.arccos(np.clip(directions[..., 1], -1, 1)) / np.pi * height - 0.5
        image = np.minimum(self.radiance, 8.0)  # bicubic weights ring around the sun
        spots = column.astype(np.float32), row.astype(np.float32)
        mapped = cv2.remap(image, *spots, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)
        return np.maximum(mapped, 0.0)

    def light(self, key: Key) -> Light:
        """Split the panorama into key light and ambient light."""
        directions, solid = self.directions()
        luminance = self.radiance @ LUMINANCE
        upper = np.where(directions[..., 1] > 0, cv2.GaussianBlur(luminance, (0, 0), 3), 0)
        centre = directions.reshape(-1, 3)[upper.argmax()]
        near = directions @ centre > np.cos(np.radians(KEY_RADIUS))
        ring = (directions @ centre > np.cos(np.radians(2 * KEY_RADIUS))) & ~near
        around = np.median(self.radiance[ring], axis=0)
        excess = np.where(near[..., None], np.maximum(self.radiance - around, 0), 0)
        irradiance = (excess * solid[..., None]).sum(axis=(0, 1)) * key.strength
        grey = irradiance @ LUMINANCE
        irradiance = grey + key.saturation * (irradiance - grey)
        rest = (self.radiance - excess).reshape(-1, 3)
        ambient = harmonics(directions.reshape(-1, 3)).T @ (rest * solid.reshape(-1, 1))
        azimuth = np.arctan2(centre[0], -centre[2]) + np.radians(key.swing)
        height = np.arcsin(centre[1]) if key.elevation is None else np.radians(key.elevation)
        towards = [np.cos(height) * np.sin(azimuth), np.sin(height), -np.cos(height) * np.cos(azimuth)]
        return Light(np.array(towards), irradiance, np.radians(2.0), ambient)


def harmonics(directions: np.ndarray) -> np.ndarray:
    """Spherical harmonics (N, 9) of order 2 at unit directions (N, 3)."""
    x, y, z = directions.T
    basis = np.stack([np.ones_like(x), y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], axis=1)
    return basis * SH_FACTORS


def fibonacci_sphere(count: int) -> np.ndarray:
    """Evenly spread unit directions (count, 3)."""
    index = np.arange(count) + 0.5
    polar = np.arccos(1 - 2 * index / count)
    azimuth = np.pi * (1 + 5**0.5) * index
    return np.stack([np.sin(polar) * np.cos(azimuth), np.cos(polar), np.sin(polar) * np.sin(azimuth)], axis=1)
