"""Writers of tiny datasets in the forms in which their authors distribute them."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from model.cv import cv2

UPRIGHT = (np.pi, 0.0, 0.0)
"""Root turn from the body's axes (y up) to the camera's (y down)."""


def jpeg(seed: int, height: int = 120, width: int = 160) -> bytes:
    """A picture of smooth noise."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)
    ok, data = cv2.imencode(".jpg", cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))
    assert ok
    return data.tobytes()


def write_tsv(path: Path, rows: list[list[str]]) -> None:
    """A table and its `.lineidx`, as METRO's tsv_writer leaves them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    offsets, text = [], b""
    for row in rows:
        offsets.append(len(text))
        text += ("\t".join(row) + "\n").encode()
    path.write_bytes(text)
    path.with_suffix(".lineidx").write_text("".join(f"{offset}\n" for offset in offsets))


def metro_label(seed: int, **changes: Any) -> dict[str, Any]:
    """One annotation with everything in it."""
    rng = np.random.default_rng(seed)
    pose = rng.normal(0, 0.1, 72)
    pose[:3] = UPRIGHT
    joints3d = rng.normal(0, 0.4, (24, 3))
    label = {
        "center": [80.0, 60.0],
        "scale": 0.5,
        "has_2d_joints": 1,
        "has_3d_joints": 1,
        "has_smpl": 1,
        "2d_joints": [np.c_[joints3d[:, :2] * 50 + [80, 60], np.ones(24)].tolist()],
        "3d_joints": [np.c_[joints3d, np.ones(24)].tolist()],
        "pose": pose.tolist(),
        "betas": rng.normal(0, 0.5, 10).tolist(),
        "gender": "m",
    }
    return label | changes


def write_metro(folder: Path, labels: list[Any], name: str = "train") -> Path:
    """img, label and hw tables, a line list, and the YAML file that names them."""
    keys = [f"S1/Walking.{index:06d}.jpg" for index in range(len(labels))]
    pictures = [base64.b64encode(jpeg(index)).decode() for index in range(len(labels))]
    write_tsv(folder / f"{name}.img.tsv", [list(pair) for pair in zip(keys, pictures, strict=True)])
    texts = [label if isinstance(label, str) else json.dumps([label]) for label in labels]
    write_tsv(folder / f"{name}.label.tsv", [list(pair) for pair in zip(keys, texts, strict=True)])
    size = json.dumps([{"height": 120, "width": 160}])
    write_tsv(folder / f"{name}.hw.tsv", [[key, size] for key in keys])
    (folder / f"{name}.linelist.tsv").write_text("".join(f"{index}\n" for index in range(len(labels))))
    path = folder / f"{name}.yaml"
    parts = {"img": "img", "label": "label", "hw": "hw", "linelist": "linelist"}
    path.write_text("".join(f"{key}: {name}.{part}.tsv\n" for key, part in parts.items()))
    return path


def write_composite(path: Path, parts: list[str], order: list[tuple[int, int]]) -> Path:
    """A composite YAML over tables beside it."""
    path.with_suffix(".linelist.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in order))
    lists = "".join(
        f"{kind}:\n" + "".join(f"- {part}.{kind}.tsv\n" for part in parts) for kind in ("img", "label", "hw")
    )
    path.write_text(f"composite: true\n{lists}linelist: {path.stem}.linelist.tsv\n")
    return path


def pw3d_clip(frames: int, people: int = 1, seed: int = 0) -> dict[str, Any]:
    """A clip of standing people, three metres before a camera that moves sideways."""
    rng = np.random.default_rng(seed)
    pose = rng.normal(0, 0.1, (people, frames, 72))
    pose[:, :, :3] = 0
    cameras = np.tile(np.diag([1.0, -1.0, -1.0, 1.0]), (frames, 1, 1))
    cameras[:, :3, 3] = [0, 0, 3]
    cameras[:, 0, 3] = 0.1 * np.arange(frames)
    detected = rng.uniform(20, 100, (people, frames, 3, 18))
    detected[:, :, 2] = 0.9
    return {
        "sequence": "downtown",
        "poses": list(pose),
        "betas": [rng.normal(0, 0.5, 10) for _ in range(people)],
        "trans": [np.tile([0.5 * person, 0.2, 0.0], (frames, 1)) for person in range(people)],
        "genders": ["m", "f"][:people],
        "cam_poses": cameras,
        "cam_intrinsics": np.array([[100.0, 0, 80], [0, 100.0, 60], [0, 0, 1]]),
        "campose_valid": [np.ones(frames, int) for _ in range(people)],
        "img_frame_ids": np.arange(frames),
        "poses2d": list(detected),
    }


def write_pw3d(folder: Path, part: str, clips: dict[str, dict[str, Any] | bytes]) -> Path:
    """imageFiles and sequenceFiles; bytes are written as they are."""
    for name, clip in clips.items():
        target = folder / "sequenceFiles" / part / f"{name}.pkl"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(clip if isinstance(clip, bytes) else pickle.dumps(clip, protocol=2))
        images = folder / "imageFiles" / name
        images.mkdir(parents=True, exist_ok=True)
        for frame in range(0 if isinstance(clip, bytes) else len(clip["cam_poses"])):
            (images / f"image_{frame:05d}.jpg").write_bytes(jpeg(frame))
    return folder


def write_freihand(folder: Path, part: str, keypoints: np.ndarray, verts: np.ndarray | None = None) -> Path:
    """Pictures and lists of hands before a camera. keypoints: (N, 21, 3), verts: (N, V, 3) in metres."""
    images = folder / part / "rgb"
    images.mkdir(parents=True, exist_ok=True)
    lists: dict[str, list[Any]] = {
        "K": [[[500.0, 0, 112], [0, 500.0, 112], [0, 0, 1]]] * len(keypoints),
        "xyz": keypoints.tolist(),
        "scale": [0.03] * len(keypoints),
        "mano": [[np.zeros(61).tolist()]] * len(keypoints),
    }
    if verts is not None:
        lists["verts"] = verts.tolist()
    for name, values in lists.items():
        (folder / f"{part}_{name}.json").write_text(json.dumps(values))
    for index in range(len(keypoints)):
        (images / f"{index:08d}.jpg").write_bytes(jpeg(index, 224, 224))
    return folder
