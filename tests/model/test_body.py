"""Bodies: ours, and users' files in every dress that the field gives them."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from model.body import HAND_KEYPOINTS, LSP_JOINTS, BodyModel, load_body
from model.errors import UserError
from tests.model.foreign import MatVecMult, Touch, chumpy_members, foreign_pickle, small_smpl


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield tmp_path / "cache" / "pointhmr" / "bodies"


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return load_body()


def rest_pose(batch: int = 1, joints: int = 24) -> torch.Tensor:
    return torch.zeros(batch, joints, 3)


def test_free_body_at_rest_is_its_template(body: BodyModel) -> None:
    vertices, joints = body(rest_pose(2))
    np.testing.assert_allclose(vertices[1], body.data.arrays["v_template"], atol=1e-6)
    assert joints.shape == (2, 24, 3)
    assert (body.kind, body.num_vertices, body.num_joints, len(body.faces)) == ("free", 6890, 24, 13776)
    height = float(vertices[0, :, 1].max() - vertices[0, :, 1].min())
    assert 1.5 < height < 1.9


def test_lsp_joints_are_where_a_person_has_them(body: BodyModel) -> None:
    points = dict(zip(LSP_JOINTS, body.keypoints(body(rest_pose())[0])[0], strict=True))
    assert points["head top"][1] > points["neck"][1] > points["left hip"][1] > points["left knee"][1]
    assert points["left wrist"][0] > points["left elbow"][0] > points["left shoulder"][0] > 0
    for joint, point in points.items():
        if joint.startswith("left"):
            mirrored = points[joint.replace("left", "right")] * torch.tensor([-1.0, 1, 1])
            torch.testing.assert_close(point, mirrored, atol=2e-3, rtol=0)


def test_parts_follow_the_skeleton(body: BodyModel) -> None:
    assert len(body.part_names) == 24
    template = body.data.arrays["v_template"]
    assert template[body.part_of_vertex == body.part_names.index("left elbow"), 0].min() > 0
    assert template[body.part_of_vertex == body.part_names.index("head"), 1].min() > 0.3


def test_matrices_and_axis_angles_agree(body: BodyModel) -> None:
    pose = rest_pose()
    pose[0, 0] = torch.tensor([0.0, torch.pi / 2, 0.0])
    matrices = torch.eye(3).repeat(1, 24, 1, 1)
    matrices[0, 0] = torch.tensor([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    torch.testing.assert_close(body(pose)[0], body(matrices)[0], atol=1e-5, rtol=0)


def test_shape_and_translation_act(body: BodyModel) -> None:
    shift = torch.tensor([[1.0, 2.0, 3.0]])
    torch.testing.assert_close(body(rest_pose(), translation=shift)[0], body(rest_pose())[0] + shift)
    few = body(rest_pose(3), torch.tensor([[2.0, -1.0]]))[0]
    full = body(rest_pose(3), torch.tensor([[2.0, -1, 0, 0, 0, 0, 0, 0, 0, 0]]).expand(3, -1))[0]
    torch.testing.assert_close(few, full)
    assert not torch.allclose(few[0], body(rest_pose())[0][0], atol=1e-3)


def test_nothing_is_printed_and_nothing_is_trainable(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(load_body().parameters()) == []
    assert capsys.readouterr().out == ""


def smpl_files(folder: Path, members: dict[str, Any]) -> dict[str, Path]:
    """The same small SMPL as the official pickle, as plain pickles, as .npz; under misleading names."""
    np.savez(folder / "plain.npz", **members)
    np.savez(
        folder / "objects.npz", **{k: np.array(v, object) if k == "f" else v for k, v in members.items()}
    )
    (folder / "plain.npz").rename(folder / "plain.pkl")
    (folder / "chumpy.npz").write_bytes(foreign_pickle(chumpy_members(members)))
    (folder / "protocol5").write_bytes(pickle.dumps(members, 5))
    return {path.name: path for path in folder.iterdir() if path.is_file()}


@pytest.mark.fault(15)
def test_every_dress_of_smpl_gives_the_same_body(tmp_path: Path) -> None:
    members = small_smpl()
    files = smpl_files(tmp_path, members)
    assert len(files) == 4
    pose = 0.3 * torch.randn(2, 24, 3, generator=torch.Generator().manual_seed(0))
    answers = [load_body(path)(pose) for path in files.values()]
    for vertices, joints in answers[1:]:
        torch.testing.assert_close(vertices, answers[0][0])
        torch.testing.assert_close(joints, answers[0][1])
    assert {load_body(path).kind for path in files.values()} == {"smpl"}


def test_a_file_is_converted_once(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "smpl.pkl"
    path.write_bytes(foreign_pickle(chumpy_members(small_smpl())))
    first = load_body(path)
    assert [file.name for file in own_cache.iterdir()] == [f"{first.sha256}.npz"]
    monkeypatch.setattr("model.body_data.load_arrays", lambda path: pytest.fail("read again"))
    torch.testing.assert_close(load_body(path)(rest_pose())[0], first(rest_pose())[0])


def test_a_spoilt_cache_is_made_again(tmp_path: Path, own_cache: Path) -> None:
    path = tmp_path / "smpl.pkl"
    path.write_bytes(foreign_pickle(chumpy_members(small_smpl())))
    load_body(path)
    (cached,) = own_cache.iterdir()
    cached.write_bytes(cached.read_bytes()[:1000])
    assert load_body(path).kind == "smpl"
    assert load_body(cached).kind == "smpl"


def test_human36m_regressor_is_used_where_given(tmp_path: Path) -> None:
    path = tmp_path / "smpl.pkl"
    path.write_bytes(foreign_pickle(small_smpl()))
    regressor = np.zeros((17, 40))
    regressor[10, 5] = 1
    np.save(tmp_path / "J_regressor_h36m_correct.npy", regressor)
    vertices = load_body(path)(rest_pose())[0]
    torch.testing.assert_close(load_body(path).keypoints(vertices)[:, 13], vertices[:, 5])
    np.save(tmp_path / "other.npy", regressor[:, :39])
    with pytest.raises(UserError, match=r"other\.npy .*17 x 40"):
        load_body(path, tmp_path / "other.npy")


def test_mano_is_recognised(tmp_path: Path) -> None:
    members = small_smpl(778, 16) | {"hands_mean": np.zeros(45), "hands_components": np.eye(45)}
    (tmp_path / "SMPL_NEUTRAL.pkl").write_bytes(foreign_pickle(chumpy_members(members)))
    hand = load_body(tmp_path / "SMPL_NEUTRAL.pkl")
    assert (hand.kind, hand.num_joints, hand.keypoint_names) == ("mano", 16, HAND_KEYPOINTS)
    vertices, joints = hand(rest_pose(2, 16))
    np.testing.assert_allclose(vertices[0], members["v_template"], atol=1e-5)
    keypoints = hand.keypoints(vertices)
    torch.testing.assert_close(keypoints[:, 0], joints[:, 0], atol=1e-4, rtol=0)
    torch.testing.assert_close(keypoints[:, 4], vertices[:, 745])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": None}, "lacks weights"),
        ({"weights": MatVecMult()}, "weights is a chumpy MatVecMult, which only chumpy can evaluate"),
        ({"posedirs": np.zeros((40, 3, 10))}, r"posedirs is \(40, 3, 10\), not 40 x 3 x 207"),
        ({"f": np.array([[0, 1, 40]])}, "faces name vertices that do not exist"),
        ({"v_template": np.full((40, 3), np.nan)}, "not finite"),
        ({"v_template": "text"}, "is not a body model"),
        ({"kintree_table": np.stack([np.full(24, 30), np.arange(24)])}, "not a tree"),
    ],
)
def test_a_wrong_member_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    members = {name: value for name, value in (small_smpl() | change).items() if value is not None}
    (tmp_path / "odd.pkl").write_bytes(foreign_pickle(members))
    with pytest.raises(UserError, match=rf"^odd\.pkl .*{message}"):
        load_body(tmp_path / "odd.pkl")


def test_a_chumpy_expression_that_nobody_needs_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "smpl.pkl").write_bytes(foreign_pickle(small_smpl() | {"J": MatVecMult()}))
    assert load_body(tmp_path / "smpl.pkl").kind == "smpl"


def test_other_families_are_named(tmp_path: Path) -> None:
    (tmp_path / "model.npz").write_bytes(foreign_pickle(small_smpl(joints=55)))
    with pytest.raises(UserError, match="SMPL-X"):
        load_body(tmp_path / "model.npz")


@pytest.mark.fault(15)
def test_a_hostile_body_never_runs(tmp_path: Path, own_cache: Path) -> None:
    members = small_smpl() | {"J": Touch(tmp_path / "ran")}
    (tmp_path / "SMPL.pkl").write_bytes(foreign_pickle(members))
    with pytest.raises(UserError, match="refused"):
        load_body(tmp_path / "SMPL.pkl")
    assert not (tmp_path / "ran").exists()
    assert not own_cache.exists()


def test_no_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing\.pkl cannot be read"):
        load_body(tmp_path / "nothing.pkl")
