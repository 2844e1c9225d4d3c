"""One body model over smplx: the free body that ships, a user's SMPL, or a user's MANO hand."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import smplx
import torch
from smplx.utils import Struct
from torch import Tensor, nn

from model.body_data import REQUIRED, BodyData, read_body
from model.errors import UserError

NUM_BETAS = 10
SMPL_JOINTS = (
    *("pelvis", "left hip", "right hip", "spine 1", "left knee", "right knee", "spine 2", "left ankle"),
    *("right ankle", "spine 3", "left foot", "right foot", "neck", "left collar", "right collar", "head"),
    *("left shoulder", "right shoulder", "left elbow", "right elbow", "left wrist", "right wrist"),
    *("left hand", "right hand"),
)
MANO_JOINTS = (
    "wrist",
    *(f"{finger} {n}" for finger in ("index", "middle", "pinky", "ring", "thumb") for n in (1, 2, 3)),
)
LSP_JOINTS = (
    *("right ankle", "right knee", "right hip", "left hip", "left knee", "left ankle"),
    *("right wrist", "right elbow", "right shoulder", "left shoulder", "left elbow", "left wrist"),
    *("neck", "head top"),
)
HAND_KEYPOINTS = (
    "wrist",
    *(f"{finger} {n}" for finger in ("thumb", "index", "middle", "ring", "pinky") for n in (1, 2, 3, 4)),
)
_LSP_OF_SMPL = (8, 5, 2, 1, 4, 7, 21, 19, 17, 16, 18, 20, 12)
_SMPL_VERTICES, _SMPL_HEAD_TOP = 6890, 411
# Human3.6M's 17 joints in LSP order (METRO, section 4).
_PELVIS_OF_H36M = 0
_LSP_OF_H36M = (3, 2, 1, 4, 5, 6, 16, 15, 14, 11, 12, 13, 8, 10)
# MANO's fingertips (thumb, index, middle, ring, pinky) and the order of FreiHAND's 21 keypoints.
_MANO_VERTICES, _MANO_TIPS = 778, (745, 317, 445, 556, 673)
_FREIHAND_ORDER = (0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20)
H36M_REGRESSOR = "J_regressor_h36m_correct.npy"


class BodyModel(nn.Module):
    """Pose and shape to vertices and joints; metres, y up, facing +z at rest."""

    keypoint_regressor: Tensor
    """[P, V]: see `keypoint_names`."""
    pelvis_regressor: Tensor | None
    """[V]: Human3.6M's pelvis, which METRO's protocol centres meshes on; None where it is not known."""

    def __init__(
        self,
        data: BodyData,
        keypoint_regressor: np.ndarray,
        keypoint_names: tuple[str, ...],
        pelvis_regressor: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.kind = data.kind
        self.name = data.name
        self.sha256 = data.sha256
        self.data = data
        self.joint_names = MANO_JOINTS if data.kind == "mano" else SMPL_JOINTS
        self.part_names = self.joint_names
        self.keypoint_names = keypoint_names
        self.faces: np.ndarray = data.arrays["f"]
        self.parents: np.ndarray = data.arrays["kintree_table"][0]
        self.part_of_vertex: np.ndarray = data.arrays["weights"].argmax(axis=1)
        self.layer = _smplx_layer(data)
        self.num_betas = min(NUM_BETAS, data.arrays["shapedirs"].shape[2])
        self.register_buffer("keypoint_regressor", torch.from_numpy(keypoint_regressor).float())
        pelvis = None if pelvis_regressor is None else torch.from_numpy(pelvis_regressor).float()
        self.register_buffer("pelvis_regressor", pelvis)

    @property
    def num_vertices(self) -> int:
        """V."""
        return len(self.part_of_vertex)

    @property
    def num_joints(self) -> int:
        """J: 24 for a body, 16 for a hand."""
        return len(self.parents)

    def forward(
        self, pose: Tensor, betas: Tensor | None = None, translation: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Vertices [B, V, 3] and joints [B, J, 3].

        pose: [B, J, 3] axis-angle, joint 0 is the whole body's; or [B, J, 3, 3] rotation matrices.
        betas: [B or 1, at most K] standard deviations, zeros when None. translation: [B, 3] metres.
        """
        matrices = pose.dim() == 4
        rotations = pose if matrices else pose.flatten(1)
        root, rest = (
            (rotations[:, :1], rotations[:, 1:]) if matrices else (rotations[:, :3], rotations[:, 3:])
        )
        if self.kind == "mano" and matrices:
            raise ValueError("MANO takes axis-angles, to which it adds a mean pose")
        limb = {"hand_pose" if self.kind == "mano" else "body_pose": rest}
        shape = self._betas(betas, pose)
        output = self.layer(
            betas=shape, global_orient=root, transl=translation, pose2rot=not matrices, **limb
        )
        return output.vertices, output.joints[:, : self.num_joints]

    def _betas(self, betas: Tensor | None, pose: Tensor) -> Tensor:
        """[B, K]: as many as the body has."""
        batch, width = len(pose), self.num_betas
        given = pose.new_zeros(1, 0) if betas is None else betas
        padded = torch.cat([given, given.new_zeros(len(given), width - given.shape[1])], dim=1)
        return padded.expand(batch, -1)

    def keypoints(self, vertices: Tensor) -> Tensor:
        """[B, V, 3] -> [B, P, 3]: 14 joints in LSP order of a body, FreiHAND's 21 of a hand."""
        return self.keypoint_regressor.to(vertices.dtype) @ vertices


