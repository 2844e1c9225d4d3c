"""What is measured of every reconstructed person, and what about it is suspicious.

`app.pipeline.examiner` makes these records; views, files and benchmarks read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ERROR = "error"
"""Name of the measure that is estimated from everything else."""
RISK = "risk"
"""Kind of the flag that weighs all measures together."""


@dataclass(frozen=True)
class Measure:
    """How one number of `Diagnostics` is called and read."""

    name: str
    """Its field in `Diagnostics`, its key in files, and the kind of the flag that it can raise."""
    title: str
    unit: str
    bad: Literal["high", "low"]
    """On which side of the threshold it is suspicious."""
    meaning: str
    """One sentence for a tooltip."""
    complaint: str
    """Why it was flagged; {value} and {limit} are filled in, both with their unit."""
    factor: float = 1.0
    """Stored number -> the unit it is shown in."""
    digits: int = 1

    def show(self, value: float) -> str:
        """The number as a person reads it, with its unit."""
        unit = self.unit if self.unit in ("", "°", "×") else f" {self.unit}"
        return f"{value * self.factor:.{self.digits}f}{unit}"


MEASURES = (
    Measure(
        ERROR, "Expected error", "mm", "high",
        "How far the joints probably are from the truth (PA-MPJPE), estimated from all that is measured here "
        "and from what the network knows of the crop; trained on rendered people.",
        "The joints are probably {value} off (PA-MPJPE), more than {limit}.", 1.0, 0,
    ),
    Measure(
        "confidence", "Heatmap confidence", "%", "low",
        "Share of a heatmap's probability that lies in its best sixteenth by sixteenth of the crop, "
        "averaged over the body.",
        "The heatmaps are faint: their peaks hold {value}, less than {limit}.", 100.0,
    ),
    Measure(
        "spread", "Heatmap spread", "%", "high",
        "How far a heatmap reaches about its middle (root mean square), in per cent of the crop's side.",
        "The heatmaps are smeared over {value} of the crop's side, more than {limit}.", 100.0,
    ),
    Measure(
        "modes", "Separate peaks", "", "high",
        "Separate hills of a heatmap, averaged over the body; one each is best.",
        "A heatmap has {value} separate peaks on average, more than {limit}.", 1.0, 2,
    ),
    Measure(
        "ambiguity", "Second peak", "%", "high",
        "Height of a heatmap's second, far peak against the first, averaged over the body.",
        "The heatmaps look at two places: the second peak has {value} of the first one's height, "
        "more than {limit}.", 100.0,
    ),
    Measure(
        "disagreement", "Mesh off its heatmaps", "%", "high",
        "How far the projected mesh lies from the middle of its heatmaps, in per cent of the crop's side.",
        "The mesh lies {value} of the crop's side beside its own heatmaps, more than {limit}.", 100.0,
    ),
    Measure(
        "joint_gap", "Joints off the mesh", "mm", "high",
        "Mean distance between the network's own 14 joints and those of its mesh.",
        "The network's own joints are {value} from those of its mesh, more than {limit}.", 1.0, 0,
    ),
    Measure(
        "landmark_gap", "Mesh off the landmarks", "%", "high",
        "Mean distance in the picture between the mesh's limb joints and the backbone's landmarks, "
        "in per cent of the crop's side.",
        "The mesh lies {value} of the crop's side beside the backbone's landmarks, more than {limit}.", 100.0,
    ),
    Measure(
        "visibility", "Landmarks in sight", "%", "low",
        "How visible the backbone takes its landmarks to be, on average.",
        "Much of the body is out of sight: the landmarks are {value} visible, less than {limit}.", 100.0, 0,
    ),
    Measure(
        "limbs", "Limb lengths", "×", "high",
        "The limb that is furthest from an adult's length: by how many times it is too long or too short.",
        "A limb is {value} too long or too short, more than {limit}.", 1.0, 2,
    ),
    Measure(
        "reach", "Mean limb length", "%", "low",
        "Mean length of the limbs against an adult's: where a pose is uncertain they come out short.",
        "The limbs have {value} of their usual length, less than {limit}.", 100.0, 0,
    ),
    Measure(
        "symmetry", "Left against right", "×", "high",
        "The pair of limbs that differs most between left and right: by how many times.",
        "A limb is {value} as long as its twin on the other side, more than {limit}.", 1.0, 2,
    ),
    Measure(
        "volume", "Volume", "%", "low",
        "The body's volume against that of the mean adult; below zero the body is inside out.",
        "The body has {value} of an adult's volume, less than {limit}.", 100.0, 0,
    ),
    Measure(
        "stretch", "Stretched surface", "×", "high",
        "How many times longer or shorter than at rest the mesh's edges are (95th percentile).",
        "The surface is torn: edges are {value} longer or shorter than at rest, more than {limit}.", 1.0, 2,
    ),
    Measure(
        "angles", "Joint angles", "°", "high",
        "By how much the worst joint is bent beyond what joints can do.",
        "A joint is bent {value} beyond what it can do, more than {limit}.", 1.0, 0,
    ),
    Measure(
        "jerk", "Jerk", "m/s³", "high",
        "How abruptly the joints change their acceleration, over the last four frames.",
        "The motion jerks by {value}, more than {limit}.", 1.0, 0,
    ),
    Measure(
        "presence", "Presence", "%", "low",
        "Probability that the crop shows a person at all.",
        "There may be nobody: the backbone is {value} sure of a person, less than {limit}.", 100.0, 0,
    ),
)  # fmt: skip
BY_NAME = {measure.name: measure for measure in MEASURES}


@dataclass(frozen=True)
class Flag:
    """One reason to distrust a reconstruction."""

    kind: str
    """Name of a measure, or RISK."""
    reason: str
    """One sentence in plain English with its number."""
    severity: float
    """1 at the threshold, larger further beyond it, at most 10: for sorting."""


@dataclass(frozen=True)
class Diagnostics:
    """What was measured of one person in one frame. None: cannot be told here."""

    confidence: float
    """Mean mass in [0, 1] of the best cell when a heatmap is seen as about 16 x 16 cells."""
    spread: float
    """Root mean square distance from the heatmap's middle, in parts of the crop's side."""
    modes: float
    """Mean number of separate hills, from 1."""
    ambiguity: float
    """Mean height in [0, 1] of the highest far peak against the highest one."""
    disagreement: float | None
    """Mean distance of projected vertices from their heatmaps' middles, in parts of the crop's side."""
    joint_gap: float | None
    """Millimetres between the network's own joints and the mesh's, hips together."""
    landmark_gap: float | None
    """In the picture, limb joints against the backbone's landmarks, in parts of the crop's side."""
    visibility: float | None
    """Mean of the landmarks' visibility in [0, 1]."""
    limbs: float
    """Worst factor from 1 by which a limb differs from the body at rest."""
    reach: float
    """Mean limb length over that at rest (geometric mean)."""
    symmetry: float
    """Worst factor from 1 between left and right limbs."""
    volume: float
    """Signed volume over that at rest."""
    stretch: float
    """95th percentile of the factor from 1 by which coarse edges differ from those at rest."""
    angles: float
    """Degrees beyond the limits of the worst joint, 0 within them."""
    jerk: float | None
    """m/s³, mean of the 14 joints about the hips; needs four frames in a row."""
    presence: float
    error: float | None = None
    """Expected PA-MPJPE in mm; None for weights without an estimator."""
    risk: float | None = None
    """Probability in [0, 1] that the mesh is broken (PA-MPJPE > 120 mm), by the calibrated model."""
    flags: tuple[Flag, ...] = ()
    """The worst first."""

    @property
    def severity(self) -> float:
        """That of the worst flag, 0 without any."""
        return max((flag.severity for flag in self.flags), default=0.0)

    def value(self, name: str) -> float | None:
        """The number of a measure, or the risk."""
        number: float | None = getattr(self, name)
        return number

    def numbers(self) -> dict[str, object]:
        """As JSON: every number that there is, and the flags."""
        names = [measure.name for measure in MEASURES] + [RISK]
        values = {name: round(value, 4) for name in names if (value := self.value(name)) is not None}
        flags = [
            {"kind": flag.kind, "reason": flag.reason, "severity": round(flag.severity, 3)}
            for flag in self.flags
        ]
        return {**values, "flags": flags}
