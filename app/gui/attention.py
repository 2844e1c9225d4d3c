"""Attention weights of one vertex as colours on the mesh; no widgets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.gui.colourings import Painted, on_map, ramp
from app.gui.model_info import ModelInfo
from app.pipeline.frames import Attention, Hops, Record

MASKED = np.array([0.47, 0.48, 0.50])
"""Vertices that the mask keeps out of sight."""
BOUNDARY = np.array([0.98, 0.98, 0.98])
"""The line where the mask ends."""
SMOOTHING = 2
CAMERA_TOKENS, JOINTS = 1, 14
"""The order of the tokens: camera, grid, landmarks, joints, coarse vertices."""


@dataclass(frozen=True)
class Look:
    """Which weights are shown."""

    vertex: int | None = None
    """Of the full mesh; its coarse vertex is the one that attends."""
    encoder: int = 0
    layer: int | None = None
    """None is the mean over the layers."""
    head: int | None = None
    """None is the mean over the heads."""
    joint: int | None = None
    """LSP joint that attends in the place of the vertex."""


def weights_of(attention: Attention, info: ModelInfo, look: Look) -> np.ndarray | None:
    """(C,) weights that the vertex or joint gives to each coarse vertex; the rest goes to other tokens.

    None without a vertex, or when the encoder, layer or head does not exist.
    """
    row = _row(attention, info, look)
    return None if row is None else row[-info.coarse_count :]


def grid_weights(attention: Attention, info: ModelInfo, look: Look, cells: int) -> np.ndarray | None:
    """(g, g) weights that go to the cells of the picture, row by row over the crop; `cells` is g * g."""
    row, side = _row(attention, info, look), round(cells**0.5)
    if (
        row is None
        or side * side != cells
        or side == 0
        or CAMERA_TOKENS + cells > len(row) - info.coarse_count
    ):
        return None
    return row[CAMERA_TOKENS : CAMERA_TOKENS + cells].reshape(side, side)


def _row(attention: Attention, info: ModelInfo, look: Look) -> np.ndarray | None:
    """(N,) what one token takes from every token: the mean over the layers and heads that are looked at."""
    nobody = look.vertex is None and look.joint is None
    if nobody or look.encoder >= len(attention.weights):
        return None
    layers = attention.weights[look.encoder]
    if look.layer is not None and look.layer >= len(layers):
        return None
    chosen = layers if look.layer is None else (layers[look.layer],)
    if look.joint is not None:
        place = look.joint - JOINTS - info.coarse_count
    else:
        place = int(info.coarse_of_vertex[look.vertex]) - info.coarse_count
    if -place > chosen[0].shape[1]:
        return None
    rows = np.stack([layer[:, place] for layer in chosen])
    if look.head is not None and look.head >= rows.shape[1]:
        return None
    mean: np.ndarray = (rows if look.head is None else rows[:, [look.head]]).mean(axis=(0, 1))
    return mean


def within_mask(info: ModelInfo, look: Look, hops: Hops) -> np.ndarray:
    """(C,) bool: the coarse vertices that the mask of the encoder lets the vertex see; a joint sees all."""
    threshold = hops[look.encoder]
    if threshold is None or look.vertex is None or look.joint is not None:
        return np.ones(info.coarse_count, bool)
    near: np.ndarray = info.hops[int(info.coarse_of_vertex[look.vertex])] <= threshold
    return near


def paint_attention(record: Record, info: ModelInfo, look: Look) -> Painted:
    """Colours on the one person whose attention is known, by the square root of the weights."""
    plain = tuple(None for _ in record.people)
    if look.vertex is None and look.joint is None:
        return Painted(plain, note="Pin a vertex to see what it attends to.")
    attention = record.attention
    weights = weights_of(attention, info, look) if attention is not None else None
    if attention is None or weights is None:
        return Painted(plain)
    end = max(float(weights.max()), 1e-9)
    share = info.topology.smooth(np.sqrt(weights / end)[info.coarse_of_vertex], SMOOTHING)
    seen = within_mask(info, look, record.hops)
    colour = on_map("Viridis", share)
    full = seen[info.coarse_of_vertex]
    colour[~full] = MASKED
    colour[(info.topology.smooth(full.astype(np.float32), 1) < 0.999) & full] = BOUNDARY
    colours = tuple(colour if person.box.id == attention.person_id else None for person in record.people)
    threshold = record.hops[look.encoder]
    note = "" if seen.all() else f"Grey: more than {threshold} hop{'s' * (threshold != 1)} away, masked"
    return Painted(colours, (ramp("Viridis"), ("0", f"{end * 100:.1f} % of its attention")), note)
