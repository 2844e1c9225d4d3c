"""Write a recorded take for a 3D program or a script, without a window."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from app.commands.options import strength
from app.export.presets import PRESETS, Y_UP_METRES
from app.export.take import export_take
from app.export.take_options import KINDS, SEQUENCES, TakeOptions, Watch, ending_of
from app.takes.bodies import body_of
from app.takes.edit import RATES
from app.takes.take_file import load_take
from model.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    kinds = "; ".join(
        f"{name}: {kind.meaning[0].lower()}{kind.meaning[1:-1]}" for name, kind in KINDS.items()
    )
    parser.add_argument("take", type=Path, help="a .take file")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="a folder for sequences")
    parser.add_argument("--format", choices=tuple(KINDS), help=f"by the file's ending if not given; {kinds}")
    parser.add_argument("--preset", choices=tuple(PRESETS), help="axes and unit for this program")
    parser.add_argument("--people", type=ids, default=(), metavar="ID,…", help="everybody if not given")
    parser.add_argument("--start", type=float, default=0.0, metavar="S", help="seconds after the first frame")
    parser.add_argument("--end", type=float, metavar="S", help="seconds after the first frame")
    parser.add_argument(
        "--fps", type=float, choices=RATES, help="frames a second; the take's own times if not given"
    )
    parser.add_argument("--smooth", type=strength, default=0.0, metavar="0…1", help="strength of smoothing")
    parser.add_argument("--camera", action="store_true", help="people move as they lie over the picture")
    parser.add_argument("--colours", action="store_true", help="the meshes show the body's parts by colour")
    parser.add_argument("--body", type=Path, metavar="FILE", help="the SMPL body that the take was made with")


def ids(text: str) -> tuple[int, ...]:
    """'1,4' -> (1, 4)."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"people are numbers such as 1,4: not {text!r}") from None


def kind_of(path: Path, named: str | None) -> str:
    """The format that is named, or else that of the file's ending. Raises UserError where they differ."""
    ending, single = path.suffix.lower(), {ending_of(kind): kind for kind in ("fbx", "glb", "npz", "bvh")}
    kind = named or single.get(ending)
    if kind is None:
        raise UserError(
            f"{path.name} does not tell the format: give --format, or end it in {', '.join(single)}."
        )
    if kind in SEQUENCES and ending in {f".{one.ending}" for one in KINDS.values()}:
        raise UserError(f"{path.name} is the name of a file; --format {kind} writes a folder of files.")
    if kind not in SEQUENCES and ending != ending_of(kind):
        raise UserError(f"--format {kind} writes a file that ends in {ending_of(kind)}: not {path.name}.")
    return kind


def run(options: argparse.Namespace) -> int:
    """Export; exit code 2 for what a user can mend."""
    kind = kind_of(options.output, options.format)
    take = load_take(options.take)
    wanted = TakeOptions(
        kind,
        PRESETS.get(options.preset, Y_UP_METRES),
        options.people,
        options.start,
        options.end,
        options.fps,
        options.smooth,
        camera=options.camera,
        colours=options.colours,
    )
    body = body_of(take, options.body)
    with tqdm(total=100, unit="%", leave=False, disable=not sys.stderr.isatty()) as bar:
        watch = Watch(lambda part: bar.update(int(100 * part) - bar.n))
        done = export_take(take, body, options.output, wanted, watch)
    if done.warning:
        sys.stderr.write(f"pointhmr: {done.warning}\n")
    fitted = "" if done.residual is None else f", skeleton within {done.residual:.1f} mm of the meshes"
    names = ", ".join(map(str, done.paths))
    everybody = f"{done.people} {'person' if done.people == 1 else 'people'}"
    sys.stdout.write(f"{done.frames} frames of {everybody}{fitted}: {names}\n")
    return 0
