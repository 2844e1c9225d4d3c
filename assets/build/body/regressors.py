"""Joints as non-negative combinations of vertices, and named vertices."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.optimize import nnls

from assets.build.body.shape_space import Population
from assets.build.body.skeleton import INDEX, JOINTS, MIRRORED, PARENTS
from model.surface import edges

NUM_FITTED = 150
"""Adults that the joint regressor is fitted on."""
NEAREST, RANDOM = 80, 260
"""Candidate vertices per joint: the nearest ones, and random ones from the slab around the joint."""
# fmt: off
LSP_LIMBS = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
    "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
)
# fmt: on
"""The first 12 of LSP's 14 joints; neck and top of the head follow."""


def _candidates(
    j: int,
    template: np.ndarray,
    joints: np.ndarray,
    weights: np.ndarray,
    mirror: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Vertices that may carry joint j: near it, and in a 12 cm slab across its bone."""
    parent = max(PARENTS[j], 0)
    child = PARENTS.index(j) if j in PARENTS else j
    bound = weights[:, j] + (weights[:, parent] if j else 0)
    distance = np.linalg.norm(template - joints[j], axis=1)
    axis = joints[child] - joints[parent]
    along = np.abs((template - joints[j]) @ (axis / np.linalg.norm(axis)))
    central = MIRRORED[j] == j
    slab = np.flatnonzero((distance < (0.22 if central else 0.14)) & (bound > 0.05) & (along < 0.06))
    spread = rng.permutation(slab)[:RANDOM]
    skinned = np.flatnonzero(bound > 0.1)
    chosen = np.unique(np.r_[skinned[np.argsort(distance[skinned])[:NEAREST]], spread])
    return np.unique(np.r_[chosen, mirror[chosen]]) if central else chosen


def joint_regressor(
    people: Population,
    template: np.ndarray,
    weights: np.ndarray,
    mirror: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """(24, V) float64, rows >= 0 that sum to one: fitted to the rig's joints by least squares, mirrored."""
    fitted = rng.permutation(len(people.joints))[:NUM_FITTED]
    joints = people.joints.mean(axis=0)
    regressor = np.zeros((len(JOINTS), len(template)))
    for j in range(len(JOINTS)):
        if MIRRORED[j] < j:
            regressor[j] = regressor[MIRRORED[j]][mirror]
            continue
        chosen = _candidates(j, template, joints, weights, mirror, rng)
        n = len(chosen)
        points = people.vertices[fitted][:, chosen].transpose(0, 2, 1).reshape(-1, n)
        # Two soft rules: the weights sum to one (30), and no single vertex gets large (1e-3).
        rows = np.r_[points, np.full((1, n), 30.0), 1e-3 * np.eye(n) * np.sqrt(len(fitted))]
        wanted = np.r_[people.joints[fitted, j].ravel(), 30.0, np.zeros(n)]
        row, _ = nnls(rows, wanted, maxiter=3000)
        row[row < 1e-4] = 0
        regressor[j, chosen] = row / row.sum()
        if MIRRORED[j] == j:
            regressor[j] = (regressor[j] + regressor[j][mirror]) / 2
    return regressor


def lsp_regressor(
    template: np.ndarray, weights: np.ndarray, regressor: np.ndarray, mirror: np.ndarray
) -> np.ndarray:
    """(14, V) float64 regressor of LSP's joints from the (24, V) one; the neck is a ring at its base."""
    result = np.zeros((len(LSP_LIMBS) + 2, len(template)))
    result[: len(LSP_LIMBS)] = regressor[[INDEX[name] for name in LSP_LIMBS]]
    x, y, z = template.T
    neck = regressor[INDEX["neck"]] @ template
    bound = weights[:, [INDEX[name] for name in ("neck", "head", "spine3")]].sum(axis=1)
    ring = (np.abs(y - neck[1] - 0.01) < 0.02) & (np.hypot(x - neck[0], z - neck[2]) < 0.09) & (bound > 0.5)
    crown = (weights[:, INDEX["head"]] > 0.5) & (y > y.max() - 0.012)
    for row, members in ((-2, ring), (-1, crown)):
        result[row] = members / members.sum()
        result[row] = (result[row] + result[row][mirror]) / 2
    return result


def _fingertips(template: np.ndarray, faces: np.ndarray, weights: np.ndarray, wrist: np.ndarray) -> list[int]:
    """The left hand's five tips, from thumb to little finger: furthest along the skin from the wrist."""
    a, b = edges(faces).T
    length = np.linalg.norm(template[a] - template[b], axis=1)
    graph = sp.coo_matrix((length, (a, b)), shape=(len(template),) * 2)
    graph = (graph + graph.T).tocsr()
    start = int(np.linalg.norm(template - wrist, axis=1).argmin())
    reach = sp.csgraph.dijkstra(graph, indices=start)
    hand = np.flatnonzero((weights[:, INDEX["left_hand"]] > 0.5) & (reach > 0.08))
    peaks = [v for v in hand if reach[v] >= reach[graph[[v]].indices].max()]
    tips: list[int] = []
    for v in sorted(peaks, key=lambda v: -reach[v]):
        if all(np.linalg.norm(template[v] - template[tip]) > 0.012 for tip in tips):
            tips.append(int(v))
    # Palms face down in the T-pose, so the thumb is foremost.
    return sorted(tips[:5], key=lambda v: -template[v, 2])


def landmarks(
    template: np.ndarray,
    faces: np.ndarray,
    weights: np.ndarray,
    regressor: np.ndarray,
    mirror: np.ndarray,
    eye: np.ndarray,
) -> dict[str, int]:
    """Name to vertex, under the names that smplx asks for. eye: (V,) bool, the caps of both eyes."""
    part = weights.argmax(axis=1)

    def extreme(members: np.ndarray, direction: tuple[float, float, float]) -> int:
        index = np.flatnonzero(members)
        return int(index[(template[index] @ direction).argmax()])

    head, left = part == INDEX["head"], template[:, 0] > 0
    toes, ankle = part == INDEX["left_foot"], part == INDEX["left_ankle"]
    ball = np.flatnonzero(eye & left)
    pupil = ball[np.linalg.norm(template[ball] - template[ball].mean(axis=0), axis=1).argmin()]
    thumb, index, middle, ring, pinky = _fingertips(
        template, faces, weights, regressor[INDEX["left_wrist"]] @ template
    )
    one_side = {
        "leye": int(pupil),
        "lear": extreme(head, (1, 0, 0)),
        "LBigToe": extreme(toes, (-1, 0, 0.6)),
        "LSmallToe": extreme(toes, (1, 0, 0.6)),
        "LHeel": extreme(ankle, (0, 0, -1)),
        "lmiddle": middle,
        "lthumb": thumb,
        "lindex": index,
        "lring": ring,
        "lpinky": pinky,
    }
    other = {("r" if name[0] == "l" else "R") + name[1:]: int(mirror[v]) for name, v in one_side.items()}
    return {"nose": extreme(head, (0, 0, 1)), **one_side, **other}
