"""Proof that the fault tests watch: each handling is taken out of a copy, and its tests must fail.

`python -m tests.faults.mutations [--fault N …]` prints fault, handling and the test that failed, in minutes.
Exit code 1 when a handling can be taken out and nobody notices.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.index import FAULTS, covered

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("app", "model", "tests", "pyproject.toml")


@dataclass(frozen=True)
class Mutation:
    """One handling and how it is taken out."""

    fault: int
    what: str
    tests: str
    """In the names of the tests that must notice."""
    file: str
    old: str
    new: str


MUTATIONS = (
    Mutation(1, "a camera without pictures is told", "frame_30", "app/pipeline/sources.py",
        "if time.monotonic() > deadline:", "if False:"),
    Mutation(1, "the last picture is greyed", "frame_30", "app/gui/main_window.py",
        "image.stale = mesh.stale = self.state is WorkerState.FAULTED", "image.stale = mesh.stale = False"),
    Mutation(2, "equal pictures are noticed", "same_buffer", "app/pipeline/session.py",
        "frozen = time.monotonic() - feed.last_change > self._patience.frozen", "frozen = False"),
    Mutation(3, "a thread that hangs is left behind", "blocks_for_ever_is", "app/pipeline/feed.py",
        "self._thread.join(patience)", "self._thread.join()"),
    Mutation(3, "a silent camera is told", "blocks_for_ever_is", "app/pipeline/session.py",
        "if now - feed.last_arrival > self._patience.silent:", "if False:"),
    Mutation(4, "other depths and floats become bytes", "whatever_a_camera", "app/pipeline/pictures.py",
        "    image = _as_uint8(image)\n", ""),
    Mutation(4, "grey becomes RGB", "whatever_a_camera", "app/pipeline/pictures.py",
        "return np.repeat(image, 3, axis=2)", "return image"),
    Mutation(5, "a camera that does not open is told", "files_still_work", "app/pipeline/sources.py",
        "if not opened:", "if False:"),
    Mutation(5, "why it does not open is told", "files_still_work", "app/pipeline/sources.py",
        "if not os.access(device, os.R_OK | os.W_OK):", "if False:"),
    Mutation(6, "an empty file is told", "no_video", "app/pipeline/sources.py", "if not head:", "if False:"),
    Mutation(6, "a rate that cannot be is not believed", "insane", "app/pipeline/video.py",
        "self._honest = _SANE_FPS[0] <= fps <= _SANE_FPS[1]", "self._honest = True"),
    Mutation(6, "a length that cannot be is not believed", "insane", "app/pipeline/video.py",
        "int(count) if math.isfinite(count) and 1 <= count <= most else None", "int(count)"),
    Mutation(6, "a variable rate keeps its times", "variable", "app/pipeline/video.py",
        "sane = self._honest and", "sane = False and"),
    Mutation(7, "a bomb is refused", "bombs", "app/pipeline/pictures.py",
        "if size[0] * size[1] >= MAX_PIXELS:", "if False:"),
    Mutation(7, "a broken picture is told", "no_picture", "app/pipeline/pictures.py",
        "    if image is None:\n        raise", "    if False:\n        raise"),
    Mutation(8, "numbers that are none are dropped", "no_body", "app/pipeline/pipeline.py",
        "if not np.isfinite(array).all():", "if False:"),
    Mutation(8, "an impossible camera is dropped", "no_body", "app/pipeline/pipeline.py",
        "if not all(map(math.isfinite, person.camera)) or person.camera[0] <= 0:", "if False:"),
    Mutation(8, "the last good result is kept", "no_body", "app/pipeline/session.py",
        "if record.people or not self._pipeline.rejected", "if True or not self._pipeline.rejected"),
    Mutation(8, "writers refuse", "every_writer", "app/export/mesh.py",
        "if not np.isfinite(mesh.vertices).all():", "if False:"),
    Mutation(9, "everybody is examined", "flagged", "app/pipeline/pipeline.py",
        "return self.examiner.examine(people, frame)", "return people"),
    Mutation(9, "a body inside out has a volume below zero", "flagged", "app/pipeline/shape_measures.py",
        'np.einsum("ij,ij->", a, np.cross(b, c)) / 6', 'abs(np.einsum("ij,ij->", a, np.cross(b, c))) / 6'),
    Mutation(9, "a limb of another length is seen", "flagged", "app/pipeline/shape_measures.py",
        "limbs=_factor(np.abs(bones).max())", "limbs=1.0"),
    Mutation(10, "memory is tried once more, with less", "full_card", "app/pipeline/rescue.py",
        "if done.trouble is not None and done.trouble.kind is Kind.MEMORY:", "if False:"),
    Mutation(10, "the second try is cheaper", "full_card", "app/pipeline/rescue.py",
        "            self.pipeline.economise()\n", ""),
    Mutation(10, "the error is gone when memory is freed", "full_card", "app/pipeline/session.py",
        "frame.source, trace)", "frame.source, trace, exc_info=error)"),
    Mutation(10, "then the CPU takes over", "stays_full", "app/pipeline/rescue.py",
        "if done.trouble is not None and self._go_to_cpu(done.trouble):", "if False:"),
    Mutation(10, "a model that does not fit is loaded on the CPU", "does_not_take", "app/gui/model_choice.py",
        'if trouble.kind is Kind.OTHER or self.device == "cpu":', "if True:"),
    Mutation(11, "a lost device is recognised", "device_assert", "app/pipeline/rescue.py",
        "return Trouble(Kind.DEVICE, words)", "return Trouble(Kind.OTHER, words)"),
    Mutation(11, "the restart is told", "device_assert", "app/pipeline/rescue.py",
        "        self._lost(why)\n", ""),
    Mutation(11, "without CUDA the CPU is chosen", "without_cuda", "app/pipeline/reconstructor.py",
        'return "cuda" if torch.cuda.is_available() else "cpu"', 'return "cuda"'),
    Mutation(12, "only the newest picture is held", "newest", "app/pipeline/feed.py",
        "self._newest = frame", "self._newest = self._newest or frame"),
    Mutation(12, "and no other one", "slow_model", "app/pipeline/feed.py",
        "self._newest = frame", "self._newest = frame; self.__dict__.setdefault('line', []).append(frame)"),
    Mutation(13, "the last masks count", "last_values", "app/pipeline/session.py",
        "_settings(record) != _settings(orders)", "record.study != orders.study"),
    Mutation(13, "counting waits for the moves that came together", "two_hundred", "app/gui/masking_panel.py",
        "self._count_later.start()", "[self._count() for _ in range(20)]"),
    Mutation(14, "nothing in a checkpoint is run", "never_runs", "model/safe_load.py",
        "weights_only=True", "weights_only=False"),
    Mutation(14, "numbers that are none are refused", "bad_checkpoint", "model/safe_load.py",
        "isfinite", "isreal"),
    Mutation(15, "only listed names are unpickled", "never_runs", "model/unpickle.py",
        "            raise RefusedError(f\"it asks",
        "            return super().find_class(module, name)  # "),
    Mutation(15, "a broken pickle is one sentence", "bad_body", "model/unpickle.py",
        "except Exception as error:", "except ZeroDivisionError as error:"),
    Mutation(16, "the worker is ended", "many_times", "app/gui/main_window.py",
        "        self.worker.close()\n", ""),
    Mutation(16, "a hanging feed does not hold up the end", "close_does_not_wait", "app/pipeline/session.py",
        "            self._feed.stop()\n", "            self._feed.stop(9.0)\n"),
    Mutation(17, "signals end in order", "ends_the_program", "app/gui/endings.py",
        "if hasattr(signal, name)]", "if False]"),
    Mutation(17, "what was recorded is found", "killed_process", "app/takes/recorder.py",
        "        found.append(Unfinished(path, facts.st_mtime, facts.st_size))\n", ""),
    Mutation(17, "it is offered across the window", "next_start_offers", "app/gui/recording.py",
        "        self._looking.done.connect(self._offer)\n", ""),
    Mutation(17, "at the start", "killed_program", "app/gui/application.py",
        "    window.recording.offer_unfinished()\n", ""),
    Mutation(17, "what is not wanted goes", "thrown_away", "app/gui/recording.py",
        "            forget(path)\n", ""),
    Mutation(18, "files are written beside and put in place", "full_disk", "model/paths.py",
        "        write(temporary)\n", "        write(path)\n        write(temporary)\n"),
    Mutation(18, "a disk that refuses is one sentence", "full_disk", "model/paths.py",
        "    except OSError as error:\n        raise UserError(f\"{path} cannot be written",
        "    except ZeroDivisionError as error:\n        raise UserError(f\"{path} cannot be written"),
    Mutation(18, "nothing is left lying about", "full_disk", "model/paths.py",
        "temporary.unlink(missing_ok=True)", "pass"),
    Mutation(18, "any error of a writer is told", "tells_and_goes_on", "app/gui/background.py",
        "except Exception as error:", "except ZeroDivisionError as error:"),
    Mutation(19, "a broken file is no reason not to start", "kept_aside", "app/gui/settings.py",
        "except (ValueError, TypeError, OSError) as error:", "except ZeroDivisionError as error:"),
    Mutation(19, "a future version is not believed", "kept_aside", "app/gui/settings.py",
        'if int(str(store.value("version", "0"))) != VERSION:', "if False:"),
    Mutation(19, "each window writes what it changed", "each_of_them", "app/gui/settings.py",
        "if known is None or value != getattr(known, item.name):", "if True:"),
    Mutation(20, "records are let go", "some_seconds", "app/gui/main_window.py",
        "self.record = record\n",
        "self.record = record; self.__dict__.setdefault('kept', []).append(b'x' * self.width() * 2000)\n"),
    Mutation(20, "growth is told", "whatever_grows", "app/vitals.py",
        "self.memory_mb <= MOST_GROWTH_MB and", ""),
)  # fmt: skip


def copy(folder: Path) -> None:
    """The program without its data, which is linked to."""
    listed = subprocess.run(["git", "ls-files", *PARTS], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    (folder / "assets").symlink_to(ROOT / "assets")


def failing(folder: Path, some: Sequence[Mutation]) -> str:
    """The first of their tests that fails there; empty when all pass."""
    marks = covered()
    tests = {test for one in some for test in marks[one.fault] if one.tests in test}
    names = " or ".join(sorted({test.split("::")[1] for test in tests}))
    files = sorted({test.split("::")[0] for test in tests})
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTHONPATH": str(folder), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [*command, "-k", names, "--timeout", "150", *files],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    why = re.search(r"^E +(.+)", done.stdout, re.MULTILINE)
    if found and why:
        return f"{found[1]}: {why[1][:120]}"
    return found[1] if found else f"ended with {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}"


def noticed_by(folder: Path, one: Mutation) -> str:
    """The test that noticed; empty when nobody did.

    Raises ValueError when the handling is not there.
    """
    path = folder / one.file
    text = path.read_text(encoding="utf-8")
    if text.count(one.old) < 1:
        raise ValueError(f"{one.file} has no longer: {one.old!r}")
    path.write_text(text.replace(one.old, one.new), encoding="utf-8")
    try:
        return failing(folder, [one])
    finally:
        path.write_text(text, encoding="utf-8")


def main() -> int:
    """Take out one handling after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fault", type=int, nargs="*", default=list(FAULTS))
    parser.add_argument("--no-baseline", dest="baseline", action="store_false", help="trust the tests")
    parsed = parser.parse_args()
    wanted = parsed.fault
    unnoticed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy(folder)
        some = [one for one in MUTATIONS if one.fault in wanted]
        if parsed.baseline and (broken := failing(folder, some)):
            sys.stdout.write(f"With all handlings in place: {broken}\n")
            return 1
        for one in some:
            noticed = noticed_by(folder, one)
            unnoticed += not noticed
            sys.stdout.write(f"{one.fault:>2}  {one.what}: {noticed or 'NOBODY NOTICED'}\n")
            sys.stdout.flush()
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
