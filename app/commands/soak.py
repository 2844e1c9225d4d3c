"""Play the bundled clip in the real window for half an hour, use it as a person would, and watch the process.

Exit code 1 when memory, threads, handles or widgets grow.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from app.commands.options import add_model_arguments
from app.commands.window import SAMPLE, builder
from app.malloc import use_few_arenas
from app.vitals import Growth, Vitals, growth
from model.errors import UserError
from model.paths import check_writable, write_atomically

SCHEMA = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long, on what, and where the curves go."""
    parser.add_argument(
        "source", nargs="?", default=str(SAMPLE), help="default: the bundled clip, over and over"
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FILE.json",
        help="all figures; the curves go beside it as PNG",
    )
    add_model_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Soak without a screen; print the growth."""
    if not 0.0 < options.minutes <= 10_000.0:
        raise UserError("--minutes wants a number above 0.")
    if options.output.suffix.lower() == ".png":
        raise UserError(
            "--output names the file of the figures, such as soak.json: the curves go beside it as .png."
        )
    check_writable(options.output)
    picture_file = options.output.with_suffix(".png")
    check_writable(picture_file)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QBuffer

    from app.gui.application import create_application, create_window, share_the_interpreter
    from app.gui.soak import Soak
    from app.gui.soak_curve import curve

    use_few_arenas()
    create_application()
    share_the_interpreter()
    bar = tqdm(total=options.minutes, unit=" min", disable=not sys.stderr.isatty(), bar_format="{l_bar}{bar}")

    def seen(vitals: Vitals) -> None:
        bar.n = min(vitals.seconds / 60, options.minutes)
        bar.set_description(f"{vitals.memory_mb:.0f} MB, {vitals.threads} threads, {vitals.handles} handles")

    with tempfile.TemporaryDirectory() as folder:
        window = create_window(builder(options, fast=True), settings_path=Path(folder) / "settings.ini")
        try:
            window.resize(1280, 800)
            window.show()
            window.start(options.source)
            samples = Soak(window, options.minutes * 60, seen).run()
        finally:
            bar.close()
            window.close()
    more = growth(samples)
    sentence = verdict(samples, more)
    write(options.output, samples, more)
    picture = QBuffer()
    curve(samples, sentence).save(picture, "PNG")  # type: ignore[call-overload]
    write_atomically(picture_file, lambda file: file.write_bytes(picture.data().data()))
    sys.stdout.write(f"{sentence}\n{options.output}\n{picture_file}\n")
    return 0 if more.flat else 1


def verdict(samples: list[Vitals], more: Growth) -> str:
    """What came out, in one line."""
    last = samples[-1]
    return (
        f"{'flat' if more.flat else 'GROWS'}: {more.memory_mb:+.1f} MB ({more.in_use_mb:+.1f} in use), "
        f"{more.threads:+.0f} threads, "
        f"{more.handles:+.0f} handles, {more.widgets:+.0f} widgets in {last.seconds / 60:.1f} min and "
        f"{last.records} pictures"
    )


def write(path: Path, samples: list[Vitals], more: Growth) -> None:
    """All figures as JSON."""
    content = {
        "schema": SCHEMA,
        "flat": more.flat,
        "growth": asdict(more),
        "samples": [asdict(one) for one in samples],
    }
    text = json.dumps(content, indent=1) + "\n"
    write_atomically(path, lambda file: file.write_text(text, encoding="utf-8"))
