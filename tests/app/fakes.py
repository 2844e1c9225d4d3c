"""Devices and networks that are not there: fast, deterministic, human-sized."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from app.pipeline.crop import picture_camera, to_picture_axes
from app.pipeline.frames import Crop, Frame, Hops, Person, PersonBox
from app.pipeline.sources import SourceError

PICTURE = (320, 240)
"""(width, height) of the fakes' frames."""
EVENT = 5.0
"""Seconds after which an event that must come is given up."""


def gradient(size: tuple[int, int] = PICTURE, shade: int = 0) -> np.ndarray:
    """(H, W, 3) uint8 with a smooth pattern that differs between shades."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    return np.stack([x * 255 // size[0], y * 255 // size[1], np.full_like(x, shade % 256)], 2).astype(
        np.uint8
    )


def frame(index: int = 0, size: tuple[int, int] = PICTURE) -> Frame:
    """A frame of a 30 fps clip."""
    return Frame(gradient(size, index), index, index / 30.0, "fake")


def standing(centre: tuple[float, float] = (160, 120), height: float = 160, **fields: object) -> PersonBox:
    """The box of somebody who stands upright, with keypoints."""
    x, y = centre
    unit = height / 180.0
    offsets = {5: (-18, -55), 6: (18, -55), 11: (-12, 0), 12: (12, 0), 15: (-12, 85), 16: (12, 85)}
    points = np.tile([x, y - 75 * unit], (17, 1))
    for joint, (dx, dy) in offsets.items():
        points[joint] = x + dx * unit, y + dy * unit
    box = PersonBox(x - 0.2 * height, y - height / 2, 0.4 * height, height, keypoints=points)
    return replace(box, **fields)  # type: ignore[arg-type]


class FakeTensor:
    """As much of a tensor as `Person.heatmaps` asks for."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self.shape = array.shape

    def __getitem__(self, index: int) -> FakeTensor:
        return FakeTensor(self._array[index])

    def cpu(self) -> FakeTensor:
        """It is there already."""
        return self

    def numpy(self) -> np.ndarray:
        """The array itself."""
        return self._array


@dataclass(frozen=True)
class FakeFeatures:
    """Stands for `model.pointhmr.Features`."""

    heatmaps: FakeTensor
    """[1, C, n, n]."""


@dataclass(frozen=True)
class FakeEncoded:
    """Stands for `app.pipeline.reconstructor.Encoded`."""

    box: PersonBox
    crop: Crop
    features: FakeFeatures


@cache
def _load_body() -> dict[str, np.ndarray]:
    """The shipped body in its rest pose: metres, camera axes, hips in the origin."""
    root = Path(str(resources.files("assets"))) / "body"
    with np.load(root / "body.npz") as body, np.load(root / "hierarchy.npz") as hierarchy:
        upright = body["v_template"] * [1, -1, -1]
        joints = body["J14_regressor"] @ upright
        hips = joints[[2, 3]].mean(0)
        coarse = hierarchy["sel1"][hierarchy["sel2"].astype(int)].astype(int)
        return {
            "vertices": upright - hips,
            "joints": joints - hips,
            "faces": body["f"].astype(np.int32),
            "part_of_vertex": body["part"].astype(int),
            "coarse_faces": hierarchy["F2"].astype(np.int32),
            "vertex_of_coarse": coarse,
            "coarse_of_vertex": cKDTree(upright[coarse]).query(upright)[1],
        }


