"""What both views draw people with: one pair of renderers, and each person's surface made only once.

A quick picture is drawn for every record and every move of the mouse, a fine one when all has come to rest.
Whatever the size of a view, only the square around the people is drawn: most of a view is background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from app.gui.model_info import ModelInfo
from app.gui.render import GlRenderer, Renderer, create_renderer
from app.gui.shading import FLOOR, Surface
from app.pipeline.frames import Person
from app.pipeline.visibility import seen
from model.cv import cv2

QUICK_SIDE = 400
FINE_SIDE = 1280
FAINT = 0.16
"""Opacity of what is not seen at all."""
SOFTNESS = 6
"""Rounds of smoothing over the mesh between what is seen and what is not."""
REST_MS = 400
"""Without a new record or a move for so long, the fine picture is drawn."""


def image_of(rgba: np.ndarray) -> QImage:
    """(h, w, 4) uint8 premultiplied RGBA -> an image that owns its pixels."""
    rgba = np.ascontiguousarray(rgba)
    height, width = rgba.shape[:2]
    view = QImage(rgba.data, width, height, 4 * width, QImage.Format.Format_RGBA8888_Premultiplied)
    return view.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def _grey(opacity: np.ndarray) -> np.ndarray:
    """(N,) opacities as colours (N, 3): a picture drawn with them holds the opacity of each pixel."""
    return np.repeat(np.clip(opacity, FLOOR, 1).astype(np.float32)[:, None], 3, axis=1)


def _faded(rgba: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """A premultiplied picture (h, w, 4) uint8 made clearer by one that `_grey` colours drew."""
    share = opacity[..., :1].astype(np.uint16)
    cover = np.maximum(opacity[..., 3:].astype(np.uint16), 1)  # Of the edges, which both pictures have alike.
    return np.minimum(rgba * share // cover, 255).astype(np.uint8)


@dataclass(frozen=True)
class MeshLayer:
    """The drawn people and the rectangle that they cover, in the units they were drawn in."""

    image: QImage
    place: QRectF


Seen = tuple[Person, tuple[int, int], np.ndarray]
"""The person (kept, so that its id stays its own), size of the picture, opacity (V,)."""


class Studio:
    """Shared by the views of one window. GUI thread only."""

    def __init__(self) -> None:
        self._info: ModelInfo | None = None
        self._quick: Renderer | None = None
        self._fine: Renderer | None = None
        self._faces: dict[int, np.ndarray] = {}
        self._surfaces: dict[int, tuple[np.ndarray, Surface]] = {}
        self._opacities: dict[int, Seen] = {}
        self.fade = True
        """Whether what the picture does not show of people is drawn faded."""

    @property
    def name(self) -> str:
        """What draws the meshes, or nothing yet."""
        return self._quick.name if self._quick else ""

    def open(self) -> None:
        """Create the quick renderer; Open3D must be imported."""
        if self._quick is None:
            self._quick = create_renderer(QUICK_SIDE, QUICK_SIDE)

    def close(self) -> None:
        """Free the renderers."""
        for renderer in (self._quick, self._fine):
            if renderer is not None:
                renderer.close()
        self._quick = self._fine = None

    def set_model_info(self, info: ModelInfo) -> None:
        """The topology of the meshes to come."""
        self._info = info
        self._faces.clear()
        self._surfaces.clear()
        self._opacities.clear()

    def faces(self, people: int) -> np.ndarray:
        """(people * F, 3) int32: the faces of as many stacked meshes; the same array every time."""
        assert self._info is not None
        if people not in self._faces:
            faces, count = self._info.faces, len(self._info.part_of_vertex)
            stacks = [faces + count * k for k in range(people)] or [faces[:0]]
            self._faces[people] = np.vstack(stacks).astype(np.int32)
        return self._faces[people]

    def surfaces(self, people: Sequence[Person]) -> list[Surface]:
        """Normals and creases in the camera's axes; those of the people of the last call are kept."""
        assert self._info is not None
        kept, self._surfaces = self._surfaces, {}
        for person in people:
            vertices = person.vertices
            known = kept.get(id(vertices)) or (vertices, self._info.topology.surface(vertices))
            self._surfaces[id(vertices)] = known
        return [self._surfaces[id(person.vertices)][1] for person in people]

    def opacity(self, people: Sequence[Person], size: tuple[int, int]) -> np.ndarray | None:
        """(P * V,) of stacked people in a picture of this (width, height); None where all of them is seen.

        Those of the people of the last call are kept: both views ask, at every turn of the mesh.
        """
        if not self.fade or self._info is None or not people:
            return None
        kept, self._opacities = self._opacities, {}
        for person in people:
            known = kept.get(id(person))
            same = known is not None and known[1] == size
            self._opacities[id(person)] = known if known and same else self._look(person, size)
        found = [self._opacities[id(person)][2] for person in people]
        return None if all(float(one.min()) >= 1 for one in found) else np.concatenate(found)

    def _look(self, person: Person, size: tuple[int, int]) -> Seen:
        assert self._info is not None
        share = seen(person, size, self._info.part_of_vertex)
        if share.min() < 1:
            share = FAINT + (1 - FAINT) * self._info.topology.smooth(share, SOFTNESS)
        return person, size, share

    def draw(
        self,
        points: np.ndarray,
        colours: np.ndarray,
        visible: QRectF,
        ratio: float,
        fine: bool,
        opacity: np.ndarray | None = None,
    ) -> MeshLayer | None:
        """The part inside `visible` of stacked meshes, or None when nothing is there.

        `points` (P * V, 3): x right, y down in the units of `visible`, z growing away from the eye;
        `colours` (P * V, 3) in (0, 1]; `ratio` is how many pixels of the screen a unit has; `opacity`
        (P * V,) in [0, 1], None for all opaque: what lies behind a faded surface stays hidden.
        """
        if self._quick is None or self._info is None or len(points) == 0:
            return None
        low, high = points[:, :2].min(axis=0) - 2 / ratio, points[:, :2].max(axis=0) + 2 / ratio
        low_x, low_y, high_x, high_y = (float(value) for value in (*low, *high))
        place = QRectF(low_x, low_y, high_x - low_x, high_y - low_y).intersected(visible)
        if place.isEmpty():
            return None
        renderer = self._fine_renderer(self._quick) if fine else self._quick
        factor = renderer.width / max(place.width(), place.height())
        width, height = (max(1, round(side * factor)) for side in (place.width(), place.height()))
        local = points.astype(np.float64)
        local[:, :2] = (local[:, :2] - (place.left(), place.top())) * factor
        faces = self.faces(len(points) // len(self._info.part_of_vertex))
        rgba = renderer.draw(local, faces, colours)[:height, :width]
        if opacity is not None:
            rgba = _faded(rgba, renderer.draw(local, faces, _grey(opacity))[:height, :width])
        size = round(place.width() * ratio), round(place.height() * ratio)
        if fine and 0 < size[0] < width and 0 < size[1] < height:
            rgba = cv2.resize(rgba, size, interpolation=cv2.INTER_AREA)
        return MeshLayer(image_of(rgba), place)

    def _fine_renderer(self, quick: Renderer) -> Renderer:
        """The large one; rays are too slow for it and stay at the quick size."""
        if self._fine is None:
            if not isinstance(quick, GlRenderer):
                return quick
            self._fine = create_renderer(FINE_SIDE, FINE_SIDE)
        return self._fine
