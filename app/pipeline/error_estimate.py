"""How far a mesh probably is from the truth, in millimetres: a few small networks, and their mean.

Trained by `pointhmr benchmark diagnostics --calibrate` on rendered pictures whose truth is known, for the
weights of one sha256: another network's tokens mean something else, so no other one gets an estimate.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

import assets
from model.errors import UserError
from model.json_text import parse_json
from model.paths import write_atomically

FORMAT = 1
CUT = 5.0
"""Standard deviations at which an input is cut."""
UNIT = 100.0
"""The networks give the logarithm of the error in this many millimetres."""
_LAYERS = ("weight1", "bias1", "weight2", "bias2", "weight3", "bias3")


@dataclass(frozen=True)
class ErrorEstimator:
    """E networks of two hidden layers over the N numbers of `app.pipeline.error_inputs`."""

    sha256: str
    """Of the weights whose meshes were measured."""
    mean: np.ndarray
    """(N,) also stands in for a number that there is none of."""
    deviation: np.ndarray
    """(N,)."""
    layers: tuple[np.ndarray, ...]
    """(E, N, H), (E, H), (E, H, K), (E, K), (E, K, 1), (E, 1) float32."""

    def millimetres(self, inputs: np.ndarray) -> np.ndarray:
        """(M, N) -> (M,) expected PA-MPJPE in mm."""
        known = np.where(np.isfinite(inputs), inputs, self.mean)
        scores = np.clip((known - self.mean) / self.deviation, -CUT, CUT)
        w1, b1, w2, b2, w3, b3 = self.layers
        hidden = gelu(scores @ w1 + b1[:, None])
        logs = gelu(hidden @ w2 + b2[:, None]) @ w3 + b3[:, None]
        result: np.ndarray = UNIT * np.exp(logs[..., 0].mean(axis=0))
        return result


def gelu(x: np.ndarray) -> np.ndarray:
    """The tanh form (Hendrycks and Gimpel, 2016)."""
    result: np.ndarray = 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x**3)))
    return result


def estimator_for(sha256: str) -> ErrorEstimator | None:
    """The estimator of exactly these weights, None where there is none."""
    for path in sorted(assets.DIAGNOSTICS.glob("*.safetensors")):
        found = read_estimator(path)
        if found.sha256 == sha256:
            return found
    return None


def read_estimator(path: Path) -> ErrorEstimator:
    """Inverse of `write_estimator`; raises UserError when the file is none."""
    try:
        with safe_open(str(path), "numpy") as file:
            about = parse_json((file.metadata() or {})["estimator"])
            if about["format"] != FORMAT:
                raise ValueError(f"its format is {about['format']}")
            arrays = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
        layers = tuple(arrays[name] for name in _LAYERS)
        estimator = ErrorEstimator(str(about["sha256"]), arrays["mean"], arrays["deviation"], layers)
        if not np.isfinite(estimator.millimetres(estimator.mean[None])).all():
            raise ValueError("its numbers are not finite")
        return estimator
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no estimator of the error: {error}.") from error


def write_estimator(path: Path, estimator: ErrorEstimator) -> None:
    """Weights in half precision, the hash in the metadata."""
    arrays = {name: layer.astype(np.float16) for name, layer in zip(_LAYERS, estimator.layers, strict=True)}
    arrays |= {"mean": estimator.mean.astype(np.float32), "deviation": estimator.deviation.astype(np.float32)}
    about = {"estimator": json.dumps({"format": FORMAT, "sha256": estimator.sha256})}
    write_atomically(path, lambda file: file.write_bytes(save(arrays, about)))
