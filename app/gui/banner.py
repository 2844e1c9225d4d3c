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


@dataclass(frozen=True)
class Notice:
    """A sentence, whether it is a fault, and what can be done about it."""

    sentence: str
    serious: bool
    offers: Sequence[Offer]


class Banner(QFrame):
    """Hidden until there is something to say; hiding it forgets all that it told."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._theme: Theme = DARK
        self._standing: list[Notice] = []
        self._news: list[Notice] = []
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
        """Show a sentence, a fault or a piece of news, in place of the last one that was said."""
        self._forget_hidden()
        self._news = [Notice(sentence, serious, offers)]
        self._tell()

    def keep(self, sentence: str, *, serious: bool = True, offers: Sequence[Offer] = ()) -> None:
        """Show a sentence that stays, with its buttons, before whatever is said later."""
        self._forget_hidden()
        self._standing.append(Notice(sentence, serious, offers))
        self._tell()

    def _forget_hidden(self) -> None:
        if self.isHidden():
            self._standing, self._news = [], []

    @property
    def _notices(self) -> list[Notice]:
        return [*self._standing, *self._news]

    def _tell(self) -> None:
        words = " ".join(notice.sentence for notice in self._notices)
        self.text.setText(words)
        self.setAccessibleName(words)
        clear(self._offers)
        self.buttons = [self._button(offer) for notice in self._notices for offer in notice.offers]
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
        serious = any(notice.serious for notice in self._notices)
        colour = theme.danger if serious else theme.success
        ratio = self.devicePixelRatioF()
        self._icon.setPixmap(pixmap("warning" if serious else "info", colour, 18, ratio))
        self.close_button.set_theme(theme)
