"""`pointhmr dataset convert`, and which rows the dataset commands take."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

import pytest

import assets
from app.cli import main
from app.commands.dataset import add_arguments
from app.commands.dataset_fit import chosen
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


def test_all_rows_are_converted_unless_a_count_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_metro(tmp_path, ["{broken"] * 25 + [metro_label(0)])
    arguments = ["dataset", "convert", "--set", f"metro:{path}", "--output", str(tmp_path / "o")]
    assert main(arguments) == 0
    assert "1 people, 25 left out" in capsys.readouterr().out
    assert main([*arguments, "--first", "24", "--count", "2"]) == 0
    assert "1 people, 1 left out" in capsys.readouterr().out
    assert main([*arguments, "--count", "-1"]) == 2
    assert "--count must be at least 0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "rows"), [([], range(2, 40)), (["--count", "0"], range(2, 40)), (["--count", "3"], range(2, 5))]
)
def test_rows_are_counted_from_the_first(given: list[str], rows: range) -> None:
    parser = ArgumentParser()
    add_arguments(parser)
    options = parser.parse_args(["fit", "--output", "o", "--first", "2", *given])
    assert range(40)[chosen(options)] == rows


def test_what_cannot_be_converted_is_a_users_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = ["--output", str(tmp_path / "o")]
    assert main(["dataset", "convert", *output]) == 2
    assert main(["dataset", "convert", "--set", "metro:nowhere.yaml", *output]) == 2
    assert main(["dataset", "sheet", *output]) == 2
    capsys.readouterr()
    assert main(["dataset", "convert", "--set", f"synthetic:{assets.APPEARANCE}", *output]) == 2
    assert capsys.readouterr().err == "pointhmr: Drawn people have no end: say by --count how many.\n"
