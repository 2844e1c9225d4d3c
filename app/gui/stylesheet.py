"""The Qt style sheet of a theme."""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.gui.theme import Theme

FONTS = '"Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "Cantarell", "DejaVu Sans", sans-serif'

_SHEET = Template("""
* { font-family: $fonts; font-size: 13px; }
QMainWindow, QDialog { background: $window; }
QLabel { color: $text; background: transparent; }
QLabel[role="muted"] { color: $muted; font-size: 12px; }
QLabel[role="small"] { color: $muted; font-size: 11px; }
QLabel[role="title"] { color: $muted; font-size: 11px; font-weight: 600; letter-spacing: 1px; }
QLabel[role="value"] { color: $text; font-size: 12px; font-weight: 600; }

QLabel[role="alarm"] { color: $danger; font-size: 12px; font-weight: 600; }

QFrame#card { background: $panel; border: 1px solid $border; border-radius: 10px; }
QWidget#bare { background: transparent; }
QFrame#pin { background: $raised; border: 1px solid $border; border-radius: 8px; }
QFrame#pin:hover { background: $hover; }
QFrame#pin[chosen="true"] { border: 1px solid $accent; background: $hover; }
QFrame#banner { background: $raised; border: 1px solid $border; border-radius: 8px; }

QMenuBar { background: $window; color: $muted; padding: 2px 8px; }
QMenuBar::item { padding: 4px 9px; border-radius: 5px; background: transparent; }
QMenuBar::item:selected { background: $raised; color: $text; }
QMenu { background: $panel; color: $text; border: 1px solid $border; border-radius: 8px; padding: 5px; }
QMenu::item { padding: 6px 26px 6px 12px; border-radius: 5px; }
QMenu::item:selected { background: $hover; }
QMenu::item:disabled { color: $muted; }
QMenu::separator { height: 1px; background: $border; margin: 5px 8px; }
QMenu::indicator { width: 14px; height: 14px; left: 4px; }
QMenu::icon { left: 6px; }

QToolBar { background: $window; border: none; spacing: 4px; padding: 2px 10px 6px 10px; }
QToolBar::separator { width: 1px; background: $border; margin: 6px 6px; }
QToolButton { color: $text; background: transparent; border: 1px solid transparent; border-radius: 7px;
  padding: 5px 8px; }
QToolButton:hover { background: $raised; }
QToolButton:pressed { background: $hover; }
QToolButton:checked { background: $hover; border-color: $border; color: $accent; }
QToolButton:focus { border-color: $accent; }
QToolButton:disabled { color: $faint; }
QToolButton[popupMode="2"] { padding-right: 20px; }
QToolButton::menu-indicator { image: none; width: 0; }
QToolButton#primary { background: $accent; color: $on_accent; font-weight: 600; padding: 5px 12px; }
QToolButton#primary:hover { background: $accent_hover; }
QToolButton#primary:disabled { background: $raised; color: $faint; }
QToolButton#record:checked { color: $danger; border-color: $danger; }
QLabel#recorded { color: $danger; font-weight: 600; padding-right: 8px; }
QToolButton#flat { padding: 3px; border-radius: 5px; }
QToolButton#view { padding: 3px 8px; font-size: 12px; color: $muted; }
QToolButton#view:hover { color: $text; }
QToolButton#view:checked { color: $accent; }

QPushButton { color: $text; background: $raised; border: 1px solid $border; border-radius: 7px;
  padding: 6px 10px; }
QPushButton:hover { background: $hover; }
QPushButton:focus { border-color: $accent; }
QPushButton:checked { border-color: $accent; color: $accent; background: $hover; }
QPushButton#preset { padding: 6px 4px; font-size: 12px; }
QPushButton:disabled { color: $faint; }

QComboBox { color: $text; background: $raised; border: 1px solid $border; border-radius: 7px;
  padding: 3px 8px; font-size: 12px; min-height: 18px; }
QComboBox:hover { background: $hover; }
QComboBox:focus { border-color: $accent; }
QComboBox::drop-down { border: none; width: 16px; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView { background: $panel; color: $text; border: 1px solid $border; padding: 4px;
  selection-background-color: $hover; selection-color: $text; outline: none; }

QSlider { min-height: 20px; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $hover; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: $accent; }
QSlider::handle:horizontal { width: 14px; height: 14px; margin: -5px 0; border-radius: 7px;
  background: $handle; border: 1px solid $border; }
QSlider::handle:horizontal:hover { border: 1px solid $accent; }
QSlider::handle:horizontal:focus { border: 2px solid $accent; }
QSlider::sub-page:horizontal:disabled { background: $border; }
QSlider::handle:horizontal:disabled { background: $border; }

QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: $border; border-radius: 3px; }
QScrollArea { background: transparent; border: none; }
QScrollBar:horizontal { height: 8px; background: transparent; }
QScrollBar:vertical { width: 8px; background: transparent; }
QScrollBar::handle { background: $hover; border-radius: 4px; min-width: 24px; min-height: 24px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QStatusBar { background: $window; color: $muted; }
QStatusBar::item { border: none; }
QStatusBar QLabel { color: $muted; font-size: 12px; padding: 0 4px; }
QToolButton#status { color: $muted; font-size: 12px; padding: 1px 6px; border-radius: 5px; }
QToolButton#status:hover { color: $text; background: $raised; }

QListWidget { background: $panel; color: $text; border: 1px solid $border; border-radius: 8px; padding: 5px;
  outline: none; }
QListWidget::item { padding: 6px 8px; border-radius: 5px; }
QListWidget::item:selected { background: $hover; color: $text; }
QTreeWidget { background: $raised; color: $text; border: 1px solid $border; border-radius: 8px; padding: 2px;
  outline: none; font-size: 12px; }
QTreeWidget::item { padding: 2px 4px; }
QTreeWidget::item:selected { background: $hover; color: $text; }
QTreeWidget:focus { border-color: $accent; }
QHeaderView::section { background: $raised; color: $muted; border: none; padding: 3px 4px; font-size: 11px; }
QTabWidget::pane { border: none; }
QTabBar { qproperty-drawBase: 0; background: transparent; }
QTabBar::tab { color: $muted; background: transparent; padding: 5px 10px 7px 10px; font-size: 12px;
  border-bottom: 2px solid transparent; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom: 2px solid $accent; }
QTabBar::tab:focus { color: $accent; }
QListWidget#found { padding: 2px; background: $raised; }
QListWidget#found::item { padding: 2px 6px; }
QLineEdit { background: $raised; color: $text; border: 1px solid $border; border-radius: 7px;
  padding: 4px 8px; font-size: 12px; selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit:focus { border-color: $accent; }
QCheckBox { color: $text; font-size: 12px; spacing: 7px; }
QCheckBox:disabled, QLineEdit:disabled, QComboBox:disabled { color: $faint; }
QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid $muted; border-radius: 4px;
  background: $raised; }
QCheckBox::indicator:hover { border-color: $accent; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; }
QCheckBox::indicator:disabled { border-color: $border; background: $raised; }
QCheckBox:focus { color: $accent; }
QListWidget:focus { border-color: $accent; }
QListWidget::item:disabled { color: $muted; }
QProgressBar { background: $hover; border: none; border-radius: 2px; max-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }
QPushButton#primary { background: $accent; color: $on_accent; font-weight: 600; border: 1px solid $accent; }
QPushButton#primary:hover { background: $accent_hover; }
QPushButton#primary:focus { border-color: $text; }
QPushButton#primary:disabled { background: $raised; color: $faint; border-color: $border; }

QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: 5px 7px; }
QTextBrowser { background: $panel; color: $text; border: 1px solid $border; border-radius: 8px;
  padding: 8px; }
""")


def _mix(one: str, other: str, share: float) -> str:
    pairs = [(int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a * (1 - share) + b * share):02x}" for a, b in pairs)


def style_sheet(theme: Theme) -> str:
    """The whole application's style sheet."""
    return _SHEET.substitute(
        vars(theme),
        fonts=FONTS,
        faint=_mix(theme.muted, theme.window, 0.5),
        accent_hover=_mix(theme.accent, theme.text, 0.18),
        handle="#ffffff" if theme.name == "light" else _mix(theme.text, theme.panel, 0.1),
    )
