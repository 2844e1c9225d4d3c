"""Data that ships with the application; each file has its card beside it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent
BODY = ROOT / "body"
WEIGHTS = ROOT / "weights"
SAMPLES = ROOT / "samples"
DIAGNOSTICS = ROOT / "diagnostics"
APPEARANCE = ROOT / "appearance"
POSES = BODY / "pose_mixture.npz"
VALIDATION = ROOT / "validation"
ICONS = ROOT / "icons"
