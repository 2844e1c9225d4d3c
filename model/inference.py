"""The one engine that the pipeline knows: the best that works, and what comes after it when it fails."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from model.config import Hops
from model.engine import Engine, TorchEngine
from model.pointhmr import Features, Mesh, PointHMR

_log = logging.getLogger(__name__)
T = TypeVar("T")


class InferenceEngine:
    """Runs both stages of a network with the engine on top; a failing one is dropped for the next.

    Errors of a graphics card (no memory, lost) pass through: the pipeline deals with those. Engines may be
    added by another thread while frames run.
    """

    def __init__(self, network: PointHMR) -> None:
        self._engines: tuple[Engine, ...] = (TorchEngine(network),)
        self._lock = threading.Lock()
        self.dropped: tuple[str, ...] = ()
        """Which engines failed and why, a sentence each."""

    @property
    def name(self) -> str:
        """Of the engine that works now, such as "OpenVINO int8"."""
        return self._engines[-1].name

    def add(self, engine: Engine) -> None:
        """From the next call on this one works."""
        with self._lock:
            self._engines += (engine,)

    def encode(self, images: Tensor, *, keep_points: bool = False) -> Features:
        """See Engine."""
        return self._run(lambda engine: engine.encode(images, keep_points=keep_points))

    def regress(self, features: Features, hops: Hops) -> Mesh:
        """See Engine."""
        return self._run(lambda engine: engine.regress(features, hops))

    def _run(self, work: Callable[[Engine], T]) -> T:
        while True:
            engine = self._engines[-1]
            try:
                return work(engine)
            except (torch.OutOfMemoryError, torch.AcceleratorError):
                raise
            except (RuntimeError, ValueError, TypeError) as error:
                if not self._drop(engine, error):
                    raise

    def _drop(self, engine: Engine, error: Exception) -> bool:
        """False for the last one: there is nothing after it."""
        with self._lock:
            if engine is self._engines[0]:
                return False
            self._engines = tuple(other for other in self._engines if other is not engine)
            words = str(error).splitlines()[0] if str(error) else type(error).__name__
            self.dropped += (f"{engine.name} failed: {words}",)
        _log.warning("%s", self.dropped[-1])
        return True


@dataclasses.dataclass(frozen=True)
class Deviation:
    """How far two meshes of one picture are apart, over the coarse vertices."""

    mean_mm: float
    max_mm: float
    percent: float
    """Mean distance in parts of the mean distance of the vertices from the origin."""
    percent_of_spread: float
    """The same in parts of their mean distance from their own middle: the body's size, not its place."""


def deviation(mesh: Tensor, reference: Tensor) -> Deviation:
    """Both [1, C, 3] in metres; infinite when a number is not finite."""
    distance = (mesh.double() - reference.double()).norm(dim=2)
    if not bool(torch.isfinite(distance).all()):
        return Deviation(*[float("inf")] * 4)
    mean = float(distance.mean())
    spread = reference - reference.mean(1, keepdim=True)
    return Deviation(
        1000 * mean,
        1000 * float(distance.max()),
        100 * mean / float(reference.norm(dim=2).mean()),
        100 * mean / float(spread.norm(dim=2).mean()),
    )


@torch.inference_mode()
def compare(engine: Engine, network: PointHMR, images: Tensor) -> Deviation:
    """An engine against the network itself on one picture, under the masks as trained; it also warms up."""
    meshes = [one.regress(one.encode(images), network.config.hops) for one in (engine, TorchEngine(network))]
    return deviation(meshes[0].coarse, meshes[1].coarse)
