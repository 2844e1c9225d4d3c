"""Runs the pipeline over cases, fits thresholds to what came out, and counts what the flags find."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.benchmark.cases import KINDS, Case
from app.pipeline.calibration import Calibration, Risk
from app.pipeline.diagnostics import ERROR, MEASURES, RISK, Diagnostics
from app.pipeline.frames import PAPER_HOPS
from app.pipeline.pipeline import Pipeline
from app.pipeline.truth import errors_against

BROKEN = 120.0
MARGIN = 0.1
"""One measure alone flags what is this much further from the middle than all but STRANGE good meshes were."""
STRANGE = 0.002
"""Share of good meshes that one measure alone may leave aside: a joint may be wrong in a good mesh, too."""
FALSE_ALARMS = 0.16
"""Share of good overlaps that all flags may raise when fitting: on other clips it is some 0.03 more."""
RIDGE = 3.0
UNFIT = ("jerk", ERROR)
"""Measures that single pictures do not have, or that have a threshold of their own."""
LEAST_ANGLE, LEAST_PRESENCE = 5.0, 0.01


@dataclass(frozen=True)
class Finding:
    """One case after the pipeline."""

    kind: str
    diagnostics: Diagnostics
    """Without isolation, like the errors; None of the flags may be of these cases' own fit."""
    broken: bool
    pa_mpjpe: float | None
    pve: float | None
    """Mean error of the coarse vertices in mm."""
    isolated_pve: float | None
    """The same with the person isolated."""
    isolated_pa_mpjpe: float | None


def find(pipeline: Pipeline, cases: Iterable[Case]) -> list[Finding]:
    """Every case reconstructed, with and without isolation where somebody else is near."""
    return [finding for case in cases if (finding := _find(pipeline, case)) is not None]


def _find(pipeline: Pipeline, case: Case) -> Finding | None:
    pipeline.reset()
    record = pipeline.process(
        case.frame, PAPER_HOPS, [case.box], isolate=bool(case.others), others=case.others
    )
    plain = (
        pipeline.encode_again(record, PAPER_HOPS, isolate=False, mirror=False) if record.isolate else record
    )
    if not record.people or not plain.people or plain.people[0].diagnostics is None:
        return None
    diagnostics = plain.people[0].diagnostics
    if case.truth is None:
        return Finding(case.kind, diagnostics, True, None, None, None, None)
    before = errors_against(plain.people[0], case.truth)
    after = errors_against(record.people[0], case.truth)
    if before is None or after is None:
        return None
    broken = before.pa_mpjpe > BROKEN
    return Finding(case.kind, diagnostics, broken, before.pa_mpjpe, before.pve, after.pve, after.pa_mpjpe)


def fit(
    model: str, sha256: str, findings: Sequence[Finding], jerk: float, made: dict[str, object]
) -> Calibration:
    """Thresholds and risk from findings; jerk: from which on a motion jerks, in m/s³."""
    good = [f.diagnostics for f in findings if not f.broken]
    thresholds = {"jerk": jerk}
    for measure in MEASURES:
        values = [value for d in good if (value := d.value(measure.name)) is not None]
        if measure.name not in UNFIT and values:
            worst = float(np.quantile(values, 1 - STRANGE if measure.bad == "high" else STRANGE))
            thresholds[measure.name] = worst + MARGIN * (worst - float(np.median(values)))
    if "angles" in thresholds:
        thresholds["angles"] = max(thresholds["angles"], LEAST_ANGLE)
    if "presence" in thresholds:
        thresholds["presence"] = max(thresholds["presence"], LEAST_PRESENCE)
    risk = fit_risk(findings)
    alone = Calibration(model, sha256, thresholds, risk, BROKEN, made)
    if all(f.diagnostics.error is not None for f in findings):
        limits = {ERROR: _threshold(alone, findings, lambda told: told.error or 0.0, np.inf)}
    else:
        limits = {RISK: _threshold(alone, findings, alone.risk.probability, 1.0)}
    return replace(alone, thresholds={**thresholds, **limits})


