"""The free body in numpy: shape, pose and linear blend skinning of anything that hangs on its skeleton.

World axes: metres, y up, the resting body faces +z. Poses are (24, 3) axis-angle, row 0 global.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class Mesh:
    """A mesh that rests in the T-pose of the mean body and moves with its skeleton.

    vertices (V, 3) float64, faces (F, 3) int64, weights (V, 24), shapedirs (V, 3, 10).
    """

    vertices: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    shapedirs: np.ndarray

    def posed(
        self, transforms: np.ndarray, betas: np.ndarray, corrective: np.ndarray | None = None
    ) -> np.ndarray:
        """Vertices (V, 3) under the skinning `transforms` (24, 3, 4) of `Body.transforms`."""
        rest = self.vertices + self.shapedirs @ betas
        if corrective is not None:
            rest = rest + corrective
        blended = (self.weights @ transforms.reshape(24, 12)).reshape(-1, 3, 4)
        return np.einsum("vab,vb->va", blended[:, :, :3], rest) + blended[:, :, 3]


@dataclass(frozen=True)
class Body:
    """The body of `assets/body/body.npz` and the selection of its 431 coarse vertices."""

    mesh: Mesh
    posedirs: np.ndarray  # (V, 3, 207)
    joint_regressor: csr_matrix  # (24, V)
    lsp_regressor: csr_matrix  # (14, V)
    parents: np.ndarray  # (24,), -1 at the root
    coarse: np.ndarray  # (431,) vertex indices
    eyes: np.ndarray  # (V,) bool

    @classmethod
    def load(cls, folder: Path) -> Body:
        """Read `body.npz` and `hierarchy.npz` of `folder`."""
        data = np.load(folder / "body.npz")
        levels = np.load(folder / "hierarchy.npz")
        parents = data["kintree_table"][0].astype(np.int64)
        parents[0] = -1
        mesh = Mesh(
            data["v_template"].astype(np.float64),
            data["f"].astype(np.int64),
            data["weights"].astype(np.float64),
            data["shapedirs"].astype(np.float64),
        )
        return cls(
            mesh=mesh,
            posedirs=data["posedirs"].astype(np.float64),
            joint_regressor=csr_matrix(data["J_regressor"].astype(np.float64)),
            lsp_regressor=csr_matrix(data["J14_regressor"].astype(np.float64)),
            parents=parents,
            coarse=levels["sel1"][levels["sel2"].astype(np.int64)].astype(np.int64),
            eyes=data["eye"],
        )

    def joints(self, betas: np.ndarray) -> np.ndarray:
        """Resting joints (24, 3) of a shape."""
        return self.joint_regressor @ (self.mesh.vertices + self.mesh.shapedirs @ betas)

    def transforms(self, pose: np.ndarray, betas: np.ndarray) -> np.ndarray:
        """Skinning transforms (24, 3, 4) from the resting to the posed body."""
        rotations = Rotation.from_rotvec(pose).as_matrix()
        joints = self.joints(betas)
        world = np.zeros((24, 4, 4))
        for joint, parent in enumerate(self.parents):
            local = np.eye(4)
            local[:3, :3] = rotations[joint]
            local[:3, 3] = joints[joint] - (joints[parent] if parent >= 0 else 0)
            world[joint] = local if parent < 0 else world[parent] @ local
        result = world[:, :3].copy()
        result[:, :, 3] -= np.einsum("jab,jb->ja", world[:, :3, :3], joints)
        return result

    def corrective(self, pose: np.ndarray) -> np.ndarray:
        """Pose-dependent offsets (V, 3) of the resting body."""
        rotations = Rotation.from_rotvec(pose[1:]).as_matrix()
        return self.posedirs @ (rotations - np.eye(3)).ravel()

    def posed_joints(self, pose: np.ndarray, betas: np.ndarray) -> np.ndarray:
        """The skeleton (24, 3) in a pose, without translation: bones keep their lengths."""
        transforms = self.transforms(pose, betas)
        return np.einsum("jab,jb->ja", transforms[:, :, :3], self.joints(betas)) + transforms[:, :, 3]

    def posed(self, pose: np.ndarray, betas: np.ndarray) -> np.ndarray:
        """Body vertices (V, 3) without translation."""
        return self.mesh.posed(self.transforms(pose, betas), betas, self.corrective(pose))