def load_body(path: Path | None = None, h36m_regressor: Path | None = None) -> BodyModel:
    """The free body, or a user's SMPL or MANO file (.pkl or .npz), recognised by content.

    h36m_regressor: Human3.6M's joint regressor for SMPL (`J_regressor_h36m_correct.npy`), also found beside
    the body's file. Without it SMPL's own joints and the top vertex of its head stand in.
    Raises UserError in one sentence when a file cannot be used.
    """
    data = read_body(path)
    if path is not None and h36m_regressor is None and (path.parent / H36M_REGRESSOR).is_file():
        h36m_regressor = path.parent / H36M_REGRESSOR
    if data.kind == "free":
        return BodyModel(data, data.arrays["J14_regressor"], LSP_JOINTS)
    if data.kind == "mano":
        return BodyModel(data, _freihand_regressor(data), HAND_KEYPOINTS)
    if h36m_regressor is None:
        return BodyModel(data, _lsp_regressor(data), LSP_JOINTS)
    known = _read_h36m(h36m_regressor, len(data.arrays["v_template"]))
    return BodyModel(data, known[list(_LSP_OF_H36M)], LSP_JOINTS, known[_PELVIS_OF_H36M])


def _smplx_layer(data: BodyData) -> nn.Module:
    """smplx's module without parameters of its own: it computes from what it is given."""
    struct = Struct(**{name: data.arrays[name].copy() for name in REQUIRED})
    names = ("betas", "global_orient", "body_pose", "transl")
    options = {f"create_{name}": False for name in names} | {"num_betas": NUM_BETAS, "data_struct": struct}
    with contextlib.redirect_stdout(io.StringIO()):  # smplx prints a warning about ten shape directions.
        if data.kind != "mano":
            return smplx.SMPL(
                "", vertex_ids=_landmarks(data), use_hands=False, use_feet_keypoints=False, **options
            )
        struct.hands_mean = data.arrays["hands_mean"]
        struct.hands_components = np.eye(len(struct.hands_mean), dtype=np.float32)
        return smplx.MANO("", use_pca=False, create_hand_pose=False, **options)


def _landmarks(data: BodyData) -> dict[str, int] | None:
    """Where smplx finds nose, eyes and ears; its own table fits SMPL's full topology only."""
    if "vertex_ids" in data.arrays:
        return dict(
            zip(data.arrays["vertex_id_names"].tolist(), data.arrays["vertex_ids"].tolist(), strict=True)
        )
    if len(data.arrays["v_template"]) == _SMPL_VERTICES:
        return None
    return dict.fromkeys(("nose", "reye", "leye", "rear", "lear"), 0)


def _lsp_regressor(data: BodyData) -> np.ndarray:
    """(14, V): SMPL's own joints in LSP order, and the vertex on top of the head."""
    template = data.arrays["v_template"]
    top = np.zeros((1, len(template)), np.float32)
    known = len(template) == _SMPL_VERTICES
    top[0, _SMPL_HEAD_TOP if known else int(template[:, 1].argmax())] = 1
    return np.concatenate([data.arrays["J_regressor"][list(_LSP_OF_SMPL)], top])


def _freihand_regressor(data: BodyData) -> np.ndarray:
    """(21, V): MANO's joints and its five fingertips in FreiHAND's order."""
    vertices = len(data.arrays["v_template"])
    if vertices != _MANO_VERTICES:
        raise UserError(f"A MANO hand has {_MANO_VERTICES} vertices, not {vertices}.")
    tips = np.eye(vertices, dtype=np.float32)[list(_MANO_TIPS)]
    return np.concatenate([data.arrays["J_regressor"], tips])[list(_FREIHAND_ORDER)]


def _read_h36m(path: Path, vertices: int) -> np.ndarray:
    """(17, V)."""
    try:
        regressor = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path.name} cannot be read as a joint regressor: {error}.") from error
    if not isinstance(regressor, np.ndarray) or regressor.shape != (17, vertices):
        raise UserError(f"{path.name} is not Human3.6M's joint regressor for this body (17 x {vertices}).")
    return regressor.astype(np.float32)
