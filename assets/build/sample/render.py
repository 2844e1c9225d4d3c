"""Pictures: the panorama and its ground behind, the person's shadow on it, the person on top."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

from assets.build.sample.camera import Camera
from assets.build.sample.person import Person
from assets.build.sample.shade import Shader, key_ray
from assets.build.sample.trace import Geometry, open_directions
from model.data.render.lighting import LUMINANCE, Light, Panorama
from model.data.render.skin import noise

SHADOW_REACH = 3.0  # metres from the person within which the ground can darken
KEY_PLACES = 24  # shadow rays from each ground pixel
CONTACT_CELLS = 96  # cells along the grid on which the ground's openness is gathered
GRAINS = ((0.05, 0.011), (0.04, 0.05), (0.03, 0.3))  # strength and metres
CONTACT_POWER = 1.8
DETAIL_REACH = 9.0  # metres from the camera over which the ground's grain fades


class Renderer:
    """Renders frames of one still camera. samples: rays along the side of a pixel."""

    def __init__(
        self, camera: Camera, panorama: Panorama, light: Light, *, samples: int = 3, exposure: float = 1.0
    ) -> None:
        self.camera = camera
        self._light = light
        self._samples = samples
        self._exposure = exposure
        self._pixels = _pixel_centres(camera)
        self._directions = camera.directions(self._pixels)
        self._ground = _ground_points(camera, self._directions)
        self._background = panorama.sample(self._directions) * self._grain()[..., None]

    def render(self, person: Person, pose: np.ndarray, translation: np.ndarray) -> np.ndarray:
        """One picture (h, w, 3) sRGB uint8 RGB."""
        geometry = Geometry(person, pose, translation)
        image = self._background * self._shadow(geometry)
        top, left, bottom, right = self._box(geometry.vertices)
        colour, cover = self._person(person, geometry, (top, left, bottom, right))
        image[top:bottom, left:right] *= 1 - cover
        image[top:bottom, left:right] += colour
        return tone(image * self._exposure)

    def _person(
        self, person: Person, geometry: Geometry, box: tuple[int, int, int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Radiance times cover (h, w, 3), and cover (h, w, 1), of the pixels in a box."""
        top, left, bottom, right = box
        corner = self._pixels[top:bottom, left:right] - 0.5
        shape = corner.shape[:2]
        shader = Shader(person, geometry, self._light)
        colour = np.zeros((shape[0] * shape[1], 3))
        cover = np.zeros((shape[0] * shape[1], 1))
        for index, offset in enumerate(_stratified(self._samples)):
            directions = self.camera.directions((corner + offset).reshape(-1, 2))
            hits = geometry.trace(np.array(self.camera.position), directions)
            key = key_ray(self._light, index, self._samples**2)
            shaded = shader.colours(hits, directions[hits.ray], key)
            colour[hits.ray] += np.minimum(shaded, 4.0 / self._exposure)
            cover[hits.ray] += 1
        count = self._samples**2
        return colour.reshape(*shape, 3) / count, cover.reshape(*shape, 1) / count

    def _box(self, vertices: np.ndarray) -> tuple[int, int, int, int]:
        """Top, left, bottom, right of the pixels that the person can touch."""
        spots = self.camera.project(vertices)
        low = np.clip(np.floor(spots.min(axis=0)) - 2, 0, None).astype(int)
        high = np.ceil(spots.max(axis=0)).astype(int) + 2
        return low[1], low[0], min(high[1], self.camera.height), min(high[0], self.camera.width)

    def _shadow(self, geometry: Geometry) -> np.ndarray:
        """Factor (h, w, 3) of the ground's light that the person leaves."""
        factor = np.ones((*self._ground.shape[:2], 3))
        centre = geometry.vertices.mean(axis=0) * [1, 0, 1]
        near = np.linalg.norm(self._ground - centre, axis=-1) < SHADOW_REACH
        points = self._ground[near]
        up = np.array([0.0, 1.0, 0.0])
        ambient = self._openness(geometry, centre, points)
        key = np.zeros(len(points))
        for index in range(KEY_PLACES):
            key += ~geometry.blocked(points + 1e-3 * up, key_ray(self._light, index, KEY_PLACES))
        key /= KEY_PLACES
        sky, sun = self._light.ground_irradiance()
        factor[near] = (ambient[:, None] * sky + key[:, None] * sun) / (sky + sun)
        return factor

    def _openness(self, geometry: Geometry, centre: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Share (N,) of the sky that ground points (N, 3) see, read from a grid around the person."""
        side = np.linspace(-SHADOW_REACH, SHADOW_REACH, CONTACT_CELLS)
        # Cells gather near the person, where the contact shadow changes fastest.
        side = np.sign(side) * np.abs(side / SHADOW_REACH) ** CONTACT_POWER * SHADOW_REACH
        x, z = np.meshgrid(side, side)
        cells = np.stack([x.ravel(), np.zeros(x.size), z.ravel()], axis=1) + centre
        normals = np.tile([0.0, 1.0, 0.0], (len(cells), 1))
        _, openness = open_directions(geometry, cells - [0, 0.003, 0], normals, count=160)
        grid = (openness.sum(axis=1) / np.pi).reshape(x.shape)
        place = (points - centre)[:, [0, 2]]
        spot = np.sign(place) * (np.abs(place) / SHADOW_REACH) ** (1 / CONTACT_POWER)
        spot = (spot + 1) / 2 * (CONTACT_CELLS - 1)
        return map_coordinates(grid, spot[:, ::-1].T, order=1, mode="nearest")

    def _grain(self) -> np.ndarray:
        """Factor (h, w) that gives the ground near the camera the detail which the panorama lacks."""
        grain = np.ones(self._ground.shape[:2])
        distance = np.linalg.norm(self._ground - np.array(self.camera.position), axis=-1)
        near = distance < DETAIL_REACH
        points = self._ground[near] + [0, 0.4, 0]
        fade = (1 - distance[near] / DETAIL_REACH) ** 0.5
        for amount, size in GRAINS:
            grain[near] += fade * amount * noise(points, size)
        return grain


def tone(radiance: np.ndarray) -> np.ndarray:
    """Linear radiance (h, w, 3) to sRGB uint8 with a soft shoulder."""
    white = 5.0
    luminance = np.maximum(radiance @ LUMINANCE, 1e-6)[..., None]
    mapped = radiance * (1 + luminance / white**2) / (1 + 0.55 * luminance)
    mapped = np.clip(mapped, 0, 1)
    encoded = np.where(mapped < 0.0031308, 12.92 * mapped, 1.055 * mapped ** (1 / 2.4) - 0.055)
    return (encoded * 255 + 0.5).astype(np.uint8)


def _pixel_centres(camera: Camera) -> np.ndarray:
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    return np.stack([x, y], axis=-1)


def _ground_points(camera: Camera, directions: np.ndarray) -> np.ndarray:
    """Where each ray (h, w, 3) meets y = 0; infinity above the horizon."""
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(directions[..., 1] < -1e-6, -camera.position[1] / directions[..., 1], np.inf)
        points = np.array(camera.position) + distance[..., None] * directions
    return np.where(np.isfinite(distance)[..., None], points, np.inf)


def _stratified(side: int) -> np.ndarray:
    """Sample places (side * side, 2) inside a pixel: one at random in each cell, the same in every frame."""
    random = np.random.default_rng(3)
    cells = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    return (cells + random.random(cells.shape)) / side
