"""The Models page: what is installed, each with its card; import a checkpoint, add a body, use either."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from app.gui.background import BackgroundJob
from app.gui.banner import Banner
from app.gui.body_wizard import BodyWizard
from app.gui.fact_card import FactCard
from app.gui.model_choice import ModelSwitch
from app.gui.model_entries import Entry, list_entries, misfit
from app.gui.theme import Theme, ThemeSwitch
from app.gui.widgets import push_button
from model.bodies import FREE_BODY, BodyCard
from model.errors import UserError
from model.weights import ModelCard, find_card, import_weights

CHECKPOINTS = "Checkpoints (*.bin *.pt *.pth *.pkl *.ckpt *.tar *.safetensors);;All files (*)"


class ModelsPage(QDialog):
    """Not modal: the window plays on. Listing and importing happen in the background."""

    def __init__(self, switch: ModelSwitch, themes: ThemeSwitch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Models")
        self.resize(880, 560)
        self.setMinimumSize(680, 420)
        self._switch = switch
        self._listing = BackgroundJob(self)
        self._importing = BackgroundJob(self)
        self._wanted = ""
        self._to_use: BodyCard | None = None
        """A body that is used as soon as it is listed."""
        self.entries: list[Entry] = []
        self.wizard: BodyWizard | None = None
        self.list = QListWidget()
        self.card = FactCard()
        self.banner = Banner()
        self.progress = QProgressBar()
        self.use = push_button("Use", "Run this one now; the source goes on", primary=True)
        self.import_ = push_button(
            "Import checkpoint…", "A released PointHMR or HRNet-W32 weights; read safely"
        )
        self.add_body = push_button("Add SMPL or MANO…", "Your own body file, .pkl or .npz; read safely")
        self.close_ = push_button("Close", "Back to the window (Esc)")
        self._build()
        self._connect(themes)
        self._set_theme(themes.theme)

    def _build(self) -> None:
        self.list.setMinimumWidth(280)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setToolTip("Networks, backbones and bodies; Enter uses the chosen one")
        self.list.setAccessibleName("Networks, backbones and bodies")
        self.progress.setRange(0, 0)
        self.progress.setTextVisible(False)
        self.progress.hide()
        middle = QHBoxLayout()
        middle.setSpacing(10)
        middle.addWidget(self.list, 2)
        middle.addWidget(self.card, 5)
        buttons = QHBoxLayout()
        for part in (self.import_, self.add_body):
            buttons.addWidget(part)
        buttons.addStretch(1)
        for part in (self.use, self.close_):
            buttons.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(10)
        column.addWidget(self.banner)
        column.addLayout(middle, 1)
        column.addWidget(self.progress)
        column.addLayout(buttons)

    def _connect(self, themes: ThemeSwitch) -> None:
        self._listing.done.connect(self._listed)
        self._importing.done.connect(self._imported)
        self._switch.started.connect(self._show_state)
        self._switch.done.connect(self._switched)
        themes.changed.connect(self._set_theme)
        self.list.currentItemChanged.connect(self._show_card)
        self.list.itemActivated.connect(lambda _: self.use.click())
        self.use.clicked.connect(self.use_chosen)
        self.import_.clicked.connect(self.ask_checkpoint)
        self.add_body.clicked.connect(self.open_wizard)
        self.close_.clicked.connect(self.close)

    def open_page(self) -> None:
        """Show the page with what is installed now."""
        self.show()
        self.raise_()
        self.activateWindow()
        self.list.setFocus()
        self.refresh()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Forget the last message."""
        self.banner.hide()
        super().closeEvent(event)

    def refresh(self, choose: str = "") -> None:
        """List anew; `choose` is the name to choose then (else the one that is chosen, else what runs)."""
        self._wanted = choose
        self._listing.start(list_entries)
        self._show_state()

    # The list

    def _listed(self, entries: list[Entry] | None, fault: str) -> None:
        if entries is None:
            self._to_use = None
            self.banner.say(fault)
            self._show_state()
            return
        chosen = self.chosen
        wanted = self._wanted or (chosen.name if chosen else str(self._switch.choice.weights))
        self.entries = entries
        self.list.clear()
        group = ""
        for entry in entries:
            if entry.group != group:
                group = entry.group
                title = QListWidgetItem(group.upper())
                title.setFlags(Qt.ItemFlag.NoItemFlags)
                self.list.addItem(title)
            item = QListWidgetItem(entry.name)
            item.setData(Qt.ItemDataRole.UserRole, entry)
            self.list.addItem(item)
        if not self.choose(wanted):
            self.choose(entries[0].name)
        self._show_state()
        if self._to_use is not None and not self._listing.busy:
            self._use_added(self._to_use)

    def choose(self, name: str) -> bool:
        """Choose an entry by its name; whether there is one."""
        for row in range(self.list.count()):
            entry = self.list.item(row).data(Qt.ItemDataRole.UserRole)
            if entry is not None and entry.name == name:
                self.list.setCurrentRow(row)
                return True
        return False

    @property
    def chosen(self) -> Entry | None:
        """The entry whose card is shown."""
        item = self.list.currentItem()
        return None if item is None else item.data(Qt.ItemDataRole.UserRole)

    def _show_card(self) -> None:
        entry = self.chosen
        if entry is not None:
            self.card.show_facts(entry.name, entry.facts)
        self._show_state()

    def _show_state(self) -> None:
        """Marks what runs; whether the chosen one can be used, and if not, why."""
        running = (str(self._switch.choice.weights), self._running_body().name)
        for row in range(self.list.count()):
            item = self.list.item(row)
            entry = item.data(Qt.ItemDataRole.UserRole)
            if entry is not None:
                mark = "   ·   running" if self._runs(entry) else ""
                item.setText(entry.name + mark)
        reason = self._obstacle()
        self.use.setEnabled(not reason)
        self.use.setToolTip(reason or f"Run this one now; the source goes on (Enter)\nRunning: {running[0]}")
        self.card.note.setText(reason)
        self.card.note.setVisible(bool(reason))
        busy = self._switch.busy or self._importing.busy or self._listing.busy
        self.progress.setVisible(busy)
        self.import_.setEnabled(not self._importing.busy)

    def _runs(self, entry: Entry) -> bool:
        if isinstance(entry.card, BodyCard):
            return entry.card.sha256 == self._running_body().sha256
        return entry.name == str(self._switch.choice.weights)

    def _running_body(self) -> BodyCard:
        body = self._switch.choice.body
        if isinstance(body, Path):
            known = [e.card for e in self.entries if isinstance(e.card, BodyCard)]
            same = [card for card in known if card.path == str(body.resolve())]
            return same[0] if same else BodyCard(body.name, "smpl", path=str(body.resolve()), sha256="?")
        return body or FREE_BODY

    def _obstacle(self) -> str:
        entry = self.chosen
        if entry is None:
            return "Nothing is chosen."
        if self._switch.busy:
            return f"{self._switch.wanted.weights if self._switch.wanted else 'A model'} is being loaded."
        if entry.group == "Backbones":
            return "A backbone is a start for training (`pointhmr train`), not a whole network."
        if self._runs(entry):
            return "This one is running."
        if isinstance(entry.card, BodyCard):
            try:
                return misfit(find_card(self._switch.choice.weights), entry.card)
            except UserError as error:
                return str(error)
        return ""

    # What the person does

    def use_chosen(self) -> None:
        """Go over to the chosen network or body; a body that the network cannot make is left."""
        entry = self.chosen
        if entry is None or self._obstacle():
            return
        self.banner.hide()
        now = self._switch.choice
        if isinstance(entry.card, BodyCard):
            self._switch.use(replace(now, body=entry.card if entry.card.path else None))
            return
        body = None if misfit(entry.card, self._running_body()) else now.body
        self._switch.use(replace(now, weights=entry.name, body=body))

    def _switched(self, fault: str) -> None:
        if fault:
            self.banner.say(fault)
        self._show_state()

    def ask_checkpoint(self) -> None:
        """Choose a file to import."""
        path, _ = QFileDialog.getOpenFileName(self, "Import a checkpoint", str(Path.home()), CHECKPOINTS)
        if path:
            self.import_checkpoint(Path(path))

    def import_checkpoint(self, path: Path) -> None:
        """Read, check and keep a checkpoint in the background; the banner tells how it went."""
        self.banner.hide()
        self._importing.start(lambda: import_weights(path))
        self._show_state()

    def _imported(self, card: ModelCard | None, fault: str) -> None:
        if card is None:
            self.banner.say(fault)
        else:
            self.banner.say(f"{card.name} is installed: a {card.part} of {card.config}.", serious=False)
            self.refresh(card.name)
        self._show_state()

    def open_wizard(self) -> None:
        """Add a body step by step."""
        if self.wizard is None:
            self.wizard = BodyWizard(self)
            self.wizard.added.connect(lambda card: self.refresh(card.name))
            self.wizard.use_wanted.connect(self._use_added)
            self.wizard.set_theme(self._theme)
        self.wizard.open_wizard()

    def _use_added(self, card: BodyCard) -> None:
        """Use the body that was just added, or say why the running network cannot make it."""
        listed = self.choose(card.name)
        self._to_use = None if listed or not self._listing.busy else card
        if not listed:
            return
        reason = self._obstacle()
        if reason:
            self.banner.say(reason)
        self.use_chosen()

    def _set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.banner.set_theme(theme)
        if self.wizard is not None:
            self.wizard.set_theme(theme)
