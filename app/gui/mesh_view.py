"""The people in 3D: turn, pan, zoom, and pick a vertex.

Open3D draws the lit mesh with a transparent background (`render.py`); Qt paints the stage around it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.gui.ground import draw_glow, draw_grid, draw_shadow, shadow_of
from app.gui.marks import paint_ball, paint_legend
from app.gui.model_info import ModelInfo
from app.gui.orbit import Orbit
from app.gui.overlay import image_of
from app.gui.pins import Pin
from app.gui.render import Renderer, create_renderer, pick_vertex
from app.gui.scene import Scene, build_scene, legend, stacked_faces
from app.gui.shading import shade, topology_of
from app.gui.theme import DARK, Theme
from app.pipeline.frames import Record

FINE_PIXELS = 450_000
"""Up to this size the mesh is drawn twice as large and scaled down; above, half again as large."""
CLICK = 4
"""Pixels that the mouse may move between press and release of a click."""


class MeshView(QWidget):
    """Shows every person of a record; emits `picked(vertex)` and `person_picked(id)` on a click.

    The first half of a double click is a click too: `pick_undone` takes its pick back.
    """

    picked = Signal(int)
    person_picked = Signal(int)
    pick_undone = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(240, 200)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Mesh view")
        self.orbit = Orbit()
        self.theme: Theme = DARK
        self.hint = ""
        self.stale = False
        """The source is gone: what is shown is old and drawn pale."""
        self.draw_ms = 0.0
        self.scene: Scene | None = None
        self._info: ModelInfo | None = None
        self._record: Record | None = None
        self._colour_by = "Plain"
        self._pins: tuple[Sequence[Pin], int | None, int | None] = ((), None, None)
        self._renderer: Renderer | None = None
        self._enabled = False
        self._picture: QImage | None = None
        self._points = np.zeros((0, 3))
        self._facing = np.zeros(0)
        self._shadow: np.ndarray | None = None
        self._calm = True
        """Nobody moved the camera since the last reset, so it may fit the scene by itself."""
        self._press: QPointF | None = None
        self._last = QPointF()
        self._just_picked = False
        self._resized = QTimer(self, singleShot=True, interval=120)
        self._resized.timeout.connect(self._new_renderer)

    @property
    def renderer_name(self) -> str:
        """What draws the mesh, or nothing yet."""
        return self._renderer.name if self._renderer else ""

    def enable(self) -> None:
        """Open3D is imported: create the renderer and draw."""
        self._enabled = True
        self._new_renderer()

    def set_model_info(self, info: ModelInfo) -> None:
        """The topology of the meshes to come."""
        self._info = info
        self.scene = None

    def set_theme(self, theme: Theme) -> None:
        """Colours of the stage."""
        self.theme = theme
        self.update()

    def set_colour_by(self, name: str) -> None:
        """One of `scene.COLOUR_BY`."""
        self._colour_by = name
        if self._record is not None:
            self.set_record(self._record)

    def set_pins(self, pins: Sequence[Pin], chosen: int | None, person_id: int | None) -> None:
        """Mark these vertices on one person."""
        self._pins = (pins, chosen, person_id)
        self.update()

    def set_record(self, record: Record | None) -> None:
        """Show the people of a record; None clears the stage."""
        self._record = record
        if record is None or self._info is None:
            self.scene, self._picture, self._shadow = None, None, None
            self.update()
            return
        info, count = self._info, len(record.people)
        known = self.scene.faces if self.scene and len(self.scene.ids) == count else None
        faces = stacked_faces(info.faces, len(info.part_of_vertex), count) if known is None else known
        self.scene = build_scene(record.people, info, record.frame.image.shape[1], self._colour_by, faces)
        self._shadow = shadow_of(self.scene.vertices)
        if self._calm:
            self.orbit.fit(self.scene.vertices, grow_only=known is not None)
        self.draw()

    def draw(self) -> None:
        """Draw the mesh again from where the camera is."""
        if self.scene is None or self._renderer is None or self._info is None:
            self.update()
            return
        start = time.perf_counter()
        scene, width, height = self.scene, self._renderer.width, self._renderer.height
        self._points = self.orbit.project(scene.vertices, width, height)
        normals, creases = self._surface(scene)
        view_normals = normals @ self.orbit.rotation().T
        self._facing = view_normals[:, 2]
        if len(scene.vertices):
            rgba = self._renderer.draw(self._points, scene.faces, shade(view_normals, scene.albedo, creases))
            self._picture = image_of(rgba)
        else:
            self._picture = None
        self.draw_ms = (time.perf_counter() - start) * 1000
        self.update()

    def _surface(self, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
        assert self._info is not None
        topology = topology_of(self._info.faces, scene.vertex_count)
        parts = [np.zeros((0, 3))], [np.zeros(0)]
        for vertices in scene.vertices.reshape(-1, scene.vertex_count, 3):
            parts[0].append(topology.normals(vertices))
            parts[1].append(topology.creases(vertices, parts[0][-1]))
        return np.vstack(parts[0]), np.concatenate(parts[1])

    def _new_renderer(self) -> None:
        if not self._enabled:
            return
        if self._renderer is not None:
            self._renderer.close()
        ratio = self.devicePixelRatioF()
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        self._renderer = create_renderer(width, height, 2.0 if width * height < FINE_PIXELS else 1.5)
        self.draw()

    def shutdown(self) -> None:
        """Free the renderer; a child widget gets no close event, so the window must call this."""
        self._enabled = False
        self._resized.stop()
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def look(self, side: str) -> None:
        """Turn to "front", "side" or "top"."""
        self.orbit.look(side)
        self.draw()

    def reset_view(self) -> None:
        """Back to the first look."""
        self.orbit.home()
        self._calm = True
        if self.scene is not None:
            self.orbit.fit(self.scene.vertices)
        self.draw()

    def pick(self, x: float, y: float) -> None:
        """Pick the vertex at a point of the widget and tell who and which."""
        if self.scene is None or self._renderer is None:
            return
        sx, sy = self._renderer.width / max(self.width(), 1), self._renderer.height / max(self.height(), 1)
        stacked = pick_vertex(self._points, self.scene.faces, x * sx, y * sy)
        self._just_picked = stacked >= 0
        if self._just_picked:
            self.person_picked.emit(self.scene.ids[stacked // self.scene.vertex_count])
            self.picked.emit(stacked % self.scene.vertex_count)

    def vertex_position(self, vertex: int, person_id: int | None = None) -> tuple[QPointF, bool]:
        """Where a vertex of a person is in the widget, and whether it faces the eye."""
        if self.scene is None or self._renderer is None or len(self._points) == 0:
            return QPointF(), False
        stack = 0 if person_id is None else self.scene.stack_of(person_id)
        index = stack * self.scene.vertex_count + vertex
        sx, sy = self.width() / self._renderer.width, self.height() / self._renderer.height
        x, y, _ = self._points[index].tolist()
        return QPointF(x * sx, y * sy), bool(self._facing[index] < 0.1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Stage, floor, mesh, pins."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        below = self.orbit.pitch < 0
        self._paint_stage(painter)
        if not below:
            self._paint_ground(painter)
        if self._picture is not None:
            painter.drawImage(QRectF(self.rect()), self._picture)
            if below:
                self._paint_ground(painter)
            self._paint_pins(painter)
            self._paint_legend(painter)
            if self.stale:
                painter.fillRect(self.rect(), self.theme.colour("canvas_bottom", 0.6))
        elif self.hint:
            painter.setPen(self.theme.colour("muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.hint)
        painter.end()

    def _paint_stage(self, painter: QPainter) -> None:
        gradient = QLinearGradient(0, 0, 0, self.height())
        gradient.setColorAt(0.0, QColor(self.theme.canvas_top))
        gradient.setColorAt(1.0, QColor(self.theme.canvas_bottom))
        painter.fillRect(self.rect(), gradient)
        draw_glow(painter, self.theme, self.width(), self.height())

    def _paint_ground(self, painter: QPainter) -> None:
        draw_grid(painter, self.orbit, self.theme, self.width(), self.height())
        if self._shadow is not None:
            draw_shadow(painter, self.orbit, self._shadow, self.width(), self.height())

    def _paint_legend(self, painter: QPainter) -> None:
        scale = legend(self._colour_by)
        if scale is not None:
            colours = [QColor(c) for c in scale[0]]
            paint_legend(painter, QPointF(14, 24), colours, scale[1], self.theme)

    def _paint_pins(self, painter: QPainter) -> None:
        pins, chosen, person_id = self._pins
        for pin in pins:
            spot, facing = self.vertex_position(pin.vertex, person_id)
            radius = 6.5 if pin.vertex == chosen else 4.5
            paint_ball(painter, spot, QColor.fromRgbF(*pin.colour.tolist()), radius, facing)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The off-screen window cannot be resized, so a new one is made when the size rests."""
        if self._enabled:
            self._resized.start()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag, or a click."""
        self._just_picked = False
        self._press = self._last = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Left turns; right, middle or Shift pans."""
        delta, self._last = event.position() - self._last, event.position()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._calm = self._calm and not event.buttons()
        if event.buttons() & Qt.MouseButton.LeftButton and not shift:
            self.orbit.turn(delta.x(), delta.y())
        elif event.buttons():
            self.orbit.pan(delta.x(), delta.y(), self.width(), self.height())
        self.draw()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click that did not move picks a vertex."""
        press, self._press = self._press, None
        near = press is not None and (event.position() - press).manhattanLength() < CLICK
        if near and event.button() == Qt.MouseButton.LeftButton:
            self.pick(event.position().x(), event.position().y())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Back to the first look."""
        if self._just_picked:
            self.pick_undone.emit()
        self.reset_view()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom."""
        self._calm = False
        self.orbit.zoom_by(event.angleDelta().y() / 120)
        self.draw()
