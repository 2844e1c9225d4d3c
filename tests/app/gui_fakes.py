"""A model, people and a worker that need no network: the free body with heatmaps at its own vertices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import assets
from app.gui.bridge import Bridge
from app.gui.model_info import ModelInfo
from app.pipeline.frames import Crop, Frame, Hops, Person, PersonBox, Record, Study
from app.pipeline.worker import Status, WorkerState

PARTS = (
    *("pelvis", "left hip", "right hip", "spine 1", "left knee", "right knee", "spine 2", "left ankle"),
    *("right ankle", "spine 3", "left foot", "right foot", "neck", "left collar", "right collar", "head"),
    *("left shoulder", "right shoulder", "left elbow", "right elbow", "left wrist", "right wrist"),
    *("left hand", "right hand"),
)
HEAT_SIDE = 64


@lru_cache(maxsize=1)
def body() -> dict[str, np.ndarray]:
    """The arrays of the shipped body and hierarchy."""
    with np.load(assets.BODY / "body.npz") as data, np.load(assets.BODY / "hierarchy.npz") as more:
        return {
            "vertices": data["v_template"] * np.array([1, -1, -1], np.float32),
            "faces": data["f"].astype(np.int32),
            "part": data["part"].astype(int),
            "joints": data["J14_regressor"],
            "coarse": _coarse_vertices(more["sel1"].astype(int), more["sel2"].astype(int)),
            "coarse_faces": more["F2"].astype(int),
            "hops": more["hops"].astype(int),
        }


def _coarse_vertices(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return second if second.max() >= len(first) else first[second]


@lru_cache(maxsize=1)
def model_info() -> ModelInfo:
    """The free body's topology under a made-up model name."""
    data = body()
    corners = data["vertices"][data["coarse"]]
    nearest = [
        ((corners - v) ** 2).sum(axis=1).argmin() for v in data["vertices"]
    ]  # the driving vertex is near enough the nearest
    return ModelInfo(
        model_name="body-lite",
        sha256="9f3ac2d47be1" + "0" * 52,
        device="CPU",
        faces=data["faces"],
        coarse_faces=data["coarse_faces"],
        coarse_of_vertex=np.array(nearest),
        vertex_of_coarse=data["coarse"],
        part_of_vertex=data["part"],
        part_names=PARTS,
        hops=data["hops"],
        diameter=int(data["hops"].max()),
    )


class FakeFeatures:
    """As much of `Features` as `Person.heatmaps` reads."""

    def __init__(self, heatmaps: np.ndarray) -> None:
        self._heatmaps = heatmaps

    @property
    def heatmaps(self) -> FakeFeatures:
        return self

    def __getitem__(self, index: int) -> FakeFeatures:
        return self

    def cpu(self) -> FakeFeatures:
        return self

    def numpy(self) -> np.ndarray:
        return self._heatmaps


def heatmaps_of(pixels: np.ndarray, crop: Crop, sigma: float = 1.6) -> np.ndarray:
    """(C, 2) pixels of the picture -> (C, n, n): a hill at each, in the crop's cells."""
    inside = pixels @ crop.matrix[:, :2].T + crop.matrix[:, 2]
    cells = inside * HEAT_SIDE / crop.size - 0.5
    grid = np.arange(HEAT_SIDE)
    columns = np.exp(-((grid - cells[:, :1]) ** 2) / (2 * sigma**2))
    rows = np.exp(-((grid - cells[:, 1:]) ** 2) / (2 * sigma**2))
    hills = rows[:, :, None] * columns[:, None, :]
    return (hills / np.maximum(hills.sum(axis=(1, 2), keepdims=True), 1e-12)).astype(np.float32)


