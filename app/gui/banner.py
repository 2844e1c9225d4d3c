"""What the person must hear, across the window and dismissed with a click; never a modal box."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from app.gui.icons import pixmap
from app.gui.theme import DARK, Theme
from app.gui.widgets import IconButton, clear, label, push_button


@dataclass(frozen=True)
class Offer:
    """Something to do about a sentence: a button that hides the banner, then does it."""

    text: str
    tip: str
    run: Callable[[], object]


class Banner(QFrame):
    """Hidden until there is something to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._theme: Theme = DARK
        self._serious = True
        self._icon = QLabel()
        self.text = label("")
        self.text.setWordWrap(True)
        self.buttons: list[QPushButton] = []
        self._offers = QHBoxLayout()
        self._offers.setSpacing(6)
        self.close_button = IconButton("close", "Dismiss (Esc)")
        self.close_button.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 7, 8, 7)
        row.setSpacing(10)
        row.addWidget(self._icon)
        row.addWidget(self.text, 1)
        row.addLayout(self._offers)
        row.addWidget(self.close_button)
        self.hide()

    def say(self, sentence: str, *, serious: bool = True, offers: Sequence[Offer] = ()) -> None:
        """Show a sentence: a fault, or a piece of news; with buttons for what can be done about it."""
        self._serious = serious
        clear(self._offers)
        self.buttons = []
        self._tell(sentence, offers)

    def add(self, sentence: str, *, serious: bool = True, offers: Sequence[Offer] = ()) -> None:
        """Like `say`, but what is being told stays, with its buttons; one sentence follows the other."""
        if self.isHidden():
            self.say(sentence, serious=serious, offers=offers)
        else:
            self._serious = self._serious or serious
            self._tell(f"{self.text.text()} {sentence}", offers)

    def _tell(self, words: str, offers: Sequence[Offer]) -> None:
        self.text.setText(words)
        self.setAccessibleName(words)
        self.buttons += [self._button(offer) for offer in offers]
        self.set_theme(self._theme)
        self.show()

    def _button(self, offer: Offer) -> QPushButton:
        button = push_button(offer.text, offer.tip)
        button.setObjectName("preset")

        def run() -> None:
            self.hide()
            offer.run()

        button.clicked.connect(run)
        self._offers.addWidget(button)
        return button

    def set_theme(self, theme: Theme) -> None:
        """Icon in the theme's colours."""
        self._theme = theme
        colour = theme.danger if self._serious else theme.success
        ratio = self.devicePixelRatioF()
        self._icon.setPixmap(pixmap("warning" if self._serious else "info", colour, 18, ratio))
        self.close_button.set_theme(theme)
