"""`pointhmr`: without a command the window, else one of the commands."""

from __future__ import annotations

import argparse
import importlib
import io
import logging
import os
import sys
from collections.abc import Sequence

from model.errors import UserError

COMMANDS = {
    "reconstruct": "people in pictures and clips, without a window",
    "export": "a recorded take for Blender, Unity, Unreal, Maya or a script",
    "screenshot": "a picture of the real window, without a screen",
    "doctor": "what works on this machine",
    "soak": "play for half an hour and watch memory, threads and handles",
    "dataset": "training data: look at it, convert it, fit bodies to joints",
    "train": "train the embedded model, or one as the paper's",
    "evaluate": "measure a model on validation pictures",
    "benchmark": "how fast this machine is; what flags find; how still people stand",
    "verify": "compare the published network with stored outputs, number for number",
    "weights": "import checkpoints, list models",
}
USER_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code: 0, or 2 with one sentence on stderr for a user's error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # Not every terminal knows every character.
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    name = arguments[0] if arguments and arguments[0] in COMMANDS else "window"
    command = importlib.import_module(f"app.commands.{name}")
    parser = argparse.ArgumentParser(
        prog="pointhmr" if name == "window" else f"pointhmr {name}",
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_overview() if name == "window" else None,
    )
    command.add_arguments(parser)
    options = parser.parse_args(arguments if name == "window" else arguments[1:])
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        return int(command.run(options))
    except UserError as error:
        sys.stderr.write(f"pointhmr: {error}\n")
        return USER_ERROR
    except BrokenPipeError:  # Whoever read the output has seen enough, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"pointhmr: {named}{error.strerror or error}.\n")
        return USER_ERROR
    except KeyboardInterrupt:
        sys.stderr.write("pointhmr: stopped.\n")
        return 130


def _overview() -> str:
    lines = [f"  {name:<12} {text}" for name, text in COMMANDS.items()]
    return "\n".join(["commands:", *lines, "", "`pointhmr COMMAND --help` says more."])


if __name__ == "__main__":
    sys.exit(main())
