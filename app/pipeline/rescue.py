"""What to do when the device gives out: its errors by kind, and how its memory comes back.

An exception keeps every tensor of the frames that it passed through. So errors are turned into a `Trouble`
inside the except block, and memory is freed after it, when the exception is gone.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Generic, TypeVar

from app.pipeline.pipeline import Pipeline

T = TypeVar("T")
_ASSERTS = ("device-side assert", "CUDA error", "CUDNN_STATUS", "cuDNN error", "CUBLAS_STATUS", "HIP error")


class Kind(Enum):
    """What gave out."""

    MEMORY = "memory"
    """Of the device: less work may fit."""
    DEVICE = "device"
    """After a failed assert every further call on the device fails: it is lost to this process."""
    OTHER = "other"


@dataclass(frozen=True)
class Trouble:
    """An error without its traceback, and so without the tensors that hang on it."""

    kind: Kind
    words: str


@dataclass(frozen=True)
class Attempt(Generic[T]):
    """A result, or why there is none."""

    result: T | None
    trouble: Trouble | None = None


def attempt(work: Callable[[], T], note: Callable[[Exception], None]) -> Attempt[T]:
    """Do it. `note` sees the error while it is there, for the log."""
    try:
        return Attempt(work())
    except Exception as error:
        note(error)
        trouble = trouble_of(error)
    return Attempt(None, trouble)


def trouble_of(error: Exception) -> Trouble:
    """What an error means, by its class and text: torch may not even be loaded."""
    text, name = str(error), type(error).__name__
    words = text.strip().splitlines()[0].rstrip(".") if text.strip() else name
    if name == "OutOfMemoryError" or "CUDA out of memory" in text or "CUBLAS_STATUS_ALLOC_FAILED" in text:
        return Trouble(Kind.MEMORY, words)
    if name == "AcceleratorError" or (isinstance(error, RuntimeError) and any(a in text for a in _ASSERTS)):
        return Trouble(Kind.DEVICE, words)
    return Trouble(Kind.OTHER, words)


def free_memory() -> None:
    """Give back what nobody uses any more, to the device as well."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        with contextlib.suppress(RuntimeError):  # A device that is lost cannot even do this.
            torch.cuda.empty_cache()


def farewell(trouble: Trouble) -> str:
    """The sentence for the person when the CPU takes over."""
    if trouble.kind is Kind.MEMORY:
        return "The memory of the graphics card is full: the model goes on on the CPU, more slowly."
    return f"The graphics card failed ({trouble.words}): the model goes on on the CPU, more slowly."


class Machine:
    """The pipeline and the way to make it, with care for a device that gives out."""

    def __init__(self, factory: Callable[[], Pipeline], lost: Callable[[str], None]) -> None:
        """lost: told in one sentence that the CPU is about to take over; lets go of what is on the device."""
        self.factory = factory
        self.pipeline: Pipeline | None = None
        self._lost = lost

    def make(self) -> Pipeline:
        """Make the pipeline anew."""
        self.pipeline = self.factory()
        return self.pipeline

    def run(self, work: Callable[[Pipeline], T], note: Callable[[Exception], None]) -> Attempt[T]:
        """A full device gets one more try with less to do; then, or if it is lost, the CPU takes over."""
        assert self.pipeline is not None
        done = attempt(partial(work, self.pipeline), note)
        if done.trouble is not None and done.trouble.kind is Kind.MEMORY:
            free_memory()
            self.pipeline.economise()
            done = attempt(partial(work, self.pipeline), note)
        if done.trouble is not None and self._go_to_cpu(done.trouble):
            done = attempt(partial(work, self.pipeline), note)
        return done

    def _go_to_cpu(self, trouble: Trouble) -> bool:
        """False where that would not help."""
        if self.pipeline is None or trouble.kind is Kind.OTHER or self.pipeline.on_cpu is None:
            return False
        why, on_cpu, tracker = farewell(trouble), self.pipeline.on_cpu, self.pipeline.tracker
        self._lost(why)
        self.factory, self.pipeline = (lambda: on_cpu(why)), None
        free_memory()
        self.make().tracker = tracker
        return True
