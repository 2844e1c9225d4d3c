"""Hierarchies for bodies of every kind: chosen, built, cached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import model.body_hierarchy as module
from model.body_data import BodyData
from model.body_hierarchy import body_hierarchy, build_hierarchy, read_hierarchy, save_hierarchy
from model.errors import UserError
from model.hierarchy import Hierarchy, hop_distances, load_hierarchy
from model.surface import boundary_edges, edges
from tests.build.test_body_meshes import euler, half_sphere, sphere
from tests.model.foreign import metro_members, smpl_like
from tests.model.test_upsampling import check_thickness


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield tmp_path / "cache" / "pointhmr" / "hierarchies"


@pytest.fixture
def ball(monkeypatch: pytest.MonkeyPatch) -> BodyData:
    """A lopsided ball of 258 vertices with SMPL's 24 joints; small levels to go with it."""
    monkeypatch.setitem(module._SIZES, "smpl", (90, 30))
    vertices, faces = sphere(3)
    vertices = vertices * [1.0, 1.4, 0.8] + 0.05 * np.sin(9 * vertices[:, [1]])
    return data("smpl", vertices, faces)


def data(kind: str, vertices: np.ndarray, faces: np.ndarray) -> BodyData:
    """A body of SMPL's 24 joints, one of which bends its upper half; it grows with its one shape."""
    middle = np.abs(vertices[:, 1]) < 0.2
    weights = np.zeros((len(vertices), 24))
    weights[:, 1] = 1 / (1 + np.exp(-4 * vertices[:, 1]))
    weights[:, 0] = 1 - weights[:, 1]
    arrays = {
        "v_template": vertices,
        "f": faces,
        "weights": weights,
        "shapedirs": 0.1 * vertices[:, :, None],
        "posedirs": np.zeros((len(vertices), 3, 9 * 23)),
        "J_regressor": np.tile(middle / middle.sum(), (24, 1)),
        "kintree_table": np.stack([np.arange(24) - 1, np.arange(24)]),
    }
    return BodyData(kind, "ab" * 32, arrays)  # type: ignore[arg-type]


def check(hierarchy: Hierarchy, vertices: np.ndarray, sizes: tuple[int, int]) -> None:
    """What must hold of any hierarchy over these vertices."""
    assert [m.shape for m in hierarchy.up] == [(len(vertices), sizes[0]), sizes]
    coarse = hierarchy.coarse_from_fine @ vertices
    assert {tuple(row) for row in coarse.round(5)} <= {tuple(row) for row in vertices.round(5)}
    for up, down in zip(hierarchy.up, hierarchy.down, strict=True):
        np.testing.assert_allclose(np.asarray(up.sum(axis=1)), 1, atol=1e-6)
        np.testing.assert_allclose((down @ up).toarray(), np.eye(up.shape[1]), atol=1e-6)
    assert [len(np.unique(faces)) for faces in hierarchy.faces[1:]] == list(sizes)
    np.testing.assert_array_equal(hierarchy.hops, hop_distances(hierarchy.faces[2], sizes[1]))
    assert 1 < hierarchy.diameter < 255


def test_a_mesh_without_mirror_becomes_coarser_and_stays_closed(ball: BodyData) -> None:
    hierarchy = build_hierarchy(ball)
    vertices = ball.arrays["v_template"]
    check(hierarchy, vertices, (90, 30))
    for faces, count in zip(hierarchy.faces[1:], (90, 30), strict=True):
        assert len(faces) == 2 * count - 4
        assert boundary_edges(faces) == [] and euler(faces) == 2
    back = hierarchy.fine_from_coarse @ (hierarchy.coarse_from_fine @ vertices)
    # On the flat faces of the coarse meshes 0.055 are lost.
    assert np.linalg.norm(back - vertices, axis=1).mean() < 0.005


def test_an_open_hand_takes_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module._SIZES, "mano", (40,))
    vertices, faces = half_sphere(3)
    hierarchy = build_hierarchy(data("mano", vertices, faces))
    check(hierarchy, vertices, (40, 40))
    assert abs(hierarchy.up[1] - np.eye(40)).max() == 0
    (first, *_), rim = boundary_edges(hierarchy.faces[2]), boundary_edges(hierarchy.faces[2])
    assert len(rim) >= 3 and first in rim
    assert len(hierarchy.faces[2]) == 2 * 40 - 2 - len(rim), "one hole: the wrist"
    assert np.abs(vertices[hierarchy.vertex_of_coarse[np.unique(rim)], 0]).max() < 1e-9


def test_a_built_hierarchy_is_kept(ball: BodyData, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = body_hierarchy(ball)
    assert first.origin == "built"
    (cached,) = own_cache.iterdir()
    monkeypatch.setattr(module, "build_hierarchy", lambda body: pytest.fail("built again"))
    again = body_hierarchy(ball).hierarchy
    np.testing.assert_array_equal(again.hops, first.hierarchy.hops)
    assert abs(again.fine_from_coarse - first.hierarchy.fine_from_coarse).max() == 0
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(own_cache.parents[1]))
    monkeypatch.setitem(module._SIZES, "smpl", (90, 30))
    cached.write_bytes(cached.read_bytes()[:500])
    np.testing.assert_array_equal(body_hierarchy(ball).hierarchy.hops, first.hierarchy.hops)
    assert read_hierarchy(cached).num_coarse == 30


def test_metros_file_goes_before_building(tmp_path: Path, own_cache: Path) -> None:
    ours, members = load_hierarchy(), smpl_like()
    np.savez(tmp_path / "mesh_downsampling.npz", **metro_members(ours))
    body = BodyData("smpl", "cd" * 32, {name: members[name] for name in ("v_template", "f", "weights")})
    for _ in range(2):
        found = body_hierarchy(body, tmp_path / "mesh_downsampling.npz")
        assert found.origin == "file"
        np.testing.assert_array_equal(found.hierarchy.hops, ours.hops)
    assert len(list(own_cache.iterdir())) == 1


def test_the_free_body_has_its_own(own_cache: Path) -> None:
    found = body_hierarchy(BodyData("free", "", {}))
    assert (found.origin, found.hierarchy.num_coarse) == ("ships", 431)
    assert not own_cache.exists()


def test_what_is_no_mesh_is_one_sentence(ball: BodyData, own_cache: Path) -> None:
    vertices, faces = sphere(2)
    with pytest.raises(UserError, match="too small"):
        body_hierarchy(data("smpl", vertices, faces))
    soup = np.random.default_rng(0).integers(0, 258, (300, 3))
    with pytest.raises(UserError, match="cannot be made"):
        body_hierarchy(data("smpl", ball.arrays["v_template"], soup))
    assert not own_cache.exists()


def test_a_saved_hierarchy_comes_back(tmp_path: Path) -> None:
    ours = load_hierarchy()
    save_hierarchy(tmp_path / "h.npz", ours)
    back = read_hierarchy(tmp_path / "h.npz")
    for one, other in zip(back.up + back.down, ours.up + ours.down, strict=True):
        assert abs(one - other).max() == 0
    assert all(np.array_equal(a, b) for a, b in zip(back.faces, ours.faces, strict=True))


@pytest.mark.slow
def test_the_paper_sizes_come_out_of_a_whole_body() -> None:
    members = smpl_like()
    hierarchy = build_hierarchy(BodyData("smpl", "", members))
    vertices = members["v_template"]
    check(hierarchy, vertices, (1723, 431))
    assert [len(faces) for faces in hierarchy.faces] == [13776, 3442, 858]
    check_thickness(hierarchy)
    assert len(edges(hierarchy.faces[2])) == 3 * 431 - 6
