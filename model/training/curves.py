"""What a run writes down: a line a report in log.jsonl, and TensorBoard's curves where it is installed."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

logger = logging.getLogger(__name__)


class Curves:
    """Numbers and pictures by step; silent on all processes but the first."""

    def __init__(self, folder: Path, *, active: bool) -> None:
        self._path = folder / "log.jsonl"
        self.active = active
        self._board: Any = None
        if active:
            folder.mkdir(parents=True, exist_ok=True)
            self._board = _board(folder / "tensorboard")

    def numbers(self, step: int, group: str, values: Mapping[str, float]) -> None:
        """One report: named numbers of a group, such as "loss"."""
        if not self.active:
            return
        entry = {"time": round(time.time(), 1), "step": step, "group": group, **values}
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(f"{group}/{name}", value, step)

    def picture(self, step: int, name: str, image: np.ndarray) -> None:
        """(H, W, 3) uint8 RGB."""
        if self._board is not None:
            self._board.add_image(name, image, step, dataformats="HWC")

    def close(self) -> None:
        """Write out what TensorBoard still holds."""
        if self._board is not None:
            self._board.close()


def _board(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        logger.info("TensorBoard is not installed: the curves are in log.jsonl only")
        return None
    return SummaryWriter(str(folder))
