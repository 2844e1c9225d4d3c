"""Data that ships with the application; each file has its card beside it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent
BODY = ROOT / "body"
WEIGHTS = ROOT / "weights"
SAMPLES = ROOT / "samples"
DIAGNOSTICS = ROOT / "diagnostics"
ICONS = ROOT / "icons"
