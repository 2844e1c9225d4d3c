"""3DPW as its authors distribute it: imageFiles/CLIP/image_00000.jpg and sequenceFiles/PART/CLIP.pkl.

Each clip has one or two people, gendered SMPL in world axes, and a moving camera. von Marcard et al.,
"Recovering Accurate 3D Human Pose in The Wild" (ECCV 2018). Over the free body, whose vertices, poses and
shapes are others, only the joints are labels.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from model.array_files import load_arrays
from model.data.people import Bodies, Labels, joint_box, make_sample, project_pinhole, turn_root
from model.data.pictures import read_picture
from model.data.sample import Gender, Sample
from model.errors import UserError

logger = logging.getLogger(__name__)

Part = Literal["train", "validation", "test"]
LEAST_JOINTS = 6
"""Detected joints that a frame must have to be used (SPIN)."""
_GENDERS: dict[str, Gender] = {"m": "male", "f": "female"}


@dataclass(frozen=True)
class Track:
    """One person of one clip, frames of valid cameras only."""

    clip: str
    person: int
    gender: Gender
    pose: np.ndarray
    """(F, 24, 3) in world axes."""
    trans: np.ndarray
    """(F, 3)."""
    betas: np.ndarray
    """(10,)."""
    cameras: np.ndarray
    """(F, 4, 4) world to camera."""
    intrinsics: np.ndarray
    """(3, 3)."""
    detected: np.ndarray
    """(F, 18, 3) OpenPose joints with confidence: where the box comes from."""
    frames: np.ndarray
    """(F,) numbers in the clip's pickle, and of its pictures."""


class Pw3dDataset:
    """Every person in every frame with a valid camera. A clip that cannot be read is told and left out."""

    def __init__(self, folder: Path, part: Part, bodies: Bodies) -> None:
        self.name = f"3dpw-{part}"
        self._images = folder / "imageFiles"
        self._bodies = bodies
        paths = sorted((folder / "sequenceFiles" / part).glob("*.pkl"))
        if not paths:
            raise UserError(f"{folder} holds no sequenceFiles/{part}/*.pkl of 3DPW.")
        self._tracks = [track for path in paths for track in _tracks_or_report(path)]
        pairs = [(t, f) for t, track in enumerate(self._tracks) for f in range(len(track.frames))]
        if not pairs:
            raise UserError(f"No clip of 3DPW in {folder} can be used.")
        self._index = np.array(pairs)

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, index: int) -> Sample:
        number, row = self._index[index]
        track = self._tracks[number]
        frame = int(track.frames[row])
        camera = track.cameras[row].astype(float)
        body = self._bodies.of(track.gender)
        world = self._bodies.mesh(track.pose[row], track.betas, track.gender) + track.trans[row]
        mesh = world @ camera[:3, :3].T + camera[:3, 3]
        joints3d = body.keypoint_regressor.numpy() @ mesh
        joints2d = project_pinhole(joints3d, track.intrinsics)
        key = f"{track.clip}/image_{frame:05d}.jpg:{track.person}"
        labels = Labels(
            joints2d=np.c_[joints2d, np.ones(len(joints2d))],
            joints3d=joints3d,
            gender=track.gender,
            key=key,
            sequence=f"{track.clip}:{track.person}",
            frame=frame,
        )
        if body.kind == self._bodies.neutral.kind:
            labels = replace(
                labels,
                mesh=mesh,
                mesh2d=project_pinhole(mesh, track.intrinsics),
                pose=turn_root(track.pose[row], camera[:3, :3]),
                betas=track.betas,
            )
        image = read_picture(self._images / track.clip / f"image_{frame:05d}.jpg")
        return make_sample(self._bodies.neutral, image, *joint_box(track.detected[row]), labels)


def _tracks_or_report(path: Path) -> list[Track]:
    try:
        return read_tracks(path)
    except UserError as error:
        logger.warning("left out: %s", error)
        return []


def read_tracks(path: Path) -> list[Track]:
    """The people of one clip; raises UserError when the pickle is damaged, hostile, or another one."""
    content = load_arrays(path)
    try:
        people = range(len(content["poses"]))
        return [track for person in people for track in [_track(content, path, person)] if len(track.frames)]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise UserError(f"{path.name} is no clip of 3DPW ({type(error).__name__}: {error}).") from error


def _track(content: dict[str, Any], path: Path, person: int) -> Track:
    pose = np.asarray(content["poses"][person], np.float32).reshape(-1, 24, 3)
    count = len(pose)
    detected = np.asarray(content["poses2d"][person], np.float32).reshape(count, 3, 18).swapaxes(1, 2)
    trans = np.asarray(content["trans"][person], np.float32).reshape(count, 3)
    cameras = np.asarray(content["cam_poses"], np.float32)[:count].reshape(count, 4, 4)
    good = np.asarray(content["campose_valid"][person]).astype(bool).reshape(count)
    good &= (detected[..., 2] > 0).sum(axis=1) >= LEAST_JOINTS
    finite = [np.isfinite(values).reshape(count, -1).all(axis=1) for values in (pose, trans, cameras)]
    damaged = good & ~np.logical_and.reduce(finite)
    if damaged.any():
        logger.warning("left out: %d frames of %s are not finite", damaged.sum(), path.name)
    kept = np.flatnonzero(good & ~damaged)
    return Track(
        clip=path.stem,
        person=person,
        gender=_GENDERS[str(content["genders"][person])],
        pose=pose[kept],
        trans=trans[kept],
        betas=np.asarray(content["betas"][person], np.float32).ravel()[:10],
        cameras=cameras[kept],
        intrinsics=np.asarray(content["cam_intrinsics"], float).reshape(3, 3),
        detected=detected[kept],
        frames=kept,
    )
