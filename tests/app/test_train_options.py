"""What `pointhmr train` makes of its options."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

import assets
from app.commands.train import add_arguments, chosen_recipe
from model.errors import UserError
from model.training.recipe import Recipe


def chosen(*options: str) -> Recipe:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return chosen_recipe(parser.parse_args(["--output", "run", *options]))


def test_photographs_get_the_share_that_is_asked_for() -> None:
    shares = [spec.share for spec in chosen("--real", "photos", "--appearance", "--real-share", "0.35").train]
    assert shares == pytest.approx([0.35, 0.65])
    assert [spec.share for spec in chosen("--real", "photos", "--appearance").train] == [0.5, 0.5]


@pytest.mark.parametrize("share", ["0", "1", "-2", "nan"])
def test_a_share_lies_between_none_and_all(share: str) -> None:
    with pytest.raises(UserError, match="between 0 and 1"):
        chosen("--real", "photos", "--appearance", "--real-share", share)


def test_settings_from_a_file_stay_where_no_option_says_otherwise(tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text('recipe = "lite"\nmotion = "own.npz"\n')
    assert chosen("--config", str(config)).motion == tmp_path / "own.npz"
    assert chosen("--config", str(config), "--motion", "other.npz").motion == Path("other.npz")


def test_without_photographs_means_those_of_the_settings_too(tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    sets = "".join(f'[[train]]\nkind = "{kind}"\npath = "{kind}"\n' for kind in ("lspet", "rendered"))
    config.write_text('recipe = "lite"\n' + sets)
    assert [spec.kind for spec in chosen("--config", str(config)).train] == ["lspet", "rendered"]
    assert [spec.kind for spec in chosen("--config", str(config), "--no-real").train] == ["rendered"]


def test_without_sets_people_are_drawn_from_what_ships() -> None:
    (drawn,) = chosen().train
    assert drawn.kind == "synthetic" and drawn.path == Path(assets.APPEARANCE)
