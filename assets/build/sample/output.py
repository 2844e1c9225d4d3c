"""Writes what was rendered: an H.264 clip, a JPEG, and the ground truth. Every write is atomic."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from assets.build.sample.camera import Camera
from assets.build.sample.person import Person

FPS = 30
RIGHT_HIP, LEFT_HIP = 2, 3


def write_clip(path: Path, frames: Iterable[np.ndarray], camera: Camera) -> None:
    """Encode RGB frames (h, w, 3) uint8 with ffmpeg; raises CalledProcessError when it fails."""
    partial = path.with_name(f".{path.name}.part.mp4")
    command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{camera.width}x{camera.height}", "-r", str(FPS), "-i", "-", "-an"]
    # One thread and no encoder tags: the same frames make the same file.
    command += ["-c:v", "libx264", "-threads", "1", "-preset", "slow", "-crf", "19", "-pix_fmt", "yuv420p"]
    command += ["-vf", "scale=out_color_matrix=bt709", "-colorspace", "bt709", "-color_primaries", "bt709"]
    command += ["-color_trc", "bt709", "-fflags", "+bitexact", "-flags:v", "+bitexact"]
    command += ["-movflags", "+faststart", str(partial)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
        assert encoder.stdin is not None
        for frame in frames:
            encoder.stdin.write(frame.tobytes())
        encoder.stdin.close()
        code = encoder.wait()
    if code:
        raise subprocess.CalledProcessError(code, command)
    partial.replace(path)


def write_still(path: Path, image: np.ndarray) -> None:
    """Save an RGB picture (h, w, 3) uint8 as JPEG."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(data.tobytes())
    partial.replace(path)


def ground_truth(
    person: Person, camera: Camera, poses: np.ndarray, path: np.ndarray
) -> dict[str, np.ndarray]:
    """Labels of T frames.

    joints3d (T, 14, 3) float32, skeleton (T, 24, 3) float32 and vertices (T, 431, 3) float16: metres, camera
    axes, origin at the mid-hip of joints3d. joints3d come from the mesh by its regressor, as a network's do,
    so limbs stretch a little as the skin does; skeleton holds the joints that the skin turns about;
    mid_hip (T, 3) float32: that origin from the camera; joints2d (T, 14, 2) float32 pixels;
    betas (10,), intrinsics (fx, fy, cx, cy), rotation (3, 3) world to camera,
    position (3,) of the camera, size (w, h), fps. LSP joint order.
    """
    body = person.body
    betas = np.array(person.look.betas)
    steps = list(zip(poses, path, strict=True))
    world = np.stack([body.posed(pose, betas) + offset for pose, offset in steps])
    skeleton = np.stack([body.posed_joints(pose, betas) + offset for pose, offset in steps])
    joints = np.stack([body.lsp_regressor @ vertices for vertices in world])
    local = camera.to_camera(joints)
    origin = (local[:, RIGHT_HIP] + local[:, LEFT_HIP]) / 2
    coarse = camera.to_camera(world[:, body.coarse]) - origin[:, None]
    return {
        "joints3d": (local - origin[:, None]).astype(np.float32),
        "skeleton": (camera.to_camera(skeleton) - origin[:, None]).astype(np.float32),
        "joints2d": camera.project(joints).astype(np.float32),
        "vertices": coarse.astype(np.float16),
        "mid_hip": origin.astype(np.float32),
        "betas": betas.astype(np.float32),
        "intrinsics": camera.intrinsics.astype(np.float32),
        "rotation": camera.rotation.astype(np.float32),
        "position": np.array(camera.position, dtype=np.float32),
        "size": np.array([camera.width, camera.height]),
        "fps": np.array(FPS),
    }


def write_truth(path: Path, truth: dict[str, np.ndarray]) -> None:
    """Save `ground_truth` compressed."""
    partial = path.with_name(f".{path.name}.part.npz")
    np.savez_compressed(partial, **truth)  # type: ignore[arg-type]
    partial.replace(path)
