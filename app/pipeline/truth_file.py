"""Where the ground truth of a source lies, for who has no use for the arithmetic of `app.pipeline.truth`."""

from __future__ import annotations

from pathlib import Path


def truth_file(source: str | Path) -> Path | None:
    """The .npz of the same name beside a clip or picture; None where there is none."""
    path = Path(source).with_suffix(".npz") if Path(source).suffix else None
    return path if path is not None and path.is_file() else None
