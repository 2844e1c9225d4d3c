"""People in a whole picture: MoveNet multipose behind the one call that the pipeline needs."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from app.pipeline.crop import apply, crop_for_box, to_crop, to_picture
from app.pipeline.frames import PersonBox
from app.pipeline.tracker import iou
from model.cv import cv2
from model.movenet import LONG_SIDE, SIZE_MULTIPLE, MoveNet, decode, load_movenet, normalise

_LEAST_SCORE = 0.25
_CLOSE = 1.28
"""Side of the close look over the usual square's: joints hang out of boxes, and the network likes air."""
_LEAST_OVERLAP = 0.2


class Detector:
    """Up to six people with coarse joints, in about 20 ms on a CPU."""

    def __init__(self, network: MoveNet | None = None) -> None:
        self._network = network or load_movenet()

    @torch.inference_mode()
    def detect(self, image: np.ndarray) -> list[PersonBox]:
        """(H, W, 3) uint8 RGB -> boxes clipped to the picture, with keypoints, best first."""
        small, scale = letterbox(image)
        pixels = torch.from_numpy(small).permute(2, 0, 1)[None]
        (found,) = decode(self._network(normalise(pixels)), threshold=_LEAST_SCORE)
        height, width = image.shape[:2]
        people = []
        for corners, score, joints in zip(found.boxes, found.scores, found.keypoints, strict=True):
            x0, x1 = np.clip(corners[[0, 2]] / scale[0], 0, width)
            y0, y1 = np.clip(corners[[1, 3]] / scale[1], 0, height)
            if x1 - x0 >= 1 and y1 - y0 >= 1:
                box = (float(x0), float(y0), float(x1 - x0), float(y1 - y0))
                people.append(PersonBox(*box, score=float(score), keypoints=joints / scale))
        return people

    def look_at(self, image: np.ndarray, box: PersonBox) -> PersonBox:
        """A box given by hand -> the same box with the keypoints of whom it shows, if that can be told.

        Looks closely at the box and what is around it. On 500 photographs of sport (LSP-extended, boxes from
        the annotated joints) the axis of hips and shoulders comes out within 25 degrees for 95 % of the
        bodies that stand and for 50 to 70 % of those that lie or hang, where BlazePose on the unturned crop
        finds 96 % and about 10 %; turning the picture four ways or looking twice adds next to nothing.
        """
        size = image.shape[1], image.shape[0]
        crop = crop_for_box(box, size, LONG_SIDE, scale=_CLOSE, webcam=False)
        low, high = to_crop(crop, np.array([[box.x, box.y], [box.x + box.width, box.y + box.height]]))
        inside = PersonBox(*low, *(high - low))
        seen = self.detect(apply(crop, image))
        best = max(seen, key=lambda person: person.score * iou(person, inside), default=None)
        if best is None or best.keypoints is None or iou(best, inside) < _LEAST_OVERLAP:
            return box
        return replace(box, keypoints=to_picture(crop, best.keypoints))


def letterbox(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The picture with its long side at 256, padded with black on the right and below.

    Returns:
        (h, w, 3) uint8 with both sides divisible by 32, and (2,) float32: small pixels per picture pixel
        along x and y.
    """
    height, width = image.shape[:2]
    factor = LONG_SIDE / max(height, width)
    inner = max(1, round(width * factor)), max(1, round(height * factor))
    outer = [math.ceil(side / SIZE_MULTIPLE) * SIZE_MULTIPLE for side in inner]
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = np.zeros((outer[1], outer[0], 3), np.uint8)
    small[: inner[1], : inner[0]] = cv2.resize(image, inner, interpolation=method)
    return small, np.array([inner[0] / width, inner[1] / height], np.float32)
