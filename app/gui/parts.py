"""The widgets of the window and how they are laid out; nothing about what they do."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.gui.actions import Actions
from app.gui.attention_card import AttentionCard
from app.gui.banner import Banner
from app.gui.diagnostics_card import DiagnosticsCard
from app.gui.failure_list import FailureList
from app.gui.heatmap_strip import HeatmapStrip
from app.gui.layout import SIDE_WIDTH, side_column, splitter, switch, tabs
from app.gui.masking_panel import MaskingPanel
from app.gui.model_info import ModelInfo
from app.gui.pins import Pins
from app.gui.selection_panel import PersonCard, VertexCard
from app.gui.settings import Settings
from app.gui.status_line import StatusLine
from app.gui.studio import Studio
from app.gui.take_page import TakePage
from app.gui.theme import Theme
from app.gui.timeline import Timeline
from app.gui.vertex_list import VertexList
from app.gui.view_cards import ImageCard, MeshCard

FIRST_SIZE = QSize(1440, 900)
"""Of the window, before anybody has chosen another; less on a smaller screen."""


class Parts:
    """Two views over the strip, the cards beside them, the banner above and the status below."""

    def __init__(self, window: QMainWindow, settings: Settings, pins: Pins, theme: Theme) -> None:
        self.studio = Studio()
        self.image = ImageCard(settings, self.studio)
        self.mesh = MeshCard(settings, self.studio)
        self.masking = MaskingPanel(settings.hops)
        self.vertex = VertexCard()
        self.person = PersonCard()
        self.finder = VertexList()
        self.attention = AttentionCard()
        self.strip = HeatmapStrip(pins, theme)
        self.strip.look_changed.connect(self.image.view.set_heat_look)
        self.diagnostics, self.failures, self.timeline = DiagnosticsCard(), FailureList(), Timeline()
        self.banner = Banner()
        self.status = StatusLine()
        self._settings = settings
        self._window = window
        self.side = side_column(self.attention, self.masking, self.vertex, self.finder, self.person)
        views = splitter(Qt.Orientation.Horizontal, self.image, self.mesh)
        self.rows = splitter(Qt.Orientation.Vertical, views, self.strip)
        self.rows.setSizes([560, 200])
        self.rows.setStretchFactor(0, 4)
        left = QWidget()
        stacked = QVBoxLayout(left)
        stacked.setContentsMargins(0, 0, 0, 0)
        stacked.setSpacing(8)
        stacked.addWidget(self.rows, 1)
        stacked.addWidget(self.timeline)
        self.cases = side_column(self.failures, self.diagnostics)
        self.tabs = tabs({"Masks and vertices": self.side, "Failures": self.cases})
        self.columns = splitter(Qt.Orientation.Horizontal, left, self.tabs)
        self.columns.setSizes([2000, SIDE_WIDTH])
        self.columns.setStretchFactor(1, 0)
        self.take = TakePage(settings)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.columns)
        self.pages.addWidget(self.take)
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(10, 0, 10, 2)
        column.setSpacing(6)
        column.addWidget(self.banner)
        column.addWidget(self.pages, 1)
        window.setCentralWidget(central)
        window.setStatusBar(self.status)

    def build_menus(self, actions: Actions) -> None:
        """The menu bar, with switches for strip and side panel."""
        strip = switch(self._window, "Heatmap strip", self.strip, "Ctrl+H")
        side = switch(self._window, "Side panel", self.tabs, "Ctrl+D")
        timeline = switch(self._window, "Timeline", self.timeline, "Ctrl+T")
        actions.build_menus([strip, timeline, side])

    def set_theme(self, theme: Theme) -> None:
        """Everything that is painted and not styled."""
        for part in (
            self.image,
            self.mesh,
            self.masking,
            self.finder,
            self.attention,
            self.failures,
            self.timeline,
            self.strip,
            self.banner,
            self.status,
            self.take,
        ):
            part.set_theme(theme)

    def set_model_info(self, info: ModelInfo) -> None:
        """Everything that needs the mesh; what the user should know about the model is told."""
        for part in (self.studio, self.image.view, self.mesh.view, self.masking, self.strip, self.status):
            part.set_model_info(info)
        if info.notice:
            self.banner.say(info.notice)

    def enable_views(self) -> None:
        """Open3D is imported: the views may draw meshes."""
        self.studio.open()
        self.image.view.enable()
        self.mesh.view.draw()
        self.take.enable()

    def shutdown(self) -> None:
        """Stop what waits, free what draws meshes."""
        self.masking.shutdown()
        self.image.view.shutdown()
        self.mesh.view.shutdown()
        self.studio.close()
        self.take.shutdown()

    def refine(self) -> None:
        """The best picture of what is shown, at once."""
        self.image.view.refine()
        self.mesh.view.refine()
        self.take.mesh.view.refine()

    def restore(self) -> None:
        """Sizes and places of the last session."""
        settings = self._settings
        if settings.geometry:
            self._window.restoreGeometry(QByteArray(settings.geometry))
        else:
            free = self._window.screen().availableSize()
            self._window.resize(FIRST_SIZE.boundedTo(free))
        for part, state in ((self.columns, settings.columns), (self.rows, settings.rows)):
            if state:
                part.restoreState(QByteArray(state))

    def remember(self) -> None:
        """Write sizes, places and controls into the settings."""
        settings = self._settings
        settings.geometry = bytes(self._window.saveGeometry().data())
        settings.columns = bytes(self.columns.saveState().data())
        settings.rows = bytes(self.rows.saveState().data())
        settings.hops = self.masking.hops
        settings.colour_by = self.mesh.colour_by.currentText()
        self.image.remember(settings)
        self.take.edits.remember(settings)
