"""Rendered crops for the estimate of the error: inputs and true errors, from the clips of the training part.

The benchmark's own pictures show clips of the validation part alone, so no pose is in both. Of an overlap
both people are used, and every crop also in the mirror.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.benchmark.cases import KINDS, Case, CaseMaker
from app.benchmark.diagnosed import Finding
from app.pipeline.diagnostics import Diagnostics
from app.pipeline.error_inputs import MEASURED
from app.pipeline.examiner import Examiner
from app.pipeline.frames import PAPER_HOPS, PersonBox
from app.pipeline.pipeline import Pipeline
from model.array_files import load_arrays
from model.data.sample import FLIPPED_JOINTS
from model.errors import UserError
from model.metrics import pa_mpjpe
from model.paths import write_atomically

SEED = 101
SHARES = {"overlap": 24 / 37, "alone": 3 / 37, "occluded": 5 / 37, "truncated": 5 / 37}
"""Parts of the pictures."""
_COCO_MIRROR = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]


@dataclass(frozen=True)
class Table:
    """One row a crop."""

    sha256: str
    """Of the weights."""
    pictures: int
    inputs: np.ndarray
    """(M, N) float32, see `app.pipeline.error_inputs`."""
    errors: np.ndarray
    """(M,) PA-MPJPE in mm."""
    kinds: np.ndarray
    """(M,) int, index into `KINDS`."""
    groups: np.ndarray
    """(M,) int: number of the picture within its kind."""
    second: np.ndarray
    """(M,) bool: the crop shows the companion."""

    @property
    def overlaps(self) -> np.ndarray:
        """(M,) bool: crops as in the benchmark."""
        return (self.kinds == KINDS.index("overlap")) & ~self.second


def build_table(
    pipeline: Pipeline,
    examiner: Examiner,
    sha256: str,
    maker: CaseMaker,
    pictures: int,
    tell: Callable[[], object] = lambda: None,
) -> Table:
    """Renders so many pictures, measures every crop of them, and tells after each.

    Raises UserError for a network without landmarks, whose crops cannot be measured.
    """
    rows: list[tuple[np.ndarray, float, int, int, bool]] = []
    for kind, share in SHARES.items():
        for number in range(max(1, round(share * pictures))):
            for case in maker.pair(kind, number):
                for row, error in _rows(pipeline, examiner, case):
                    rows.append((row, error, KINDS.index(kind), number, case.second))
            tell()
    if not rows:
        raise UserError("The expected error can only be estimated for a network with landmarks.")
    inputs, errors, kinds, groups, second = zip(*rows, strict=True)
    columns = np.array(errors), np.array(kinds), np.array(groups), np.array(second)
    return Table(sha256, pictures, np.stack(inputs), *columns)


def _rows(pipeline: Pipeline, examiner: Examiner, case: Case) -> Iterator[tuple[np.ndarray, float]]:
    """The crop and its mirror; the detector looks once."""
    box, others = case.box, case.others
    for mirrored in (False, True):
        assert case.truth is not None
        frame, joints = case.frame, case.truth.joints3d
        if mirrored:
            frame = replace(frame, image=np.ascontiguousarray(frame.image[:, ::-1]))
            width = frame.image.shape[1]
            box, joints = mirror_box(box, width), mirror_joints(joints)
            others = tuple(mirror_box(other, width) for other in others)
        pipeline.reset()
        record = pipeline.process(frame, PAPER_HOPS, [box], others=others)
        if not record.people:
            return
        box, others = record.people[0].box, record.others
        row = examiner.inputs_of(record.people[0])
        if row is not None:
            found, true = record.people[0].joints3d[None].astype(float), joints[None].astype(float)
            yield row, float(pa_mpjpe(found, true)[0])


def mirror_box(box: PersonBox, width: int) -> PersonBox:
    """The same box in the mirrored picture; left keypoints become right ones."""
    points = box.keypoints
    if points is not None:
        points = (points * np.array([-1, 1], points.dtype) + np.array([width, 0], points.dtype))[_COCO_MIRROR]
    return replace(box, x=width - box.x - box.width, keypoints=points)


def mirror_joints(joints: np.ndarray) -> np.ndarray:
    """(14, 3) LSP joints of the mirrored person."""
    mirrored: np.ndarray = joints[FLIPPED_JOINTS] * np.array([-1, 1, 1], joints.dtype)
    return mirrored


def findings_in(table: Table, estimates: np.ndarray, broken_mm: float) -> list[Finding]:
    """What thresholds are fitted to: the readable measures of every crop, and (M,) estimates in mm.

    The companion of an overlap is none of the benchmark's crops and is left out.
    """
    found = []
    for row in np.flatnonzero(~table.second):
        values = [None if np.isnan(value) else float(value) for value in table.inputs[row, : len(MEASURED)]]
        numbers: dict[str, Any] = dict(zip(MEASURED, values, strict=True))
        told = Diagnostics(**numbers, jerk=None, error=float(estimates[row]))
        error = float(table.errors[row])
        found.append(Finding(KINDS[table.kinds[row]], told, error > broken_mm, error, None, None, None))
    return found


def write_table(path: Path, table: Table) -> None:
    """As .npz."""

    def write(file: Path) -> None:
        with file.open("wb") as stream:
            arrays: dict[str, Any] = {name: np.asarray(value) for name, value in vars(table).items()}
            np.savez_compressed(stream, **arrays)

    write_atomically(path, write)


def read_table(path: Path, sha256: str) -> Table:
    """Inverse of `write_table`; raises UserError for another file, or one of other weights."""
    content = load_arrays(path)
    try:
        table = Table(**{name: content[name] for name in Table.__dataclass_fields__})
    except (KeyError, TypeError) as error:
        raise UserError(f"{path} is no table of training crops.") from error
    table = replace(table, sha256=str(table.sha256), pictures=int(table.pictures))
    if table.sha256 != sha256:
        raise UserError(f"{path} was measured with other weights ({table.sha256[:12]}).")
    return table
