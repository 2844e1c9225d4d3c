"""Ship the weights of a training run: `python -m assets.build.weights RUN/weights.safetensors`.

Writes `assets/weights/body-lite.safetensors`, or that of --name: the same tensors, with what is known of them
as metadata.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file, save_file

import assets
from model.config import preset
from model.paths import sha256, write_atomically

FACTS = {
    "source": "trained by this project with `pointhmr train`, see the card beside the file",
    "trained_on": "LSP-extended photographs with fitted bodies, rendered crops, CMU mocap",
    "licence": "research use: LSP-extended's photographs carry no licence; the backbone is Apache-2.0",
}


def main() -> None:
    """Copy with facts, and print the file's hash for the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--name", default="body-lite")
    options = parser.parse_args()
    with safe_open(options.weights, framework="pt") as file:
        metadata = dict(file.metadata() or {})
    target = assets.WEIGHTS / f"{options.name}.safetensors"
    tensors = load_file(options.weights)
    metadata["config"] = preset(options.name).to_json()
    write_atomically(target, lambda path: save_file(tensors, path, metadata | FACTS))
    print(target, target.stat().st_size, sha256(target))


if __name__ == "__main__":
    main()
