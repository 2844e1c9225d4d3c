"""Skinned FBX takes: read by assimp and the FBX SDK, played by a reader of glTF."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.export.fbx_take import write_fbx_take
from app.export.presets import Y_UP_METRES, Preset
from app.export.skeleton import Motion, SkinnedTake, posed, resampled
from model.errors import UserError
from tests.app.fbx_tools import by_assimp_as, every_preset, needs_assimp, needs_sdk, sdk_as_glb
from tests.app.gltf_player import Player
from tests.app.mesh_files import ORIGIN, assert_same_points
from tests.app.takes import dance

MOMENTS = (0, 7, 19, 30)


@pytest.fixture(scope="module")
def take() -> SkinnedTake:
    return dance("Jörg 1")


def assert_moves(player: Player, take: SkinnedTake, preset: Preset, tolerance: float) -> None:
    """Each moment's vertices are where skinning puts them, in the preset's axes and unit."""
    name, wanted = take.skeleton.mesh.name, posed(take)
    x, y, z = wanted.transpose(2, 0, 1)
    turned = np.stack([x, y, z] if preset.up == "y" else [x, -z, y], axis=-1) * preset.units_per_metre
    for frame in MOMENTS:
        seconds = take.motion.times[frame] - take.motion.times[0]
        assert_same_points(player.vertices(name, seconds), turned[frame], tolerance * preset.units_per_metre)


@needs_assimp
@pytest.mark.parametrize("up", ["y", "z"])
def test_assimp_sees_the_body_move_as_it_did(up: str, take: SkinnedTake, tmp_path: Path) -> None:
    path = tmp_path / "take.fbx"
    preset = Preset("test", up="z" if up == "z" else "y", unit="centimetres")
    late = replace(take, motion=replace(take.motion, times=take.motion.times + 100))
    write_fbx_take(path, [late], preset, ORIGIN)
    assert_moves(Player(by_assimp_as(path, ".glb")), take, preset, 1e-5)
    assert b"body-lite" in path.read_bytes()


@needs_assimp
def test_assimp_sees_two_people_with_bones_of_their_own(take: SkinnedTake, tmp_path: Path) -> None:
    path = tmp_path / "two.fbx"
    second = dance("second", aside=3)
    write_fbx_take(path, [take, second])
    player = Player(by_assimp_as(path, ".glb"))
    for person in (take, second):
        assert_moves(player, person, Y_UP_METRES, 1e-5)
    names = [item.get("name") for item in player.nodes]
    assert {"Jörg 1_left_knee", "second_left_knee"} <= set(names)


@pytest.mark.slow
@needs_sdk
@every_preset
def test_the_sdk_sees_everybody_move_in_metres(preset: Preset, take: SkinnedTake, tmp_path: Path) -> None:
    path = tmp_path / "take.fbx"
    second = dance("second", aside=3)
    write_fbx_take(path, [take, second], preset)
    player = Player(sdk_as_glb(path))
    for person in (take, second):
        assert_moves(player, person, Y_UP_METRES, 1e-5)


@pytest.mark.slow
@needs_sdk
def test_a_take_of_one_frame_is_a_still_body(take: SkinnedTake, tmp_path: Path) -> None:
    path = tmp_path / "one.fbx"
    motion = take.motion
    still = Motion(motion.times[:1], motion.rotations[:1], motion.translations[:1])
    write_fbx_take(path, [replace(take, motion=still)])
    assert "Jörg 1" in [item.get("name") for item in Player(sdk_as_glb(path)).nodes]


def test_ten_seconds_are_written_in_a_moment(take: SkinnedTake, tmp_path: Path) -> None:
    path = tmp_path / "long.fbx"
    slow = resampled(replace(take.motion, times=take.motion.times * 10), 30)
    assert len(slow.times) == 301
    start = time.perf_counter()
    write_fbx_take(path, [replace(take, motion=slow)])
    assert time.perf_counter() - start < 5
    assert path.stat().st_size < 2_500_000


def test_nothing_is_written_for_nobody(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no person"):
        write_fbx_take(tmp_path / "none.fbx", [])
    assert not list(tmp_path.iterdir())
