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


def test_without_sets_people_are_drawn_from_what_ships() -> None:
    (drawn,) = chosen().train
    assert drawn.kind == "synthetic" and drawn.path == Path(assets.APPEARANCE)
