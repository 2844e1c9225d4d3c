"""Ground truth of a frame, where its source has it, and how far a reconstruction is from it.

A clip or picture has ground truth when an .npz of the same name lies beside it: `vertices` (T, C, 3) coarse
mesh and `joints3d` (T, 14, 3) LSP joints, metres, camera axes, origin at the mid-hip; `joints2d` (T, 14, 2)
pixels. The bundled clip has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.pipeline.frames import Person, Record
from app.pipeline.truth_file import truth_file
from model.array_files import load_arrays
from model.errors import UserError
from model.metrics import centred, mpjpe, pa_mpjpe, pve

SAME_PERSON = 0.5
"""The joints of truth and person are this part of the truth's extent apart at most, on average."""


@dataclass(frozen=True)
class Truth:
    """Where one person of one frame really is."""

    coarse: np.ndarray
    """(C, 3) float32 metres, camera axes, mid-hip origin."""
    joints3d: np.ndarray
    """(14, 3) float32, the same."""
    joints2d: np.ndarray
    """(14, 2) float32 pixels of the full picture."""


@dataclass(frozen=True)
class TruthErrors:
    """How far one person is from the truth."""

    person_id: int
    vertices: np.ndarray
    """(C,) float32 millimetres per coarse vertex, hips together."""
    mpjpe: float
    pa_mpjpe: float
    pve: float
    """Millimetres, all three; hips together (MPJPE, PVE), or also turned and scaled (PA-MPJPE)."""

    @property
    def sentence(self) -> str:
        """For the status line."""
        return f"MPJPE {self.mpjpe:.0f} · PA-MPJPE {self.pa_mpjpe:.0f} · PVE {self.pve:.0f} mm"


class GroundTruth:
    """The truth of every frame of one source."""

    def __init__(self, coarse: np.ndarray, joints3d: np.ndarray, joints2d: np.ndarray) -> None:
        """(T, C, 3), (T, 14, 3), (T, 14, 2); raises UserError where they do not fit together."""
        count = len(coarse)
        fits = coarse.ndim == 3 and coarse.shape[2] == 3
        if not fits or joints3d.shape != (count, 14, 3) or joints2d.shape != (count, 14, 2):
            raise UserError("The ground truth's arrays do not fit together.")
        self._coarse, self._joints3d, self._joints2d = coarse, joints3d, joints2d

    def __len__(self) -> int:
        return len(self._coarse)

    def at(self, index: int) -> Truth | None:
        """The truth of a frame; None beyond the end and where a number is missing."""
        if not 0 <= index < len(self):
            return None
        arrays = [a[index].astype(np.float32) for a in (self._coarse, self._joints3d, self._joints2d)]
        return Truth(*arrays) if all(np.isfinite(array).all() for array in arrays) else None


def truth_beside(source: str | Path) -> GroundTruth | None:
    """The ground truth of a clip or picture; None where there is none.

    Raises UserError when there is a file with the right arrays that do not fit together.
    """
    path = truth_file(source)
    if path is None:
        return None
    try:
        content = load_arrays(path)
    except UserError:
        return None
    wanted = [content.get(name) for name in ("vertices", "joints3d", "joints2d")]
    arrays = [array for array in wanted if isinstance(array, np.ndarray) and array.dtype.kind == "f"]
    return GroundTruth(*arrays) if len(arrays) == len(wanted) else None


def errors_against(person: Person, truth: Truth) -> TruthErrors | None:
    """The errors of a person; None for another body or network, whose vertices mean something else."""
    if person.coarse.shape != truth.coarse.shape:
        return None
    found, found_joints = person.coarse[None].astype(float), person.joints3d[None].astype(float)
    true, true_joints = truth.coarse[None].astype(float), truth.joints3d[None].astype(float)
    apart = centred(found, found_joints) - centred(true, true_joints)
    return TruthErrors(
        person.box.id,
        (1000 * np.linalg.norm(apart[0], axis=-1)).astype(np.float32),
        float(mpjpe(found_joints, true_joints)[0]),
        float(pa_mpjpe(found_joints, true_joints)[0]),
        float(pve(found, true, found_joints, true_joints)[0]),
    )


def errors_of(record: Record, truth: Truth | None) -> TruthErrors | None:
    """The errors of whoever in the record the truth is about; None if that is nobody."""
    if truth is None or not record.people:
        return None
    extent = float(np.ptp(truth.joints2d, axis=0).max())
    apart = [float(np.linalg.norm(p.joints2d - truth.joints2d, axis=1).mean()) for p in record.people]
    nearest = int(np.argmin(apart))
    return errors_against(record.people[nearest], truth) if apart[nearest] < SAME_PERSON * extent else None
