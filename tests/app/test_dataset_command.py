"""`pointhmr dataset convert`."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli import main
from model.data.manifest import ManifestDataset
from tests.model.dataset_files import metro_label, write_metro


def test_a_set_becomes_a_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_metro(tmp_path, [metro_label(0), "{broken"])
    code = main(
        ["dataset", "convert", "--set", f"metro:{path}", "--count", "0", "--output", str(tmp_path / "o")]
    )
    assert code == 0
    assert "1 people, 1 left out" in capsys.readouterr().out
    assert ManifestDataset(tmp_path / "o")[0].has_3d


def test_what_cannot_be_converted_is_a_users_error(tmp_path: Path) -> None:
    output = ["--output", str(tmp_path / "o")]
    assert main(["dataset", "convert", *output]) == 2
    assert main(["dataset", "convert", "--set", "metro:nowhere.yaml", *output]) == 2
    assert main(["dataset", "sheet", *output]) == 2
