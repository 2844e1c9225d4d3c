"""The full picture with people's boxes, meshes, joints and the heatmaps of the pinned vertices."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.gui.boxes import paint_other, paint_person
from app.gui.heat_look import PLAIN, HeatLook
from app.gui.marks import paint_badge, paint_circle, paint_joints
from app.gui.model_info import ModelInfo
from app.gui.overlay import HeatLayer, Pyramid, heat_layers, mesh_layer
from app.gui.pins import Pin
from app.gui.studio import REST_MS, MeshLayer, Studio
from app.gui.theme import DARK, Theme
from app.gui.viewport import Viewport
from app.pipeline.frames import Person, PersonBox, Record

CLICK = 4


class ImageView(QWidget):
    """Keeps the picture's aspect; the wheel zooms, a drag pans, a click on a box chooses the person.

    With Alt, or while `looking`, a click emits `looked` with the spot in pixels of the picture.
    """

    person_clicked = Signal(int)
    looked = Signal(float, float)

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(240, 200)
        self.setAccessibleName("Image view")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.theme: Theme = DARK
        self.port = Viewport()
        self.hint = ""
        self.stale = False
        """The source is gone: what is shown is old and drawn pale."""
        self.badge = ""
        self.show_boxes, self.show_mesh, self.show_heat, self.show_joints = True, True, True, False
        self.mesh_opacity, self.heat_opacity = 0.8, 0.85
        self.draw_ms = 0.0
        self.looking = False
        self._circle: tuple[float, float, float] | None = None
        self._map_name, self._heat_look = "", PLAIN
        self._info: ModelInfo | None = None
        self._record: Record | None = None
        self._chosen: int | None = None
        self._pins: tuple[Pin, ...] = ()
        self._studio = studio
        self._mesh: MeshLayer | None = None
        self._heat: list[HeatLayer] = []
        self._cells: HeatLayer | None = None
        self._pyramid = Pyramid()
        self._pointed: int | None = None
        self._press: QPointF | None = None
        self._last = QPointF()
        self._redraw = QTimer(self, singleShot=True, interval=0)
        self._redraw.timeout.connect(self.draw)
        self._ended = False
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self.refine)

    def enable(self) -> None:
        """The studio is open: the mesh can be drawn."""
        self._redraw.start()

    def shutdown(self) -> None:
        """No drawing any more; the window calls this when it closes."""
        self._ended = True
        self._redraw.stop()
        self._rest.stop()

    def set_model_info(self, info: ModelInfo) -> None:
        """The topology of the meshes to come."""
        self._info = info

    def set_theme(self, theme: Theme) -> None:
        """Colours around the picture."""
        self.theme = theme
        self.update()

    def set_record(self, record: Record | None, chosen: int | None) -> None:
        """Show a record; the heatmaps are those of person `chosen`."""
        start = time.perf_counter()
        if record is None or self._record is None or record.frame is not self._record.frame:
            self._pyramid.clear()
        self._record, self._chosen = record, chosen
        self._fit()
        self._draw_heat()
        self.draw()
        self.draw_ms = (time.perf_counter() - start) * 1000

    def set_pins(self, pins: tuple[Pin, ...]) -> None:
        """Show the heatmaps of these vertices."""
        self._pins = pins
        self._draw_heat()
        self.update()

    def set_map(self, name: str) -> None:
        """One of `overlay.COLOUR_MAPS`."""
        self._map_name = name
        self._draw_heat()
        self.update()

    def set_heat_look(self, look: HeatLook) -> None:
        """One scale for all heatmaps or one each; of a vertex or of its part."""
        self._heat_look = look
        self._draw_heat()
        self.update()

    def set_layers(self, *, boxes: bool, mesh: bool, heat: bool, joints: bool) -> None:
        """Which layers are drawn."""
        self.show_boxes, self.show_joints = boxes, joints
        self.show_mesh, self.show_heat = mesh, heat
        self._draw_heat()
        self.draw()

    def set_opacity(self, mesh: float, heat: float) -> None:
        """Opacity of both overlays in [0, 1]."""
        self.mesh_opacity, self.heat_opacity = mesh, heat
        self.update()

    def set_circle(self, circle: tuple[float, float, float] | None) -> None:
        """Draw a circle (x, y, radius in pixels of the picture), or none."""
        self._circle = circle
        self.update()

    def set_cells(self, layer: HeatLayer | None) -> None:
        """Draw attention to the picture's cells, or none."""
        if layer is not self._cells:
            self._cells = layer
            self.update()

    def fit(self) -> None:
        """The whole picture again."""
        self.port.reset()
        self._fit()
        self._redraw.start()

    @property
    def person(self) -> Person | None:
        """The person whose heatmaps are shown."""
        return self._record.person(self._chosen) if self._record else None

    def _fit(self) -> None:
        if self._record is not None:
            height, width = self._record.frame.image.shape[:2]
            self.port.set_sizes(width, height, self.width(), self.height())

    def _draw_heat(self) -> None:
        person = self.person
        visible = person is not None and self._info is not None and self.show_heat
        self._heat = []
        if visible and person is not None and self._info is not None:
            self._heat = heat_layers(person, self._info, self._pins, self._map_name, self._heat_look)

    def draw(self) -> None:
        """The mesh again: quickly now, finely once nothing moves."""
        if self._ended:  # A last answer of a background job comes after the window's close.
            return
        self._rest.start()
        self._show_mesh(fine=False)

    def refine(self) -> None:
        """Draw the mesh with smooth edges."""
        self._rest.stop()
        self._show_mesh(fine=True)

    def _show_mesh(self, *, fine: bool) -> None:
        self._mesh = None
        if self._record is not None and self._info is not None and self.show_mesh:
            ratio = self.port.scale * self.devicePixelRatioF()
            visible = self.port.visible()
            height, width = self._record.frame.image.shape[:2]
            people = self._record.people
            self._mesh = mesh_layer(self._studio, people, visible, ratio, fine, (width, height))
        self.update()

    def box_rect(self, box: PersonBox) -> QRectF:
        """A person's box in pixels of the widget."""
        return self.port.to_widget_rect(QRectF(*box.xywh))

    def box_at(self, spot: QPointF) -> int | None:
        """Id of the smallest box under a point of the widget."""
        if self._record is None:
            return None
        boxes = (*(person.box for person in self._record.people), *self._record.others)
        under = [box for box in boxes if self.box_rect(box).contains(spot)]
        return min(under, key=lambda b: b.width * b.height).id if under else None

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Picture, mesh, heat, joints, boxes, from back to front."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor(self.theme.canvas_bottom))
        if self._record is None:
            self._paint_hint(painter)
        else:
            self._paint_record(painter, self._record)
        if self.stale and self._record is not None:
            painter.fillRect(self.rect(), self.theme.colour("canvas_bottom", 0.6))
        if self.badge:
            paint_badge(painter, QPointF(12, 12), self.badge, self.theme)
        painter.end()

    def _paint_hint(self, painter: QPainter) -> None:
        painter.setPen(self.theme.colour("muted"))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self.hint)

    def _paint_record(self, painter: QPainter, record: Record) -> None:
        ratio = self.port.scale * self.devicePixelRatioF()
        painter.drawImage(self.port.place(), self._pyramid.at(record.frame.image, ratio))
        painter.save()
        painter.setClipRect(self.port.place())
        if self._mesh is not None:
            painter.setOpacity(self.mesh_opacity)
            painter.drawImage(self.port.to_widget_rect(self._mesh.place), self._mesh.image)
        painter.setOpacity(self.heat_opacity)
        for layer in (*([self._cells] if self._cells is not None else []), *self._heat):
            painter.save()
            painter.setTransform(layer.transform * self.port.transform(), True)
            painter.drawImage(0, 0, layer.image)
            painter.restore()
        painter.setOpacity(1.0)
        painter.restore()
        self._paint_people(painter, record)
        if self._circle is not None:
            x, y, radius = self._circle
            paint_circle(painter, self.port.to_widget(QPointF(x, y)), max(radius * self.port.scale, 4.0))

    def _paint_people(self, painter: QPainter, record: Record) -> None:
        """Boxes and joints; those of the chosen person on top."""
        if self.show_boxes:
            for box in record.others:
                paint_other(painter, self.box_rect(box), box.id, pointed=box.id == self._pointed)
        for person in sorted(record.people, key=lambda one: one is self.person):
            if self.show_joints:
                spots = [self.port.to_widget(QPointF(*xy)) for xy in person.joints2d.tolist()]
                paint_joints(painter, spots)
            if self.show_boxes:
                rect = self.box_rect(person.box)
                paint_person(painter, rect, person, self.theme, chosen=person is self.person)

    # Mouse

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit again and draw the mesh at the new size."""
        self._fit()
        self._redraw.start()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer."""
        self.port.zoom_at(event.position(), 1.15 ** (event.angleDelta().y() / 120))
        self._redraw.start()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag, or a click."""
        self._press = self._last = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pan while a button is down; else show a hand over a box."""
        if self._press is not None and event.buttons():
            self.port.pan(event.position() - self._last)
            self._last = event.position()
            self._redraw.start()
        else:
            self._point_at(self.box_at(event.position()) if self.show_boxes else None)

    def leaveEvent(self, event: QEvent) -> None:
        """The pointer is elsewhere."""
        self._point_at(None)

    def _point_at(self, person_id: int | None) -> None:
        away = Qt.CursorShape.ArrowCursor if person_id is None else Qt.CursorShape.PointingHandCursor
        self.setCursor(Qt.CursorShape.CrossCursor if self.looking else away)
        if person_id != self._pointed:
            self._pointed = person_id
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click that did not move chooses the person under it."""
        press, self._press = self._press, None
        if press is not None and (event.position() - press).manhattanLength() < CLICK:
            if self.looking or event.modifiers() & Qt.KeyboardModifier.AltModifier:
                self._look(event.position())
                return
            person_id = self.box_at(event.position()) if self.show_boxes else None
            if person_id is not None:
                self.person_clicked.emit(person_id)

    def _look(self, spot: QPointF) -> None:
        if self._record is not None and self.port.place().contains(spot):
            where = self.port.to_picture(spot)
            self.looked.emit(where.x(), where.y())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The whole picture again."""
        self.fit()
