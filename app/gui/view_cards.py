"""The two views with the controls in their title rows."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QComboBox, QToolButton, QWidget

from app.gui.image_view import ImageView
from app.gui.mesh_view import MeshView
from app.gui.overlay import COLOUR_MAPS
from app.gui.scene import COLOUR_BY
from app.gui.settings import Settings
from app.gui.studio import Studio
from app.gui.theme import DARK, Theme
from app.gui.widgets import Card, IconButton, PercentSlider

ROOM_FOR_SLIDERS = 460
SLIDER_WIDTH = 50
LOOK_TIP = "Look here (L): a click lists the vertices whose heatmaps look there; or Alt+click at any time"
SIDES = (("front", "1"), ("side", "2"), ("top", "3"))


class Choice(QComboBox):
    """A combo box with an arrow in the theme's colour."""

    def __init__(self, names: tuple[str, ...], current: str, tip: str) -> None:
        super().__init__()
        self._theme: Theme = DARK
        self.setFixedWidth(112)
        self.addItems(list(names))
        if names:
            self.setCurrentText(current if current in names else names[0])
        self.setToolTip(tip)
        self.setAccessibleName(tip)

    def set_theme(self, theme: Theme) -> None:
        """Colour of the arrow."""
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The box, then the arrow."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("muted"), 1.5))
        x, y = self.width() - 14.0, self.height() / 2
        painter.drawPolyline([QPointF(x - 3.5, y - 1.5), QPointF(x, y + 2), QPointF(x + 3.5, y - 1.5)])
        painter.end()


class ImageCard(Card):
    """The picture and what is laid over it."""

    changed = Signal()

    def __init__(self, settings: Settings, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__("Image", parent)
        self.view = ImageView(studio)
        self.boxes = self._toggle("boxes", "Boxes (B); click a box to choose the person", settings.show_boxes)
        self.joints = self._toggle("joints", "Joints (J)", settings.show_joints)
        self.header.addSpacing(6)
        self.mesh = self._toggle("mesh", "Mesh overlay (M)", settings.show_mesh)
        self.mesh_opacity = PercentSlider("Opacity of the mesh overlay", settings.mesh_opacity, SLIDER_WIDTH)
        self.header.addWidget(self.mesh_opacity)
        self.header.addSpacing(6)
        self.heat = self._toggle("heat", "Heatmaps of the pinned vertices (H)", settings.show_heat)
        self.heat_opacity = PercentSlider("Opacity of the heatmaps", settings.heat_opacity, SLIDER_WIDTH)
        self.header.addWidget(self.heat_opacity)
        self.look = IconButton("look", LOOK_TIP, checkable=True)
        self.look.toggled.connect(self._look)
        self.map = Choice(COLOUR_MAPS, settings.colour_map, "Colours of the heatmaps")
        self.header.addSpacing(4)
        self.header.addWidget(self.map)
        self.header.addWidget(self.look)
        self.body.addWidget(self.view)
        for slider in (self.mesh_opacity, self.heat_opacity):
            slider.valueChanged.connect(self._opacity)
        self.map.currentTextChanged.connect(self._map)
        self._layers()
        self._opacity()
        self.view.set_map(self.map.currentText())

    def _toggle(self, icon_name: str, tip: str, on: bool) -> IconButton:
        button = IconButton(icon_name, tip, checkable=True)
        button.setChecked(on)
        button.toggled.connect(self._layers)
        self.header.addWidget(button)
        return button

    def _look(self, on: bool) -> None:
        self.view.looking = on

    def _layers(self) -> None:
        self.view.set_layers(
            boxes=self.boxes.isChecked(),
            mesh=self.mesh.isChecked(),
            heat=self.heat.isChecked(),
            joints=self.joints.isChecked(),
        )

    def _opacity(self) -> None:
        self.view.set_opacity(self.mesh_opacity.share, self.heat_opacity.share)

    def _map(self, name: str) -> None:
        self.view.set_map(name)

    def set_theme(self, theme: Theme) -> None:
        """Colours of the view and its controls."""
        for button in (self.boxes, self.joints, self.mesh, self.heat, self.look):
            button.set_theme(theme)
        self.map.set_theme(theme)
        self.view.set_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow card has no room for the sliders."""
        super().resizeEvent(event)
        for slider in (self.mesh_opacity, self.heat_opacity):
            slider.setVisible(event.size().width() >= ROOM_FOR_SLIDERS)

    def remember(self, settings: Settings) -> None:
        """Write the controls into the settings."""
        settings.show_boxes, settings.show_joints = self.boxes.isChecked(), self.joints.isChecked()
        settings.show_mesh, settings.show_heat = self.mesh.isChecked(), self.heat.isChecked()
        settings.mesh_opacity, settings.heat_opacity = self.mesh_opacity.share, self.heat_opacity.share
        settings.colour_map = self.map.currentText()


class MeshCard(Card):
    """The people in 3D."""

    def __init__(
        self,
        settings: Settings,
        studio: Studio,
        title: str = "Mesh",
        colours: tuple[str, ...] = COLOUR_BY,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(title, parent)
        self.view = MeshView(studio)
        self.sides: dict[str, QToolButton] = {}
        for side, key in SIDES:
            button = QToolButton()
            button.setObjectName("view")
            button.setText(side.capitalize())
            button.setToolTip(f"Look from the {side} ({key})")
            button.clicked.connect(lambda _=False, s=side: self.view.look(s))
            self.sides[side] = button
            self.header.addWidget(button)
        self.reset = IconButton("reset", "Reset the view (0, or a double click)")
        self.reset.clicked.connect(self.view.reset_view)
        self.header.addWidget(self.reset)
        self.colour_by = Choice(colours, settings.colour_by, "Colour the mesh by")
        self.colour_by.currentTextChanged.connect(self.view.set_colour_by)
        self.view.set_colour_by(self.colour_by.currentText())
        self.header.addSpacing(6)
        self.header.addWidget(self.colour_by)
        self.body.addWidget(self.view)
        self.spare: list[QWidget] = list(self.sides.values())
        """What a narrow card has no room for; all of it has keys or tells what hardly changes."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow card shows only what has no other place."""
        super().resizeEvent(event)
        for widget in self.spare:
            widget.setVisible(event.size().width() >= ROOM_FOR_SLIDERS)

    def set_theme(self, theme: Theme) -> None:
        """Colours of the view and its controls."""
        self.reset.set_theme(theme)
        self.colour_by.set_theme(theme)
        self.view.set_theme(theme)
