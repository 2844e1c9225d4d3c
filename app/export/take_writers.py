"""What a prepared take is written as, each kind by its own writer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.export.bvh import bvh_text
from app.export.clip import held
from app.export.fbx_take import write_fbx_take
from app.export.gltf_take import write_glb_take
from app.export.mesh import NamedMesh, Origin
from app.export.sequence import write_sequence
from app.export.shapes import MeshTake, write_fbx_shapes, write_glb_shapes
from app.export.skeleton import Motion, SkinnedTake, resampled
from app.export.take_fit import FLIP, camera_of_take, colours_of, fits, places_of
from app.export.take_options import LARGE_RESIDUAL, TakeOptions, Watch, bvh_files
from app.takes import edit
from app.takes.take import Performer, Take
from model.array_files import save_npz
from model.body import BodyModel
from model.errors import UserError
from model.fit import fit_body
from model.paths import write_atomically


@dataclass(frozen=True)
class Exported:
    """What became of an export."""

    paths: tuple[Path, ...]
    """Files, or the folder of a sequence."""
    frames: int
    people: int
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
    for number, values in (residuals or {}).items():
        facts[f"fit residual of person_{number} in mm"] = f"{values.mean():.2f}, at most {values.max():.2f}"
        facts[f"fit residuals of person_{number} by frame"] = " ".join(f"{value:.1f}" for value in values)
    camera = camera_of_take(take) if options.camera else None
    return Origin(made.model, made.sha256, take.masks, tuple(facts.items()), camera)


def _rate(take: Take, options: TakeOptions) -> float:
    """Frames a second of a program's time line."""
    return options.rate or take.rate or 30.0


def _skinned(take: Take, body: BodyModel, path: Path, options: TakeOptions, watch: Watch) -> Exported:
    people = list(fits(take, body, options, watch.within(0.0, 0.9)))
    residuals = {one.person.id: one.misses for one in people}
    takes = [_over_clip(one.skinned, take, options.rate) for one in people]
    rate, origin = _rate(take, options), _origin(take, options, residuals)
    frames = len(take) if options.rate is None else len(takes[0].motion.times)
    watch.at(0.9)
    if options.kind == "fbx":
        write_fbx_take(path, takes, options.preset, origin, rate)
    elif options.kind == "glb":
        write_glb_take(path, takes, origin)
    else:
        return Exported(_bvh(path, takes, options, origin, rate), frames, len(takes), residuals)
    return Exported((path,), frames, len(takes), residuals)


def _over_clip(one: SkinnedTake, take: Take, rate: float | None) -> SkinnedTake:
    """The same person with keys from the clip's first moment to its last, at its own times or `rate`."""
    motion = one.motion
    times, rows = held(motion.times, take.times[0], take.times[-1])
    motion = Motion(times, motion.rotations[rows], motion.translations[rows])
    return replace(one, motion=motion if rate is None else resampled(motion, rate))


def _bvh(
    path: Path, takes: Sequence[SkinnedTake], options: TakeOptions, origin: Origin, rate: float
) -> tuple[Path, ...]:
    """A file for each person, and one beside that tells what the format has no place for."""
    *names, about = bvh_files(path, [one.skeleton.mesh.name for one in takes])
    facts = origin.facts(options.preset.for_bvh) | {"files": ", ".join(name.name for name in names)}
    texts = {about: json.dumps(facts, ensure_ascii=False, indent=1) + "\n"}
    texts |= {name: bvh_text(one, options.preset, rate) for name, one in zip(names, takes, strict=True)}
    _write_together(texts)
    return (*names, about)


def _write_together(texts: dict[Path, str]) -> None:
    """Put no file in its place before all are written; the first one comes last. Raises UserError."""
    if not texts:
        return
    path, *others = texts

    def write(file: Path) -> None:
        file.write_text(texts[path], encoding="utf-8")
        _write_together({other: texts[other] for other in others})

    write_atomically(path, write)


def _npz(take: Take, body: BodyModel, path: Path, options: TakeOptions, watch: Watch) -> Exported:
    """Arrays in camera axes, pose and shape in the body's; `person_1_vertices` and so on.

    The fit is made at the take's own times, so it is made again on what was resampled.
    """
    ready = edit.resampled(take, options.rate)
    if not ready.people:
        raise UserError("There is no person to export.")
    residuals, arrays = {}, {"times": ready.times, "sizes": ready.sizes}
    places = places_of(ready, options)
    share = 1.0 / len(ready.people)
    for number, (person, place) in enumerate(zip(ready.people, places, strict=True)):
        part = watch.within(0.9 * number * share, 0.9 * (number + 1) * share)
        fit = fit_body(body, person.vertices * np.float32(FLIP), part.at)
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
    facts["origin"] = "middle of the hips; places say where it is, to be added"
    arrays["about"] = np.array([f"{name}: {text}" for name, text in facts.items()])
    watch.at(0.95)
    write_atomically(path, lambda file: save_npz(file, arrays))
    return Exported((path,), len(ready), len(ready.people), residuals)


def _named(
    person: Performer, body: BodyModel, row: int, place: np.ndarray, options: TakeOptions
) -> NamedMesh:
    """One frame of a person who stands at a place (3,)."""
    arrays, vertices = body.data.arrays, person.vertices[row] + place.astype(np.float32)
    uv, uv_faces = arrays.get("vt"), arrays.get("ft")
    return NamedMesh(person.name, vertices, body.faces, uv, uv_faces, colours_of(body, options))


def _shapes(take: Take, body: BodyModel, path: Path, options: TakeOptions, watch: Watch) -> Exported:
    takes = [
        MeshTake(
            _named(person, body, 0, places[0], options),
            person.vertices + places[:, None].astype(np.float32),
            *held(take.times_of(person), take.times[0], take.times[-1]),
        )
        for person, places in zip(take.people, places_of(take, options), strict=True)
    ]
    watch.at(0.3)
    origin = _origin(take, options)
    if options.kind == "fbx-shapes":
        write_fbx_shapes(path, takes, options.preset, origin, _rate(take, options), lambda: watch.at(0.6))
    else:
        write_glb_shapes(path, takes, origin, lambda: watch.at(0.6))
    return Exported((path,), len(take), len(takes), {})


def _sequence(take: Take, body: BodyModel, path: Path, options: TakeOptions, watch: Watch) -> Exported:
    """A file a frame in the folder `path`."""
    people = list(zip(take.people, places_of(take, options), strict=True))

    def frames() -> Iterator[tuple[int, Sequence[NamedMesh]]]:
        for frame in range(len(take)):
            rows = [(person, places, person.row(frame)) for person, places in people]
            yield (
                frame,
                [
                    _named(person, body, row, places[row], options)
                    for person, places, row in rows
                    if row is not None
                ],
            )

    steps = iter(range(len(take)))

    def step() -> bool:
        watch.at(next(steps) / len(take))
        return True

    count = write_sequence(path, frames(), options.kind, options.preset, _origin(take, options), step)
    return Exported((path,), count, len(people), {})


WRITERS: dict[str, Callable[[Take, BodyModel, Path, TakeOptions, Watch], Exported]] = {
    "fbx": _skinned,
    "glb": _skinned,
    "bvh": _skinned,
    "npz": _npz,
    "fbx-shapes": _shapes,
    "glb-shapes": _shapes,
    "obj": _sequence,
    "ply": _sequence,
}
"""By the names of `KINDS`."""
