"""Finding vertices from a spot of the picture or by the name of a part, and showing them on the mesh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from app.gui.layout import shortcut
from app.gui.lookup import Found, radius_in_picture, vertices_looking_at, vertices_of_parts
from app.gui.vertex_list import HOW

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow


class Finder(QObject):
    """Connects the list of one window with its views when it is made."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._list = window.parts.finder
        self._shown: tuple[list[Found], str] = ([], HOW)
        self.spot: tuple[float, float] | None = None
        """What the vertices are to look at, in pixels of the picture."""
        look = window.parts.image.look
        window.parts.image.view.looked.connect(self.look_at)
        window.record_shown.connect(self._again)
        window.people.chosen_changed.connect(self._again)
        self._list.typed.connect(self._search)
        self._list.marked.connect(self._mark)
        self._list.chosen.connect(window.pins.add)
        self._list.cleared.connect(self.clear)
        shortcut(
            window, "Look here: a click on the image lists the vertices that look there", "L", look.click
        )
        shortcut(window, "Find vertices of a body part", "Ctrl+F", self._type)
        shortcut(window, "Empty the list of vertices", "Shift+Esc", self.clear)

    def look_at(self, x: float, y: float) -> None:
        """List who looks at a spot of the picture, frame by frame until something else is asked."""
        self._set_words("")
        self.spot = (x, y)
        self._again()
        QTimer.singleShot(0, self._list, self._reveal)

    def clear(self) -> None:
        """An empty list and no marks."""
        self._set_words("")
        self.spot = None
        self._show([], HOW)

    def _reveal(self) -> None:
        """Scroll to the list, once it has its new height."""
        self._window.parts.tabs.setCurrentWidget(self._window.parts.side)
        self._window.parts.side.ensureWidgetVisible(self._list)

    def _type(self) -> None:
        self._reveal()
        self._list.words.setFocus()
        self._list.words.selectAll()

    def _set_words(self, text: str) -> None:
        blocked = self._list.words.blockSignals(True)
        self._list.words.setText(text)
        self._list.words.blockSignals(blocked)

    def _search(self, words: str) -> None:
        self.spot = None
        info = self._window.info
        found = vertices_of_parts(info, words) if info is not None else []
        count = f"{len(found)} vertices" if len(found) != 1 else "1 vertex"
        self._show(found, f"{count} of the coarse mesh" if words.strip() else HOW)

    def _again(self) -> None:
        """The look-up on the newest record."""
        person, info = self._window.person, self._window.info
        if self.spot is None or info is None:
            return
        found = vertices_looking_at(person, info, self.spot) if person is not None else []
        words = "Share of each heatmap in the circle" if found else "No vertex looks there."
        self._show(found, words)

    def _show(self, found: list[Found], caption: str) -> None:
        person, image = self._window.person, self._window.parts.image.view
        circle = (*self.spot, radius_in_picture(person)) if self.spot and person is not None else None
        image.set_circle(circle)
        if (found, caption) != self._shown:
            self._shown = (found, caption)
            self._list.show_found(found, caption)

    def _mark(self, vertex: int | None) -> None:
        self._window.parts.mesh.view.set_marks([one.vertex for one in self._shown[0]], vertex)
