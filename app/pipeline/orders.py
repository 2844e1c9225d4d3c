"""What goes into the worker and what it says about itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from app.pipeline.frames import NO_STUDY, PAPER_HOPS, Hops, Record, Study
from app.pipeline.pipeline import Pipeline


class WorkerState(Enum):
    """What the worker is doing; FAULTED, like IDLE, waits for another `open`."""

    IDLE = "idle"
    OPENING = "opening"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"
    FAULTED = "faulted"


@dataclass(frozen=True)
class Status:
    """The state and, if there is something to tell, one sentence."""

    state: WorkerState
    message: str = ""


@dataclass(frozen=True)
class Patience:
    """Seconds after which a live source is called silent, frozen or dead."""

    silent: float = 1.0
    frozen: float = 1.5
    dead: float = 5.0
    opening: float = 10.0


@dataclass(frozen=True)
class Exchange:
    """Another pipeline, ready to take over from the present one."""

    pipeline: Pipeline
    factory: Callable[[], Pipeline]
    """Makes it anew after too many failures."""
    done: Callable[[str], None]
    """Told "" once the next record is the new pipeline's, else why the old one stays."""


@dataclass(frozen=True)
class Adopted:
    """A record from elsewhere, on which masks are to be tried."""

    record: Record
    sha256: str
    """Of the model that made its features: no other can read them."""


@dataclass(frozen=True)
class Orders:
    """What is wanted. The upper half is done once, the lower half holds."""

    spec: str | Path | None = None
    playing: bool | None = None
    index: int | None = None
    step: int = 0
    exchange: Exchange | None = None
    adopted: Adopted | None = None

    hops: Hops = PAPER_HOPS
    study: Study = NO_STUDY
    isolate: bool = False
    mirror: bool = False
    smoothing: float = 0.0
    """Strength in [0, 1] with which clips and cameras are smoothed over time; 0: not at all."""
    all_people: bool = False
    chosen: int | None = None
    loop: bool = False
    every_frame: bool = False
    stop: bool = False

    @property
    def leaving(self) -> bool:
        """Whether the source is to be left: nothing more of it is wanted."""
        return self.spec is not None or self.adopted is not None
