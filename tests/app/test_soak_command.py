"""`pointhmr soak` looks at its output before it plays for half an hour."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli import main


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["curves.png", "CURVES.PNG", "folder", "file/soak.json", "beside.json"])
def test_an_output_that_cannot_be_written_is_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "beside.png").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert main(["soak", "--output", str(tmp_path / name)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("pointhmr: ") and told.count("\n") == 1 and told.endswith(".\n")
    assert sorted(tmp_path.rglob("*")) == before
