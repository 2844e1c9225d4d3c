"""The measured thresholds from which on a number is suspicious: `assets/diagnostics/*.json`, one a model.

Made by `pointhmr benchmark diagnostics --calibrate`; the cards beside the files say on what.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

import assets
from app.pipeline.diagnostics import BY_NAME, ERROR, RISK, Diagnostics, Flag
from model.errors import UserError
from model.json_text import parse_json
from model.paths import write_atomically

FALLBACK = "body-lite"
MOST_SEVERE = 10.0


@dataclass(frozen=True)
class Risk:
    """Logistic model of a mesh being broken, over standardised measures."""

    names: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    """Also stands in for a measure that there is none of."""
    deviation: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    bias: float = 0.0

    def contributions(self, diagnostics: Diagnostics) -> np.ndarray:
        """(N,) what each measure adds to the log odds; measures are cut at 4 deviations."""
        values = [diagnostics.value(name) for name in self.names]
        known = np.array([m if v is None else v for v, m in zip(values, self.mean, strict=True)])
        scores = np.clip((known - self.mean) / np.array(self.deviation), -4.0, 4.0)
        result: np.ndarray = scores * np.array(self.weights)
        return result

    def probability(self, diagnostics: Diagnostics) -> float:
        """In [0, 1]."""
        logit = float(self.contributions(diagnostics).sum()) + self.bias
        return float(1.0 / (1.0 + np.exp(-np.clip(logit, -50, 50))))


@dataclass(frozen=True)
class Calibration:
    """Thresholds by measure, the model that weighs all of them, and where both come from."""

    model: str
    sha256: str
    """Of the weights that were measured."""
    thresholds: Mapping[str, float]
    """By the measure's name, and RISK; a measure without one is never flagged."""
    risk: Risk = field(default_factory=Risk)
    broken_mm: float = 120.0
    """PA-MPJPE above which a mesh counted as broken."""
    made: Mapping[str, object] = field(default_factory=dict)
    """How: seeds, pictures of each kind, and what was measured on other ones."""

    def flags(self, diagnostics: Diagnostics) -> tuple[Flag, ...]:
        """Everything beyond its threshold, the worst first."""
        found = []
        for name, limit in self.thresholds.items():
            value = diagnostics.value(name)
            if value is not None and name in BY_NAME and _beyond(name, value, limit):
                measure = BY_NAME[name]
                reason = measure.complaint.format(value=measure.show(value), limit=measure.show(limit))
                if name == ERROR and (because := self._because(diagnostics)):
                    reason = reason.removesuffix(".") + because + "."
                found.append(Flag(name, reason, _severity(name, value, limit)))
        risk, most = diagnostics.risk, self.thresholds.get(RISK)
        if risk is not None and most is not None and risk > most:
            severity = 1.0 + 2.0 * (risk - most) / max(1.0 - most, 1e-6)
            found.append(
                Flag(
                    RISK, f"The mesh may be broken ({risk:.0%} likely){self._because(diagnostics)}.", severity
                )
            )
        return tuple(sorted(found, key=lambda flag: -flag.severity))

    def _because(self, diagnostics: Diagnostics) -> str:
        """The two readable measures, worse than usual, that speak most against the mesh."""
        if not self.risk.names:
            return ""
        parts = zip(self.risk.contributions(diagnostics), self.risk.names, self.risk.mean, strict=True)
        told = [
            f"{BY_NAME[name].title.lower()} {BY_NAME[name].show(value)}"
            for share, name, mean in sorted(parts, reverse=True)
            if share > 0 and (value := diagnostics.value(name)) is not None and _beyond(name, value, mean)
        ][:2]
        return f", mostly for its {' and its '.join(told)}" if told else ""


def _beyond(name: str, value: float, limit: float) -> bool:
    return value > limit if BY_NAME[name].bad == "high" else value < limit


def _severity(name: str, value: float, limit: float) -> float:
    """1 at the threshold; how many times beyond it the value is."""
    if BY_NAME[name].bad == "high":
        ratio = value / limit if limit > 0 else 1.0 + value
    else:
        ratio = limit / value if value > 0 else MOST_SEVERE
    return float(np.clip(ratio, 1.0, MOST_SEVERE))


def calibration_for(model: str, sha256: str) -> Calibration:
    """The calibration of exactly these weights, else of this model, else the default one's thresholds.

    Another network's probability means nothing, so only that of exactly these weights has a risk.
    """
    known = [read_calibration(path) for path in sorted(assets.DIAGNOSTICS.glob("*.json"))]
    exact = next((c for c in known if c.sha256 == sha256), None)
    if exact is not None:
        return exact
    near = next((c for c in known if c.model == model), None)
    near = near or next(c for c in known if c.model == FALLBACK)
    thresholds = {name: limit for name, limit in near.thresholds.items() if name not in (RISK, ERROR)}
    return Calibration(near.model, near.sha256, thresholds, broken_mm=near.broken_mm, made=near.made)


def read_calibration(path: Path) -> Calibration:
    """Inverse of `write_calibration`; raises UserError when the file is none."""
    try:
        raw = parse_json(path.read_text(encoding="utf-8"))
        risk = raw["risk"]
        parts = {name: tuple(risk[name]) for name in ("names", "mean", "deviation", "weights")}
        if len({len(part) for part in parts.values()}) != 1 or not set(parts["names"]) <= set(BY_NAME):
            raise ValueError("the risk's parts do not fit together")
        return Calibration(
            model=str(raw["model"]),
            sha256=str(raw["sha256"]),
            thresholds={str(name): float(limit) for name, limit in raw["thresholds"].items()},
            risk=Risk(**parts, bias=float(risk["bias"])),
            broken_mm=float(raw["broken_mm"]),
            made=dict(raw["made"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is no calibration of the diagnostics: {error}.") from error


def write_calibration(path: Path, calibration: Calibration) -> None:
    """As JSON that a person can read."""
    text = json.dumps(asdict(calibration), indent=1)
    write_atomically(path, lambda file: file.write_text(text + "\n", encoding="utf-8"))
