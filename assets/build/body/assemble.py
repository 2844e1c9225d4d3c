"""All steps in order, from MakeHuman's files to the arrays of body.npz and hierarchy.npz."""

from __future__ import annotations

import logging

import numpy as np

from assets.build.body.adults import mean_adult, read_targets
from assets.build.body.correctives import pose_correctives
from assets.build.body.half_mesh import build_half
from assets.build.body.makehuman import MakeHuman
from assets.build.body.posed import mirrored_people
from assets.build.body.regressors import joint_regressor, landmarks, lsp_regressor
from assets.build.body.remesh import Topology, remesh
from assets.build.body.shape_space import principal_shapes, sample_population
from assets.build.body.skeleton import INDEX, PARENTS, joint_centres, joint_weights
from assets.build.body.uv import texture_coordinates
from model.coarsen import SkinnedMesh, build_levels, part_importance
from model.hierarchy import hop_distances
from model.upsampling import with_fitted_up

log = logging.getLogger(__name__)

Arrays = dict[str, np.ndarray]


def _shape_arrays(source: MakeHuman) -> tuple[Topology, Arrays]:
    """The mesh, and the part of body.npz that comes from the random adults."""
    targets = read_targets(source)
    log.info("%d targets", len(targets.traits))
    mean = mean_adult(source.base.vertices, targets)
    mesh = remesh(source, build_half(source.base, mean), mean)
    log.info("%d vertices, %d faces", len(mesh.mirror), len(mesh.faces))
    weights = joint_weights(source, mesh)
    rng = np.random.default_rng(1)
    people = sample_population(source.base.vertices, targets, mesh, joint_centres(source), weights, rng)
    template, shapes = principal_shapes(people.vertices, mesh.mirror)
    log.info("shape space fitted")
    regressor = joint_regressor(people, template, weights, mesh.mirror, rng)
    log.info("joint regressor fitted")
    return mesh, {
        "v_template": template.astype(np.float32),
        "f": mesh.faces.astype(np.uint32),
        "shapedirs": shapes.astype(np.float32),
        "J_regressor": regressor.astype(np.float32),
        "weights": weights.astype(np.float32),
    }


def build_body(source: MakeHuman) -> Arrays:
    """The arrays of body.npz; their shapes and units are on the card, assets/body/README.md."""
    mesh, body = _shape_arrays(source)
    # From here on every step sees the rounded values that the file holds.
    template, weights, regressor = (body[k].astype(float) for k in ("v_template", "weights", "J_regressor"))
    correctives = pose_correctives(template, mesh.faces, weights, regressor @ template, mesh.mirror)
    log.info("pose correctives fitted")
    uvs, face_uvs, eye = texture_coordinates(source.base, mesh)
    names = landmarks(template, mesh.faces, weights, regressor, mesh.mirror, eye)
    tree = np.array([PARENTS, range(len(PARENTS))], dtype=np.int64)
    tree[0, 0] = 2**32 - 1  # SMPL's mark for "no parent"
    return {
        "v_template": body["v_template"],
        "f": body["f"],
        "shapedirs": body["shapedirs"],
        "posedirs": correctives.astype(np.float32),
        "J_regressor": body["J_regressor"],
        "weights": body["weights"],
        "kintree_table": tree,
        "sym": mesh.mirror.astype(np.int16),
        "part": weights.argmax(axis=1).astype(np.uint8),
        "J14_regressor": lsp_regressor(template, weights, regressor, mesh.mirror).astype(np.float32),
        "vt": uvs.astype(np.float32),
        "ft": face_uvs.astype(np.uint16),
        "eye": eye,
        "vertex_id_names": np.array(list(names)),
        "vertex_ids": np.array(list(names.values()), dtype=np.int32),
    }


def build_hierarchy(body: Arrays) -> Arrays:
    """The arrays of hierarchy.npz from those of body.npz."""
    weights = body["weights"].astype(float)

    def bound(*joints: str) -> np.ndarray:
        return weights[:, [INDEX[joint] for joint in joints]].sum(axis=1)

    importance = part_importance(
        bound("left_hand", "right_hand"), bound("left_foot", "right_foot"), bound("head")
    )
    levels = build_levels(
        SkinnedMesh(
            body["v_template"].astype(float),
            body["f"].astype(int),
            body["sym"].astype(int),
            weights,
            importance,
        )
    )
    log.info("levels of %s vertices", [len(level.kept) for level in levels])
    people = mirrored_people(body, np.random.default_rng(2))
    fitted = with_fitted_up(levels, people, body["sym"].astype(int))
    log.info("upsampling fitted")
    coarse = levels[-1]
    arrays = {"hops": hop_distances(coarse.faces, len(coarse.kept))}
    for number, (level, better) in enumerate(zip(levels, fitted, strict=True), start=1):
        for key, array in (("F", level.faces), ("sel", level.kept), ("sym", level.mirror)):
            arrays[f"{key}{number}"] = array.astype(np.uint16)
        for key, matrix in (("D", level.down.tocoo()), ("U", level.up.tocoo()), ("P", better.up.tocoo())):
            arrays[f"{key}{number}_row"] = matrix.row.astype(np.uint16)
            arrays[f"{key}{number}_col"] = matrix.col.astype(np.uint16)
            arrays[f"{key}{number}_val"] = matrix.data.astype(np.float32)
    return arrays
