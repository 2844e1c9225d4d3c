"""Many frames as one folder of files, whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from app.export.mesh import NamedMesh, Origin
from app.export.obj import library_beside, write_material, write_obj
from app.export.presets import Preset
from app.export.writers import WRITERS
from model.errors import UserError
from model.temporaries import replace_folder, temporary_folder

_BY_FILE_MANAGERS = {".DS_Store", "Thumbs.db", "desktop.ini", ".directory"}
"""Left in a folder by who only looked into it."""
CANCELLED = "The export was cancelled; nothing was changed."


def write_sequence(
    folder: Path,
    frames: Iterable[tuple[int, Sequence[NamedMesh]]],
    kind: str,
    preset: Preset,
    origin: Origin,
    step: Callable[[], bool],
) -> int:
    """Write (number, meshes) of each frame as FOLDER/NAME_000123.KIND; returns how many files there are.

    Frames without people are left out. `step` is called before each frame and answers whether to go on.
    A folder of this name is replaced once all is written, if it holds nothing but such a sequence.
    Raises UserError when it was cancelled, there is nobody, or the disk refuses.
    """
    writer, library = WRITERS[kind], library_beside(folder / f"{folder.name}.{kind}").name
    if kind == "obj":
        writer = partial(write_obj, library=library)
    try:
        _check(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(folder) as made:
            count = 0
            for number, meshes in frames:
                if not step():
                    raise UserError(CANCELLED)
                if meshes:
                    writer(made / f"{folder.name}_{number:06d}.{kind}", meshes, preset, origin)
                    count += 1
            if count == 0:
                raise UserError("There is no person to export.")
            if kind == "obj":
                write_material(made / library, origin, preset)
            made.chmod(0o755)
            replace_folder(folder, made)
            return count
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror or error}.") from error


def _check(folder: Path) -> None:
    """Only what an earlier export wrote may be replaced."""
    if folder.is_file():
        raise UserError(f"{folder} is a file; a sequence needs a folder.")
    if folder.is_dir():
        own, library = (
            re.compile(re.escape(folder.name) + r"_\d{6,}\.\w+"),
            library_beside(folder / f"{folder.name}.obj"),
        )
        names = {p.name for p in folder.iterdir()} - {library.name} - _BY_FILE_MANAGERS
        others = sorted(name for name in names if not own.fullmatch(name))
        if others:
            raise UserError(f"{folder} holds other files, such as {others[0]}; choose another name.")
