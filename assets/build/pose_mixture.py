"""Make the mixture of poses: `python -m assets.build.pose_mixture poses.npz`; seconds.

poses.npz holds poses (N, 24, 3), weight, clip and activity (N,), captured by CMU: "The data used in this
project was obtained from mocap.cs.cmu.edu. The database was created with funding from NSF EIA-0196217."
"""

from __future__ import annotations

import argparse
from pathlib import Path

import assets
from model.array_files import save_npz
from model.data.pictures import read_labels
from model.data.render.pose_mixture import learn_pose_mixture
from model.data.render.poses import held_out, sound
from model.paths import write_atomically


def main() -> None:
    """Learn from the poses that are not kept for validation, and write the asset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("poses", type=Path)
    parser.add_argument("--output", type=Path, default=assets.POSES)
    options = parser.parse_args()
    data = read_labels(options.poses)
    keep = sound(data["poses"]) & ~held_out(data["clip"])
    arrays = learn_pose_mixture(*(data[name][keep] for name in ("poses", "weight", "activity")))
    write_atomically(options.output, lambda file: save_npz(file, arrays))
    print(f"{options.output}: {len(arrays['means'])} Gaussians, {options.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
