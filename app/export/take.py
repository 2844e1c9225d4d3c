"""One front for all that a take can be written as; windows and commands use no other."""

from __future__ import annotations

from pathlib import Path

from app.export.take_options import KINDS, TakeOptions, Watch
from app.export.take_writers import WRITERS, Exported
from app.takes import edit
from app.takes.take import Take
from app.takes.take_file import check
from model.body import BodyModel
from model.errors import UserError


def prepared(take: Take, options: TakeOptions, watch: Watch | None = None) -> Take:
    """The take after the options' people, gaps, smoothing and range, at its own times.

    Raises UserError when nothing is left or the export was cancelled.
    """
    watch = watch or Watch()
    if options.people:
        take = edit.only(take, options.people)
    take = edit.edited(take, options.edit, watch.at)
    take = edit.trimmed(take, options.start, take.duration if options.end is None else options.end)
    if not take.people:
        raise UserError("There is no person to export.")
    check(take)
    return take


def export_take(
    take: Take, body: BodyModel, path: Path, options: TakeOptions, watch: Watch | None = None
) -> Exported:
    """Write a take as `options.kind`, whole or not at all.

    body: that of the take. Raises UserError in one sentence when it is another one, there is nothing to
    export, the options are impossible, the disk refuses, or the export was cancelled.
    """
    watch, kind = watch or Watch(), KINDS.get(options.kind)
    if kind is None:
        raise UserError(f"There is no format {options.kind!r}; there are {', '.join(KINDS)}.")
    if any(person.vertices.shape[1] != body.num_vertices for person in take.people):
        raise UserError(f"The take was made with another body ({take.made.body}) than the {body.name}.")
    watch.at(0.0)
    ready = prepared(take, options, watch.within(0.0, 0.2))
    if not kind.needs_fit:
        ready = edit.resampled(ready, options.rate)
    if kind.most_frames and len(ready) > kind.most_frames:
        raise UserError(
            f"{kind.title} is for short clips: {kind.most_frames} frames at most, not {len(ready)}."
        )
    result = WRITERS[options.kind](ready, body, path, options, watch.within(0.2, 1.0))
    watch.progress(1.0)
    return result
