"""Pictures with annotated joints -> cut-outs with fitted bodies, in the form that `LspetDataset` reads."""

from __future__ import annotations

import hashlib
import logging
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from model.array_files import save_npz
from model.blazepose import BlazePose
from model.body import BodyModel
from model.cv import cv2
from model.data.augment import warp
from model.data.keypoints import Annotated
from model.data.sample import rotation, upright_roll
from model.errors import UserError
from model.fit_keypoints import Evidence, Fitted, fit_people
from model.paths import write_atomically
from model.pose_prior import PosePrior

logger = logging.getLogger(__name__)
CROP = 256
"""Side of what BlazePose sees."""
CROP_SCALE = 1.5
"""Side of that square over the annotated joints' extent."""
KEPT_SCALE, LARGEST = 2.0, 512
"""The same of the square that is kept of each picture, and its side in pixels at most."""
WORST_RESIDUAL, WORST_BONES = 0.08, 45.0
"""Over the person's extent, and degrees: fits beyond these are marked not to be used."""
VALIDATION_SHARE = 16
"""One person in so many, by the hash of the key, is for validation."""
_JPEG = 90


@dataclass(frozen=True)
class Square:
    """A turned square of a picture: kept pixels = (R(roll) pixels) * scale + offset."""

    linear: np.ndarray
    offset: np.ndarray

    @classmethod
    def about(cls, middle: np.ndarray, side: float, roll: float, size: int) -> Square:
        """Around a point of the picture, turned by a roll, `size` pixels wide."""
        linear = rotation(roll) * (size / side)
        return cls(linear, size / 2 - linear @ middle)

    def of(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) pixels of the picture -> of the square."""
        return np.asarray(points @ self.linear.T + self.offset)

    def back(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) pixels of the square -> of the picture."""
        return np.asarray((points - self.offset) @ np.linalg.inv(self.linear).T)


@dataclass(frozen=True)
class Prepared:
    """One person before the fit: a kept picture, and evidence in the upright crop."""

    key: str
    image: np.ndarray
    joints2d: np.ndarray
    """(14, 3) in pixels of the kept picture."""
    upright: Square
    """From the kept picture to the crop of the evidence."""
    roll: float
    evidence: Evidence
    """Of this one person."""


@torch.no_grad()
def prepare(person: Annotated, network: BlazePose) -> Prepared:
    """Cut out a person and ask the landmark network. Raises UserError when the picture cannot be read."""
    image = person.read()
    seen = person.joints2d[:, 2] > 0
    low, high = person.joints2d[seen, :2].min(0), person.joints2d[seen, :2].max(0)
    middle, extent = (low + high) / 2, float((high - low).max())
    size = int(min(KEPT_SCALE * extent, LARGEST))
    kept = Square.about(middle, KEPT_SCALE * extent, 0.0, size)
    picture = warp(image, np.c_[kept.linear, kept.offset], size / (KEPT_SCALE * extent), size)
    joints2d = np.column_stack([np.where(seen[:, None], kept.of(person.joints2d[:, :2]), 0), seen])
    roll = upright_roll(joints2d)
    side = CROP_SCALE * size / KEPT_SCALE
    upright = Square.about(np.full(2, size / 2), side, roll, CROP)
    crop = warp(picture, np.c_[upright.linear, upright.offset], CROP / side, CROP)
    output = network(torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 255)
    marks = output.landmarks[:, :33].numpy()
    evidence = Evidence(
        np.column_stack([upright.of(joints2d[:, :2]), seen])[None],
        marks[..., :2],
        output.world[:, :33].numpy(),
        torch.from_numpy(marks[..., 3]).sigmoid().numpy(),
        output.presence.numpy(),
    )
    return Prepared(person.key, picture, joints2d, upright, roll, evidence)


def fit_all(
    people: Iterable[Annotated],
    network: BlazePose,
    body: BodyModel,
    prior: PosePrior,
    folder: Path,
    batch: int,
) -> dict[str, np.ndarray]:
    """Fit everybody and write the folder; returns the labels.

    Pictures that cannot be read are told and left out.

    Raises UserError when nobody is left or the disk refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, np.ndarray]] = []

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            waiting: list[Prepared] = []
            for person in people:
                try:
                    waiting.append(prepare(person, network))
                except UserError as error:
                    logger.warning("left out: %s", error)
                if len(waiting) == batch:
                    rows.append(_fitted(waiting, body, prior, archive))
                    waiting = []
            if waiting:
                rows.append(_fitted(waiting, body, prior, archive))
        if not rows:
            raise UserError("Nobody in these pictures could be fitted.")

    write_atomically(folder / "lspet_images.zip", write)
    labels = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    write_atomically(folder / "lspet_labels.npz", lambda file: save_npz(file, labels))
    return labels


def _fitted(
    people: list[Prepared], body: BodyModel, prior: PosePrior, archive: zipfile.ZipFile
) -> dict[str, np.ndarray]:
    """Fit one batch, store its pictures, and give its labels in the axes and pixels of these."""
    evidence = Evidence(
        *(np.concatenate(parts) for parts in zip(*(vars(p.evidence).values() for p in people), strict=True))
    )
    fitted = fit_people(body, prior, evidence)
    for person in people:
        good, data = cv2.imencode(
            ".jpg", cv2.cvtColor(person.image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG]
        )
        if not good:
            raise UserError(f"The picture of {person.key} cannot be encoded.")
        archive.writestr(f"{person.key}.jpg", data.tobytes())
    pose, camera = turned_back(people, fitted)
    bent = np.nan_to_num(fitted.bones, nan=0.0)
    return {
        "name": np.array([f"{person.key}.jpg" for person in people]),
        "joints2d": np.stack([person.joints2d for person in people]).astype(np.float32),
        "pose": pose.astype(np.float32),
        "betas": fitted.betas,
        "camera": camera.astype(np.float32),
        "residual2d": fitted.residual,
        "residual3d": fitted.bones,
        "confidence3d": fitted.confidence,
        "val": np.array([_for_validation(person.key) for person in people]),
        "keep": (fitted.residual <= WORST_RESIDUAL) & (bent <= WORST_BONES),
    }


def turned_back(people: list[Prepared], fitted: Fitted) -> tuple[np.ndarray, np.ndarray]:
    """Poses (N, 24, 3) and cameras (N, 3) in the axes and pixels of the kept pictures."""
    pose, camera = fitted.pose.astype(float), fitted.camera.astype(float)
    for row, person in enumerate(people):
        back = Rotation.from_euler("z", -person.roll)
        pose[row, 0] = (back * Rotation.from_rotvec(pose[row, 0])).as_rotvec()
        camera[row, 0] /= np.sqrt(abs(np.linalg.det(person.upright.linear)))
        camera[row, 1:] = person.upright.back(camera[row, 1:])
    return pose, camera


def _for_validation(key: str) -> bool:
    return hashlib.sha256(key.encode()).digest()[0] % VALIDATION_SHARE == 0
