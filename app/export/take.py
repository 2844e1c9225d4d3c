"""One front for all that a take can be written as."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.export.bvh import write_bvh
from app.export.fbx_take import write_fbx_take
from app.export.gltf_take import write_glb_take
from app.export.mesh import NamedMesh, Origin
from app.export.people import FOCAL, over_picture, spots_of
from app.export.result import save_npz
from app.export.sequence import write_sequence
from app.export.shapes import MeshTake, write_fbx_shapes, write_glb_shapes
from app.export.skeleton import Motion, SkinnedTake, posed, resampled, skeleton_of
from app.export.take_options import KINDS, TakeOptions, Watch
from app.takes import edit
from app.takes.take import Performer, Take
from app.takes.take_file import check
from model.body import BodyModel
from model.errors import UserError
from model.fit import Fit, fit_body
from model.paths import write_atomically

LARGE_RESIDUAL = 10.0
"""Millimetres from which a skinned file shows visibly other bodies than the network made."""
_STEPS = 24
_FLIP = np.array([1.0, -1.0, -1.0])


@dataclass(frozen=True)
class Exported:
    """What became of an export."""

    paths: tuple[Path, ...]
    """Files, or the folder of a sequence."""
    frames: int
    residuals: dict[int, np.ndarray]
    """Person's id -> (T,) millimetres by which its posed body misses the meshes; empty without a fit."""

    @property
    def residual(self) -> float | None:
        """Mean over all people and frames, in millimetres; None where no pose was fitted."""
        return float(np.concatenate(list(self.residuals.values())).mean()) if self.residuals else None

    @property
    def warning(self) -> str:
        """One sentence when a pose cannot show the meshes well; else empty."""
        if self.residual is None or self.residual < LARGE_RESIDUAL:
            return ""
        return (
            f"The skeleton misses the meshes by {self.residual:.0f} mm on average: "
            "a shape for each frame is exact."
        )


def prepared(take: Take, options: TakeOptions, watch: Watch | None = None) -> Take:
    """The take after the options' people, gaps, smoothing and range, at its own times.

    Raises UserError when nothing is left or the export was cancelled.
    """
    watch = watch or Watch()
    if options.people:
        take = edit.only(take, options.people)
    if options.fill:
        take = edit.filled(take)
    total = max(2 * sum(len(person.frames) for person in take.people), 1)
    done = iter(range(total + 1))
    take = edit.smoothed(take, options.smoothing, lambda: watch.at(next(done) / total))
    take = edit.trimmed(take, options.start, take.duration if options.end is None else options.end)
    if not take.people:
        raise UserError("There is no person to export.")
    check(take)
    return take


def export_take(
    take: Take, body: BodyModel, path: Path, options: TakeOptions, watch: Watch | None = None
) -> Exported:
    """Write a take as `options.kind`, whole or not at all.

    body: that of the take. Raises UserError in one sentence when it is another one, there is nothing to
    export, the options are impossible, the disk refuses, or the export was cancelled.
    """
    watch, kind = watch or Watch(), KINDS.get(options.kind)
    if kind is None:
        raise UserError(f"There is no format {options.kind!r}; there are {', '.join(KINDS)}.")
    if any(person.vertices.shape[1] != body.num_vertices for person in take.people):
        raise UserError(f"The take was made with another body ({take.made.body}) than the {body.name}.")
    watch.at(0.0)
    ready = prepared(take, options, watch.within(0.0, 0.2))
    if not kind.needs_fit:
        ready = edit.resampled(ready, options.rate)
    if kind.most_frames and len(ready) > kind.most_frames:
        raise UserError(
            f"{kind.title} is for short clips: {kind.most_frames} frames at most, not {len(ready)}."
        )
    writer = {
        "fbx": _skinned,
        "glb": _skinned,
        "bvh": _skinned,
        "npz": _npz,
        "fbx-shapes": _shapes,
        "glb-shapes": _shapes,
        "obj": _sequence,
        "ply": _sequence,
    }[options.kind]
    result = writer(ready, body, path, options, watch.within(0.2, 1.0))
    watch.progress(1.0)
    return result


