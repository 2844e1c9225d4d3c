"""How the renderer's inner loops are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable)


def compiled(function: Function) -> Function:
    """Machine code, kept on disk beside the module; division by zero gives infinity, not an exception."""
    return cast(Function, njit(cache=True, fastmath=True, error_model="numpy")(function))
