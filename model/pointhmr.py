"""PointHMR in reading order: encode (backbone, decoders, sampling), then regress (masked encoders, heads).

"Sampling is Matter: Point-guided 3D Human Mesh Reconstruction", CVPR 2023.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.config import Hops, NetworkConfig
from model.decoders import BackboneMaps, Decoded, LiteDecoders, PublishedDecoders
from model.encoder import Encoder, HopMasks, scaled_linear
from model.guided import frozen_network
from model.hierarchy import Hierarchy, load_hierarchy
from model.hrnet import HRNet
from model.layers import Interpolation, SamplePointsWithLoss, sample_points, sine_positions
from model.lifter import LANDMARK_FEATURES, FirstMesh, Lifter


@dataclass(frozen=True)
class Features:
    """All that `regress` needs: masks and vertices may change, this stays."""

    heatmaps: Tensor
    """[B, C, n, n] probability of each coarse vertex over the crop's cells."""
    vertex_tokens: Tensor
    """[B, C, D]."""
    grid_tokens: Tensor
    """[B, G, D]."""
    landmarks: Tensor | None = None
    """[B, L, 8], see model.lifter."""
    presence: Tensor | None = None
    """[B] in [0, 1]."""
    heatmap_loss: Tensor | None = None
    """[B, C] cross-entropy, in training only."""
    point_features: Tensor | None = None
    """[B, n * n, D] what the tokens are sampled from; kept only on request, see `reweighted`."""

    def one(self, index: int) -> Features:
        """The features of one picture of the batch, as a batch of one."""
        part = slice(index, index + 1)
        tensors = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return dataclasses.replace(self, **{name: t[part] for name, t in tensors.items() if t is not None})


def reweighted(features: Features, log_weights: Tensor) -> Features:
    """As if `log_weights` [B, n, n] had been added to the logits of every heatmap before the softmax.

    Needs `point_features`, which the result does not keep: exp(logit + bias) only has to be normalised anew.
    """
    assert features.point_features is not None
    weights = (log_weights - log_weights.amax(dim=(1, 2), keepdim=True)).exp()
    heatmaps = features.heatmaps * weights[:, None].to(features.heatmaps.dtype)
    heatmaps = heatmaps / heatmaps.sum(dim=(2, 3), keepdim=True).clamp_min(1e-30)
    tokens = torch.bmm(heatmaps.flatten(2), features.point_features)
    return dataclasses.replace(features, heatmaps=heatmaps, vertex_tokens=tokens, point_features=None)


@dataclass(frozen=True)
class Mesh:
    """The network's answer in metres, camera axes (x right, y down, z forward)."""

    joints: Tensor
    """[B, J, 3] from the joint tokens."""
    coarse: Tensor
    """[B, C, 3]."""
    camera: Tensor
    """[B, 3] (s, tx, ty): x2d = s * (X + t) in [-1, 1] of the crop."""
    mid: Tensor | None = None
    fine: Tensor | None = None
    attention: tuple[tuple[Tensor, ...], ...] = ()
    """Per encoder and layer [B, heads, N, N]; empty unless asked for."""
    first: FirstMesh | None = None
    """The lifter's mesh, where the network has one."""


@dataclass(frozen=True)
class HeatmapTargets:
    """Where the vertices really are, spread over the nearest cells."""

    cells: Tensor
    """[B, C, K] int64 positions in the flattened heatmap."""
    mass: Tensor
    """[B, C, K] shares that sum to one, or to zero for a vertex outside of the picture."""


