"""Helpers that put widgets side by side; nothing about what they do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QMainWindow,
    QScrollArea,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

SIDE_WIDTH = 268


def splitter(orientation: Qt.Orientation, *widgets: QWidget) -> QSplitter:
    """Widgets that share the space evenly, with a gap that can be dragged."""
    result = QSplitter(orientation)
    result.setChildrenCollapsible(False)
    result.setHandleWidth(8)
    for place, widget in enumerate(widgets):
        result.addWidget(widget)
        result.setStretchFactor(place, 1)
    result.setSizes([1000] * len(widgets))
    return result


def side_column(*widgets: QWidget) -> QScrollArea:
    """Cards from top to bottom in a column that scrolls when the window is low."""
    inside = QWidget()
    inside.setObjectName("bare")
    column = QVBoxLayout(inside)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    for widget in widgets:
        column.addWidget(widget)
    column.addStretch(1)
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.viewport().setAutoFillBackground(False)
    scroll.setWidget(inside)
    scroll.setMinimumWidth(SIDE_WIDTH)
    scroll.setMaximumWidth(380)
    return scroll


def tabs(pages: dict[str, QWidget]) -> QTabWidget:
    """Pages behind their titles; Ctrl+Tab goes through them while one has the focus."""
    result = QTabWidget()
    result.setDocumentMode(True)
    result.setAccessibleName("Side panel")
    for title, page in pages.items():
        result.addTab(page, title)
        result.setTabToolTip(result.count() - 1, f"{title} (Alt+{result.count()})")
    result.setMinimumWidth(SIDE_WIDTH)
    result.setMaximumWidth(380)
    return result


def shortcut(window: QMainWindow, text: str, key: str, run: Callable[[], object]) -> QAction:
    """A command that has a key and no button."""
    action = QAction(text, window)
    action.setShortcut(QKeySequence(key))
    action.triggered.connect(lambda _=False: run())
    window.addAction(action)
    return action


def switch(window: QMainWindow, text: str, widget: QWidget, key: str) -> QAction:
    """A command that shows or hides a part of the window."""
    action = QAction(text, window)
    action.setShortcut(QKeySequence(key))
    action.setCheckable(True)
    action.setChecked(True)
    action.toggled.connect(widget.setVisible)
    window.addAction(action)
    return action


def set_checked(switch: QAction | QAbstractButton, on: bool) -> None:
    """Check an action or a button without telling anyone."""
    blocked = switch.blockSignals(True)
    switch.setChecked(on)
    switch.blockSignals(blocked)
