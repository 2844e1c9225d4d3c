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
WHAT = (
    "A mask decides which vertices a vertex may look at; "
    "attention is how much it then takes from each of them."
)
SHARE_TIP = "The rest goes to the tokens that no mask hides: camera, grid, landmarks and joints"


class AttentionCard(Card):
    """`changed` tells that other weights are wanted."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Attention", parent)
        self.encoder = Choice(ENCODERS, ENCODERS[0], "Encoder whose attention is shown")
        self.layer = Choice((MEAN,), MEAN, "Layer of the encoder, or the mean of all")
        self.head = Choice((MEAN,), MEAN, "Head of the layer, or the mean of all")
        self.vertex = label("–", "value", "The vertex that attends: the chosen pin, or the first one")
        self.share = label("–", "value", SHARE_TIP)
        what = label(WHAT, "small")
        what.setWordWrap(True)
        grid = QGridLayout()
        grid.setContentsMargins(12, 0, 12, 12)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(0, 1)
        rows = (("Vertex", self.vertex), ("On vertices", self.share))
        choices = (("Encoder", self.encoder), ("Layer", self.layer), ("Head", self.head))
        for row, (name, widget) in enumerate((*rows, *choices)):
            grid.addWidget(label(name, "muted", widget.toolTip()), row, 0)
            grid.addWidget(widget, row, 1, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(what, len(rows) + len(choices), 0, 1, 2)
        self.body.addLayout(grid)
        for choice in (self.encoder, self.layer, self.head):
            choice.currentIndexChanged.connect(self.changed)

    def look(self, vertex: int | None) -> Look:
        """What is chosen, for this vertex."""
        layer, head = (
            c.currentIndex() - 1 if c.currentIndex() > 0 else None for c in (self.layer, self.head)
        )
        return Look(vertex, self.encoder.currentIndex(), layer, head)

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

    def show_share(self, vertex: str, share: float | None) -> None:
        """Name of the vertex, and how much of its attention stays on the mesh."""
        self.vertex.setText(vertex)
        self.share.setText("–" if share is None else f"{share * 100:.0f} %")

    def set_theme(self, theme: Theme) -> None:
        """Arrows in the theme's colours."""
        for choice in (self.encoder, self.layer, self.head):
            choice.set_theme(theme)
