"""BVH (Biovision hierarchy): a skeleton and its motion as text, without a mesh.

Source: Meredith, Maddock, "Motion Capture File Formats Explained" (2001), section 3.
"""

from __future__ import annotations

import numpy as np

from app.export.presets import Y_UP_METRES, Preset
from app.export.skeleton import SkinnedTake, euler_angles, resampled, start_of

_TIP = 0.08
"""Metres from a last joint to the end that the format wants."""
_CHANNELS = "Zrotation Yrotation Xrotation"


def bvh_text(take: SkinnedTake, preset: Preset = Y_UP_METRES, rate: float = 30.0) -> str:
    """A file of one person's motion at `rate` frames a second.

    preset: tells the unit; y is up for every program. The format has no place for metadata: no reader
    skips a comment.
    Raises UserError when a number is not finite.
    """
    start_of([take])
    skeleton, motion, unit = take.skeleton, resampled(take.motion, rate), preset.units_per_metre
    offsets = skeleton.offsets * unit
    offsets[0] = 0.0  # Its channels tell its whole place; some readers add the two.
    children: dict[int, list[int]] = {}
    for joint, parent in enumerate(skeleton.parents.tolist()):
        children.setdefault(parent, []).append(joint)
    order: list[int] = []
    lines = ["HIERARCHY"]

    def add(joint: int, depth: int) -> None:
        order.append(joint)
        tab = "\t" * depth
        channels = (
            f"CHANNELS 3 {_CHANNELS}" if depth else f"CHANNELS 6 Xposition Yposition Zposition {_CHANNELS}"
        )
        lines.extend([f"{tab}{'JOINT' if depth else 'ROOT'} {skeleton.names[joint]}", tab + "{"])
        lines.append(f"{tab}\tOFFSET {_numbers(offsets[joint])}")
        lines.append(f"{tab}\t{channels}")
        for child in children.get(joint, []):
            add(child, depth + 1)
        if joint not in children:
            tip = offsets[joint] / max(np.linalg.norm(offsets[joint]), 1e-9) * _TIP * unit
            lines.extend([f"{tab}\tEnd Site", tab + "\t{", f"{tab}\t\tOFFSET {_numbers(tip)}", tab + "\t}"])
        lines.append(tab + "}")

    add(0, 0)
    angles = euler_angles(motion.rotations)[:, order][..., ::-1]
    places = (skeleton.joints[0] + motion.translations) * unit
    rows = np.concatenate([places, angles.reshape(len(angles), -1)], axis=1)
    lines += ["MOTION", f"Frames: {len(rows)}", f"Frame Time: {1 / rate:.9f}"]
    lines += [_numbers(row) for row in rows]
    return "\n".join(lines) + "\n"


def _numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in values.tolist())
