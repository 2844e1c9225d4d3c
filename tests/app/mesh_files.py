"""Bodies to export and what every file of them must hold."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache

import numpy as np
import trimesh
from scipy.spatial import cKDTree

import assets
from app.export.mesh import NamedMesh, Origin
from app.export.presets import Preset
from tests.app import gui_fakes

ORIGIN = Origin("body-lite", "9f3ac2d4", (7, 5, None, 1))
UP = {"y": 1, "z": 2}


@lru_cache(maxsize=1)
def mesh() -> NamedMesh:
    """The free body with its texture coordinates, facing the camera."""
    body = gui_fakes.body()
    with np.load(assets.BODY / "body.npz") as data:
        return NamedMesh("person 1", body["vertices"], body["faces"], data["vt"], data["ft"])


def beside(metres: float, name: str) -> NamedMesh:
    """The same body, to the viewer's right."""
    return replace(mesh(), name=name, vertices=mesh().vertices + np.float32([metres, 0, 0]))


def expected(named: NamedMesh, preset: Preset) -> np.ndarray:
    """(V, 3) in the file's axes and unit, written out by hand."""
    x, y, z = named.vertices.T
    up, towards_viewer = -y, -z
    columns = [x, up, towards_viewer] if preset.up == "y" else [x, -towards_viewer, up]
    return np.stack(columns, axis=1) * (1 if preset.unit == "metres" else 100)


def assert_same_points(read: np.ndarray, wanted: np.ndarray, tolerance: float) -> None:
    """Each point of either set lies on a point of the other; readers may merge, split and sort vertices."""
    assert np.isfinite(read).all()
    assert cKDTree(wanted).query(read)[0].max() <= tolerance
    assert cKDTree(read).query(wanted)[0].max() <= tolerance


def assert_upright(read: trimesh.Trimesh, preset: Preset) -> None:
    """Of human height along the preset's axis, head up, nose to the front, faces outward."""
    metre = 1 if preset.unit == "metres" else 100
    up = UP[preset.up]
    assert 1.4 * metre < np.ptp(read.vertices[:, up]) < 2.1 * metre
    assert read.volume > 0
    front = (0, 0, 1) if preset.up == "y" else (0, -1, 0)
    low, high = read.bounds[:, up]
    heights = read.vertices[:, up]
    feet = read.vertices[heights < low + 0.05 * (high - low)] @ front
    shins = read.vertices[abs(heights - low - 0.2 * (high - low)) < 0.03 * (high - low)] @ front
    assert feet.max() > shins.max() + 0.05 * metre, "toes point to the front"
    # Nothing of a T-pose is as narrow as its head, and nothing as wide as its arms.
    top = np.ptp(read.vertices[heights > high - 0.05 * (high - low), 0])
    arms = np.ptp(read.vertices[heights > low + 0.7 * (high - low), 0])
    assert top < 0.3 * metre < 1.2 * metre < arms


@contextmanager
def small_files_only(size: int) -> Iterator[None]:
    """A disk on which no file grows beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
