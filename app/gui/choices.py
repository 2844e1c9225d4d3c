"""What a person chooses in the window and a case chooses too, so that it can be given back."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from app.gui.settings import Settings
from app.pipeline.frames import Hops

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow


@dataclass(frozen=True)
class Choices:
    """How these controls stand at one moment."""

    isolate: bool
    hops: Hops
    colour_by: str
    colour_map: str

    @classmethod
    def of(cls, window: MainWindow) -> Choices:
        """As the window's controls stand now."""
        parts = window.parts
        colours = parts.mesh.colour_by.currentText(), parts.image.map.currentText()
        return cls(window.commands.isolate.isChecked(), window.masking.hops, *colours)

    def after(self, shown: Choices, now: Choices) -> Choices:
        """These again after a case that set `shown`; what the person has changed since then stays."""
        names = [item.name for item in fields(self)]
        moved = {name: getattr(now, name) != getattr(shown, name) for name in names}
        return Choices(**{name: getattr(now if moved[name] else self, name) for name in names})

    def set(self, window: MainWindow) -> None:
        """Move the window's controls there."""
        window.commands.isolate.setChecked(self.isolate)
        window.masking.set_hops(self.hops)
        window.parts.mesh.colour_by.setCurrentText(self.colour_by)
        window.parts.image.map.setCurrentText(self.colour_map)

    def remember(self, settings: Settings) -> None:
        """Write them into the settings."""
        settings.hops = self.hops
        settings.colour_by, settings.colour_map = self.colour_by, self.colour_map