def _origin(take: Take, options: TakeOptions, residuals: dict[int, np.ndarray] | None = None) -> Origin:
    """What every file says of itself."""
    made = take.made
    facts = {
        "body": made.body,
        "source": made.source,
        "recorded": made.started,
        "edits": "; ".join(made.history) or "none",
        "frames a second": "the take's own times" if options.rate is None else f"{options.rate:g}",
    }
    if options.camera:
        width, height = take.sizes[0].tolist()
        facts["origin"] = "camera"
        facts["camera"] = (
            f"pinhole in the origin, focal length {FOCAL * width:g} pixels, picture {width} x {height}"
        )
    for number, values in (residuals or {}).items():
        facts[f"fit residual of person_{number} in mm"] = f"{values.mean():.2f}, at most {values.max():.2f}"
    return Origin(made.model, made.sha256, take.masks, tuple(facts.items()))


def _places(take: Take, options: TakeOptions) -> list[np.ndarray]:
    """For each person (T, 3) metres in camera axes, where the middle of the hips stands."""
    if options.camera:
        return [over_picture(one.cameras, take.sizes[one.frames].astype(float)) for one in take.people]
    cameras = np.stack([np.median(one.cameras, axis=0) for one in take.people])
    spots = spots_of(cameras, int(take.sizes[0, 0]))
    return [
        np.tile(spot - spots[0], (len(one.frames), 1)) for one, spot in zip(take.people, spots, strict=True)
    ]


def _rate(take: Take, options: TakeOptions) -> float:
    """Frames a second of a program's time line."""
    return options.rate or take.rate or 30.0


def _fits(
    take: Take, body: BodyModel, options: TakeOptions, watch: Watch
) -> Iterator[tuple[Performer, Fit, SkinnedTake, np.ndarray]]:
    """Of each person the fit, the skinned take where it stands, and its residuals (T,) in millimetres."""
    share = 1.0 / len(take.people)
    for number, (person, places) in enumerate(zip(take.people, _places(take, options), strict=True)):
        part = watch.within(number * share, (number + 0.9) * share)
        fit = fit_body(body, person.vertices * np.float32(_FLIP), part.at)
        skeleton = skeleton_of(body, person.name, fit.betas)
        motion = Motion(take.times_of(person), fit.rotations, fit.translations)
        misses = []
        for start in range(0, len(person.frames), _STEPS):
            watch.at((number + 0.9) * share)
            rows = slice(start, start + _STEPS)
            piece = Motion(motion.times[rows], motion.rotations[rows], motion.translations[rows])
            seen = posed(SkinnedTake(skeleton, piece)) - person.vertices[rows] * _FLIP
            misses.append(np.linalg.norm(seen, axis=-1).mean(axis=1) * 1000)
        moved = replace(motion, translations=motion.translations + places * _FLIP)
        yield person, fit, SkinnedTake(skeleton, moved), np.concatenate(misses)


def _skinned(take: Take, body: BodyModel, path: Path, options: TakeOptions, watch: Watch) -> Exported:
    people = list(_fits(take, body, options, watch.within(0.0, 0.9)))
    residuals = {person.id: misses for person, _, _, misses in people}
    takes = [skinned for _, _, skinned, _ in people]
    rate, origin = _rate(take, options), _origin(take, options, residuals)
    if options.rate is not None:
        takes = [replace(one, motion=resampled(one.motion, options.rate)) for one in takes]
    frames = max(len(one.motion.times) for one in takes)
    watch.at(0.9)
    if options.kind == "fbx":
        write_fbx_take(path, takes, options.preset, origin, rate)
    elif options.kind == "glb":
        write_glb_take(path, takes, origin)
    else:
        names = [path, *(path.with_stem(f"{path.stem}_{one.skeleton.mesh.name}") for one in takes[1:])]
        for name, one in zip(names, takes, strict=True):
            write_bvh(name, one, options.preset, rate)
        return Exported(tuple(names), frames, residuals)
    return Exported((path,), frames, residuals)


