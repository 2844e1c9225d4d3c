"""Line icons, drawn for this project on a 24 x 24 grid and coloured by the theme."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

SIZE = 20

_SHAPES = {
    "source": '<rect x="3" y="6" width="12" height="12" rx="2.5"/><path d="M15 10.5l6-3.5v10l-6-3.5"/>',
    "camera": '<path d="M4 8h3l1.6-2.5h6.8L17 8h3v11H4z"/><circle cx="12" cy="13.2" r="3.4"/>',
    "file": '<path d="M6 3h8l4 4v14H6z"/><path d="M14 3v4h4"/>',
    "folder": '<path d="M3 6h6l2 2.5h10V19H3z"/>',
    "sample": '<circle cx="12" cy="12" r="8.5"/><path d="M10 8.5l5.5 3.5-5.5 3.5z"/>',
    "play": '<path d="M7 4.8l12 7.2-12 7.2z" fill="COLOUR"/>',
    "pause": '<path d="M8 5v14M16 5v14" stroke-width="3.4"/>',
    "back": '<path d="M18 5.5L9 12l9 6.5z" fill="COLOUR"/><path d="M6 5.5v13" stroke-width="2.4"/>',
    "forward": '<path d="M6 5.5L15 12l-9 6.5z" fill="COLOUR"/><path d="M18 5.5v13" stroke-width="2.4"/>',
    "first": '<path d="M19 5.5L11 12l8 6.5z" fill="COLOUR"/><path d="M11 5.5L5 12l6 6.5z" fill="COLOUR"/>'
    '<path d="M4 5.5v13" stroke-width="2.2"/>',
    "last": '<path d="M5 5.5L13 12l-8 6.5z" fill="COLOUR"/><path d="M13 5.5L19 12l-6 6.5z" fill="COLOUR"/>'
    '<path d="M20 5.5v13" stroke-width="2.2"/>',
    "repeat": '<path d="M17 3.5l3.5 3.5L17 10.5M20 7H8a4 4 0 0 0-4 4"/>'
    '<path d="M7 20.5L3.5 17 7 13.5M4 17h12a4 4 0 0 0 4-4"/>',
    "mark_in": '<path d="M10 4H5v16h5" stroke-width="2.2"/><path d="M20 12H10M13.5 8L9.5 12l4 4"/>',
    "mark_out": '<path d="M14 4h5v16h-5" stroke-width="2.2"/><path d="M4 12h10M10.5 8l4 4-4 4"/>',
    "record": '<circle cx="12" cy="12" r="8.5"/><circle cx="12" cy="12" r="4.6" fill="COLOUR"/>',
    "take": '<rect x="3" y="5" width="18" height="14" rx="2"/><path d="M7 5v14M17 5v14M3 9.7h4M3 14.3h4'
    'M17 9.7h4M17 14.3h4"/>',
    "freeze": '<path d="M12 3v18M4.2 7.5l15.6 9M19.8 7.5l-15.6 9"/>'
    '<path d="M9.6 4.6L12 6.8l2.4-2.2M9.6 19.4l2.4-2.2 2.4 2.2"/>',
    "person": '<circle cx="12" cy="7.5" r="3.8"/><path d="M4.5 20.5c.6-4.6 3.6-7 7.5-7s6.9 2.4 7.5 7"/>',
    "people": '<circle cx="9" cy="8" r="3.3"/><path d="M2.8 19.5c.5-4 2.9-6 6.2-6s5.7 2 6.2 6"/>'
    '<path d="M15.5 5a3.2 3.2 0 0 1 0 6M17.5 13.8c2.2.7 3.4 2.6 3.7 5.7"/>',
    "isolate": '<circle cx="12" cy="8" r="3"/><path d="M6.5 19c.5-4 2.600-6 5.500-6s5 2 5.500 6"/>'
    '<path d="M4 7V3.500h4M16 3.500h4V7M20 17v3.500h-3M7 20.500H4V17"/>',
    "export": '<path d="M12 15V3.5M7.5 8L12 3.5 16.5 8"/><path d="M4 14v6.5h16V14"/>',
    "boxes": '<path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"/>',
    "joints": '<path d="M12 7.5v6M12 13.5l-4 5M12 13.5l4 5M7 10h10"/><circle cx="12" cy="5" r="2.3"/>'
    '<circle cx="6" cy="10" r="1.5"/><circle cx="18" cy="10" r="1.5"/>'
    '<circle cx="7.5" cy="19.5" r="1.5"/><circle cx="16.5" cy="19.5" r="1.5"/>',
    "mesh": '<path d="M12 3l8 4.6v8.8L12 21l-8-4.6V7.6z"/><path d="M12 3v18M4 7.6l16 8.8M20 7.6L4 16.4"/>',
    "heat": '<circle cx="12" cy="12" r="2.4" fill="COLOUR"/><circle cx="12" cy="12" r="5.5" opacity=".75"/>'
    '<circle cx="12" cy="12" r="9" opacity=".4"/>',
    "look": '<path d="M2.5 12c2.4-4.4 5.6-6.6 9.5-6.6s7.1 2.2 9.5 6.6c-2.4 4.4-5.6 6.6-9.5 6.6'
    'S4.9 16.4 2.5 12z"/>'
    '<circle cx="12" cy="12" r="3"/>',
    "fade": '<circle cx="12" cy="6" r="3"/><path d="M7 14c.4-3 2.2-4.5 5-4.5s4.6 1.5 5 4.5"/>'
    '<path d="M9.5 14.5v2M14.5 14.5v2M9.5 19v1.5M14.5 19v1.5" opacity=".55"/>',
    "steady": '<path d="M2.5 9l2.5-4 2.5 6 2.5-5 2 3"/><path d="M3 17c4-4.5 7-4.5 9.5-2s5 2 8.5-1.5"/>',
    "reset": '<path d="M5 5v5h5"/><path d="M5.6 10a7.5 7.5 0 1 1-.9 5.5"/>',
    "check": '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    "close": '<path d="M7 7l10 10M17 7L7 17"/>',
    "warning": '<path d="M12 4l9 16H3z"/><path d="M12 10v4.5M12 17v.5" stroke-width="2"/>',
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5M12 7.5v.5" stroke-width="2"/>',
}


def pixmap(name: str, colour: str, size: int = SIZE, ratio: float = 1.0) -> QPixmap:
    """The icon in one colour, `size` points wide, for a screen of this pixel ratio."""
    shape = _SHAPES[name].replace("COLOUR", colour)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="{colour}" '
        f'stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round">{shape}</svg>'
    )
    picture = QPixmap(round(size * ratio), round(size * ratio))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(picture.rect()))
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


def icon(name: str, colour: str, checked: str | None = None) -> QIcon:
    """The icon for a button; `checked` is its colour while the button is down."""
    result = QIcon()
    faint = QColor(colour)
    faint.setAlphaF(0.35)
    for ratio in (1.0, 2.0):
        result.addPixmap(pixmap(name, colour, SIZE, ratio))
        disabled = pixmap(name, colour, SIZE, ratio)
        painter = QPainter(disabled)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationIn)
        painter.fillRect(disabled.rect(), faint)
        painter.end()
        result.addPixmap(disabled, QIcon.Mode.Disabled)
        if checked:
            result.addPixmap(pixmap(name, checked, SIZE, ratio), QIcon.Mode.Normal, QIcon.State.On)
    return result
