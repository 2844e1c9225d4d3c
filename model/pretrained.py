"""HRNet-W32 weights of other projects as a start for our backbone.

Known sources: ROMP's `pretrain_hrnet.pkl` (which PointHMR was trained from), HRNet's and HigherHRNet's
releases, timm's `hrnet_w32`. All use the names of the official HRNet, behind a prefix or not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from model.hrnet import HRNet
from model.pointhmr import PointHMR
from model.safe_load import check_state

_ANCHOR = "stage2.0.branches.0.0.conv1.weight"
_HEADS = (
    *("incre_modules.", "downsamp_modules.", "final_layer.", "classifier.", "head."),  # classification
    *("final_layers.", "deconv_layers.", "last_layer."),  # pose, segmentation
)
"""What sits on top of HRNet elsewhere: dropped."""
_MAY_LACK = re.compile(r"^stage4\.2\.fuse_layers\.[123]\.|\.num_batches_tracked$")
"""Pose networks (and ROMP) end in one branch, so the last module lacks the exchange to the others."""


def looks_like_hrnet(state: Mapping[str, Tensor]) -> bool:
    """Whether a state dict has an HRNet in it, under any prefix."""
    return any(key == _ANCHOR or key.endswith("." + _ANCHOR) for key in state)


def hrnet_state(state: Mapping[str, Tensor], label: str) -> tuple[dict[str, Tensor], list[str]]:
    """The backbone's tensors under our names, and the names that the file lacks but may lack.

    Tensors beside the backbone's prefix and known heads are dropped. Raises UserError for anything else
    that is missing, unexpected, or of another size (a W48, say).
    """
    anchors = [key for key in state if key == _ANCHOR or key.endswith("." + _ANCHOR)]
    prefix = min(anchors, key=len, default=_ANCHOR).removesuffix(_ANCHOR)
    inner = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    kept = {key: value for key, value in inner.items() if not key.startswith(_HEADS)}
    with torch.device("meta"):  # Shapes are enough.
        shapes = {key: tuple(value.shape) for key, value in HRNet().state_dict().items()}
    lacking = [key for key in shapes if key not in kept and _MAY_LACK.search(key)]
    check_state(
        kept, {key: s for key, s in shapes.items() if key not in lacking}, label, "HRNet-W32 backbone"
    )
    return kept, lacking


def init_backbone(network: PointHMR, state: Mapping[str, Tensor]) -> None:
    """Put imported tensors into the network's HRNet; those that the file lacked keep their random start."""
    backbone = network.backbone
    if not isinstance(backbone, HRNet):
        raise ValueError(f"{network.config.name} has no HRNet backbone")
    with torch.no_grad():
        own = backbone.state_dict()
        for name, value in state.items():
            own[name].copy_(value)
