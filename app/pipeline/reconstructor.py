"""Crops in, people out: the network between the picture's geometry and the crop's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from app.pipeline.crop import apply, picture_camera, to_picture_axes
from app.pipeline.frames import Crop, Frame, Hops, Person, PersonBox
from model.bodies import FREE_BODY, BodyCard, body_card, check_fit, fit_notice, load_with_hierarchy
from model.body import BodyModel
from model.config import DEFAULT_WEIGHTS
from model.errors import UserError
from model.hierarchy import Hierarchy
from model.inference import InferenceEngine
from model.mirror import both_of, has_mirror, mean_with_mirror, with_mirror
from model.pointhmr import Features, PointHMR, reweighted
from model.weights import ModelCard, find_card, load_network


@dataclass(frozen=True)
class Encoded:
    """A person's crop once everything that costs is done."""

    box: PersonBox
    crop: Crop
    features: Features
    plain: Features | None = None
    """Before the person was isolated; None where that was not done."""


class Reconstructor:
    """A network, its body and the device that they run on."""

    def __init__(
        self, network: PointHMR, card: ModelCard, body: BodyModel, device: str = "cpu", notice: str = ""
    ) -> None:
        """notice: what the user should know about this pair of network and body."""
        self.network = network.eval().requires_grad_(False).to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.body = body
        self.model_name = card.name
        self.sha256 = card.sha256
        self.weights_path = card.path
        self.device = device
        self.notice = notice
        self.engine = InferenceEngine(self.network)
        self._hip_regressor = torch.from_numpy(body.keypoint_regressor.numpy()).to(device)

    @property
    def hierarchy(self) -> Hierarchy:
        """The mesh at its three resolutions."""
        return self.network.hierarchy

    @property
    def has_mirror(self) -> bool:
        """Whether people can be looked at in the mirror too."""
        return has_mirror(self.network)

    @property
    def crop_size(self) -> int:
        """Side in pixels of the crop that the network wants."""
        return self.network.config.image_size

    @property
    def crop_scale(self) -> float:
        """Side of the crop that the network wants over that of a person's usual square."""
        return self.network.config.crop_scale

    @property
    def heatmap_size(self) -> int:
        """Cells along the side of a heatmap."""
        return self.network.config.heatmap_size

    @torch.inference_mode()
    def encode(
        self,
        frame: Frame,
        crops: Sequence[tuple[PersonBox, Crop]],
        log_weights: Sequence[np.ndarray | None] | None = None,
        *,
        mirror: bool = False,
    ) -> list[Encoded]:
        """Backbone, heatmaps and tokens of each crop of one frame.

        log_weights: for each crop (n, n) to add to the logits of its heatmaps, None for as they are.
        mirror: of each crop's mirror image too, as a batch of two (see model.mirror), if there is one.
        """
        if not crops:
            return []
        pixels = np.stack([apply(crop, frame.image) for _, crop in crops])
        images = self.network.normalize(torch.from_numpy(pixels).to(self.device))
        mirror = mirror and self.has_mirror
        images = with_mirror(images) if mirror else images
        weights = [None] * len(crops) if log_weights is None else log_weights
        features = self.engine.encode(images, keep_points=any(one is not None for one in weights))
        people = [both_of(features, i) if mirror else features.one(i) for i in range(len(crops))]
        return [
            self._isolated(box, crop, one, log_weight)
            for (box, crop), one, log_weight in zip(crops, people, weights, strict=True)
        ]

    def _isolated(self, box: PersonBox, crop: Crop, kept: Features, weights: np.ndarray | None) -> Encoded:
        plain = replace(kept, point_features=None)
        if weights is None:
            return Encoded(box, crop, plain)
        bias = torch.from_numpy(weights)[None].to(self.device)
        if len(kept.vertex_tokens) > 1:
            bias = torch.cat([bias, bias.flip(2)])
        isolated = reweighted(kept, bias)
        return Encoded(box, crop, isolated, plain)

    @torch.inference_mode()
    def regress(self, encoded: Encoded | Person, hops: Hops) -> Person:
        """The mesh under these masks, in the axes and pixels of the full picture."""
        mesh = self.engine.regress(encoded.features, hops)
        if len(mesh.coarse) > 1:
            mesh = mean_with_mirror(self.network, mesh)
        assert mesh.fine is not None
        joints = self._hip_regressor @ mesh.fine[0]
        hips = joints[2:4].mean(0)
        scale, tx, ty = (mesh.camera[0] + torch.nn.functional.pad(hips[:2], (1, 0))).tolist()
        vertices, coarse, joints3d, own_joints = (
            to_picture_axes(encoded.crop, (points - hips).float().cpu().numpy())
            for points in (mesh.fine[0], mesh.coarse[0], joints, mesh.joints[0])
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
            plain=encoded.plain,
            network_joints=own_joints,
        )

    @torch.inference_mode()
    def attention(self, encoded: Encoded | Person, hops: Hops) -> tuple[tuple[np.ndarray, ...], ...]:
        """Attention weights under these masks, per encoder and layer: (heads, N, N) float32, rows sum to one.

        Of the person, not of the mirror image.
        N tokens in the network's order: camera, grid, landmarks, joints, and last the coarse vertices.
        Costs one more run of the regressor and some 30 MB for the published network; `regress` keeps none.
        """
        own = encoded.features.one(0)
        mesh = self.network.regress(own, hops, attention=True, upsample=False)
        return tuple(tuple(layer[0].float().cpu().numpy() for layer in layers) for layers in mesh.attention)


def choose_device(wanted: str) -> str:
    """`auto`, `cpu` or `cuda` -> the device that there is; raises UserError for a missing one."""
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise UserError("There is no CUDA device here: use --device cpu.")
    return wanted


def load_reconstructor(
    weights: str | Path = DEFAULT_WEIGHTS, body: Path | BodyCard | None = None, device: str = "auto"
) -> Reconstructor:
    """The network of a model's name or a file, over the free body or a user's own.

    body: a file (its companions are looked for beside it) or a card. Its mesh hierarchy is built where there
    is none, which takes up to a minute, once.
    Raises UserError in one sentence when a file cannot be used or the two do not fit.
    """
    device = choose_device(device)
    wanted = find_card(weights)
    chosen = FREE_BODY if body is None else body if isinstance(body, BodyCard) else body_card(body)
    check_fit(wanted, chosen.kind)
    model, mesh = load_with_hierarchy(chosen)
    network, card = load_network(weights, mesh.hierarchy)
    return Reconstructor(network, card, model, device, fit_notice(card, chosen.kind, mesh.origin))