class PointHMR(nn.Module):
    """The two-stage network of one config over one mesh hierarchy."""

    image_mean: Tensor
    image_std: Tensor
    point_positions: Tensor
    grid_positions: Tensor

    def __init__(self, config: NetworkConfig, hierarchy: Hierarchy | None = None) -> None:
        super().__init__()
        self.config = config
        self.hierarchy = hierarchy or load_hierarchy()
        self.backbone, self.decoders = backbone_and_decoders(config)
        width = config.token_width
        self.joint_tokens = nn.Parameter(0.02 * torch.randn(config.num_joints, width))
        self.camera_token = nn.Linear(config.num_vertices, 1)
        self.token_positions = nn.Parameter(0.3 * torch.randn(config.num_tokens, config.position_width))
        self.lifter: Lifter | None = None
        if config.lifter_width:
            num_points = config.num_joints + config.num_vertices
            picture = config.lifter_cells**2 * width
            self.lifter = Lifter(config.num_landmarks, config.lifter_width, num_points, picture)
            self.point_embedding = nn.Linear(3, width)
        if config.num_landmarks:
            self.landmark_embedding = nn.Sequential(
                nn.Linear(LANDMARK_FEATURES, width), nn.GELU(), nn.Linear(width, width)
            )
        self.encoders = nn.ModuleList(encoder_of(config, index) for index in range(4))
        self.reduce = nn.Linear(config.widths[1], config.widths[2])
        self.point_head = scaled_linear(nn.Linear(config.widths[3], 3), 0.01)
        self.camera_head = scaled_linear(nn.Linear(config.widths[3], 3), 0.01)
        self._masks = HopMasks(self.hierarchy, config.num_tokens)
        self._add_constants()

    def _add_constants(self) -> None:
        config = self.config
        positions = {"scale": config.position_scale, "temperature": config.position_temperature}

        def constant(name: str, value: Tensor) -> None:
            self.register_buffer(name, value, persistent=False)

        constant("image_mean", torch.tensor(config.image_mean)[:, None, None])
        constant("image_std", torch.tensor(config.image_std)[:, None, None])
        constant("point_positions", sine_positions(config.heatmap_size, config.token_width, **positions))
        constant("grid_positions", sine_positions(config.grid_size, config.token_width, **positions))
        self.up_fine = Interpolation(self.hierarchy.up[0])
        self.up_mid = Interpolation(self.hierarchy.up[1])

    def normalize(self, crops: Tensor) -> Tensor:
        """[B, H, W, 3] uint8 RGB -> [B, 3, H, W] float as the backbone wants it."""
        # Turned round as bytes, and once: nobody after this has to copy floats.
        images = crops.permute(0, 3, 1, 2).contiguous().float().div_(255)
        return images.sub_(self.image_mean).div_(self.image_std)

    def encode(self, images: Tensor, *, keep_points: bool = False) -> Features:
        """Normalised images [B, 3, S, S] -> heatmaps and tokens: everything that costs."""
        return self.sample(self.backbone(images), keep_points=keep_points)

    def sample(
        self, maps: BackboneMaps, targets: HeatmapTargets | None = None, *, keep_points: bool = False
    ) -> Features:
        """Decode the backbone's maps and sample a token for each vertex under its heatmap.

        With targets the heatmaps' cross-entropy comes along (and the heatmaps themselves do not).
        """
        decoded: Decoded = self.decoders(maps)
        features = decoded.features + self.point_positions.to(decoded.features.dtype)
        grid = decoded.grid + self.grid_positions.to(decoded.grid.dtype)
        loss = None
        if targets is None:
            heatmaps, tokens = sample_points(decoded.logits, features)
        else:
            tokens, loss = SamplePointsWithLoss.apply(decoded.logits, features, targets.cells, targets.mass)
            heatmaps = decoded.logits.detach()
        size = self.config.heatmap_size
        return Features(
            heatmaps.unflatten(2, (size, size)),
            tokens,
            grid,
            decoded.landmarks,
            decoded.presence,
            loss,
            features if keep_points else None,
        )

    def regress(
        self,
        features: Features,
        hops: Hops | None = None,
        *,
        attention: bool = False,
        upsample: bool = True,
    ) -> Mesh:
        """Tokens -> mesh, with a mask threshold per encoder (None: as trained).

        attention: also return every layer's weights. upsample: also make the mid and the full mesh.
        """
        mesh = self.regress_masked(features, self.masks(hops), attention=attention)
        if not upsample:
            return mesh
        mid, fine = self.upsample(mesh.coarse)
        return dataclasses.replace(mesh, mid=mid, fine=fine)

    def masks(self, hops: Hops | None = None) -> list[Tensor | None]:
        """The additive mask [N, N] of each encoder (None: nothing masked), each made once and kept."""
        return self._masks.for_hops(self.config.hops if hops is None else hops, self.point_positions.device)

    def regress_masked(
        self, features: Features, masks: Sequence[Tensor | None], *, attention: bool = False
    ) -> Mesh:
        """Tokens -> coarse mesh, under masks as `masks` gives them."""
        config = self.config
        first = self._lift(features)
        x = self._tokens(features, first)
        weights = []
        for index, encoder in enumerate(self.encoders):
            if index == 2:
                x = self.reduce(x)
            x, layer_weights = encoder(x, masks[index], attention=attention)
            weights.append(layer_weights)
        with torch.autocast(x.device.type, enabled=False):  # half precision rounds metres to millimetres
            x = x.float()
            points = self.point_head(x[:, -(config.num_joints + config.num_vertices) :])
            camera = self.camera_head(x[:, 0])
        if first is not None:
            points, camera = points + first.points, camera + first.camera
        joints, coarse = points.split([config.num_joints, config.num_vertices], dim=1)
        return Mesh(joints, coarse, camera, attention=tuple(weights) if attention else (), first=first)

    def _lift(self, features: Features) -> FirstMesh | None:
        """The first mesh from the landmarks and the coarse grid tokens, in full precision."""
        if self.lifter is None or features.landmarks is None:
            return None
        with torch.autocast(features.landmarks.device.type, enabled=False):
            picture = self._coarse_grid(features.grid_tokens.float()) if self.config.lifter_cells else None
            first: FirstMesh = self.lifter(features.landmarks.float(), picture)
        return first

    def _coarse_grid(self, grid: Tensor) -> Tensor:
        """Grid tokens [B, G, D], averaged over neighbours: [B, cells * cells * D]."""
        size = self.config.grid_size
        maps = grid.transpose(1, 2).unflatten(2, (size, size))
        return F.avg_pool2d(maps, size // self.config.lifter_cells).flatten(1)

    def _tokens(self, features: Features, first: FirstMesh | None) -> Tensor:
        """[B, N, widths[0]]: camera, grid, landmarks, joints, vertices; each with its own position."""
        vertices = features.vertex_tokens
        camera = self.camera_token(vertices.transpose(1, 2)).transpose(1, 2)
        joints = self.joint_tokens.to(vertices.dtype).expand(len(vertices), -1, -1)
        points = torch.cat([joints, vertices], dim=1)
        if first is not None:
            points = points + self.point_embedding(first.points)
        parts = [camera, features.grid_tokens, points]
        if features.landmarks is not None:
            parts.insert(2, self.landmark_embedding(features.landmarks))
        tokens = torch.cat(parts, dim=1)
        positions = self.token_positions.to(tokens.dtype).expand(len(tokens), -1, -1)
        return torch.cat([tokens, positions], dim=2)

    def upsample(self, coarse: Tensor) -> tuple[Tensor, Tensor]:
        """[B, C, 3] -> mid [B, M, 3] and full mesh [B, V, 3], by the fixed matrices of the hierarchy."""
        mid = self.up_mid(coarse)
        return mid, self.up_fine(mid)

    def forward(self, images: Tensor, hops: Hops | None = None) -> Mesh:
        """Normalised images [B, 3, S, S] -> mesh."""
        return self.regress(self.encode(images), hops)


def backbone_and_decoders(config: NetworkConfig) -> tuple[nn.Module, PublishedDecoders | LiteDecoders]:
    """The two that belong together: decoders read the maps of one backbone only."""
    if config.backbone == "hrnet-w32":
        return HRNet(), PublishedDecoders(config)
    return frozen_network(config), LiteDecoders(config)


def encoder_of(config: NetworkConfig, index: int) -> Encoder:
    """Encoder number `index`, from 0; the second and the last end with a norm (released model)."""
    return Encoder(
        config.widths[index],
        config.heads[index],
        config.feedforward[index],
        config.layers[index],
        activation=config.activation,
        dropout=config.dropout,
        norm=index in (1, 3),
    )
