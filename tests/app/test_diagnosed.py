"""Thresholds are fitted to what was found, and rates count what the flags raise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.benchmark.diagnosed import FALSE_ALARMS, Finding, fit, fit_risk, rates
from app.pipeline.calibration import read_calibration, write_calibration
from app.pipeline.diagnostics import RISK, Diagnostics

FINE = {
    "confidence": 0.5, "spread": 0.05, "modes": 1.0, "ambiguity": 0.05, "disagreement": 0.01,
    "joint_gap": 10.0, "landmark_gap": 0.02, "visibility": 0.9, "limbs": 1.2, "reach": 1.0, "symmetry": 1.05,
    "volume": 1.0, "stretch": 1.3, "angles": 0.0, "jerk": None, "presence": 0.99,
}  # fmt: skip


def findings(count: int, seed: int = 0) -> list[Finding]:
    """Overlaps; the broken half has wider heatmaps and shorter limbs, with some noise on everybody."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        broken = number % 2 == 1
        values = dict(FINE)
        values["spread"] = float(rng.normal(0.09 if broken else 0.05, 0.012))
        values["reach"] = float(rng.normal(0.8 if broken else 1.0, 0.05))
        values["presence"] = float(rng.uniform(0.9, 1.0))
        error = 150.0 if broken else 60.0
        found.append(Finding("overlap", Diagnostics(**values), broken, error, error, error - 5, error - 3))
    return found


def test_the_risk_tells_broken_from_good_on_other_findings() -> None:
    risk = fit_risk(findings(200))
    chances = [(risk.probability(f.diagnostics), f.broken) for f in findings(100, seed=1)]
    assert np.mean([(chance > 0.5) == broken for chance, broken in chances]) > 0.9


def test_a_fit_keeps_false_alarms_in_bounds_and_finds_most() -> None:
    calibration = fit("fake", "0" * 64, findings(400), jerk=100.0, made={})
    assert calibration.thresholds["jerk"] == 100.0
    counted = rates(calibration, findings(400, seed=2))["any"]["overlap"]
    assert counted.broken == counted.good == 200
    assert counted.hits / counted.broken > 0.9
    assert counted.false_alarms / counted.good < FALSE_ALARMS + 0.1


def test_a_threshold_of_presence_is_one_that_a_probability_can_fall_below() -> None:
    found = [
        replace(f, diagnostics=replace(f.diagnostics, presence=p))
        for f, p in zip(findings(40), (0.0, 1.0) * 20, strict=True)
    ]
    assert 0 < fit("fake", "0" * 64, found, jerk=1.0, made={}).thresholds["presence"] <= 0.05


def test_rates_count_one_flag_by_hand() -> None:
    calibration = fit("fake", "0" * 64, findings(100), jerk=100.0, made={})
    limit = calibration.thresholds["spread"]
    found = findings(60, seed=3)
    counted = rates(calibration, found)["spread"]["overlap"]
    wide = [(f.broken, f.diagnostics.spread > limit) for f in found]
    assert counted.hits == sum(broken and over for broken, over in wide)
    assert counted.false_alarms == sum(over and not broken for broken, over in wide)
    assert counted.text == f"{100 * counted.hits / 30:.0f} / {100 * counted.false_alarms / 30:.0f}"


def test_a_calibration_is_read_back(tmp_path) -> None:
    calibration = fit("fake", "0" * 64, findings(50), jerk=1.0, made={"seed": 2})
    write_calibration(tmp_path / "c.json", calibration)
    again = read_calibration(tmp_path / "c.json")
    assert again == calibration
    assert RISK in again.thresholds


@pytest.mark.parametrize("text", ["", "{}", '{"model": 1}', "[1, 2]"])
def test_a_file_that_is_no_calibration_is_told(tmp_path, text: str) -> None:
    from model.errors import UserError

    (tmp_path / "c.json").write_text(text)
    with pytest.raises(UserError, match="no calibration"):
        read_calibration(tmp_path / "c.json")