def fit_risk(findings: Sequence[Finding]) -> Risk:
    """Logistic regression with a ridge, by Newton's method."""
    table = {
        measure.name: [f.diagnostics.value(measure.name) for f in findings]
        for measure in MEASURES
        if measure.name not in UNFIT
    }
    names = [name for name, column in table.items() if any(value is not None for value in column)]
    columns = np.array([table[name] for name in names], dtype=float).T
    mean, deviation = np.nanmean(columns, axis=0), np.maximum(np.nanstd(columns, axis=0), 1e-6)
    scores = np.clip(np.nan_to_num((columns - mean) / deviation), -4, 4)
    inputs = np.column_stack([scores, np.ones(len(scores))])
    broken = np.array([f.broken for f in findings], float)
    ridge = np.diag([RIDGE] * len(names) + [1e-6])
    weights = np.zeros(len(names) + 1)
    for _ in range(30):
        chance = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        slope = inputs.T @ (chance - broken) + ridge @ weights
        curve = (inputs * (chance * (1 - chance))[:, None]).T @ inputs + ridge
        weights -= np.linalg.solve(curve, slope)
    return Risk(
        names=tuple(names),
        mean=tuple(mean.tolist()),
        deviation=tuple(deviation.tolist()),
        weights=tuple(weights[:-1].tolist()),
        bias=float(weights[-1]),
    )


def _threshold(
    calibration: Calibration,
    findings: Sequence[Finding],
    number: Callable[[Diagnostics], float],
    certain: float,
) -> float:
    """The lowest one of a number at which all flags together stay within FALSE_ALARMS on good overlaps.

    certain: the number of those whom other measures flag anyway.
    """
    good = [f for f in findings if not f.broken and f.kind == "overlap"]
    good = good or [f for f in findings if not f.broken]
    told = [replace(f.diagnostics, risk=None) for f in good]
    numbers = sorted(certain if calibration.flags(one) else number(one) for one in told)
    return float(numbers[int((1 - FALSE_ALARMS) * (len(numbers) - 1))]) if numbers else certain


@dataclass(frozen=True)
class Rates:
    """What one flag, or all together, finds among the cases of one kind."""

    hits: int
    broken: int
    false_alarms: int
    good: int

    @property
    def text(self) -> str:
        """Hit rate / false-alarm rate; a dash where there is nothing to count."""
        parts = ((self.hits, self.broken), (self.false_alarms, self.good))
        return " / ".join(f"{100 * part / whole:.0f}" if whole else "–" for part, whole in parts)


def rates(calibration: Calibration, findings: Sequence[Finding]) -> dict[str, dict[str, Rates]]:
    """{flag or "any": {kind: rates}} under this calibration."""
    raised = []
    for finding in findings:
        risk = calibration.risk.probability(finding.diagnostics) if calibration.risk.names else None
        flags = calibration.flags(replace(finding.diagnostics, risk=risk))
        raised.append({flag.kind for flag in flags})
    kinds = [kind for kind in KINDS if any(f.kind == kind for f in findings)]
    names = [name for name in (*(m.name for m in MEASURES), RISK) if name in calibration.thresholds]
    return {
        name: {kind: _count(findings, raised, kind, name) for kind in kinds}
        for name in (*(n for n in names if n != "jerk"), "any")
    }


def _count(findings: Sequence[Finding], raised: Sequence[set[str]], kind: str, name: str) -> Rates:
    mine = [
        (finding.broken, bool(flags) if name == "any" else name in flags)
        for finding, flags in zip(findings, raised, strict=True)
        if finding.kind == kind
    ]
    return Rates(
        hits=sum(broken and flagged for broken, flagged in mine),
        broken=sum(broken for broken, _ in mine),
        false_alarms=sum(flagged and not broken for broken, flagged in mine),
        good=sum(not broken for broken, _ in mine),
    )
