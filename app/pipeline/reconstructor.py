"""Crops in, people out: the network between the picture's geometry and the crop's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from app.pipeline.crop import apply, picture_camera, to_picture_axes
from app.pipeline.frames import Crop, Frame, Hops, Person, PersonBox
from model.body import BodyModel, load_body
from model.errors import UserError
from model.hierarchy import Hierarchy
from model.pointhmr import Features, PointHMR
from model.weights import ModelCard, load_network

DEFAULT_WEIGHTS = "body-lite"


@dataclass(frozen=True)
class Encoded:
    """A person's crop once everything that costs is done."""

    box: PersonBox
    crop: Crop
    features: Features


class Reconstructor:
    """A network, its body and the device that they run on."""

    def __init__(self, network: PointHMR, card: ModelCard, body: BodyModel, device: str = "cpu") -> None:
        self.network = network.eval().requires_grad_(False).to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.body = body
        self.model_name = card.name
        self.sha256 = card.sha256
        self.device = device
        self._hip_regressor = torch.from_numpy(body.keypoint_regressor.numpy()).to(device)

    @property
    def hierarchy(self) -> Hierarchy:
        """The mesh at its three resolutions."""
        return self.network.hierarchy

    @property
    def crop_size(self) -> int:
        """Side in pixels of the crop that the network wants."""
        return self.network.config.image_size

    @torch.inference_mode()
    def encode(self, frame: Frame, crops: Sequence[tuple[PersonBox, Crop]]) -> list[Encoded]:
        """Backbone, heatmaps and tokens of each crop of one frame."""
        if not crops:
            return []
        pixels = np.stack([apply(crop, frame.image) for _, crop in crops])
        images = self.network.normalize(torch.from_numpy(pixels).to(self.device))
        features = self.network.encode(images.contiguous(memory_format=torch.channels_last))
        return [Encoded(box, crop, features.one(i)) for i, (box, crop) in enumerate(crops)]

    @torch.inference_mode()
    def regress(self, encoded: Encoded | Person, hops: Hops) -> Person:
        """The mesh under these masks, in the axes and pixels of the full picture."""
        mesh = self.network.regress(encoded.features, hops)
        assert mesh.fine is not None
        joints = self._hip_regressor @ mesh.fine[0]
        hips = joints[2:4].mean(0)
        scale, tx, ty = (mesh.camera[0] + torch.nn.functional.pad(hips[:2], (1, 0))).tolist()
        vertices, coarse, joints3d = (
            to_picture_axes(encoded.crop, (points - hips).float().cpu().numpy())
            for points in (mesh.fine[0], mesh.coarse[0], joints)
        )
        camera = picture_camera(encoded.crop, (scale, tx, ty))
        presence = encoded.features.presence
        return Person(
            box=encoded.box,
            crop=encoded.crop,
            vertices=vertices,
            coarse=coarse,
            joints3d=joints3d,
            joints2d=(joints3d[:, :2] * camera[0] + np.array(camera[1:])).astype(np.float32),
            camera=camera,
            presence=1.0 if presence is None else float(presence[0]),
            features=encoded.features,
        )


    @torch.inference_mode()
    def attention(self, encoded: Encoded | Person, hops: Hops) -> tuple[tuple[np.ndarray, ...], ...]:
        """Attention weights under these masks, per encoder and layer: (heads, N, N) float32, rows sum to one.

        N tokens in the network's order: camera, grid, landmarks, joints, and last the coarse vertices.
        Costs one more run of the regressor and some 30 MB for the published network; `regress` keeps none.
        """
        mesh = self.network.regress(encoded.features, hops, attention=True, upsample=False)
        return tuple(tuple(layer[0].float().cpu().numpy() for layer in layers) for layers in mesh.attention)


def choose_device(wanted: str) -> str:
    """`auto`, `cpu` or `cuda` -> the device that there is; raises UserError for a missing one."""
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise UserError("There is no CUDA device here: use --device cpu.")
    return wanted


def load_reconstructor(
    weights: str | Path = DEFAULT_WEIGHTS, body: Path | None = None, device: str = "auto"
) -> Reconstructor:
    """The network of a model's name or a file, over the free body or a user's own.

    Raises UserError in one sentence when a file cannot be used or the two do not fit.
    """
    network, card = load_network(weights)
    model = load_body(body)
    if model.num_vertices != network.hierarchy.num_fine:
        raise UserError(
            f"The body has {model.num_vertices} vertices, but {card.name} makes {network.hierarchy.num_fine}."
        )
    return Reconstructor(network, card, model, choose_device(device))
