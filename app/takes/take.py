"""The frozen record of a take: everybody's meshes with their times.

Axes are those of `app.pipeline.frames`: the camera's (x right, y down, z forward), metres, with the origin in
the middle of the two hips of each person and frame; 2D values are pixels of the full picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from app.pipeline.frames import Hops

DIAGNOSTICS = ("presence",)
"""Numbers that every recorded person has."""


@dataclass(frozen=True)
class Made:
    """What made a take."""

    model: str
    sha256: str = ""
    """Of the model's weights."""
    body: str = "free body"
    """Name of the body model."""
    body_sha256: str = ""
    source: str = ""
    """Path or name of what was looked at."""
    started: str = ""
    """Local date and time, ISO 8601."""
    history: tuple[str, ...] = ()
    """What was done to the take since, one sentence each, such as 'smoothed with strength 0.50'."""


@dataclass(frozen=True)
class Performer:
    """One person of a take, in the T frames in which there is a result."""

    id: int
    frames: np.ndarray
    """(T,) int64, increasing: which of the take's times."""
    vertices: np.ndarray
    """(T, V, 3) float32."""
    joints: np.ndarray
    """(T, P, 3) float32: 14 in LSP order, or a hand's 21."""
    cameras: np.ndarray
    """(T, 3) float64: pixel = s * (X, Y) + (tx, ty)."""
    boxes: np.ndarray
    """(T, 4) float32: left, top, width, height."""
    filled: np.ndarray
    """(T,) bool: true where the network gave no result and one was interpolated."""
    diagnostics: dict[str, np.ndarray] = field(default_factory=dict)
    """Name -> (T,) float32; not a number where it was not told."""

    @property
    def name(self) -> str:
        """As files and views call the person."""
        return f"person_{self.id}"

    @property
    def joints2d(self) -> np.ndarray:
        """(T, P, 2) float32: the joints in the picture."""
        scale, shift = self.cameras[:, None, :1], self.cameras[:, None, 1:]
        return (self.joints[..., :2] * scale + shift).astype(np.float32)

    def row(self, frame: int) -> int | None:
        """Which of the T rows is the take's frame; None where the person is not seen."""
        place = int(np.searchsorted(self.frames, frame))
        return place if place < len(self.frames) and self.frames[place] == frame else None

    def rows(self, chosen: np.ndarray) -> Performer:
        """Only these rows: (T,) bool or indices."""
        return replace(
            self,
            frames=self.frames[chosen],
            vertices=self.vertices[chosen],
            joints=self.joints[chosen],
            cameras=self.cameras[chosen],
            boxes=self.boxes[chosen],
            filled=self.filled[chosen],
            diagnostics={name: values[chosen] for name, values in self.diagnostics.items()},
        )


@dataclass(frozen=True)
class Take:
    """Everybody over N frames; nothing of it is ever changed: edits make new takes."""

    made: Made
    times: np.ndarray
    """(N,) float64 seconds since the start of the source, increasing."""
    indices: np.ndarray
    """(N,) int64: position of each frame in the source."""
    sizes: np.ndarray
    """(N, 2) int32: width and height of the pictures."""
    hops: np.ndarray
    """(N, 4) int16: masks of the four encoders, -1 for off."""
    people: tuple[Performer, ...]

    def __len__(self) -> int:
        """N."""
        return len(self.times)

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last."""
        return float(self.times[-1] - self.times[0]) if len(self.times) else 0.0

    @property
    def rate(self) -> float:
        """Frames a second, by the mean distance of frames that follow one another; 0 for a single one.

        Gaps do not count. Containers that keep whole milliseconds make single distances inexact.
        """
        if len(self.times) < 2:
            return 0.0
        steps = np.diff(self.times)
        usual = np.median(steps)
        near = steps[np.abs(steps - usual) <= usual / 2]
        return float(1 / (near.mean() if len(near) else usual))

    @property
    def masks(self) -> Hops:
        """The masks of the last frame."""
        four = [None if hop < 0 else int(hop) for hop in self.hops[-1]]
        return four[0], four[1], four[2], four[3]

    def person(self, person_id: int) -> Performer | None:
        """The performer of this id."""
        return next((person for person in self.people if person.id == person_id), None)

    def times_of(self, person: Performer) -> np.ndarray:
        """(T,) seconds of a performer's rows."""
        return self.times[person.frames]

    def with_people(self, people: tuple[Performer, ...], done: str = "") -> Take:
        """The same frames with other performers; `done` is added to the history."""
        history = (*self.made.history, done) if done else self.made.history
        return replace(self, people=people, made=replace(self.made, history=history))
