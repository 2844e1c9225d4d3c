"""The card that lists the flagged cases, to be sorted, filtered and walked through."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from app.gui.theme import Theme
from app.gui.view_cards import Choice
from app.gui.widgets import Card, IconButton, label, push_button
from app.pipeline.diagnostics import BY_NAME, RISK
from app.pipeline.history import Failure

EVERY = "Every kind"
LONGEST = 400
"""As many cases as are listed: the worst."""
NONE_YET = "Nothing is flagged so far."
COLUMNS = ("Frame", "Who", "Severity", "Why")
WIDTHS = (50, 40, 60)


def title_of(kind: str) -> str:
    """A flag's kind in words."""
    return "Likely broken" if kind == RISK else BY_NAME[kind].title if kind in BY_NAME else kind


class _Row(QTreeWidgetItem):
    """Sorts numbers as numbers."""

    def __init__(self, failure: Failure) -> None:
        why = title_of(failure.flags[0].kind)
        more = f"  +{len(failure.flags) - 1}" if len(failure.flags) > 1 else ""
        super().__init__(
            [f"{failure.index + 1}", f"{failure.person_id}", f"{failure.severity:.1f}", why + more]
        )
        self.failure = failure
        reasons = "\n".join(flag.reason for flag in failure.flags)
        for column in range(len(COLUMNS)):
            self.setToolTip(column, reasons)

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        tree = self.treeWidget()
        column = tree.sortColumn() if tree is not None else 0
        if column == len(COLUMNS) - 1:
            return self.text(column) < other.text(column)
        return float(self.text(column)) < float(other.text(column))


class FailureList(Card):
    """`chosen` carries a `Failure`; `wanted` that another kind is to be listed."""

    chosen = Signal(object)
    filtered = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Failures", parent)
        self.kind = Choice((EVERY,), EVERY, "Kind of failure to list")
        self.kind.setFixedWidth(148)
        self.header.addWidget(self.kind)
        self._kinds: tuple[str, ...] = ()
        self._shown: tuple[Failure, ...] = ()
        self.caption = label(NONE_YET, "small")
        self.caption.setWordWrap(True)
        self.rows = _tree()
        self.back = IconButton("back", "The flagged case before ([)")
        self.forward = IconButton("forward", "The next flagged case (])")
        self.save = push_button("Save case…", "Keep this frame with all that was found in it (Ctrl+S)")
        self.sheet = push_button("Sheet…", "One picture of all listed cases (Ctrl+Shift+S)")
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for widget in (self.back, self.forward, self.save, self.sheet):
            buttons.addWidget(widget)
        column = QVBoxLayout()
        column.setContentsMargins(12, 0, 12, 12)
        column.setSpacing(6)
        column.addWidget(self.caption)
        column.addWidget(self.rows, 1)
        column.addLayout(buttons)
        self.body.addLayout(column)
        self.back.clicked.connect(lambda: self.walk(-1))
        self.forward.clicked.connect(lambda: self.walk(1))
        self.kind.currentIndexChanged.connect(self.filtered)
        self.rows.currentItemChanged.connect(self._choose)
        self.rows.itemActivated.connect(self._choose)
        self.rows.itemClicked.connect(self._choose)

    def set_theme(self, theme: Theme) -> None:
        """Icons in the theme's colours."""
        for part in (self.kind, self.back, self.forward):
            part.set_theme(theme)

    @property
    def wanted(self) -> str:
        """The kind to list; "" is every kind."""
        place = self.kind.currentIndex()
        return self._kinds[place - 1] if 0 < place <= len(self._kinds) else ""

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What is listed, from the top."""
        items = (self.rows.topLevelItem(row) for row in range(self.rows.topLevelItemCount()))
        return tuple(item.failure for item in items if isinstance(item, _Row))

    def offer_kinds(self, kinds: Sequence[str]) -> None:
        """The kinds that there are; the chosen one stays while it is among them."""
        if tuple(kinds) == self._kinds:
            return
        wanted, self._kinds = self.wanted, tuple(kinds)
        blocked = self.kind.blockSignals(True)
        self.kind.clear()
        self.kind.addItems([EVERY, *(title_of(kind) for kind in kinds)])
        self.kind.setCurrentIndex(1 + self._kinds.index(wanted) if wanted in self._kinds else 0)
        self.kind.blockSignals(blocked)

    def show_failures(self, failures: Sequence[Failure]) -> None:
        """Replace the list; the current case stays so while it is still there."""
        listed = tuple(sorted(failures, key=lambda one: -one.severity)[:LONGEST])
        if listed == self._shown:
            return
        self._shown = listed
        current = self.rows.currentItem()
        here = (current.failure.index, current.failure.person_id) if isinstance(current, _Row) else None
        blocked = self.rows.blockSignals(True)
        self.rows.clear()
        rows = [_Row(failure) for failure in listed]
        self.rows.addTopLevelItems(rows)
        for row in rows:
            if (row.failure.index, row.failure.person_id) == here:
                self.rows.setCurrentItem(row)
        self.rows.blockSignals(blocked)
        most = f", the worst {LONGEST} listed" if len(failures) > LONGEST else ""
        count = f"{len(failures)} case{'s' * (len(failures) != 1)}{most}"
        self.caption.setText(count if failures else NONE_YET)
        for button in (self.back, self.forward, self.sheet):
            button.setEnabled(bool(failures))

    def walk(self, step: int) -> None:
        """To the next row down or up, from the first one on."""
        count, current = self.rows.topLevelItemCount(), self.rows.currentItem()
        if not count:
            return
        here = self.rows.indexOfTopLevelItem(current) if current is not None else -1
        row = (here + step) % count if here >= 0 else 0 if step > 0 else count - 1
        item = self.rows.topLevelItem(row)
        if item is current:
            self._choose(item)
        elif item is not None:
            self.rows.setCurrentItem(item)

    def _choose(self, item: QTreeWidgetItem | None, *_: object) -> None:
        if isinstance(item, _Row):
            self.chosen.emit(item.failure)


def _tree() -> QTreeWidget:
    rows = QTreeWidget()
    rows.setObjectName("cases")
    rows.setHeaderLabels(list(COLUMNS))
    rows.setRootIsDecorated(False)
    rows.setUniformRowHeights(True)
    rows.setSortingEnabled(True)
    rows.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    rows.setMinimumHeight(150)
    rows.setAccessibleName("Flagged cases")
    rows.setToolTip("Click or move with the arrow keys to go to a case; a column's title sorts by it")
    rows.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    rows.header().setMinimumSectionSize(30)
    for column, width in enumerate(WIDTHS):
        rows.setColumnWidth(column, width)
    rows.header().setStretchLastSection(True)
    return rows
