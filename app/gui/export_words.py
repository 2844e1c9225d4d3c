"""What the export dialog says of a choice: sentences and estimates, without widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.export.presets import Y_UP_METRES
from app.export.take_options import KINDS, LARGE_RESIDUAL, SEQUENCES, TakeOptions, estimate_size
from app.takes.edit import Edit
from app.takes.take import Take

FORMATS = {
    "obj": ("OBJ", "Text that every 3D program opens; it names neither its axes nor its unit.", 170),
    "fbx": ("FBX", "For Unreal, Unity and Maya: axes and unit are in the file.", 107),
    "glb": ("GLB", "For Blender, the web and viewers; y up in metres, by its specification.", 59),
    "ply": ("PLY", "For MeshLab and scripts; compact, without materials.", 65),
}
"""Of one frame: ending -> name, what it is good for, bytes a vertex as measured on the free body."""


@dataclass(frozen=True)
class Subject:
    """What is looked at, as far as the choices depend on it."""

    name: str
    vertices: int
    """Of one person's mesh."""
    take: Take | None = None
    """As it was recorded; None: there is only a frame."""
    first: int = 0
    last: int = 0
    edit: Edit = field(default_factory=Edit)
    residual: float | None = None
    """Millimetres by which a skeleton misses the kept meshes, where it is known."""

    @property
    def frames(self) -> int:
        """That are kept."""
        return self.last - self.first + 1


def is_glb(kind: str) -> bool:
    """Whether the specification decides on axes and unit, whatever the program."""
    return kind.startswith("glb")


def without_ending(path: Path) -> Path:
    """The path without the ending of one of our formats."""
    endings = {*FORMATS, *(kind.ending for kind in KINDS.values())}
    return path.with_suffix("") if path.suffix.lstrip(".").lower() in endings else path


def replace_text(there: Sequence[Path]) -> str:
    """Whether what is there already may go."""
    named = "\n".join(map(str, there))
    return f"{named}\n\n{'They are' if len(there) > 1 else 'It is'} there already. Replace?"


def saved_text(path: str, note: str) -> str:
    """That it is written, and what the person should know about it."""
    return f"Saved {path}. {note}".rstrip()


def axes_text(options: TakeOptions) -> str:
    """Axes and unit of the files."""
    preset = options.preset
    if is_glb(options.kind):
        preset = Y_UP_METRES
    used = {"obj": preset.for_obj, "bvh": preset.for_bvh}.get(options.kind, preset)
    return f"{used.axes}, in {used.unit}"


def frame_size_text(kind: str, vertices: int) -> str:
    """How large a single frame will be."""
    return f"about {FORMATS[kind][2] * vertices / 1e6:.1f} MB a person"


def take_size_text(take: Take, options: TakeOptions) -> str:
    """How large a take will be."""
    return f"about {estimate_size(take, options) / 1e6:.1f} MB"


def seconds_of(options: TakeOptions) -> float:
    """Length of what is exported."""
    return (options.end or 0.0) - options.start


def edits_text(edit: Edit) -> str:
    """What is done to every frame."""
    smooth = f"Smoothed by {edit.smoothing:.0%}" if edit.smoothing else "Not smoothed"
    return f"{smooth}, short gaps {'filled' if edit.fill else 'left open'}"


def meaning_text(subject: Subject, options: TakeOptions) -> str:
    """What a way to write a take is good for, and whether the take is too long for it."""
    kind = KINDS[options.kind]
    frames = subject.frames if options.rate is None else round(seconds_of(options) * options.rate) + 1
    if kind.most_frames and frames > kind.most_frames:
        return f"{kind.meaning} At most {kind.most_frames} frames, not {frames:,}: keep fewer."
    return kind.meaning


def pace_text(take: Take, options: TakeOptions) -> str:
    """What a program has to be told of the frame rate; empty where it takes the file's."""
    rate = options.rate or take.rate
    if is_glb(options.kind):
        return (
            f"GLB knows seconds only: set Blender's scene to {rate:.0f} frames a second before it opens it."
        )
    if options.kind == "bvh":
        return f"{rate:.0f} frames a second: Blender heeds that only with Scale FPS ticked in its import."
    if options.kind in SEQUENCES:
        return f"The files do not tell: play them at {rate:.0f} frames a second."
    return ""


def is_rough(subject: Subject, kind: str) -> bool:
    """Whether a skeleton is known to miss the meshes by much."""
    return KINDS[kind].needs_fit and subject.residual is not None and subject.residual >= LARGE_RESIDUAL


def fit_text(subject: Subject, kind: str) -> str:
    """How well a skeleton shows the meshes."""
    if not KINDS[kind].needs_fit:
        return "Exact: the meshes themselves are written."
    if subject.residual is None:
        return "A skeleton is fitted to the meshes; how far it is from them is told then."
    rough = " It shows them only roughly." if is_rough(subject, kind) else ""
    return f"The skeleton is {subject.residual:.1f} mm off the meshes on average.{rough}"
