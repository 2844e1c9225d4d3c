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
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.gui.colourings import Colouring, Painted
from app.gui.ground import draw_grid, draw_shadow, shadow_of
from app.gui.marks import paint_badge, paint_ball, paint_legend
from app.gui.model_info import ModelInfo
from app.gui.orbit import Orbit
from app.gui.pins import Pin
from app.gui.render import pick_vertex
from app.gui.scene import Scene, build_scene, legend
from app.gui.shading import shade
from app.gui.stage import Stage
from app.gui.studio import REST_MS, MeshLayer, Studio
from app.gui.theme import DARK, Theme
from app.pipeline.frames import Record

CLICK = 4
"""Pixels that the mouse may move between press and release of a click."""


class MeshView(QWidget):
    """Shows every person of a record; emits `picked(vertex)` and `person_picked(id)` on a click.

    The first half of a double click is a click too: `pick_undone` takes its pick back.
    """

    picked = Signal(int)
    person_picked = Signal(int)
    pick_undone = Signal()

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(240, 200)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Mesh view")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.orbit = Orbit()
        self.theme: Theme = DARK
        self.hint = ""
        self.stale = False
        """The source is gone: what is shown is old and drawn pale."""
        self.draw_ms = 0.0
        self.scene: Scene | None = None
        self._info: ModelInfo | None = None
        self._record: Record | None = None
        self.badge = ""
        self.colourings: dict[str, Colouring] = {}
        """Colours that are made from a whole record, by their names in `scene.COLOUR_BY`."""
        self._painted = Painted()
        self._colour_by = "Plain"
        self._pins: tuple[Sequence[Pin], int | None, int | None] = ((), None, None)
        self._marks: tuple[Sequence[int], int | None] = ((), None)
        self._studio = studio
        self._layer: MeshLayer | None = None
        self._stage = Stage()
        self._points: np.ndarray = np.zeros((0, 3))
        self._facing: np.ndarray = np.zeros(0)
        self._shadow: np.ndarray | None = None
        self._calm = True
        """Nobody moved the camera since the last reset, so it may fit the scene by itself."""
        self._press: QPointF | None = None
        self._last = QPointF()
        self._just_picked = False
        self._ended = False
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self.refine)

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

    def set_marks(self, vertices: Sequence[int], pointed: int | None) -> None:
        """Mark these vertices of the person with the pins, one of them more than the others."""
        self._marks = (vertices, pointed)
        self.update()

    def set_record(self, record: Record | None) -> None:
        """Show the people of a record; None clears the stage."""
        self._record = record
        if record is None or self._info is None:
            self.scene, self._layer, self._shadow = None, None, None
            self.update()
            return
        faces, width = self._studio.faces(len(record.people)), record.frame.image.shape[1]
        known = self.scene is not None and self.scene.faces is faces
        paint = self.colourings.get(self._colour_by)
        self._painted = paint(record, self._info) if paint is not None else Painted()
        own = self._painted.colours
        self.scene = build_scene(record.people, self._info, width, self._colour_by, faces, own)
        self._shadow = shadow_of(self.scene.vertices)
        if self._calm:
            self.orbit.fit(self.scene.vertices, grow_only=known)
        self.draw()

    def draw(self) -> None:
        """Draw the people again from where the camera is: quickly now, finely once nothing moves."""
        if self._ended:  # A last answer of a background job comes after the window's close.
            return
        self._rest.start()
        self._draw(fine=False)

    def refine(self) -> None:
        """Draw the mesh with smooth edges."""
        self._rest.stop()
        self._draw(fine=True)

    def _draw(self, *, fine: bool) -> None:
        self.update()
        scene, record = self.scene, self._record
        self._layer = None
        if scene is None or record is None or not record.people:
            return
        start = time.perf_counter()
        self._points = self.orbit.project(scene.vertices, self.width(), self.height())
        surfaces = self._studio.surfaces(record.people)
        turn = self.orbit.rotation().T.astype(np.float32)
        normals = np.vstack([surface.normals for surface in surfaces]) @ turn
        self._facing = normals[:, 2]
        lit = shade(normals, scene.albedo, np.concatenate([surface.creases for surface in surfaces]))
        ratio = self.devicePixelRatioF()
        height, width = record.frame.image.shape[:2]
        opacity = self._studio.opacity(record.people, (width, height))
        self._layer = self._studio.draw(self._points, lit, QRectF(self.rect()), ratio, fine, opacity)
        self.draw_ms = (time.perf_counter() - start) * 1000

    def shutdown(self) -> None:
        """No drawing any more; a child widget gets no close event, so the window must call this."""
        self._ended = True
        self._rest.stop()

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
        if self.scene is None or self._layer is None:
            return
        stacked = pick_vertex(self._points, self.scene.faces, x, y)
        self._just_picked = stacked >= 0
        if self._just_picked:
            self.person_picked.emit(self.scene.ids[stacked // self.scene.vertex_count])
            self.picked.emit(stacked % self.scene.vertex_count)

    def vertex_position(self, vertex: int, person_id: int | None = None) -> tuple[QPointF, bool]:
        """Where a vertex of a person is in the widget, and whether it faces the eye."""
        if self.scene is None or self._layer is None:
            return QPointF(), False
        stack = 0 if person_id is None else self.scene.stack_of(person_id)
        index = stack * self.scene.vertex_count + vertex
        x, y, _ = self._points[index].tolist()
        return QPointF(x, y), bool(self._facing[index] < 0.1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Stage, floor, mesh, pins."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        below = self.orbit.pitch < 0
        backdrop = self._stage.picture(self.orbit, self.theme, self.size(), self.devicePixelRatioF())
        painter.drawPixmap(0, 0, backdrop)
        if self._layer is not None:
            if not below:
                self._paint_shadow(painter)
            painter.drawImage(self._layer.place, self._layer.image)
            if below:
                draw_grid(painter, self.orbit, self.theme, self.width(), self.height())
                self._paint_shadow(painter)
            self._paint_marks(painter)
            self._paint_pins(painter)
            self._paint_legend(painter)
            if self.stale:
                painter.fillRect(self.rect(), self.theme.colour("canvas_bottom", 0.6))
        elif self.hint:
            painter.setPen(self.theme.colour("muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.hint)
        painter.end()

    def _paint_shadow(self, painter: QPainter) -> None:
        if self._shadow is not None:
            draw_shadow(painter, self.orbit, self._shadow, self.width(), self.height())

    def _paint_legend(self, painter: QPainter) -> None:
        scale = self._painted.legend or legend(self._colour_by)
        if scale is not None:
            colours = [QColor(c) for c in scale[0]]
            paint_legend(painter, QPointF(14, 24), colours, scale[1], self.theme)
        if self._painted.note:
            painter.setPen(self.theme.colour("muted"))
            painter.drawText(QPointF(14, 38 if scale is not None else 22), self._painted.note)
        if self.badge:
            paint_badge(painter, QPointF(12, self.height() - 31), self.badge, self.theme)

    def _paint_marks(self, painter: QPainter) -> None:
        vertices, pointed = self._marks
        for vertex in sorted(vertices, key=lambda v: v == pointed):
            spot, facing = self.vertex_position(vertex, self._pins[2])
            colour = self.theme.colour("accent" if vertex == pointed else "text")
            paint_ball(painter, spot, colour, 7.5 if vertex == pointed else 2.6, facing)

    def _paint_pins(self, painter: QPainter) -> None:
        pins, chosen, person_id = self._pins
        for pin in pins:
            spot, facing = self.vertex_position(pin.vertex, person_id)
            radius = 6.5 if pin.vertex == chosen else 4.5
            paint_ball(painter, spot, QColor.fromRgbF(*pin.colour.tolist()), radius, facing)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw at the new size."""
        self.draw()

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
