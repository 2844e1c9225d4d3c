"""A take as the views know it: records, the topology of its body, what the time line shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.gui.model_info import ModelInfo
from app.gui.take_track import Curve, Presence, Track
from app.pipeline.frames import Crop, Frame, Person, PersonBox, Record
from app.takes.take import Performer, Take

if TYPE_CHECKING:
    from model.body import BodyModel


def record_at(take: Take, frame: int) -> Record:
    """Everybody of a frame over an empty picture; they have no heatmaps."""
    width, height = take.sizes[frame].tolist()
    picture = np.broadcast_to(np.uint8(0), (height, width, 3))
    rows = [(one, one.row(frame)) for one in take.people]
    people = tuple(_person(one, row) for one, row in rows if row is not None)
    hops = take.hops[frame].tolist()
    four = [None if hop < 0 else hop for hop in hops]
    masks = (four[0], four[1], four[2], four[3])
    index, seconds = int(take.indices[frame]), float(take.times[frame])
    return Record(Frame(picture, index, seconds, take.made.source), people, masks)


def _person(one: Performer, row: int) -> Person:
    x, y, width, height = one.boxes[row].tolist()
    scale, tx, ty = one.cameras[row].tolist()
    presence = one.diagnostics.get("presence")
    return Person(
        box=PersonBox(x, y, width, height, id=one.id),
        crop=Crop(np.eye(2, 3), 1),
        vertices=one.vertices[row],
        coarse=one.vertices[row][:0],
        joints3d=one.joints[row],
        joints2d=one.joints2d[row],
        camera=(scale, tx, ty),
        presence=float(presence[row]) if presence is not None else float("nan"),
        features=None,  # type: ignore[arg-type]
    )


def take_info(take: Take, body: BodyModel) -> ModelInfo:
    """What the mesh view must know of a body; there is no network, so nothing of coarse vertices."""
    none = np.zeros(0, np.int64)
    return ModelInfo(
        model_name=take.made.model,
        sha256=take.made.sha256,
        device="",
        faces=body.faces.astype(np.int32),
        coarse_faces=np.zeros((0, 3), np.int32),
        coarse_of_vertex=np.zeros(len(body.part_of_vertex), np.int64),
        vertex_of_coarse=none,
        part_of_vertex=body.part_of_vertex,
        part_names=tuple(body.part_names),
        hops=np.zeros((0, 0), np.int64),
        diameter=0,
        uv=body.data.arrays.get("vt"),
        uv_faces=body.data.arrays.get("ft"),
        body=body.name,
    )


def fits_take(info: ModelInfo, take: Take) -> bool:
    """Whether the running model makes the take's meshes."""
    vertices = {one.vertices.shape[1] for one in take.people}
    return info.body == take.made.body and vertices <= {len(info.part_of_vertex)}


def presence_of(take: Take, person_id: int | None) -> tuple[Presence, ...]:
    """For each frame whether a person was seen."""
    found = [Presence.MISSING] * len(take)
    person = take.person(person_id) if person_id is not None else None
    if person is not None:
        for frame, filled in zip(person.frames.tolist(), person.filled.tolist(), strict=True):
            found[frame] = Presence.FILLED if filled else Presence.SEEN
    return tuple(found)


def spread(take: Take, person: Performer | None, values: np.ndarray | None) -> np.ndarray:
    """(T,) of a person's rows -> (N,) over the take's frames, not a number where there is no row."""
    whole = np.full(len(take), np.nan)
    if person is not None and values is not None and len(values) == len(person.frames):
        whole[person.frames] = values
    return whole


def tracks(take: Take, person_id: int | None, curves: tuple[Curve, ...]) -> Track:
    """The time line of one person."""
    return Track(take.times - take.times[0], presence_of(take, person_id), curves)
