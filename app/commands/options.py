"""Arguments that several commands share, and how their texts are read."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from app.pipeline.frames import MOST_HOPS, PAPER_HOPS, Hops, PersonBox, hops_of
from model.config import DEFAULT_WEIGHTS
from model.errors import UserError
from model.json_text import parse_json

if TYPE_CHECKING:
    from model.data.render.studio import Studio

OFF = "off"


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """--weights, --body, --device."""
    parser.add_argument(
        "--weights", default=DEFAULT_WEIGHTS, metavar="NAME|FILE", help="model or weight file"
    )
    parser.add_argument("--body", type=Path, metavar="FILE", help="your own SMPL body (.pkl or .npz)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))


def add_mirror_argument(parser: argparse.ArgumentParser) -> None:
    """--mirror."""
    parser.add_argument(
        "--mirror",
        action="store_true",
        help="look at each person in the mirror too and take the mean: more exact, half as fast",
    )


def add_render_arguments(parser: argparse.ArgumentParser) -> None:
    """--appearance and --motion."""
    parser.add_argument("--appearance", type=Path, metavar="DIR", help="clothes, hair, panoramas to draw")
    parser.add_argument("--motion", type=Path, metavar="FILE", help="poses.npz")


def validation_studio(options: argparse.Namespace) -> Studio:
    """The renderer over clips that training never draws from. Raises UserError."""
    try:
        from model.data.render.library import load_library
        from model.data.render.pose_mixture import open_poses
        from model.data.render.studio import Studio
    except ImportError as error:
        raise UserError(f"Rendering needs the packages of the extra `train`: {error}.") from error
    return Studio(load_library(options.appearance), open_poses(options.motion, "val"))


def add_masks_argument(parser: argparse.ArgumentParser) -> None:
    """--masks."""
    parser.add_argument(
        "--masks",
        type=masks,
        default=PAPER_HOPS,
        metavar="7,5,3,1",
        help="hop threshold of each encoder; 'off' masks nothing",
    )


def masks(text: str) -> Hops:
    """'7,5,off,1' -> (7, 5, None, 1)."""
    parts = [part.strip() for part in text.split(",")]
    try:
        return hops_of(None if part == OFF else int(part) for part in parts)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"masks are four numbers of hops from 1 to {MOST_HOPS}, or 'off', such as 7,5,3,1: not {text!r}"
        ) from None


def strength(text: str) -> float:
    """'0.5' -> 0.5; only what lies in [0, 1]."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"the strength is a number from 0 to 1, not {text!r}")
    return value


def box(text: str) -> PersonBox:
    """'X,Y,W,H' in pixels -> a box."""
    try:
        return _box([float(part) for part in text.split(",")])
    except (ValueError, UserError):
        raise argparse.ArgumentTypeError(f"a box is X,Y,W,H in pixels, not {text!r}") from None


def size(text: str) -> tuple[int, int]:
    """'1280x800' -> (1280, 800)."""
    width, _, height = text.partition("x")
    numbers = [int(side) if side.isdecimal() else 0 for side in (width, height)]
    if not (400 <= numbers[0] <= 8000 and 300 <= numbers[1] <= 8000):
        raise argparse.ArgumentTypeError(f"a window's size is WxH in pixels, such as 1280x800: not {text!r}")
    return numbers[0], numbers[1]


def read_boxes(path: Path) -> dict[str, list[PersonBox]]:
    """A JSON object {picture path: [[x, y, w, h], ...]} -> boxes by path; raises UserError."""
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
        return {
            str(name): [_box(list(map(float, values)), number) for number, values in enumerate(boxes)]
            for name, boxes in content.items()
        }
    except OSError as error:
        raise UserError(f"The boxes in {path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} is not a JSON object of the form {{picture path: [[x, y, w, h], ...]}}."
        ) from error


def _box(values: list[float], number: int = 0) -> PersonBox:
    if len(values) != 4 or not all(abs(value) < 1e6 for value in values) or min(values[2:]) <= 0:
        raise UserError(f"{values} is not a box X,Y,W,H with a width and a height.")
    x, y, width, height = values
    return PersonBox(x, y, width, height, id=number + 1)