def person(
    person_id: int = 1,
    camera: tuple[float, float, float] = (220.0, 320.0, 250.0),
    vertices: np.ndarray | None = None,
    heatmaps: np.ndarray | None = None,
) -> Person:
    """The free body, seen by this camera."""
    data = body()
    vertices = data["vertices"] if vertices is None else vertices
    scale, tx, ty = camera
    pixels = vertices[:, :2] * scale + np.array([tx, ty], np.float32)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    side = float((high - low).max()) * 1.25
    corner = (low + high) / 2 - side / 2
    crop = Crop(
        np.array([[256 / side, 0, -corner[0] * 256 / side], [0, 256 / side, -corner[1] * 256 / side]]), 256
    )
    joints = (data["joints"] @ vertices).astype(np.float32)
    maps = heatmaps_of(pixels[data["coarse"]], crop) if heatmaps is None else heatmaps
    box = PersonBox(float(low[0]), float(low[1]), *(float(x) for x in high - low), score=0.9, id=person_id)
    return Person(
        box=box,
        crop=crop,
        vertices=vertices.astype(np.float32),
        coarse=vertices[data["coarse"]].astype(np.float32),
        joints3d=joints,
        joints2d=joints[:, :2] * scale + np.array([tx, ty], np.float32),
        camera=camera,
        presence=0.97,
        features=FakeFeatures(maps),  # type: ignore[arg-type]
    )


def record(
    people: tuple[Person, ...] | None = None,
    index: int = 0,
    image: np.ndarray | None = None,
    others: tuple[PersonBox, ...] = (),
) -> Record:
    """One frame with people on a plain picture."""
    picture = np.full((480, 640, 3), 90, np.uint8) if image is None else image
    frame = Frame(picture, index, index / 30, "fake.mp4")
    timings = {"grab": 1.2, "detect": 6.0, "encode": 31.0, "regress": 9.0}
    return Record(frame, (person(),) if people is None else people, (7, 5, 3, 1), timings, others)


@dataclass
class FakeWorker:
    """Remembers what the window asked for, and answers like a worker that is done at once."""

    bridge: Bridge
    sent: Record = field(default_factory=record)
    fault: str = ""
    opened: list[str | Path] = field(default_factory=list)
    calls: list[tuple[str, object]] = field(default_factory=list)
    hops: list[Hops] = field(default_factory=list)
    studies: list[Study] = field(default_factory=list)
    switches: list[tuple[Callable[[], Any], Callable[[str], None]]] = field(default_factory=list)
    started: bool = False
    closed: bool = False

    def start(self) -> None:
        self.started = True

    def close(self, timeout: float = 2.0) -> bool:
        self.closed = True
        return True

    def open(self, spec: str | Path) -> None:
        self.bridge.forget()
        self.opened.append(spec)
        if self.fault:
            self.bridge.on_status(Status(WorkerState.FAULTED, self.fault))
            return
        self.bridge.on_status(Status(WorkerState.RUNNING))
        self.bridge.on_record(self.sent)

    def switch(self, pipeline_factory: Callable[[], Any], done: Callable[[str], None]) -> None:
        self.switches.append((pipeline_factory, done))

    def play(self) -> None:
        self.calls.append(("play", None))
        self.bridge.on_status(Status(WorkerState.RUNNING))

    def pause(self) -> None:
        self.calls.append(("pause", None))
        self.bridge.on_status(Status(WorkerState.PAUSED))

    def step(self, delta: int = 1) -> None:
        self.calls.append(("step", delta))

    def seek(self, index: int) -> None:
        self.calls.append(("seek", index))
        self.bridge.on_record(replace(self.sent, frame=replace(self.sent.frame, index=index)))

    def adopt(self, record: Record, sha256: str) -> None:
        self.bridge.forget()
        self.calls.append(("adopt", sha256))

    def set_isolate(self, on: bool) -> None:
        self.calls.append(("isolate", on))
        self.sent = replace(self.sent, isolate=on)

    def set_mirror(self, on: bool) -> None:
        self.calls.append(("mirror", on))
        self.sent = replace(self.sent, mirror=on)

    def set_smoothing(self, strength: float) -> None:
        self.calls.append(("smoothing", strength))

    def set_hops(self, hops: Hops) -> None:
        self.hops.append(hops)
        self.sent = replace(self.sent, hops=hops)

    def set_study(self, study: Study) -> None:
        self.studies.append(study)

    def set_every_frame(self, on: bool) -> None:
        self.calls.append(("every frame", on))

    def set_all_people(self, on: bool) -> None:
        self.calls.append(("everyone", on))

    def choose_person(self, person_id: int | None) -> None:
        self.calls.append(("person", person_id))
