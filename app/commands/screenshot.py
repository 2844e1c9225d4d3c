"""Draw the real main window on a source, without a screen, into a PNG."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.options import add_masks_argument, add_model_arguments, size
from app.pipeline.frames import Hops
from app.pipeline.sources import camera_index
from model.errors import UserError

if TYPE_CHECKING:
    from app.gui.application import Build

RECORDS_OF_A_CLIP = 45


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("source", help="a picture, a clip or a folder")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.png")
    parser.add_argument("--size", type=size, default=(1280, 800), metavar="WxH")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--select", type=int, nargs="+", default=[], metavar="VERTEX", help="vertices to pin")
    add_masks_argument(parser)
    add_model_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Draw and save."""
    from app.commands.window import builder

    if camera_index(options.source) is None and not Path(options.source).exists():
        raise UserError(f"There is no file or folder {options.source!r}.")
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    draw(
        options.source,
        builder(options),
        options.output,
        size=options.size,
        theme=options.theme,
        select=tuple(options.select),
        hops=options.masks,
        records=RECORDS_OF_A_CLIP,
    )
    return 0


def draw(
    spec: str,
    build: Build,
    output: Path,
    *,
    size: tuple[int, int],
    theme: str = "dark",
    select: tuple[int, ...] = (),
    hops: Hops | None = None,
    records: int = 1,
) -> None:
    """Open the window on a source, wait for `records` records (or its end), save a picture of it.

    The user's own settings are neither read nor changed.
    """
    from app.gui.application import create_application, create_window
    from app.gui.screenshot import take_screenshot

    create_application()
    with tempfile.TemporaryDirectory() as folder:
        window = create_window(build, theme=theme, settings_path=Path(folder) / "settings.ini")
        if hops is not None:
            window.masking.set_hops(hops)
        try:
            window.start(spec)
            take_screenshot(window, output, size, records=records, select=select)
        finally:
            window.close()