class FakeReconstructor:
    """Puts the shipped body, standing upright in the crop, into every box; masks bend it a little.

    `presence` may be set between frames; `spoil` changes a finished person, to make it unfit.
    """

    model_name = "fake"
    sha256 = "0" * 64
    device = "cpu"
    crop_size = 256
    crop_scale = 1.0
    diameter = 12
    part_names = tuple(f"part {i}" for i in range(24))
    heatmap_size = 64

    def __init__(self) -> None:
        body = _load_body()
        self.faces, self.coarse_faces = body["faces"], body["coarse_faces"]
        self.part_of_vertex, self.vertex_of_coarse = body["part_of_vertex"], body["vertex_of_coarse"]
        self.coarse_of_vertex = body["coarse_of_vertex"]
        self._vertices, self._joints = body["vertices"], body["joints"]
        self._features = FakeFeatures(FakeTensor(self._heatmaps()))
        self.presence = 1.0
        self.spoil: Callable[[Person], Person] = lambda person: person
        self.encoded: list[int] = []
        """Indices of the frames that went through `encode`."""
        self.mirrors: list[bool] = []
        """Whether each of these was looked at in the mirror too."""
        self.regressed: list[Hops] = []
        self.attended: list[Hops] = []

    def attention(self, encoded: FakeEncoded, hops: Hops) -> tuple[tuple[np.ndarray, ...], ...]:
        """One encoder with one layer that looks at everything alike."""
        self.attended.append(hops)
        count = len(self.vertex_of_coarse)
        return ((np.full((1, count, count), 1 / count, np.float32),),)

    def encode(
        self,
        frame: Frame,
        crops: Sequence[tuple[PersonBox, Crop]],
        log_weights: object = None,
        *,
        mirror: bool = False,
    ) -> list[FakeEncoded]:
        """Heatmaps with a peak where each coarse vertex will be."""
        self.encoded.append(frame.index)
        self.mirrors.append(mirror)
        return [FakeEncoded(box, crop, self._features) for box, crop in crops]

    def regress(self, encoded: FakeEncoded, hops: Hops) -> Person:
        """The body, 1.25 times smaller than the crop, its arms moved by the masks."""
        self.regressed.append(hops)
        bend = 0.01 * sum((i + 1) * (20 if hop is None else hop) for i, hop in enumerate(hops))
        shear = np.array([[1, 0, 0], [0, 1, 0.1 * bend], [0, 0, 1]])
        crop = encoded.crop
        vertices = to_picture_axes(crop, self._vertices @ shear).astype(np.float32)
        joints = to_picture_axes(crop, self._joints @ shear).astype(np.float32)
        camera = picture_camera(crop, self._crop_camera())
        person = Person(
            box=encoded.box,
            crop=crop,
            vertices=vertices,
            coarse=vertices[self.vertex_of_coarse],
            joints3d=joints,
            joints2d=(joints[:, :2] * camera[0] + camera[1:]).astype(np.float32),
            camera=camera,
            presence=self.presence,
            features=encoded.features,  # type: ignore[arg-type]
        )
        return self.spoil(person)

    def _crop_camera(self) -> tuple[float, float, float]:
        low, high = self._vertices.min(0), self._vertices.max(0)
        middle = (low + high) / 2
        return 1.6 / float((high - low)[1]), -float(middle[0]), -float(middle[1])

    def _heatmaps(self) -> np.ndarray:
        s, tx, ty = self._crop_camera()
        points = (
            s * (self._vertices[self.vertex_of_coarse][:, :2] + [tx, ty]) + 1
        ) / 2 * self.heatmap_size - 0.5
        axis = np.arange(self.heatmap_size)
        rows = np.exp(-0.5 * (axis - points[:, 1:]) ** 2)
        columns = np.exp(-0.5 * (axis - points[:, :1]) ** 2)
        maps = rows[:, :, None] * columns[:, None, :]
        return (maps / maps.sum((1, 2), keepdims=True)).astype(np.float32)[None]


class FakeDetector:
    """Returns `people`, which a test may change between frames, and counts how often it was asked."""

    def __init__(self, people: Sequence[PersonBox] = ()) -> None:
        self.people = list(people)
        self.keypoints: np.ndarray | None = None
        self.calls = 0

    def detect(self, image: np.ndarray) -> list[PersonBox]:
        """The same for every picture."""
        self.calls += 1
        return list(self.people)

    def look_at(self, image: np.ndarray, box: PersonBox) -> PersonBox:
        """Gives the box `keypoints`, if there are any."""
        return replace(box, keypoints=self.keypoints)


class FakeClip:
    """A file of `length` frames; `broken` ones raise."""

    live = False

    def __init__(self, length: int = 5, fps: float | None = 1000.0, error: Exception | None = None) -> None:
        self.name = "fake clip"
        self.length: int | None = length
        self.fps = fps
        self.closed = threading.Event()
        self._error = error
        self._next = 0

    def read(self) -> Frame | None:
        """The next frame."""
        if self._error is not None and self._next == 2:
            raise self._error
        if self._next >= (self.length or 0):
            return None
        self._next += 1
        return replace(frame(self._next - 1), time=(self._next - 1) / (self.fps or 30.0))

    def seek(self, index: int) -> None:
        """Goes there."""
        self._next = index

    def close(self) -> None:
        """Tells that it was closed."""
        self.closed.set()


class FakeCamera:
    """A live source: a frame at each `push`, or by itself every `period` seconds; can fail and hang."""

    live = True
    length: int | None = None
    fps: float | None = None

    def __init__(self, period: float | None = None) -> None:
        self.name = "camera 7"
        self.closed = threading.Event()
        self.release = threading.Event()
        """Set: lets a hanging read go, and ends the stream."""
        self.reads = 0
        self.idle = threading.Event()
        """Never set: something to wait on for a moment."""
        self._period = period
        self._cue = threading.Condition()
        self._waiting: list[np.ndarray] = []
        self._failed = self._hangs = False

    def push(self, image: np.ndarray | None = None) -> None:
        """One more frame, by default one that was never there before."""
        with self._cue:
            self._waiting.append(gradient(shade=self.reads + len(self._waiting)) if image is None else image)
            self._cue.notify_all()

    def fail(self) -> None:
        """The cable is pulled."""
        with self._cue:
            self._failed = True
            self._cue.notify_all()

    def hang(self) -> None:
        """The driver never comes back, until `release` is set."""
        with self._cue:
            self._hangs = True
            self._cue.notify_all()

    def read(self) -> Frame | None:
        """Waits for a frame, as a camera does."""
        with self._cue:
            self._cue.wait_for(lambda: self._waiting or self._failed or self._hangs, self._period or EVENT)
            image = self._waiting.pop(0) if self._waiting else gradient(shade=self.reads)
            failed = self._failed
        if self._hangs:
            self.release.wait(2 * EVENT)
        if failed:
            raise SourceError(f"The {self.name} is disconnected.")
        self.reads += 1
        return Frame(image, self.reads - 1, self.reads / 30.0, self.name)

    def seek(self, index: int) -> None:
        """A camera has no past."""
        raise SourceError("live")

    def close(self) -> None:
        """Tells that it was closed."""
        self.closed.set()
