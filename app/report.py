"""The report that a user can attach to a complaint: versions, devices, last errors; no pictures, no names.

Everything that is written went through `scrub`: of a user's own paths only the ending stays.
"""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from app.facts import gpus, packages, system
from app.log import log_files
from model.paths import write_atomically

_ROOT = Path(__file__).resolve().parent.parent
_MOST_CHARACTERS = 400_000
"""Of each log file, from its end."""
_MEDIA = "jpe?g|png|bmp|dib|gif|webp|avif|tiff?|jp2|p[bgpn]m|mp4|m4v|mov|avi|mkv|webm"
_OWN_FORMATS = "obj|fbx|glb|ply|npz|npy|pkl|pth?|bin|safetensors|json|zip"
_PATH = re.compile(r"(?<![\w<>.])(?:~|[A-Za-z]:)?(?:[/\\][^/\\\n\"'<>|:*?,;()]+)+")
_NAME = re.compile(rf"[^\s\"'/\\<>|:]+\.({_MEDIA}|{_OWN_FORMATS})\b", re.IGNORECASE)


def scrub(text: str) -> str:
    """The text without the user's own paths and names of files; paths inside the program stay readable."""
    places = {str(_ROOT): "<program>", sys.prefix: "<python>", sys.base_prefix: "<python>"}
    for place, name in sorted(places.items(), key=lambda item: -len(item[0])):
        text = _named(text, place, name)
    text = _PATH.sub(_ending, _named(text, str(Path.home()), "~"))
    text = _NAME.sub(lambda match: f"<file>.{match[1]}", text)
    user = Path.home().name
    return re.sub(rf"\b{re.escape(user)}\b", "<user>", text) if len(user) > 2 and user != "root" else text


def _named(text: str, place: str, name: str) -> str:
    """The place under its name, but not another one that only begins like it."""
    return re.sub(rf"{re.escape(place)}(?![\w.-])", lambda _: name, text)


def _ending(match: re.Match[str]) -> str:
    ending = re.search(rf"\.({_MEDIA}|{_OWN_FORMATS})\b", match[0], re.IGNORECASE)
    return f"<file>{ending[0]}{match[0][ending.end() :]}" if ending else "<path>"


def report_text(facts: Mapping[str, str]) -> str:
    """What is known about this machine, then `facts` about the running window, one line each."""
    machine = {"system": system(), "packages": packages(), "CUDA": gpus()}
    return "".join(f"{name}: {scrub(text)}\n" for name, text in {**machine, **facts}.items())


def write_report(path: Path, facts: Mapping[str, str], logs: Path | None = None) -> None:
    """A zip with `report.txt` and the scrubbed log files. Raises UserError when it cannot be written."""

    def write(target: Path) -> None:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("report.txt", report_text(facts))
            for file in log_files(logs):
                text = file.read_text(encoding="utf-8", errors="replace")
                archive.writestr(file.name, scrub(text[-_MOST_CHARACTERS:]))

    write_atomically(path, write)
