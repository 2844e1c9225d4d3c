"""The card beside the attention colours: which encoder, layer and head, and what all this is."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.gui.attention import Look
from app.gui.theme import Theme
from app.gui.view_cards import Choice
from app.gui.widgets import Card, label

ENCODERS = ("Encoder 1", "Encoder 2", "Encoder 3", "Encoder 4")
MEAN = "Mean"
PINNED = "Pinned vertex"
JOINTS = (
    *("Right ankle", "Right knee", "Right hip", "Left hip", "Left knee", "Left ankle", "Right wrist"),
    *("Right elbow", "Right shoulder", "Left shoulder", "Left elbow", "Left wrist", "Neck", "Head top"),
)
"""In LSP order, as the network's joint tokens are."""
WHAT = (
    "A mask decides which vertices a vertex may look at; "
    "attention is how much it then takes from each of them."
)
GRID_TIP = "What goes to the cells of the picture; they are drawn over the image, each to the strongest"
SHARE_TIP = "The rest goes to the tokens that no mask hides: camera, grid, landmarks and joints"


class AttentionCard(Card):
    """`changed` tells that other weights are wanted."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Attention", parent)
        self.encoder = Choice(ENCODERS, ENCODERS[0], "Encoder whose attention is shown")
        self.layer = Choice((MEAN,), MEAN, "Layer of the encoder, or the mean of all")
        self.head = Choice((MEAN,), MEAN, "Head of the layer, or the mean of all")
        self.source = Choice((PINNED, *JOINTS), PINNED, "Who attends: the pinned vertex, or a joint")
        self.vertex = label("–", "value", "The vertex that attends: the chosen pin, or the first one")
        self.share = label("–", "value", SHARE_TIP)
        self.on_grid = label("–", "value", GRID_TIP)
        what = label(WHAT, "small")
        what.setWordWrap(True)
        grid = QGridLayout()
        grid.setContentsMargins(12, 0, 12, 12)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(0, 1)
        rows = (("Vertex", self.vertex), ("On vertices", self.share), ("On the picture", self.on_grid))
        choices = (
            ("From", self.source),
            ("Encoder", self.encoder),
            ("Layer", self.layer),
            ("Head", self.head),
        )
        for row, (name, widget) in enumerate((*rows, *choices)):
            grid.addWidget(label(name, "muted", widget.toolTip()), row, 0)
            grid.addWidget(widget, row, 1, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(what, len(rows) + len(choices), 0, 1, 2)
        self.body.addLayout(grid)
        for choice in (self.source, self.encoder, self.layer, self.head):
            choice.currentIndexChanged.connect(self.changed)

    def look(self, vertex: int | None) -> Look:
        """What is chosen, for this vertex."""
        layer, head = (
            c.currentIndex() - 1 if c.currentIndex() > 0 else None for c in (self.layer, self.head)
        )
        joint = self.source.currentIndex() - 1 if self.source.currentIndex() > 0 else None
        return Look(vertex, self.encoder.currentIndex(), layer, head, joint)

    def set_counts(self, layers: int, heads: int) -> None:
        """Offer as many layers and heads as the encoder has; one that is gone becomes the mean."""
        for choice, name, count in ((self.layer, "Layer", layers), (self.head, "Head", heads)):
            wanted = [MEAN, *(f"{name} {number}" for number in range(1, count + 1))]
            if wanted != [choice.itemText(i) for i in range(choice.count())]:
                current = choice.currentIndex()
                blocked = choice.blockSignals(True)
                choice.clear()
                choice.addItems(wanted)
                choice.setCurrentIndex(current if 0 <= current < len(wanted) else 0)
                choice.blockSignals(blocked)

    def show_share(self, vertex: str, share: float | None, grid: float | None = None) -> None:
        """Name of the vertex or joint, and how much of its attention goes to the mesh and to the picture."""
        self.vertex.setText(vertex)
        for widget, part in ((self.share, share), (self.on_grid, grid)):
            widget.setText("–" if part is None else f"{part * 100:.0f} %")

    def set_theme(self, theme: Theme) -> None:
        """Arrows in the theme's colours."""
        for choice in (self.source, self.encoder, self.layer, self.head):
            choice.set_theme(theme)
