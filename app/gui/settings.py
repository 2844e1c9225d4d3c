"""What the window remembers, in an ini file; a broken file is kept aside and never stops the start."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QLockFile, QSettings, QStandardPaths

from app.export.presets import PRESETS
from app.export.take_options import KINDS
from app.export.writers import WRITERS
from app.pipeline.frames import PAPER_HOPS, Hops, hops_of
from app.pipeline.tiers import TIERS
from app.takes.edit import RATES

log = logging.getLogger(__name__)

VERSION = 1
THEMES = ("system", "dark", "light")
_PATIENCE = 2000
"""Milliseconds to wait for another program that is saving."""
AUTOMATIC = "automatic"
CHOICES = {
    "tier": (AUTOMATIC, *TIERS),
    "export_format": tuple(WRITERS),
    "export_preset": ("any", *PRESETS),
    "take_format": tuple(KINDS),
    "take_rate": ("own", *(f"{rate:g}" for rate in RATES)),
}


@dataclass
class Settings:
    """Values of one session, with their defaults."""

    theme: str = "system"
    geometry: bytes = b""
    columns: bytes = b""
    rows: bytes = b""
    mesh_opacity: float = 0.8
    heat_opacity: float = 0.85
    colour_map: str = "Pin colours"
    colour_by: str = "Plain"
    show_boxes: bool = True
    show_mesh: bool = True
    show_heat: bool = True
    show_joints: bool = False
    fade_unseen: bool = True
    steady: bool = True
    steadiness: float = 1.0
    """Strength of live smoothing in [0, 1]."""
    pins: tuple[int, ...] | None = None
    """Pinned vertices; None until the person changes the defaults."""
    hops: Hops = field(default=PAPER_HOPS)
    last_folder: str = ""
    export_format: str = "obj"
    export_preset: str = "any"
    tier: str = AUTOMATIC
    """Which embedded model runs: a tier's name, or whichever suits the machine."""
    export_camera: bool = False
    export_colours: bool = False
    take_format: str = "fbx"
    take_rate: str = "own"
    take_strength: float = 0.3
    take_smoothed: bool = False
    take_fill: bool = True


def default_path() -> Path:
    """`pointhmr.ini` in the user's own config folder."""
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation)
    return Path(folder) / "pointhmr" / "pointhmr.ini"


def load_settings(path: Path) -> tuple[Settings, str]:
    """Settings in `path` and a sentence for the person, empty when all went well.

    A file that cannot be understood is renamed to *.bad and the defaults are used.
    """
    if not path.exists():
        return Settings(), ""
    try:
        return _read(path), ""
    except (ValueError, TypeError, OSError) as error:
        log.warning("settings %s: %s", path, error)
    aside = path.with_suffix(".bad")
    try:
        os.replace(path, aside)  # noqa: PTH105
    except OSError:
        return Settings(), "The settings could not be read; the defaults are used."
    return Settings(), f"The settings could not be read; they are kept as {aside.name} and defaults are used."


def save_settings(path: Path, settings: Settings, before: Settings | None = None) -> None:
    """Write the settings that differ from `before`, which this window began with, or all of them.

    The others keep what the file holds by now: of two windows each saves what was changed in it, and for the
    same setting the last one counts. The file is replaced as a whole, under a lock. A folder that cannot be
    written is logged and otherwise ignored.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = QLockFile(f"{path}.saving")
        if not lock.tryLock(_PATIENCE):
            raise OSError(f"{path} cannot be locked: {lock.error()}")
        try:
            _merge(path, settings, before)
        finally:
            lock.unlock()
    except OSError as error:
        log.warning("settings not saved: %s", error)


def _merge(path: Path, settings: Settings, before: Settings | None) -> None:
    """Write what differs from `before` over what the file holds. Raises OSError when it cannot be written."""
    last = _milliseconds(path) if path.exists() else None
    store = QSettings(str(path), QSettings.Format.IniFormat)
    store.setValue("version", VERSION)
    known = before if last is not None else None
    for item in fields(settings):
        value = getattr(settings, item.name)
        if known is None or value != getattr(known, item.name):
            store.setValue(item.name, _encode(value))
    store.sync()
    if store.status() != QSettings.Status.NoError:
        raise OSError(f"{path} cannot be written: {store.status()}")
    if last is not None and _milliseconds(path) <= last:
        # Qt remembers a file by its size and time: two states must not share both.
        os.utime(path, ns=((last + 1) * 1_000_000,) * 2)


def _milliseconds(path: Path) -> int:
    return path.stat().st_mtime_ns // 1_000_000


def _encode(value: Any) -> Any:
    if isinstance(value, bytes):
        return QByteArray(value)
    if isinstance(value, tuple):
        return " ".join("off" if v is None else str(v) for v in value) or "none"
    return "default" if value is None else str(value)


def _read(path: Path) -> Settings:
    path.read_bytes().decode("utf-8")
    store = QSettings(str(path), QSettings.Format.IniFormat)
    if store.status() != QSettings.Status.NoError:
        raise ValueError(f"not an ini file: {store.status()}")
    if int(str(store.value("version", "0"))) != VERSION:
        raise ValueError(f"version {store.value('version')} is not {VERSION}")
    settings = Settings()
    for item in fields(settings):
        if store.contains(item.name):
            default = getattr(settings, item.name)
            setattr(settings, item.name, _decode(item.name, store.value(item.name), default))
    return settings


def _decode(name: str, value: Any, default: Any) -> Any:
    if isinstance(default, bytes):
        if not isinstance(value, QByteArray):
            raise TypeError(f"{name} is not a byte array")
        return bytes(value.data())
    text = str(value)
    if name == "hops":
        return _decode_hops(text)
    if name == "pins":
        return _decode_pins(text)
    if isinstance(default, bool):
        if text not in ("True", "False"):
            raise ValueError(f"{name} is neither True nor False")
        return text == "True"
    if isinstance(default, float):
        number = float(text)
        if not 0.0 <= number <= 1.0:
            raise ValueError(f"{name} is not between 0 and 1")
        return number
    if name in CHOICES and text not in CHOICES[name]:
        raise ValueError(f"no {name} {text}")
    if name == "theme" and text not in THEMES:
        raise ValueError(f"no theme {text}")
    return text


def _decode_hops(text: str) -> Hops:
    return hops_of(None if word == "off" else int(word) for word in text.split())


def _decode_pins(text: str) -> tuple[int, ...] | None:
    if text == "default":
        return None
    return () if text == "none" else tuple(int(word) for word in text.split())
