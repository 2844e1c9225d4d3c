"""The benchmark's figures, its schema and its table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.benchmark.networks import interleaved
from app.benchmark.report import as_text
from app.benchmark.speed import SCHEMA, targets
from app.cli import main
from app.takes.take_file import save_take
from tests.app.take_fakes import take


def test_runs_take_turns() -> None:
    calls: list[str] = []

    def run(name: str) -> tuple[float, float]:
        calls.append(name)
        return 2.0, 1.0

    times = interleaved([lambda: run("a"), lambda: run("b")], 2)
    assert calls == ["a", "b", "a", "b"]
    assert [len(own) for own in times] == [2, 2]
    assert times[0][0][:2] == (2.0, 1.0)


def test_only_an_exact_engine_counts_for_the_target() -> None:
    rows = [
        {"ratio": 1.0, "deviation": {"percent": 0.0}},
        {"ratio": 2.0, "deviation": {"percent": 0.9}},
        {"ratio": 9.0, "deviation": {"percent": 1.1}},
    ]
    (target,) = targets({"networks": {"body-hrnet-w32": rows}})
    assert (target["value"], target["met"]) == (2.0, False)


def test_a_quick_run_of_the_default_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("app.benchmark.networks.can_export", lambda network: False)
    assert main(["benchmark", "--quick", "--json", "--only", "lite"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["schema"] == SCHEMA
    assert set(result) == {"schema", "machine", "networks", "targets", "published"}
    (row,) = result["networks"]["body-lite"]
    assert row["engine"] == "torch"
    assert row["ratio"] == pytest.approx(1.0)
    assert row["deviation"]["max_mm"] == 0.0
    assert row["forward_ms"] > 0
    assert set(row["stages_ms"]) == {"backbone", "decoders and sampling", "regress", "upsample"}
    text = as_text(result)
    assert "published" in text and "torch" in text


def test_exports_are_measured_on_a_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "walk.take"
    save_take(path, take(5))
    assert main(["benchmark", "export", str(path), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert 0 < figures["own_mm"] < 1 and figures["own_mm"] <= figures["own_worst_mm"]
    assert 0 < figures["take_mm"] < 10 and figures["fits_a_processor_second"] > 0
    assert figures["fbx_bytes"] > 500_000 and figures["fbx_processor_seconds"] > 0
