"""How numbers are made comparable: what is measured on which set, and what others published there."""

from __future__ import annotations

from dataclasses import dataclass

from model.data.kinds import OUR_BODY
from model.errors import UserError


@dataclass(frozen=True)
class Published:
    """A row of somebody's paper, never measured here."""

    method: str
    values: dict[str, float]


@dataclass(frozen=True)
class Protocol:
    """What is measured."""

    name: str
    title: str
    how: str
    """Printed beside every number."""
    metrics: tuple[str, ...]
    published: tuple[Published, ...] = ()


TITLES = {
    "mpjpe": "MPJPE",
    "pa_mpjpe": "PA-MPJPE",
    "pve": "PVE",
    "pve_coarse": "PVE of the coarse mesh",
    "pa_pve": "PA-MPVPE",
    "acceleration": "Accel",
    "f5": "F@5 mm",
    "f15": "F@15 mm",
    "iou": "IoU",
    "true_iou": "IoU of the true body",
    "pck": "PCK@0.2",
    "backbone_pck": "PCK of the backbone's landmarks",
    "heavy_pck": "PCK of BlazePose-heavy's",
}
SHARES = ("f5", "f15", "iou", "true_iou", "pck", "backbone_pck", "heavy_pck")
"""Metrics in [0, 1]; the others are millimetres."""
_BODY = "joints regressed from the full mesh, centred on the middle of the hips, mm"
PUBLISHED_H36M = (
    Published("METRO", {"mpjpe": 54.0, "pa_mpjpe": 36.7}),
    Published("MeshGraphormer", {"mpjpe": 51.2, "pa_mpjpe": 34.5}),
    Published("FastMETRO", {"mpjpe": 52.2, "pa_mpjpe": 33.7}),
    Published("PointHMR", {"mpjpe": 48.3, "pa_mpjpe": 32.9}),
)
ABLATION: tuple[tuple[int | None, int | None, int | None, int | None], ...] = (
    (None, None, None, None),
    (None, None, 3, 1),
    (None, 5, 3, 1),
    (7, 5, 3, 1),
)
"""The rows of the paper's masking table."""
PUBLISHED_ABLATION = (
    Published("masks off,off,off,off", {"mpjpe": 50.9, "pa_mpjpe": 33.3}),
    Published("masks off,off,3,1", {"mpjpe": 50.7, "pa_mpjpe": 33.8}),
    Published("masks off,5,3,1", {"mpjpe": 49.9, "pa_mpjpe": 33.7}),
    Published("masks 7,5,3,1", {"mpjpe": 48.3, "pa_mpjpe": 32.9}),
)
PROTOCOLS: dict[str, Protocol] = {
    "h36m-p2": Protocol(
        "h36m-p2",
        "Human3.6M, protocol 2",
        f"S9 and S11, frontal camera; 14 {_BODY}",
        ("mpjpe", "pa_mpjpe"),
        PUBLISHED_H36M,
    ),
    "3dpw": Protocol(
        "3dpw",
        "3DPW",
        f"test part, gendered SMPL as ground truth; 14 {_BODY}; Accel in mm a frame squared",
        ("mpjpe", "pa_mpjpe", "pve", "acceleration"),
        (Published("PointHMR (fine-tuned)", {"mpjpe": 73.9, "pa_mpjpe": 44.9, "pve": 85.5}),),
    ),
    "freihand": Protocol(
        "freihand",
        "FreiHAND",
        "evaluation part; 21 joints from the mesh; all aligned by Procrustes, mm; F between vertices",
        ("pa_pve", "pa_mpjpe", "f5", "f15"),
    ),
    "embedded": Protocol(
        "embedded",
        "embedded model",
        f"14 {_BODY}; IoU of the mesh's silhouette with the dressed person; PCK@0.2 of the torso over the 12 "
        "limb joints",
        ("mpjpe", "pa_mpjpe", "pve_coarse", "pve", "iou", "true_iou", "pck", "backbone_pck", "heavy_pck"),
    ),
    "plain": Protocol(
        "plain", "own set", f"crops as given; 14 {_BODY}", ("mpjpe", "pa_mpjpe", "pve", "acceleration")
    ),
}


def protocol(name: str) -> Protocol:
    """The protocol of this name; raises UserError with the names that exist."""
    if name not in PROTOCOLS:
        raise UserError(f"There is no protocol {name!r}; there are {', '.join(PROTOCOLS)}.")
    return PROTOCOLS[name]


def usual_protocol(kind: str) -> str:
    """The protocol of a kind of dataset, where it has one."""
    if kind in OUR_BODY:
        return "embedded"
    return kind if kind in ("3dpw", "freihand") else "plain"
