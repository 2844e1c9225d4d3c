"""Find and reconstruct people in pictures, clips and folders, without a window.

Writes OUTPUT/result.json (boxes, joints, cameras) and the meshes beside it. Under torchrun the inputs (the
pictures of folders too) are shared by the processes; OUTPUT/result.json is that of all.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tqdm import tqdm

from app.commands.options import (
    add_masks_argument,
    add_mirror_argument,
    add_model_arguments,
    box,
    read_boxes,
    strength,
)
from app.commands.shards import join, rank_folder, share_of
from app.export.colours import vertex_colours
from app.export.mesh import Origin
from app.export.people import camera_of, meshes_of
from app.export.presets import PRESETS, Y_UP_METRES, Preset
from app.export.result import ResultWriter, remove_result
from app.export.writers import WRITERS
from app.pipeline.frames import Frame, Hops, PersonBox, Record
from app.pipeline.loading import load_pipeline
from app.pipeline.pipeline import Pipeline
from app.pipeline.reconstructor import Reconstructor
from app.pipeline.sources import (
    FolderSource,
    Source,
    SourceError,
    VideoSource,
    camera_index,
    open_source,
)
from app.pipeline.speed import speed_up
from app.pipeline.steady import Steadier
from app.takes.recorder import Recorder, forget
from app.takes.take import Made
from app.takes.take_file import save_take
from model.errors import UserError
from model.mirror import check_mirror
from model.training.distributed import Ranks, ranks_of_environment

FORMATS = ("json", *WRITERS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("input", nargs="+", help="pictures, clips or folders of pictures")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--box", type=box, metavar="X,Y,W,H", help="the person, in pixels: no detection")
    parser.add_argument("--boxes", type=Path, metavar="FILE", help="JSON: {picture path: [[x,y,w,h], …]}")
    parser.add_argument("--all-people", action="store_true", help="everybody, not only the largest person")
    parser.add_argument("--format", type=formats, default=("json",), metavar=",".join(FORMATS))
    parser.add_argument(
        "--preset", choices=tuple(PRESETS), help="axes and unit of the meshes for this program"
    )
    parser.add_argument(
        "--isolate", action="store_true", help="keep each person's heatmaps off the others (needs several)"
    )
    parser.add_argument(
        "--smooth",
        type=strength,
        default=1.0,
        metavar="0…1",
        help="how much clips are smoothed over time (pictures and given boxes never are); 0: not at all",
    )
    parser.add_argument(
        "--camera", action="store_true", help="the meshes stand so that they lie over the picture"
    )
    parser.add_argument("--colours", action="store_true", help="the meshes show the body's parts by colour")
    parser.add_argument("--take", type=Path, metavar="FILE", help="also record a take, for `pointhmr export`")
    add_masks_argument(parser)
    add_mirror_argument(parser)
    add_model_arguments(parser)


def formats(text: str) -> tuple[str, ...]:
    """'json,obj' -> what to write; JSON always is."""
    wanted = tuple(part.strip() for part in text.split(","))
    unknown = [part for part in wanted if part not in FORMATS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no format {unknown[0]!r}; there are {', '.join(FORMATS)}")
    return wanted


@dataclass(frozen=True)
class Job:
    """What to do with every input."""

    inputs: Sequence[str]
    output: Path
    hops: Hops
    formats: tuple[str, ...] = ("json",)
    preset: Preset = Y_UP_METRES
    all_people: bool = False
    box: PersonBox | None = None
    boxes: dict[str, list[PersonBox]] | None = None
    isolate: bool = False
    mirror: bool = False
    camera: bool = False
    colours: bool = False
    take: Path | None = None
    smoothing: float = 1.0
    """Of clips whose people are found and followed, in [0, 1]."""

    def boxes_for(self, path: str) -> list[PersonBox] | None:
        """Boxes given for a picture by any of its names; None where detection is wanted."""
        if self.box is not None:
            return [self.box]
        if self.boxes is None:
            return None
        by_path = {Path(name).resolve(): boxes for name, boxes in self.boxes.items()}
        return by_path.get(Path(path).resolve(), [])


@dataclass(frozen=True)
class Outcome:
    """What became of a job."""

    result: Path
    frames: int
    people: int
    seconds: float

    @property
    def sentence(self) -> str:
        """For the person at the keyboard."""
        pace = self.frames / max(self.seconds, 1e-9)
        return (
            f"{self.people} people in {self.frames} pictures, {self.seconds:.1f} s "
            f"({pace:.1f} pictures a second): {self.result}"
        )


def run(options: argparse.Namespace) -> int:
    """Reconstruct every input; exit code 2 when an input is unusable."""
    boxes = None if options.boxes is None else read_boxes(options.boxes)
    job = Job(
        options.input,
        options.output,
        options.masks,
        options.format,
        PRESETS.get(options.preset, Y_UP_METRES),
        options.all_people,
        options.box,
        boxes,
        options.isolate,
        options.mirror,
        options.camera,
        options.colours,
        options.take,
        options.smooth,
    )
    if job.take is not None and len(job.inputs) > 1:
        raise UserError("A take is of one input: give one clip or folder with --take.")
    for spec in job.inputs:
        if camera_index(spec) is not None:
            raise UserError("A camera has no end: `pointhmr camera` shows it in the window.")
        open_source(spec).close()
    ranks = ranks_of_environment()
    if job.take is not None and ranks.world > 1:
        raise UserError("A take is recorded by one process: leave --take out under torchrun.")
    _take_card(ranks, options.device)
    pipeline, reconstructor = load_pipeline(options.weights, options.body, options.device)
    if job.mirror:
        check_mirror(reconstructor.network)
    if reconstructor.notice:
        sys.stderr.write(f"pointhmr: {reconstructor.notice}\n")
    if ranks.world > 1:
        remove_result(job.output)
        mine = replace(job, inputs=share_of(job.inputs, ranks), output=rank_folder(job.output, ranks.rank))
        outcome = reconstruct(mine, pipeline, reconstructor)
        outcome = replace(outcome, result=join(job.output, job.inputs, ranks))
    else:
        outcome = reconstruct(job, pipeline, reconstructor)
    sys.stdout.write(outcome.sentence + "\n")
    return 0


def _take_card(ranks: Ranks, device: str) -> None:
    """Make "cuda" mean another card in each process of a machine; where there are fewer, they share them."""
    if ranks.world > 1 and device != "cpu" and torch.cuda.is_available():
        torch.cuda.set_device(ranks.local % torch.cuda.device_count())


def reconstruct(job: Job, pipeline: Pipeline, reconstructor: Reconstructor) -> Outcome:
    """The job on a loaded pipeline. Every input is a take of its own; pictures know nothing of each other."""
    model = {"name": reconstructor.model_name, "sha256": reconstructor.sha256}
    writer = ResultWriter(job.output, model, reconstructor.body.name)
    pipeline.tracker.follow(job.all_people, None)
    frames = people = 0
    hurried, steady = False, Steadier()
    recorder = None if job.take is None else Recorder(made_by(reconstructor, job.inputs[0]))
    start = time.perf_counter()
    for spec in job.inputs:
        source = open_source(spec)
        if isinstance(source, VideoSource) and not hurried:
            speed_up(reconstructor)
            hurried = True
        pipeline.reset()
        steady.forget()
        smoothing = job.smoothing if isinstance(source, VideoSource) else 0.0
        bar = tqdm(total=source.length, desc=source.name, unit=" pictures", disable=not sys.stderr.isatty())
        for frame in read_all(source):
            if isinstance(source, FolderSource):
                pipeline.reset()
            boxes = job.boxes_for(frame.source)
            record = pipeline.process(frame, job.hops, boxes, isolate=job.isolate, mirror=job.mirror)
            record = steady(record, smoothing if boxes is None else 0.0)
            stem = writer.add(record)
            if recorder is not None:
                recorder.add(record)
            if record.people:
                export_record(job, stem, record, reconstructor)
            frames, people = frames + 1, people + len(record.people)
            bar.update()
        bar.close()
    result = writer.close()  # Before the take, which may not be writable where it is wanted.
    if recorder is not None and job.take is not None:
        keep_take(job.take, recorder)
    return Outcome(result, frames, people, time.perf_counter() - start)


def made_by(reconstructor: Reconstructor, source: str) -> Made:
    """What a take says of what made it."""
    body = reconstructor.body
    return Made(reconstructor.model_name, reconstructor.sha256, body.name, body.sha256, source)


def keep_take(path: Path, recorder: Recorder) -> None:
    """End a recording and save its take; the recording stays if that fails. Raises UserError."""
    save_take(path, recorder.finish())
    forget(recorder.path)
    if recorder.ended:
        sys.stderr.write(f"pointhmr: {recorder.ended}\n")


def read_all(source: Source) -> Iterator[Frame]:
    """Every readable frame; a broken one is told on stderr and left out, unless it is the only one."""
    try:
        while True:
            try:
                frame = source.read()
            except SourceError as error:
                if source.length == 1 or source.length is None:
                    raise
                sys.stderr.write(f"pointhmr: {error}\n")
                continue
            if frame is None:
                return
            yield frame
    finally:
        source.close()


def export_record(job: Job, stem: str, record: Record, reconstructor: Reconstructor) -> None:
    """All people of a frame as one file of each wanted format."""
    body = reconstructor.body
    arrays = body.data.arrays
    colours = vertex_colours(body.part_names, body.part_of_vertex) if job.colours else None
    meshes = meshes_of(record, body.faces, arrays.get("vt"), arrays.get("ft"), job.camera, colours)
    height, width = record.frame.image.shape[:2]
    camera = camera_of(width, height) if job.camera else None
    origin = Origin(reconstructor.model_name, reconstructor.sha256, record.hops, camera=camera)
    for ending in job.formats:
        if ending in WRITERS:
            WRITERS[ending](job.output / f"{stem}.{ending}", meshes, job.preset, origin)
