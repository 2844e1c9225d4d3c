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
    mirror: bool
    hops: Hops
    pinned: tuple[Hops, bool] | None
    """The masks that are A, and whether nobody is isolated in it."""
    colour_by: str
    colour_map: str
    pins: tuple[int, ...] | None
    """None: those of the model."""
    body: str
    """Whose vertices the pins are; empty before there is a model."""

    @classmethod
    def of(cls, window: MainWindow) -> Choices:
        """As the window's controls stand now."""
        parts, info = window.parts, window.info
        return cls(
            isolate=window.commands.isolate.isChecked(),
            mirror=window.commands.mirror.isChecked(),
            hops=window.masking.hops,
            pinned=None if window.lab.baseline is None else (window.lab.baseline, window.lab.plain),
            colour_by=parts.mesh.colour_by.currentText(),
            colour_map=parts.image.map.currentText(),
            pins=window.settings.pins if info is None else window.pins.own,
            body="" if info is None else info.body,
        )

    def after(self, shown: Choices, now: Choices) -> Choices:
        """These again after a case that set `shown`; what the person has changed since then stays."""
        names = [item.name for item in fields(self)]
        moved = {name: getattr(now, name) != getattr(shown, name) for name in names}
        moved["pins"] &= self.body in ("", now.body)  # Those of another mesh are no use afterwards.
        return Choices(**{name: getattr(now if moved[name] else self, name) for name in names})

    def set(self, window: MainWindow) -> None:
        """Move the window's controls there."""
        window.commands.isolate.setChecked(self.isolate)
        window.commands.mirror.setChecked(self.mirror)
        window.masking.set_hops(self.hops)
        hops, plain = self.pinned or (None, False)
        window.lab.pin(hops, plain=plain)
        window.parts.mesh.colour_by.setCurrentText(self.colour_by)
        window.parts.image.map.setCurrentText(self.colour_map)
        if (info := window.info) is not None:
            known = self.pins if self.body in ("", info.body) else None
            window.pins.recall(known, info.default_pins(), len(info.part_of_vertex))

    def remember(self, settings: Settings) -> None:
        """Write them into the settings."""
        settings.hops = self.hops
        settings.colour_by, settings.colour_map = self.colour_by, self.colour_map
        settings.pins = self.pins
