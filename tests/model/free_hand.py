"""A hand that is free to use: cut from the free body at the wrist, with fingers that bend a little."""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from model.body import HAND_KEYPOINTS, BodyModel, load_body
from model.body_data import BodyData
from model.body_hierarchy import build_hierarchy
from model.hierarchy import Hierarchy

LEFT_HAND = 22
FINGERS, BONES = 5, 3


@cache
def free_hand() -> tuple[BodyModel, Hierarchy]:
    """The hand and its own hierarchy of 195 coarse vertices, both made by the model's code."""
    data = hand_data()
    keypoints = np.zeros((21, len(data.arrays["v_template"])), np.float32)
    regressor = data.arrays["J_regressor"]
    # FreiHAND's order: the wrist, then four points a finger, the last of them the tip.
    tips = fingertips(data.arrays["v_template"], regressor @ data.arrays["v_template"])
    keypoints[0] = regressor[0]
    for finger in range(FINGERS):
        keypoints[1 + 4 * finger : 4 + 4 * finger] = regressor[1 + 3 * finger : 4 + 3 * finger]
        keypoints[4 + 4 * finger, tips[finger]] = 1
    return BodyModel(data, keypoints, HAND_KEYPOINTS), build_hierarchy(data)


def hand_data() -> BodyData:
    """The members of a MANO file, small and free."""
    body = load_body().data.arrays
    inside = body["weights"][:, LEFT_HAND] > 0.5
    faces = largest_piece(body["f"][inside[body["f"]].all(axis=1)], len(inside))
    kept = np.unique(faces)
    number = np.full(len(inside), -1)
    number[kept] = np.arange(len(kept))
    points = body["v_template"][kept]
    points = (points - points[points[:, 0].argmin()]).astype(np.float32)
    joints = joint_positions(points)
    weights = np.exp(-(np.linalg.norm(points[:, None] - joints, axis=2) ** 2) / 0.015**2) + 1e-6
    weights /= weights.sum(axis=1, keepdims=True)
    nearest = np.linalg.norm(points[None] - joints[:, None], axis=2).argsort(axis=1)[:, :4]
    regressor = np.zeros((len(joints), len(points)), np.float32)
    np.put_along_axis(regressor, nearest, 0.25, axis=1)
    arrays = {
        "v_template": points,
        "f": number[faces].astype(np.int32),
        "shapedirs": body["shapedirs"][kept][:, :, :10].astype(np.float32),
        "posedirs": np.zeros((len(points), 3, 135), np.float32),
        "J_regressor": regressor,
        "weights": weights.astype(np.float32),
        "kintree_table": np.stack([hand_parents(), np.arange(16)]).astype(np.int64),
        "hands_mean": np.zeros(45, np.float32),
    }
    return BodyData("mano", "free hand", arrays)


def largest_piece(faces: np.ndarray, vertices: int) -> np.ndarray:
    """Without the slivers that the cut at the wrist leaves."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    graph = sp.coo_matrix((np.ones(len(edges)), edges.T), shape=(vertices, vertices))
    _, piece = connected_components(graph, directed=False)
    of_face = piece[faces[:, 0]]
    return faces[of_face == np.bincount(of_face).argmax()]


def joint_positions(points: np.ndarray) -> np.ndarray:
    """(16, 3): the wrist, then three joints on each of five rays over the hand."""
    low, high = points.min(axis=0), points.max(axis=0)
    wrist = points[points[:, 0] < low[0] + 0.1 * (high - low)[0]].mean(axis=0)
    rows = [wrist]
    for finger in range(FINGERS):
        z = low[2] + (finger + 0.5) / FINGERS * (high - low)[2]
        rows += [np.array([low[0] + reach * (high - low)[0], wrist[1], z]) for reach in (0.45, 0.65, 0.8)]
    return np.stack(rows).astype(np.float32)


def hand_parents() -> np.ndarray:
    """(16,): each finger is a chain from the wrist."""
    chain = [-1]
    for finger in range(FINGERS):
        first = 1 + BONES * finger
        chain += [0, first, first + 1]
    return np.array(chain)


def fingertips(points: np.ndarray, joints: np.ndarray) -> list[int]:
    """The vertex farthest from the wrist near each finger's last joint."""
    tips = []
    for finger in range(FINGERS):
        last = joints[BONES * (finger + 1)]
        reach = points[:, 0] - 2 * np.abs(points[:, 2] - last[2])
        tips.append(int(reach.argmax()))
    return tips
