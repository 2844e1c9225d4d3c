"""What to export of a take, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from app.export.presets import Y_UP_METRES, Preset
from app.export.sequence import CANCELLED
from app.takes.take import Take
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
    """Measured on the free body, a person."""
    bytes_at_rest: float
    """Measured on the free body, a person, whatever the length."""
    most_frames: int = 0
    """Beyond which the kind is refused; 0: any number."""


SHORT_CLIP = 300
KINDS = {
    "fbx": Kind("FBX, skinned", "fbx", "A skeleton with curves, for every program.", True, 1150, 680e3),
    "glb": Kind("GLB, skinned", "glb", "A skeleton with tracks, for Blender and the web.", True, 405, 550e3),
    "fbx-shapes": Kind(
        "FBX, shape for each frame",
        "fbx",
        "The exact meshes of a short clip.",
        False,
        133e3,
        450e3,
        SHORT_CLIP,
    ),
    "glb-shapes": Kind(
        "GLB, shape for each frame",
        "glb",
        "The exact meshes of a short clip.",
        False,
        90e3,
        420e3,
        SHORT_CLIP,
    ),
    "obj": Kind("OBJ sequence", "obj", "A file for each frame, in a folder.", False, 1.0e6, 0),
    "ply": Kind("PLY sequence", "ply", "A compact file for each frame, in a folder.", False, 420e3, 0),
    "npz": Kind("npz", "npz", "Arrays for scripts: meshes, pose, shape, cameras.", True, 84e3, 4e3),
    "bvh": Kind("BVH", "bvh", "The skeleton's motion alone; a file for each person.", True, 700, 4e3),
}
_MEASURED_VERTICES = 6890


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


def estimate_size(take: Take, options: TakeOptions) -> float:
    """About how many bytes an export will have; the truth is between half and twice of it."""
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
        meshes = one.vertices.shape[1] / _MEASURED_VERTICES
        scale = 1.0 if kind.needs_fit and options.kind != "npz" else meshes
        size += kind.bytes_at_rest * meshes + kind.bytes_a_frame * frames * scale
    return size
