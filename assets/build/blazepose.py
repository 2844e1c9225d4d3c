r"""Make the BlazePose weights from Google's own file: python -m assets.build.blazepose.

    pip download --no-deps mediapipe==0.10.14          # holds pose_landmark_full.tflite
    python -m assets.build.blazepose mediapipe-*.whl assets/weights/blazepose-full.safetensors \
        --fixture tests/fixtures/blazepose_full.npz

The heavy variant is in the npm package @mediapipe/pose@0.5.1675469404; give the .tflite file itself then. It
is written in two parts (blazepose-heavy-trunk and -head), each small enough for a repository.
Needs the extra `build` (tflite, ai-edge-litert). Prints the checksums and how far the module is from the
original runtime.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter
from safetensors.torch import save_file

from assets.build.graph import Matcher, lossless_half, match_graph
from assets.build.tflite_reader import TFLiteReader
from model.blazepose import BlazePose, BlazePoseOutput, load_blazepose

FOLDER = "mediapipe/modules/pose_landmark"
FIGURE = Path(__file__).parents[2] / "tests/fixtures/figure.png"
FIXTURE_SLICES = {"fpn64": np.s_[:, :, ::8, ::8], "heatmaps": np.s_[:, :, ::8, ::8], "s32x": np.s_[:, ::8]}
"""What the test fixture keeps of the large outputs."""
TRUNK = ("stem", "levels", "widen", "laterals", "heatmaps")
"""What is in the first part of heavy's weights."""


def tflite_file(source: Path, variant: str, folder: Path) -> Path:
    """The network's file: `source` itself, or unpacked from a wheel into `folder`."""
    if source.suffix != ".whl":
        return source
    with zipfile.ZipFile(source) as wheel:
        path = folder / f"pose_landmark_{variant}.tflite"
        path.write_bytes(wheel.read(f"{FOLDER}/{path.name}"))
    return path


def convert(path: Path, variant: str) -> tuple[Matcher, dict[str, Any]]:
    """Match the file to the module; returns the matcher and the file's tensor of each output."""
    reader = TFLiteReader(path)
    landmarks, presence, _segmentation, heatmaps, world = reader.outputs()
    outputs = {"heatmaps": heatmaps, "landmarks": landmarks, "world": world, "presence": presence}
    matcher = match_graph(BlazePose(variant), reader.ops(), outputs)
    outputs["fpn64"] = matcher.tensor_of["heatmaps"]
    outputs["s32x"] = matcher.tensor_of["laterals.3.0"]
    return matcher, outputs


def original_outputs(path: Path, image: np.ndarray, tensors: dict[str, Any]) -> dict[str, np.ndarray]:
    """Run the file in ai-edge-litert on a (1, 256, 256, 3) image; arrays by name, channels first."""
    interpreter = Interpreter(str(path), experimental_preserve_all_tensors=True, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    arrays = {name: interpreter.get_tensor(index) for name, index in tensors.items()}
    return {name: a.transpose(0, 3, 1, 2) if a.ndim == 4 else a for name, a in arrays.items()}


def parity(network: BlazePose, image: np.ndarray, expected: dict[str, np.ndarray]) -> dict[str, tuple]:
    """(largest difference, largest value) of each output."""
    with torch.no_grad():
        outputs: BlazePoseOutput = network(torch.tensor(image).permute(0, 3, 1, 2))
    errors = {}
    for name, array in expected.items():
        own = getattr(outputs, name).numpy().reshape(array.shape)
        errors[name] = float(np.abs(own - array).max()), float(np.abs(array).max())
    return errors


Weights = dict[str, torch.Tensor]


def parts(weights: Weights, variant: str, result: Path) -> dict[Path, Weights]:
    """Which weights go to which file."""
    if variant == "full":
        return {result: weights}
    trunk = {name: value for name, value in weights.items() if name.split(".")[0] in TRUNK}
    rest = {name: value for name, value in weights.items() if name not in trunk}
    return {result.with_stem(f"{result.stem}-trunk"): trunk, result.with_stem(f"{result.stem}-head"): rest}


def main() -> None:
    """Convert, check, write."""
    parser = argparse.ArgumentParser(description="Convert BlazePose to safetensors.")
    parser.add_argument("source", type=Path, help="mediapipe wheel or pose_landmark_*.tflite")
    parser.add_argument("result", type=Path, help="the .safetensors file to write")
    parser.add_argument("--variant", choices=("full", "heavy"), default="full")
    parser.add_argument("--fixture", type=Path, help="write the original's outputs for the tests here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = tflite_file(arguments.source, arguments.variant, Path(folder))
        matcher, tensors = convert(path, arguments.variant)
        files = parts(lossless_half(matcher.weights), arguments.variant, arguments.result)
        for file, tensors_of_file in files.items():
            save_file(tensors_of_file, file)
        network = load_blazepose(arguments.variant, *files)
        noise = np.random.default_rng(0).random((1, 256, 256, 3), np.float32)
        figure = cv2.cvtColor(np.asarray(cv2.imread(str(FIGURE))), cv2.COLOR_BGR2RGB)[None] / np.float32(255)
        for title, image in {"noise": noise, "figure": figure}.items():
            expected = original_outputs(path, image, tensors)
            for name, (error, size) in parity(network, image, expected).items():
                print(f"{title}, {name}: {error:.2e} of {size:.3g}")
        if arguments.fixture:
            kept = {name: array[FIXTURE_SLICES.get(name, ...)] for name, array in expected.items()}
            np.savez_compressed(arguments.fixture, **kept)
        for file in (path, *files):
            print(f"{file.name}: sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
