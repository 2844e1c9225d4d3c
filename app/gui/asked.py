"""The file that a dialog's answer means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def asked_file(answer: str, ending: str, say: Callable[[str], object]) -> Path | None:
    """The answer with its ending, such as ".png"; None where that is another file, which `say` then tells.

    The dialog has asked whether the file of the typed name may be replaced, not one with an ending.
    """
    typed = Path(answer)
    if typed.suffix.lower() == ending:
        return typed
    path = typed.with_name(typed.name + ending)
    if path.exists():
        say(f"{path} is there already: choose it by its whole name to replace it.")
        return None
    return path
