"""Make the pose prior: `python -m assets.build.pose_prior poses.npz`; under a minute.

poses.npz holds poses (N, 24, 3) and weight (N,), captured by CMU: "The data used in this project was obtained
from mocap.cs.cmu.edu. The database was created with funding from NSF EIA-0196217."
"""

from __future__ import annotations

import argparse
from pathlib import Path

import assets
from model.array_files import save_npz
from model.data.pictures import read_labels
from model.data.render.poses import held_out, sound
from model.paths import write_atomically
from model.pose_prior import FILE, learn_pose_prior

DRAWS = 30_000


def main() -> None:
    """Learn from the poses that are not kept for validation, and write the asset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("poses", type=Path)
    options = parser.parse_args()
    data = read_labels(options.poses)
    keep = sound(data["poses"]) & ~held_out(data["clip"])
    arrays = learn_pose_prior(data["poses"][keep], data["weight"][keep], DRAWS)
    target = assets.BODY / FILE
    write_atomically(target, lambda file: save_npz(file, arrays))
    print(target, target.stat().st_size)


if __name__ == "__main__":
    main()
