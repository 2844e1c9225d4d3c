"""Keep the first validation crops: `python -m assets.build.validation APPEARANCE POSES`; some four minutes.

APPEARANCE is the full folder of garments, hair and panoramas, POSES the captured poses: together they draw
the very pictures that `pointhmr evaluate --preset embedded --appearance APPEARANCE --motion POSES` draws, and
are kept as it looks at them: cropped, people turned upright. What is lost is lost by compression alone.
"""

from __future__ import annotations

import argparse
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

import assets
from model.array_files import save_npz
from model.body import BodyModel, load_body
from model.cv import cv2
from model.data.augment import NO_AUGMENTATION, crop_sample
from model.data.crops import BETWEEN, IMAGES, LABELS
from model.data.people import turn_root
from model.data.render.camera import REGION
from model.data.render.studio import Shot
from model.data.sample import Sample, rotation
from model.data.synthetic import SyntheticDataset
from model.hierarchy import load_hierarchy
from model.paths import write_atomically

COUNT = 500
"""As many as the table of a model's card is measured on."""
QUALITY = 100
"""Of WebP: still lossy. Below it more single meshes tip over: the networks are that touchy."""
DATE = (1980, 1, 1, 0, 0, 0)
"""In the archive, so that the same pictures are the same file."""
EXACT = 1e-4
"""Metres by which the body posed anew may miss the one that was drawn."""


def main() -> None:
    """Draw, and write pictures and labels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("appearance", type=Path)
    parser.add_argument("poses", type=Path)
    parser.add_argument("--output", type=Path, default=assets.VALIDATION)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--quality", type=int, default=QUALITY)
    options = parser.parse_args()
    body = load_body()
    dataset = SyntheticDataset(options.appearance, options.poses, "val", body, load_hierarchy())
    pictures: dict[str, bytes] = {}
    rows: list[dict[str, np.ndarray]] = []
    for index in tqdm(range(options.count)):
        shot = dataset.shot(index)
        name = f"{index:04d}.webp"
        picture, row = kept(shot, dataset.sample_of(shot, index), body)
        pictures[name] = _encoded(picture, options.quality)
        rows.append(row | {"name": np.array(name)})
    columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    for name, write in (
        (IMAGES, partial(_write_pictures, pictures)),
        (LABELS, lambda file: save_npz(file, columns)),
    ):
        write_atomically(options.output / name, write)
        print(options.output / name, (options.output / name).stat().st_size)


def kept(shot: Shot, sample: Sample, body: BodyModel) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The upright crop (REGION, REGION, 3) of a drawn picture, and its labels but for its name."""
    upright = replace(NO_AUGMENTATION, upright=True)
    crop = crop_sample(sample, REGION, upright, np.random.default_rng(0), None)
    told = {"key": np.array(sample.key), "kinds": np.array(BETWEEN.join(sample.kinds))}
    return crop.image, told | _labels(shot, sample, crop, body)


def _encoded(image: np.ndarray, quality: int) -> bytes:
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, quality])[1])


@torch.no_grad()
def _labels(shot: Shot, sample: Sample, crop: Sample, body: BodyModel) -> dict[str, np.ndarray]:
    """The body, its place and the camera of a crop: turning a picture is turning the camera about its axis.

    Raises ValueError when they do not give the labels of the crop.
    """
    turn = rotation(sample.roll)
    around = np.eye(3)
    around[:2, :2] = turn
    pose, betas = turn_root(shot.pose, around).astype(np.float32), shot.betas.astype(np.float32)
    vertices = body(torch.from_numpy(pose[None]), torch.from_numpy(betas[None]))[0][0].numpy()
    points = shot.points @ around.T
    translation = (points - vertices).mean(axis=0, dtype=np.float64)
    missed = float(np.abs(vertices + translation - points).max())
    if missed > EXACT:
        raise ValueError(f"the body posed anew misses the drawn one by {1000 * missed:.3f} mm")
    middle = turn @ (shot.view.intrinsics[1:] - sample.centre) + REGION / 2
    return {
        "pose": pose,
        "betas": betas,
        "translation": translation.astype(np.float32),
        "intrinsics": np.array([shot.view.intrinsics[0], *middle], np.float32),
        "person": np.packbits(crop.person, axis=-1),
    }


def _write_pictures(pictures: dict[str, bytes], path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in pictures.items():
            archive.writestr(zipfile.ZipInfo(name, DATE), data)


if __name__ == "__main__":
    main()
