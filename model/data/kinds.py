"""The kinds of datasets by name, for who only speaks of them: nothing here opens one, or loads torch."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal["metro", "3dpw", "freihand", "manifest", "synthetic", "crops", "rendered", "lspet"]
KINDS: tuple[Kind, ...] = get_args(Kind)
OUR_BODY: tuple[Kind, ...] = ("synthetic", "crops", "rendered", "lspet")
"""Sets whose labels are of the free body."""
