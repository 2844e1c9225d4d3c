"""What the window must know about the loaded model, and nothing about how it was loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from app.export.case import TOPOLOGY, CaseModel
from app.gui.shading import Topology

if TYPE_CHECKING:
    from app.pipeline.reconstructor import Reconstructor

END_PARTS = ("head", "left hand", "right hand", "left foot", "right foot")
"""Parts whose outermost vertex is pinned at the first start."""


@dataclass(frozen=True)
class ModelInfo:
    """Names, topology and hop distances of the model that draws the people."""

    model_name: str
    sha256: str
    device: str
    faces: np.ndarray
    """(F, 3) int, full mesh."""
    coarse_faces: np.ndarray
    """(F2, 3) int, coarse mesh."""
    coarse_of_vertex: np.ndarray
    """(V,) int: the coarse vertex that drives each full vertex most."""
    vertex_of_coarse: np.ndarray
    """(C,) int: the full vertex that a coarse vertex is."""
    part_of_vertex: np.ndarray
    """(V,) int, index into `part_names`."""
    part_names: tuple[str, ...]
    """Such as "left hand"."""
    hops: np.ndarray
    """(C, C) int: distance of two coarse vertices along edges of the coarse mesh."""
    diameter: int
    """Largest hop distance: at this mask threshold and beyond the mask is off."""
    uv: np.ndarray | None = None
    """(N, 2) texture coordinates, or None."""
    uv_faces: np.ndarray | None = None
    """(F, 3) int into `uv`, or None."""
    body: str = "free body"
    """As a person calls it."""
    body_sha256: str = ""
    notice: str = ""
    """What the user should know about this pair of network and body."""
    has_mirror: bool = True
    """Whether people can be looked at in the mirror too."""
    engine: Callable[[], str] | None = None
    """Tells what runs the network at the moment, such as "OpenVINO int8"; it may change while frames run."""

    @property
    def title(self) -> str:
        """Name and short hash, as the status bar shows them."""
        return f"{self.model_name} {self.sha256[:8]}".rstrip()

    @property
    def coarse_count(self) -> int:
        """Number of coarse vertices C."""
        return len(self.vertex_of_coarse)

    @cached_property
    def topology(self) -> Topology:
        """Neighbourhoods of the full mesh."""
        return Topology(self.faces, len(self.part_of_vertex))

    def vertex_name(self, vertex: int) -> str:
        """The body part of a full vertex in words, such as "Left hand"."""
        return self.part_names[int(self.part_of_vertex[vertex])].capitalize()

    def default_pins(self) -> tuple[int, ...]:
        """Full vertices at the tips of head, hands and feet, found on the coarse mesh alone.

        The tip of a part is its vertex with most hops to any vertex outside of the part.
        """
        part = self.part_of_vertex[self.vertex_of_coarse]
        pins = []
        for name in END_PARTS:
            if name not in self.part_names:
                continue
            inside = part == self.part_names.index(name)
            if inside.any() and not inside.all():
                depth = self.hops[np.ix_(inside, ~inside)].min(axis=1)
                pins.append(int(self.vertex_of_coarse[np.flatnonzero(inside)[int(depth.argmax())]]))
        return tuple(pins)


def model_info(reconstructor: Reconstructor) -> ModelInfo:
    """What the window must know about a loaded reconstructor."""
    hierarchy, body = reconstructor.hierarchy, reconstructor.body
    arrays = body.data.arrays
    return ModelInfo(
        model_name=reconstructor.model_name,
        sha256=reconstructor.sha256,
        device=reconstructor.device.upper(),
        faces=hierarchy.faces[0].astype(np.int32),
        coarse_faces=hierarchy.faces[2].astype(np.int32),
        coarse_of_vertex=hierarchy.coarse_of_vertex,
        vertex_of_coarse=hierarchy.vertex_of_coarse,
        part_of_vertex=body.part_of_vertex,
        part_names=tuple(body.part_names),
        hops=hierarchy.hops,
        diameter=hierarchy.diameter,
        uv=arrays.get("vt"),
        uv_faces=arrays.get("ft"),
        body=body.name,
        body_sha256=body.sha256,
        notice=reconstructor.notice,
        has_mirror=reconstructor.has_mirror,
        engine=lambda: reconstructor.engine.name,
    )


def case_model(info: ModelInfo) -> CaseModel:
    """What a case must know about the running model."""
    arrays = {name: getattr(info, name) for name in TOPOLOGY}
    return CaseModel(info.model_name, info.sha256, info.body, info.part_names, info.diameter, arrays)


def info_of(model: CaseModel) -> ModelInfo:
    """What the window must know about the model of a case, which need not be installed."""
    arrays: dict[str, Any] = model.arrays
    names: dict[str, Any] = {"part_names": model.part_names, "diameter": model.diameter, "body": model.body}
    return ModelInfo(model.name, model.sha256, "stored", **arrays, **names)
