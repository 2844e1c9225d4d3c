"""METRO's table files: rows by number out of a `.tsv` beside its `.lineidx`, and lists over several."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from model.errors import UserError

logger = logging.getLogger(__name__)


class Table(Protocol):
    """Rows of text columns."""

    def __len__(self) -> int: ...

    def row(self, index: int) -> list[str]:
        """The columns of a row; raises UserError when it cannot be read."""
        ...


class TsvFile:
    """One `.tsv`; nothing of it is kept in memory but where its rows begin."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise UserError(f"{path} is missing.")
        index = path.with_suffix(".lineidx")
        self._offsets = _read_offsets(index) if index.is_file() else _find_offsets(path)

    def __len__(self) -> int:
        return len(self._offsets)

    def row(self, index: int) -> list[str]:
        """The columns of a row; raises UserError when it is not there or no text."""
        if not 0 <= index < len(self):
            raise UserError(f"{self.path.name} has no row {index}: it has {len(self)}.")
        try:
            with self.path.open("rb") as file:
                file.seek(int(self._offsets[index]))
                return file.readline().decode("utf-8").rstrip("\r\n").split("\t")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"Row {index} of {self.path.name} cannot be read: {error}.") from error


class CompositeTable:
    """Rows of several files in an order of their own: pairs (file number, row number)."""

    def __init__(self, files: Sequence[TsvFile], rows: np.ndarray) -> None:
        self._files = files
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, index: int) -> list[str]:
        """The columns of row `index` of the order."""
        source, line = self._rows[index]
        if not 0 <= source < len(self._files):
            raise UserError(f"The line list names file {source} of {len(self._files)}.")
        return self._files[source].row(int(line))


def read_line_list(path: Path, columns: int) -> np.ndarray:
    """(N, columns) integers of a line list; raises UserError for anything else."""
    try:
        rows = np.loadtxt(path, dtype=np.int64, ndmin=2)
    except (OSError, ValueError) as error:
        raise UserError(f"The line list {path} cannot be read: {error}.") from error
    if rows.shape[1] != columns:
        raise UserError(f"The line list {path} has {rows.shape[1]} columns, not {columns}.")
    return rows


def _read_offsets(path: Path) -> np.ndarray:
    try:
        return np.array(path.read_text(encoding="ascii").split(), dtype=np.int64)
    except (OSError, ValueError) as error:
        raise UserError(f"The index {path} cannot be read: {error}.") from error


def _find_offsets(path: Path) -> np.ndarray:
    """Where the rows begin, by one pass over the file."""
    logger.info("%s has no .lineidx: its rows are counted", path.name)
    offsets, position = [], 0
    with path.open("rb") as file:
        for line in file:
            offsets.append(position)
            position += len(line)
    return np.array(offsets, dtype=np.int64)
