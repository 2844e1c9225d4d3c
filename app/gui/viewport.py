"""Where a picture lies in a widget: fitted, zoomed and moved. No painting."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QTransform

LARGEST = 20.0


class Viewport:
    """Maps between pixels of the picture and pixels of the widget, keeping the aspect."""

    def __init__(self) -> None:
        self._picture = (1, 1)
        self._widget = (1, 1)
        self.zoom = 1.0
        self._shift = QPointF()

    def set_sizes(self, width: int, height: int, widget_width: int, widget_height: int) -> None:
        """Sizes of picture and widget; another picture size starts fitted again."""
        if (width, height) != self._picture:
            self.reset()
        self._picture = (max(width, 1), max(height, 1))
        self._widget = (max(widget_width, 1), max(widget_height, 1))

    def reset(self) -> None:
        """Fitted and centred."""
        self.zoom, self._shift = 1.0, QPointF()

    @property
    def scale(self) -> float:
        """Widget pixels per picture pixel."""
        fit = min(self._widget[0] / self._picture[0], self._widget[1] / self._picture[1])
        return fit * self.zoom

    def place(self) -> QRectF:
        """The picture's rectangle in the widget."""
        width, height = self._picture[0] * self.scale, self._picture[1] * self.scale
        left, top = (self._widget[0] - width) / 2, (self._widget[1] - height) / 2
        return QRectF(left + self._shift.x(), top + self._shift.y(), width, height)

    def transform(self) -> QTransform:
        """Picture -> widget."""
        place = self.place()
        return QTransform(self.scale, 0, 0, self.scale, place.left(), place.top())

    def to_widget(self, spot: QPointF) -> QPointF:
        """Picture -> widget."""
        return self.transform().map(spot)

    def to_picture(self, spot: QPointF) -> QPointF:
        """Widget -> picture."""
        place = self.place()
        return (spot - place.topLeft()) / self.scale

    def to_widget_rect(self, rect: QRectF) -> QRectF:
        """Picture -> widget."""
        return self.transform().mapRect(rect)

    def visible(self) -> QRectF:
        """The part of the picture that can be seen, in its pixels."""
        corner = self.to_picture(QPointF(0, 0))
        size = QPointF(self._widget[0], self._widget[1]) / self.scale
        seen = QRectF(corner.x(), corner.y(), size.x(), size.y())
        return seen.intersected(QRectF(0, 0, *self._picture))

    def zoom_at(self, spot: QPointF, factor: float) -> None:
        """Zoom so that the picture stays under the pointer; never smaller than fitted."""
        anchor = self.to_picture(spot)
        self.zoom = max(1.0, min(LARGEST, self.zoom * factor))
        if self.zoom == 1.0:
            self.reset()
            return
        self._shift += spot - self.to_widget(anchor)
        self._keep()

    def pan(self, by: QPointF) -> None:
        """Move a zoomed picture."""
        self._shift += by
        self._keep()

    def _keep(self) -> None:
        """Never show more border than a fitted picture has."""
        width, height = self._picture[0] * self.scale, self._picture[1] * self.scale
        x, y = max(0.0, (width - self._widget[0]) / 2), max(0.0, (height - self._widget[1]) / 2)
        self._shift = QPointF(max(-x, min(x, self._shift.x())), max(-y, min(y, self._shift.y())))
