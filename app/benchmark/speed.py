"""The whole speed benchmark as one record of plain numbers, and the targets it is held to."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from app.benchmark import live, networks
from app.pipeline.tiers import TIERS
from model.evaluation.protocols import PUBLISHED_H36M
from model.machine import available_cores, cpu_has_bfloat16
from model.recipes import cpu_has_int8

SCHEMA = 1
PARTS = ("published", "lite", "pipeline", "window")
PUBLISHED_SIZE_AND_SPEED = {
    "METRO": (230.4, 19.55),
    "MeshGraphormer": (226.5, 18.67),
    "FastMETRO": (153.0, 21.88),
    "PointHMR": (59.1, 21.83),
}
"""From the paper, not measured here: million parameters, frames a second on the authors' graphics card."""


@dataclass(frozen=True)
class Effort:
    """How often everything is repeated."""

    published_rounds: int = 7
    lite_rounds: int = 40
    frames: int = 120
    seconds: float = 30.0

    @staticmethod
    def quick() -> Effort:
        """Enough to see that it works."""
        return Effort(published_rounds=1, lite_rounds=2, frames=6, seconds=2.0)


def measure(parts: tuple[str, ...], effort: Effort, progress: Callable[[str], None]) -> dict[str, Any]:
    """Run the parts; keys: schema, machine, networks, pipeline, window, targets, published."""
    result: dict[str, Any] = {"schema": SCHEMA, "machine": _machine(), "networks": {}}
    if "published" in parts:
        rows = networks.published(effort.published_rounds, progress)
        result["networks"]["body-hrnet-w32"] = rows
    if "lite" in parts:
        for name in TIERS:
            result["networks"][name] = networks.embedded(name, effort.lite_rounds, progress)
    if "window" in parts:
        progress("window")
        result["window"] = live.window(effort.seconds)
    if "pipeline" in parts:  # Last: it takes torch's threads down to what the window leaves over.
        progress("pipeline")
        result["pipeline"] = live.pipeline(effort.frames)
    result["targets"] = targets(result)
    result["published"] = _published()
    return result


def _published() -> list[dict[str, Any]]:
    """Size and speed beside the errors on Human3.6M in mm."""
    return [
        {"method": row.method, "parameters_m": parameters, "fps": fps, **row.values}
        for row in PUBLISHED_H36M
        for parameters, fps in [PUBLISHED_SIZE_AND_SPEED[row.method]]
    ]


def _machine() -> dict[str, Any]:
    return {
        "platform": platform.platform(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "cores": available_cores(),
        "threads": torch.get_num_threads(),
        "int8": cpu_has_int8(),
        "bfloat16": cpu_has_bfloat16(),
        "torch": torch.__version__,
    }


def targets(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Name, measured, limit and whether it is met, of each target whose part was run."""
    found: list[dict[str, Any]] = []

    def hold(name: str, value: float, limit: float, *, least: bool) -> None:
        met = value >= limit if least else value <= limit
        found.append({"name": name, "value": value, "limit": limit, "least": least, "met": bool(met)})

    rows = result["networks"].get("body-hrnet-w32", [])
    if rows:
        exact = [row["ratio"] for row in rows if row["deviation"]["percent"] <= 1.0]
        hold("published network, times faster at <= 1 % mean vertex error", max(exact), 3.0, least=True)
    if "pipeline" in result:
        rate = result["pipeline"]["frames_per_second"]
        hold("body-lite, frames/s from grab to record", rate, 25.0, least=True)
        hold("slider (regressor alone), ms", result["pipeline"]["slider_ms"], 40.0, least=False)
    if "window" in result:
        own = result["window"]
        hold("drawn frames/s", own["drawn_per_second"], 20.0, least=True)
        hold("event loop blocked, ms (99.9th percentile)", own["blocked_p999_ms"], 50.0, least=False)
        hold("window visible, s", own["visible_s"], 2.0, least=False)
        hold("first mesh, s", own["first_mesh_s"], 6.0, least=False)
    return found
