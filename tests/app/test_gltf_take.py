"""Skinned GLB takes, played by a reader of the specification."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.export.gltf_take import write_glb_take
from app.export.skeleton import Motion, SkinnedTake, posed
from model.errors import UserError
from tests.app.gltf_player import Player
from tests.app.mesh_files import ORIGIN, assert_same_points
from tests.app.takes import dance


@pytest.fixture(scope="module")
def take() -> SkinnedTake:
    return dance("Jörg 1")


def test_the_body_moves_as_it_did(take: SkinnedTake, tmp_path: Path) -> None:
    path = tmp_path / "take.glb"
    late = replace(take, motion=replace(take.motion, times=take.motion.times + 100))
    write_glb_take(path, [late], ORIGIN)
    player, wanted = Player(path), posed(take)
    for frame in (0, 7, 19, 30):
        assert_same_points(player.vertices("Jörg 1", take.motion.times[frame]), wanted[frame], 1e-5)
    assert player.document["asset"]["extras"]["model"] == "body-lite"
    assert path.stat().st_size < 1_500_000


def test_two_people_move_on_their_own(take: SkinnedTake, tmp_path: Path) -> None:
    path = tmp_path / "two.glb"
    second = dance("second", aside=3)
    still = np.tile(np.eye(3), (1, 24, 1, 1))
    resting = replace(second, motion=Motion(np.array([0.5]), still, np.array([[3.0, 0, 0]])))
    write_glb_take(path, [take, resting])
    player = Player(path)
    assert_same_points(player.vertices("Jörg 1", 1.0), posed(take)[-1], 1e-5)
    rest = second.skeleton.mesh.vertices * [1, -1, -1] + [3, 0, 0]
    assert_same_points(player.vertices("second", 1.0), rest, 1e-5)
    joints = [skin["joints"] for skin in player.document["skins"]]
    assert not set(joints[0]) & set(joints[1])


def test_nothing_is_written_for_nobody(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no person"):
        write_glb_take(tmp_path / "none.glb", [])
    assert not list(tmp_path.iterdir())
