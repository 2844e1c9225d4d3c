"""`pointhmr reconstruct` on many processes: each takes every n-th input, the first one joins the results."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from app.export.result import NAME
from app.pipeline.sources import FolderSource, SourceError, open_source
from model.errors import UserError
from model.json_text import parse_json
from model.paths import write_atomically
from model.training.distributed import Ranks, process_group

PATIENCE = timedelta(days=7)
"""How long one process may be done before the others."""


def share_of(inputs: Sequence[str], ranks: Ranks) -> list[str]:
    """The inputs of this process; folders count by their pictures, and broken ones of those are told."""
    given = set(inputs)
    mine = all_inputs(inputs)[ranks.rank :: ranks.world]
    return [name for name in mine if name in given or _readable(name)]


def _readable(name: str) -> bool:
    try:
        source = open_source(name)
        source.read()
        source.close()
    except SourceError as error:
        sys.stderr.write(f"pointhmr: {error}\n")
        return False
    return True


def all_inputs(inputs: Sequence[str]) -> list[str]:
    """Files only, in their order. Raises UserError for an input that is unusable."""
    files: list[str] = []
    for spec in inputs:
        source = open_source(spec)
        files += [str(path) for path in source.paths] if isinstance(source, FolderSource) else [spec]
        source.close()
    return files


def rank_folder(output: Path, rank: int) -> Path:
    """Where a process puts its own part."""
    return output / f"rank-{rank:03d}"


def join(output: Path, inputs: Sequence[str], ranks: Ranks) -> Path:
    """Wait for all processes; the first one writes the result of all, in the order of the inputs."""
    with process_group(ranks, torch.device("cpu"), PATIENCE):
        dist.barrier()
        if ranks.first:
            merge(output, inputs, ranks.world)
        dist.barrier()
    return output / NAME


def merge(output: Path, inputs: Sequence[str], world: int) -> None:
    """One result.json out of those of the processes, whose meshes stay where they are."""
    place = {str(Path(name).resolve()): number for number, name in enumerate(all_inputs(inputs))}
    head: dict[str, Any] | None = None
    frames: list[dict[str, Any]] = []
    for rank in range(world):
        folder = rank_folder(output, rank)
        try:
            content = parse_json((folder / NAME).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"The part in {folder} cannot be read: {error}.") from error
        head = head or {key: value for key, value in content.items() if key != "frames"}
        frames += [_moved(frame, folder.name) for frame in content["frames"]]
    last = len(place)
    frames.sort(key=lambda frame: (place.get(str(Path(frame["source"]).resolve()), last), frame["index"]))
    text = json.dumps({**(head or {}), "frames": frames}, indent=1)
    write_atomically(output / NAME, lambda file: file.write_text(text + "\n", encoding="utf-8"))


def _moved(frame: dict[str, Any], folder: str) -> dict[str, Any]:
    people = [{**person, "vertices": f"{folder}/{person['vertices']}"} for person in frame["people"]]
    return {**frame, "people": people}
