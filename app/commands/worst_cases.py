"""The worst pictures of an evaluation as cases: folders that the window opens among its failures."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from app.export.case import Case, is_case, save_case
from app.facts import packages
from app.gui.model_info import case_model, model_info
from app.pipeline.crop import square
from app.pipeline.examiner import examiner_for
from app.pipeline.frames import Crop, Frame, PersonBox, Record
from app.pipeline.reconstructor import Reconstructor
from model.body import BodyModel
from model.config import Hops
from model.data.sample import Dataset, Sample
from model.evaluation.picture import Measured
from model.pointhmr import PointHMR
from model.weights import ModelCard


class CaseWriter:
    """Reconstructs labelled people in their pictures as the window would, and keeps them."""

    def __init__(
        self, network: PointHMR, card: ModelCard, body: BodyModel, *, upright: bool, mirror: bool = False
    ) -> None:
        """upright, mirror: as the evaluation looked at people."""
        device = str(network.image_mean.device)
        self._reconstructor = Reconstructor(network, card, body, device)
        self._examiner = examiner_for(self._reconstructor)
        self._model = case_model(model_info(self._reconstructor))
        self._upright, self._mirror = upright, mirror

    def write(
        self, folder: Path, dataset: Dataset, pictures: Sequence[Measured], hops: Hops, metric: str
    ) -> list[Path]:
        """`01-ERROR-KEY`, `02-…`, the worst first; they replace the cases of an earlier report.

        Raises UserError when the disk refuses.
        """
        for old in folder.glob("*"):
            if is_case(old):
                shutil.rmtree(old)
        written = []
        for number, picture in enumerate(pictures, 1):
            path = folder / f"{number:02d}-{picture.errors[metric]:.0f}mm-{_plain(picture.key)}"
            save_case(path, self._case(dataset[picture.index], picture, hops))
            written.append(path)
        return written

    def _case(self, sample: Sample, picture: Measured, hops: Hops) -> Case:
        crop = self._crop(sample)
        left, top = sample.centre - sample.side / 2
        box = PersonBox(float(left), float(top), sample.side, sample.side, id=1)
        frame = Frame(sample.image, picture.index, 0.0, picture.key)
        self._examiner.forget()
        first, second, third, last = hops
        masks = first, second, third, last
        people = [
            self._reconstructor.regress(each, masks)
            for each in self._reconstructor.encode(frame, [(box, crop)], mirror=self._mirror)
        ]
        examined = tuple(self._examiner.examine(people, frame))
        record = Record(frame, examined, masks, mirror=self._mirror)
        return Case(record, self._model, box.id, {"errors": picture.errors}, packages())

    def _crop(self, sample: Sample) -> Crop:
        """The region that the evaluation looked at, as the pipeline describes it."""
        size, scale = self._reconstructor.crop_size, self._reconstructor.crop_scale
        return square(sample.centre, scale * sample.side, sample.roll if self._upright else 0.0, size)


def _plain(key: str) -> str:
    """A picture's key as the name of a folder."""
    return re.sub(r"[^A-Za-z0-9]+", "-", key).strip("-")[-60:] or "picture"
