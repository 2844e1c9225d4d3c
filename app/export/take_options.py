"""What to export of a take, and how."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.export.presets import Y_UP_METRES, Preset
from app.export.sequence import CANCELLED
from app.takes.edit import Edit
from app.takes.take import Performer, Take
from model.errors import UserError


@dataclass(frozen=True)
class Kind:
    """A way to write a take."""

    title: str
    ending: str
    """Of its file; for a sequence, of each file in its folder."""
    meaning: str
    """One sentence for a person who has to choose."""
    needs_fit: bool
    """Whether the body's pose is fitted to the meshes, which loses what no pose can show."""
    bytes_a_frame: float
    """Measured on the free body, a person; 0 where it depends on how the meshes compress."""
    bytes_at_rest: float
    """Measured on the free body, a person, whatever the length."""
    most_frames: int = 0
    """Beyond which the kind is refused; 0: any number."""


SHORT_CLIP = 300
LARGE_RESIDUAL = 10.0
"""Millimetres from which a skinned file shows visibly other bodies than the network made."""
_EXACT = "The exact meshes of a short clip."
KINDS = {
    "fbx": Kind("FBX, skinned", "fbx", "A skeleton with curves, for every program.", True, 1150, 770e3),
    "glb": Kind("GLB, skinned", "glb", "A skeleton with tracks, for Blender and the web.", True, 405, 560e3),
    "fbx-shapes": Kind("FBX, shape for each frame", "fbx", _EXACT, False, 0, 500e3, SHORT_CLIP),
    "glb-shapes": Kind("GLB, shape for each frame", "glb", _EXACT, False, 182e3, 420e3, SHORT_CLIP),
    "obj": Kind("OBJ sequence", "obj", "A file for each frame, in a folder.", False, 1.16e6, 0),
    "ply": Kind("PLY sequence", "ply", "A compact file for each frame, in a folder.", False, 446e3, 0),
    "npz": Kind("npz", "npz", "Arrays for scripts: meshes, pose, shape, cameras.", True, 0, 4e3),
    "bvh": Kind("BVH", "bvh", "The skeleton's motion alone; a file for each person.", True, 760, 4e3),
}
SEQUENCES = ("obj", "ply")
"""Kinds that are a folder with a file for each frame."""
COLOURED = ("fbx-shapes", "glb-shapes", "obj", "ply", "fbx", "glb")
_COLOUR_BYTES = {"obj": 21.0, "ply": 3.0}
"""A vertex and frame; in the others a colour is kept once and compressed."""
_MEASURED_VERTICES = 6890
_SHAPE_BYTES = 12e3
"""Of a shape in an FBX file, beside its offsets and normals."""
_SHAPE_NORMAL_BYTES = 40e3 / _MEASURED_VERTICES
"""A vertex, as a shape in FBX rounds and compresses its normals."""


@dataclass(frozen=True)
class TakeOptions:
    """Choices that are the same for every kind."""

    kind: str = "fbx"
    """One of `KINDS`."""
    preset: Preset = Y_UP_METRES
    people: tuple[int, ...] = ()
    """Ids; empty: everybody."""
    start: float = 0.0
    """Seconds after the first frame."""
    end: float | None = None
    """Seconds after the first frame; None: to the end."""
    rate: float | None = None
    """Frames a second; None: the take's own times."""
    smoothing: float = 0.0
    """Strength in [0, 1]."""
    fill: bool = True
    """Whether short gaps are filled."""
    camera: bool = False
    """Whether people move so that they lie over the picture, instead of standing with their hips in place."""
    colours: bool = False
    """Whether vertices have the colours of the body's parts."""

    @property
    def edit(self) -> Edit:
        """What is done to every frame."""
        return Edit(self.smoothing, self.fill)


@dataclass(frozen=True)
class Watch:
    """How an export tells how far it is, and hears that it shall stop."""

    progress: Callable[[float], None] = field(default=lambda part: None)
    """Told the part that is done, in [0, 1]."""
    cancelled: Callable[[], bool] = field(default=lambda: False)
    """Asked often; once true, the export ends and no file is changed."""

    def at(self, part: float) -> None:
        """Tell and ask. Raises UserError when the export was cancelled."""
        if self.cancelled():
            raise UserError(CANCELLED)
        self.progress(part)

    def within(self, low: float, high: float) -> Watch:
        """For a piece of the work that lies between two parts of the whole."""
        return Watch(lambda part: self.progress(low + (high - low) * part), self.cancelled)


def ending_of(kind: str) -> str:
    """Of the path that is written, such as ".fbx"; empty for the folder of a sequence."""
    return "" if kind in SEQUENCES else f".{KINDS[kind].ending}"


def bvh_files(path: Path, names: Sequence[str]) -> list[Path]:
    """A file for each person, of whom the first has the path itself; the last one tells what BVH cannot."""
    more = [path.with_stem(f"{path.stem}_{name}") for name in names[1:]]
    return [path, *more, path.with_name(f"{path.stem}_about.json")]


def estimate_size(take: Take, options: TakeOptions) -> float:
    """About how many bytes an export will have; measured exports were within a fifth of it."""
    kind = KINDS[options.kind]
    people = [one for one in take.people if not options.people or one.id in options.people]
    after = take.times - take.times[0]
    end = take.duration if options.end is None else min(options.end, take.duration)
    inside = (after >= options.start - 1e-6) & (after <= end + 1e-6)
    part = 1.0
    if options.rate is not None and inside.sum() > 1:
        part = (max(end - options.start, 0.0) * options.rate + 1) / inside.sum()
    size = 0.0
    for one in people:
        frames = inside[one.frames].sum() * part
        vertices = one.vertices.shape[1]
        each = kind.bytes_a_frame * (1.0 if kind.needs_fit else vertices / _MEASURED_VERTICES)
        if not kind.bytes_a_frame:
            each = _compressed(one, options)
        if options.colours:
            each += _COLOUR_BYTES.get(options.kind, 0.0) * vertices
        size += kind.bytes_at_rest * vertices / _MEASURED_VERTICES + each * frames
    return size


def _compressed(person: Performer, options: TakeOptions) -> float:
    """Bytes of one frame's meshes, by trying it on the one in the middle."""
    middle = person.vertices[len(person.vertices) // 2]
    exact = options.smoothing == 0 and options.rate is None
    if options.kind == "npz":
        # What was recorded is rounded, what is computed from it is not, and compresses less.
        return len(zlib.compress(middle if exact else middle * np.float32(1.0001)))
    offsets = (middle - person.vertices[0]).astype(np.float64)
    points = len(zlib.compress(offsets if exact else offsets * 1.0001))
    return points + _SHAPE_NORMAL_BYTES * len(offsets) + _SHAPE_BYTES
