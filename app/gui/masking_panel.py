"""Progressive attention masking: one threshold in hops for each of the four encoders."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from app.gui.compare_box import CompareBox, masks_text
from app.gui.model_info import ModelInfo
from app.gui.theme import Theme
from app.gui.widgets import Card, IconButton, label
from app.pipeline.frames import PAPER_HOPS, Hops
from model.evaluation.protocols import ABLATION, PUBLISHED_ABLATION
from model.mask_statistics import mask_statistics

NO_MODEL_DIAMETER = 12
"""Until the mesh is known; more where a remembered threshold is larger, which would be off else."""


@dataclass(frozen=True)
class Preset:
    """One row of the paper's masking ablation (Human3.6M, in millimetres)."""

    hops: Hops
    mpjpe: float
    pa_mpjpe: float

    @property
    def text(self) -> str:
        """As the button shows it."""
        return masks_text(self.hops)

    @property
    def tip(self) -> str:
        """As the tooltip explains it."""
        return (
            f"Encoders 1 to 4: {self.text}\nPublished, Human3.6M: "
            f"MPJPE {self.mpjpe} mm, PA-MPJPE {self.pa_mpjpe} mm"
        )


PRESETS = tuple(
    Preset(hops, row.values["mpjpe"], row.values["pa_mpjpe"])
    for hops, row in zip(ABLATION, PUBLISHED_ABLATION, strict=True)
)


def hops_text(hops: int | None) -> str:
    """A threshold in words."""
    return "off" if hops is None else f"{hops} hop" if hops == 1 else f"{hops} hops"


class MaskingPanel(Card):
    """Four sliders and the paper's presets; `hops_changed` always carries all four thresholds."""

    hops_changed = Signal(tuple)

    def __init__(self, hops: Hops = PAPER_HOPS, parent: QWidget | None = None) -> None:
        super().__init__("Masking", parent)
        self.setToolTip(
            "In each encoder a vertex attends only to vertices within this many hops on the coarse mesh."
        )
        self._info: ModelInfo | None = None
        self._off = 1 + max(NO_MODEL_DIAMETER - 1, *(value or 0 for value in hops))
        self.sliders: list[QSlider] = []
        self._values: list[QLabel] = []
        self.presets: list[QPushButton] = []
        self.reset_button = IconButton("reset", "Masks of the paper: 7, 5, 3, 1 (Ctrl+R)")
        self.reset_button.clicked.connect(lambda: self.set_hops(PAPER_HOPS))
        self.header.addWidget(self.reset_button)
        self.sparsity = label("", "small", "Mean number of vertices that one vertex may attend to")
        self.sparsity.setWordWrap(True)
        self.compare = CompareBox()
        self._count_later = QTimer(self, singleShot=True, interval=0)
        self._count_later.timeout.connect(self._count)
        self._build()
        self._set_values(hops)

    def _build(self) -> None:
        column = QVBoxLayout()
        column.setContentsMargins(12, 0, 12, 12)
        column.setSpacing(5)
        for number in range(1, 5):
            column.addLayout(self._slider_row(number))
        column.addWidget(self.sparsity)
        column.addSpacing(4)
        column.addWidget(label("Published ablation", "small", "Rows of the paper's masking table"))
        grid = QGridLayout()
        grid.setSpacing(6)
        for place, preset in enumerate(PRESETS):
            button = QPushButton(preset.text)
            button.setObjectName("preset")
            button.setCheckable(True)
            button.setToolTip(f"{preset.tip}\nShortcut: Ctrl+{place + 1}")
            button.clicked.connect(lambda _=False, p=preset: self.set_hops(p.hops))
            self.presets.append(button)
            grid.addWidget(button, place // 2, place % 2)
        column.addLayout(grid)
        column.addWidget(self.compare)
        self.body.addLayout(column)

    def _slider_row(self, number: int) -> QVBoxLayout:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(1, self._off)
        slider.setPageStep(1)
        slider.setAccessibleName(f"Encoder {number}: largest distance in hops")
        slider.setToolTip(
            f"Encoder {number}: a vertex attends to vertices up to this many hops away.\n"
            "The last notch is off: all vertices. Arrow keys move by one."
        )
        slider.valueChanged.connect(self._moved)
        value = label("", "value")
        top = QHBoxLayout()
        top.addWidget(label(f"Enc {number}", "muted"))
        top.addStretch(1)
        top.addWidget(value)
        self.sliders.append(slider)
        self._values.append(value)
        row = QVBoxLayout()
        row.setSpacing(0)
        row.addLayout(top)
        row.addWidget(slider)
        return row

    @property
    def hops(self) -> Hops:
        """The four thresholds now."""
        values = [None if s.value() >= self._off else s.value() for s in self.sliders]
        return values[0], values[1], values[2], values[3]

    def set_model_info(self, info: ModelInfo) -> None:
        """Take the mesh's diameter; thresholds from there on become off."""
        before = self.hops
        self._info = info
        self._off = info.diameter
        self._set_values(before)

    def set_theme(self, theme: Theme) -> None:
        """Icons in the theme's colours."""
        self.reset_button.set_theme(theme)

    def set_hops(self, hops: Hops) -> None:
        """Move all four sliders and tell once."""
        self._set_values(hops)
        self.hops_changed.emit(self.hops)

    def _set_values(self, hops: Hops) -> None:
        for slider, value in zip(self.sliders, hops, strict=True):
            blocked = slider.blockSignals(True)
            slider.setRange(1, self._off)
            slider.setValue(self._off if value is None else min(value, self._off))
            slider.blockSignals(blocked)
        self._tell()
        self._count()

    def _moved(self) -> None:
        """The masks at once; what is counted about them once for all moves that came together."""
        self._tell()
        self._count_later.start()
        self.hops_changed.emit(self.hops)

    def shutdown(self) -> None:
        """Count nothing any more; the window calls this when it closes."""
        self._count_later.stop()

    def _tell(self) -> None:
        hops = self.hops
        for text, value in zip(self._values, hops, strict=True):
            text.setText(hops_text(value))
        for button, preset in zip(self.presets, PRESETS, strict=True):
            button.setChecked(preset.hops == hops)

    def _count(self) -> None:
        hops = self.hops
        if self._info is not None:
            count = self._info.coarse_count
            allowed = mask_statistics(self._info.hops, hops)
            numbers = "  ·  ".join(f"{a.mean:.1f}" if a.least < count else "all" for a in allowed)
            self.sparsity.setText(f"Mean allowed vertices, of {count}\n{numbers}")
            rows = (f"Encoder {e}: {a.least} to {a.most}" for e, a in enumerate(allowed, start=1))
            self.sparsity.setToolTip("\n".join(["Vertices that one vertex may attend to", *rows]))