def _npz(take: Take, body: BodyModel, path: Path, options: TakeOptions, watch: Watch) -> Exported:
    """Arrays in camera axes, pose and shape in the body's; `person_1_vertices` and so on.

    The fit is made at the take's own times, so it is made again on what was resampled.
    """
    ready = edit.resampled(take, options.rate)
    residuals, arrays = {}, {"times": ready.times, "sizes": ready.sizes}
    places = _places(ready, options)
    share = 1.0 / len(ready.people)
    for number, (person, place) in enumerate(zip(ready.people, places, strict=True)):
        part = watch.within(0.9 * number * share, 0.9 * (number + 1) * share)
        fit = fit_body(body, person.vertices * np.float32(_FLIP), part.at)
        residuals[person.id] = fit.residuals
        columns = {
            "frames": person.frames,
            "vertices": person.vertices,
            "joints": person.joints,
            "cameras": person.cameras,
            "places": place,
            "boxes": person.boxes,
            "filled": person.filled,
            "pose": fit.pose,
            "betas": fit.betas,
            "translation": fit.translations,
            "residual_mm": fit.residuals,
        }
        arrays |= {f"{person.name}_{name}": values for name, values in columns.items()}
    facts = _origin(ready, options, residuals).facts(options.preset)
    facts |= {"units": "metres", "axes": "camera: x right, y down, z forward", "pose axes": "x right, y up"}
    arrays["about"] = np.array([f"{name}: {text}" for name, text in facts.items()])
    watch.at(0.95)
    write_atomically(path, lambda file: save_npz(file, arrays))
    return Exported((path,), len(ready), residuals)


def _named(person: Performer, body: BodyModel, vertices: np.ndarray) -> NamedMesh:
    arrays = body.data.arrays
    return NamedMesh(person.name, vertices, body.faces, arrays.get("vt"), arrays.get("ft"))


def _moved(take: Take, options: TakeOptions) -> list[np.ndarray]:
    """For each person (T, V, 3) float32 in camera axes, where they stand."""
    return [
        person.vertices + places[:, None].astype(np.float32)
        for person, places in zip(take.people, _places(take, options), strict=True)
    ]


def _shapes(take: Take, body: BodyModel, path: Path, options: TakeOptions, watch: Watch) -> Exported:
    takes = [
        MeshTake(_named(person, body, vertices[0]), take.times_of(person), vertices)
        for person, vertices in zip(take.people, _moved(take, options), strict=True)
    ]
    watch.at(0.3)
    origin = _origin(take, options)
    if options.kind == "fbx-shapes":
        write_fbx_shapes(path, takes, options.preset, origin, _rate(take, options), lambda: watch.at(0.6))
    else:
        write_glb_shapes(path, takes, origin, lambda: watch.at(0.6))
    return Exported((path,), len(take), {})


def _sequence(take: Take, body: BodyModel, path: Path, options: TakeOptions, watch: Watch) -> Exported:
    """A file a frame in the folder `path`."""
    moved = _moved(take, options)

    def frames() -> Iterator[tuple[int, Sequence[NamedMesh]]]:
        for frame in range(len(take)):
            rows = [
                (person, vertices, person.row(frame))
                for person, vertices in zip(take.people, moved, strict=True)
            ]
            yield (
                frame,
                [_named(person, body, vertices[row]) for person, vertices, row in rows if row is not None],
            )

    steps = iter(range(len(take)))

    def step() -> bool:
        watch.at(next(steps) / len(take))
        return True

    count = write_sequence(path, frames(), options.kind, options.preset, _origin(take, options), step)
    return Exported((path,), count, {})
