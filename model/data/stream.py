"""The endless stream of training samples: sample number k is the same in every run with the same seed."""

from __future__ import annotations

import contextlib
import itertools
import logging
import pickle
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch.utils.data import DataLoader

from model.cv import cv2
from model.data.augment import Augmentation, crop_sample
from model.data.sample import Batch, Dataset, Sample, collate
from model.errors import UserError

logger = logging.getLogger(__name__)

APART = 64
"""Samples between two looks at the same picture: not in one batch of up to so many, and soon enough to be
remembered by the worker that drew it. (A worker that did not draw it draws it again.)"""

REFUSALS = 1000
"""Samples that may be left out one after the other: after them the sets are not what they seem."""


class TrainingStream(torch.utils.data.Dataset[Sample]):
    """Random access to an infinite mix of datasets: resuming at any sample is exact."""

    def __init__(
        self,
        datasets: Sequence[Dataset],
        shares: Sequence[float],
        crop_size: int,
        augmentation: Augmentation,
        mirrored_vertices: np.ndarray | None,
        seed: int,
        looks: int = 1,
    ) -> None:
        """looks: crops that are cut from each picture, `APART` samples from one another."""
        self._datasets = datasets
        self._shares = np.array(shares, float) / sum(shares)
        self._crop_size = crop_size
        self._augmentation = augmentation
        self._mirrored = mirrored_vertices
        self._seed = seed
        self._looks = looks
        self._pictures: OrderedDict[int, Sample] = OrderedDict()

    def __getitem__(self, index: int) -> Sample:
        block, place = divmod(index, APART * self._looks)
        picture = self._picture(block * APART + place % APART)
        rng = np.random.default_rng((self._seed, index, 1))
        return crop_sample(picture, self._crop_size, self._augmentation, rng, self._mirrored)

    def _picture(self, number: int) -> Sample:
        """Picture `number` of the mix, kept while it may be looked at again."""
        if self._looks == 1:
            return self._open(number)
        if number not in self._pictures:
            self._pictures[number] = self._open(number)
            if len(self._pictures) > APART:
                self._pictures.popitem(last=False)
        return self._pictures[number]

    def _open(self, number: int) -> Sample:
        rng = np.random.default_rng((self._seed, number))
        last: UserError | None = None
        for _ in range(REFUSALS):
            dataset = self._datasets[rng.choice(len(self._datasets), p=self._shares)]
            try:
                return dataset[int(rng.integers(len(dataset)))]
            except UserError as error:
                last = error
                logger.warning("left out: %s", error)
        raise UserError(f"{REFUSALS} samples in a row could not be read; the last one: {last}") from last

    def batches(self, start: int, batch_size: int, workers: int = 1) -> Iterator[Batch]:
        """Batches from sample number `start` on, made in `workers` processes beside the training.

        The processes are spawned: OpenCV's threads do not survive a fork.
        """
        return self._loaded(range(start, start + 2**40), batch_size, workers)

    def shared_batches(
        self, first: int, batch_size: int, rank: int, world: int, workers: int = 1
    ) -> Iterator[Batch]:
        """Batches from batch number `first` on, of which each of `world` processes takes its own part.

        Together the processes see what one process would see in batches `world` times as large.
        """
        return self._loaded(_Share(first, batch_size, rank, world), batch_size, workers)

    def _loaded(self, indices: Iterable[int], batch_size: int, workers: int) -> Iterator[Batch]:
        if not workers:
            yield from DataLoader(self, batch_size, sampler=indices, collate_fn=collate)
            return
        self._pictures.clear()
        with TemporaryDirectory(prefix="pointhmr-") as folder:
            path = Path(folder) / "stream"
            with path.open("wb") as file:
                pickle.dump(self, file)
            loader: DataLoader[Sample] = DataLoader(
                _StoredStream(path),
                batch_size,
                sampler=indices,
                num_workers=workers,
                collate_fn=collate,
                worker_init_fn=one_thread,
                prefetch_factor=4,
                multiprocessing_context="spawn",
            )
            batches = iter(loader)
            # They take turns: after a batch of each the file has been read.
            yield from itertools.islice(batches, workers)
        yield from batches


class _StoredStream(torch.utils.data.Dataset[Sample]):
    """A stream in a file. The process that draws from it reads it.

    A whole stream would be sent through a pipe, and nobody comes back from writing to a process that died.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def _stream(self) -> TrainingStream:
        with self._path.open("rb") as file:
            stream: TrainingStream = pickle.load(file)
            return stream

    def __getitem__(self, index: int) -> Sample:
        return self._stream[index]


class _Share:
    """Sample numbers of one process's batches."""

    def __init__(self, first: int, batch_size: int, rank: int, world: int) -> None:
        self._first, self._size, self._rank, self._world = first, batch_size, rank, world

    def __iter__(self) -> Iterator[int]:
        for batch in itertools.count(self._first):
            start = (batch * self._world + self._rank) * self._size
            yield from range(start, start + self._size)


@contextlib.contextmanager
def errors_of_workers() -> Iterator[None]:
    """Makes sentences of what torch raises when a loader process refuses or dies.

    The death of one is told by a signal: it may be raised anywhere in the training, not only where it waits.
    """
    try:
        yield
    except UserError as error:  # Raised in a worker, it comes with the text of its traceback.
        raise UserError(str(error).rpartition("UserError: ")[2].strip()) from error
    except RuntimeError as error:
        if "DataLoader worker (pid" not in str(error):
            raise
        raise UserError(
            "A process that prepares training samples died, probably for want of memory: start the same "
            "command again with fewer of them (--override workers=N; 0: none beside the training)."
        ) from error


def one_thread(_worker: int) -> None:
    """Loader processes leave the cores to the training."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
