"""The speed benchmark's record as a table to read."""

from __future__ import annotations

from typing import Any

_HEAD = f"{'engine':<24}{'forward ms':>11}{'(min)':>8}{'encode':>8}{'regress':>8}{'ratio':>7}{'cpu':>6}"


def as_text(result: dict[str, Any]) -> str:
    """All parts that were run; ratios are against the first row, eager float32 torch."""
    machine = result["machine"]
    lines = [
        f"{machine['platform']}, {machine['device']}, {machine['cores']} cores, {machine['threads']} threads"
    ]
    for name, rows in result["networks"].items():
        lines += ["", name, f"{_HEAD}{'mean mm':>10}{'max mm':>9}{'mean %':>8}{'of size':>9}"]
        lines += [_row(row) for row in rows]
        stages = ", ".join(f"{stage} {ms:.1f}" for stage, ms in rows[0]["stages_ms"].items())
        lines.append(f"torch by stage, ms: {stages}")
    if "pipeline" in result:
        own = result["pipeline"]
        stages = ", ".join(f"{stage} {ms:.1f}" for stage, ms in own["stages_ms"].items())
        lines += ["", f"pipeline ({own['engine']}): {own['frames_per_second']:.1f} frames/s ({stages} ms)"]
    if "window" in result:
        own = result["window"]
        lines += [
            "",
            f"window ({own['engine']}): {own['drawn_per_second']:.1f} frames/s drawn, "
            f"{own['memory_mib']:.0f} MiB; event loop late by {own['blocked_p99_ms']:.0f} ms (99 %), "
            f"{own['blocked_p999_ms']:.0f} ms (99.9 %), {own['blocked_max_ms']:.0f} ms (most)",
        ]
    if result["targets"]:
        lines += ["", "targets"]
    for target in result["targets"]:
        sign, mark = (">=" if target["least"] else "<="), ("met" if target["met"] else "missed")
        lines.append(f"{mark:<8}{target['name']}: {target['value']:.2f} ({sign} {target['limit']:g})")
    lines += ["", "published (Human3.6M, mm; frames/s on the authors' graphics card)"]
    lines += [
        f"{one['method']:<16}{one['parameters_m']:>7.1f} M{one['fps']:>8.2f} fps   "
        f"MPJPE {one['mpjpe']:.1f}   PA-MPJPE {one['pa_mpjpe']:.1f}"
        for one in result["published"]
    ]
    return "\n".join(lines)


def _row(row: dict[str, Any]) -> str:
    far = row["deviation"]
    times = f"{row['forward_ms']:>11.1f}{row['forward_min_ms']:>8.1f}{row['encode_ms']:>8.1f}"
    ratios = f"{row['regress_ms']:>8.1f}{row['ratio']:>7.2f}{row['ratio_of_cpu']:>6.2f}"
    apart = (
        f"{far['mean_mm']:>10.3f}{far['max_mm']:>9.2f}{far['percent']:>8.2f}{far['percent_of_spread']:>9.2f}"
    )
    return f"{row['engine']:<24}{times}{ratios}{apart}"
