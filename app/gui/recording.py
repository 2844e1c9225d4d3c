"""Recording: from the button to a take on the disk, beside the running source."""

from __future__ import annotations

import contextlib
import re
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths, QTimer, Signal

from app.gui.background import PATIENCE, BackgroundJob
from app.gui.banner import Offer
from app.gui.layout import set_checked
from app.gui.take_paint import clock
from app.takes.recorder import Recorder, Unfinished, find_unfinished, forget, recover
from app.takes.take import Made, Take
from app.takes.take_file import ENDING, save_take
from model.errors import UserError

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow
    from app.gui.model_info import ModelInfo

TELL_MS = 100
"""Milliseconds between two looks at the recorder."""
ABANDONED = 60.0
"""Seconds after which nobody writes into an empty file any more."""


def default_folder() -> Path:
    """Where takes are kept: beside the person's own films."""
    films = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
    return Path(films or str(Path.home())) / "PointHMR"


def size_text(size: int) -> str:
    """31_400_000 -> "31.4 MB"."""
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.2f} GB"


def made_by(info: ModelInfo, source: str) -> Made:
    """What a recording says about its origin."""
    return Made(info.model_name, info.sha256, info.body, info.body_sha256, source)


def name_of(made: Made) -> str:
    """A file name for a take: its source and when it was recorded."""
    source = re.sub(r"[^\w-]+", " ", Path(made.source).stem).strip()[:60] or "take"
    try:
        started = datetime.fromisoformat(made.started)
    except ValueError:
        started = datetime.now()
    return f"{source} {started:%Y-%m-%d %H.%M.%S}{ENDING}"


class Recording(QObject):
    """`kept(take, path)` when a recording has become a take; `path` is None where it could not be saved."""

    kept = Signal(object, object)
    numbers = Signal()
    """Time, frames or size have changed."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.folder = default_folder()
        self.recordings: Path | None = None
        """Where recordings lie until they are saved; None: the program's own folder."""
        self.recorder: Recorder | None = None
        self._show_take = True
        self._kept_because = ""
        self._saving = BackgroundJob(self)
        self._looking = BackgroundJob(self)
        self._tell = QTimer(self, interval=TELL_MS)
        self._tell.timeout.connect(self._look)
        self._saving.done.connect(self._saved)
        self._looking.done.connect(self._offer)
        window.commands.record.toggled.connect(self._toggle)
        window.bridge.model_ready.connect(self._model_came)

    @property
    def on(self) -> bool:
        """Whether records are being kept."""
        return self.recorder is not None

    @property
    def busy(self) -> bool:
        """Whether a recording is being saved."""
        return self._saving.busy

    def text(self) -> str:
        """Time, frames and size, such as "0:12.3 · 370 frames · 31.4 MB"."""
        recorder = self.recorder
        if recorder is None:
            return ""
        frames = f"{recorder.frames:,} frame{'s' * (recorder.frames != 1)}"
        return f"{clock(recorder.seconds)}   ·   {frames}   ·   {size_text(recorder.bytes)}"

    # Start and stop

    def _model_came(self, info: ModelInfo) -> None:
        """The same model on another device goes on with the recording."""
        made = self.recorder.made if self.recorder is not None else None
        if made is not None and (made.sha256, made.body) != (info.sha256, info.body):
            self.leave("Another model was chosen.")

    def _toggle(self, on: bool) -> None:
        if on:
            self.start()
        else:
            self.stop()

    def start(self) -> None:
        """Keep every record from the next one on; the one that is shown is the first."""
        window = self._window
        if window.info is None or self.recorder is not None:
            set_checked(window.commands.record, self.recorder is not None)
            return
        try:
            self.recorder = Recorder(made_by(window.info, str(window.spec or "")), self.recordings)
        except UserError as error:
            window.parts.banner.say(str(error))
            self._show()
            return
        window.worker.set_every_frame(True)
        if window.record is not None:
            self.recorder.add(window.record)
        window.bridge.tap = self.recorder.add
        self._tell.start()
        self._show()

    def stop(self, because: str = "", *, show: bool = True) -> None:
        """End the recording and save it in the background; `show`: open its page then."""
        recorder = self._end()
        if recorder is None:
            return
        self._show_take, self._kept_because = show, because
        self._saving.start(lambda: self._keep(recorder))
        self._show()

    def leave(self, because: str) -> None:
        """What was recorded is over: keep it, and go on with what comes."""
        self.stop(because, show=False)

    def _end(self) -> Recorder | None:
        recorder, self.recorder = self.recorder, None
        if recorder is not None:
            self._window.bridge.tap = None
            self._window.worker.set_every_frame(False)
            self._tell.stop()
        return recorder

    def shutdown(self) -> None:
        """The window closes: the file of a running recording stays and is offered at the next start."""
        recorder = self._end()
        if recorder is not None:
            recorder.close()
            if recorder.frames == 0:
                recorder.discard()
        self._saving.wait(PATIENCE)
        self._looking.wait(PATIENCE)

    def _look(self) -> None:
        """Numbers for the person; a recorder that has ended by itself is told."""
        if self.recorder is not None and self.recorder.ended:
            self.stop(self.recorder.ended)
        self._show()

    def _show(self) -> None:
        set_checked(self._window.commands.record, self.on)
        self.numbers.emit()

    # Keeping

    def _keep(self, recorder: Recorder) -> tuple[Take, Path | None, str]:
        """In a thread: the take, where it is, and why it could not be saved."""
        return self._file(recorder.finish(), recorder.path)

    def _file(self, take: Take, recording: Path) -> tuple[Take, Path | None, str]:
        """Save a take beside the others; its recording is thrown away only once that is done."""
        try:
            path = new_file(self.folder / name_of(take.made))
            try:
                save_take(path, take)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        except UserError as error:
            return take, None, f"{error} The recording is kept and offered at the next start."
        with contextlib.suppress(UserError):  # It is offered again, which does no harm.
            forget(recording)
        return take, path, ""

    def _saved(self, result: tuple[Take, Path | None, str] | None, fault: str) -> None:
        self._show()
        banner, because = self._window.parts.banner, self._kept_because
        self._kept_because = ""
        if result is None:
            banner.say(" ".join(part for part in (because, fault) if part))
            return
        take, path, fault = result
        show = self._show_take and not self.on  # Its page would take the source from the next recording.
        if show:
            self.kept.emit(take, path)
        told = fault or f"Recorded {clock(take.duration)}, {len(take):,} frames: {path}"
        offers = []
        if path is not None and not show:
            offers = [Offer("Open", "Look at the take", lambda: self._window.open_source(path))]
        banner.say(" ".join(part for part in (because, told) if part), serious=bool(fault), offers=offers)

    # What a crash has left

    def offer_unfinished(self) -> None:
        """Look for recordings that were never saved, and offer them beside whatever the banner tells."""
        self._looking.start(lambda: find_unfinished(self.recordings))

    def _offer(self, found: list[Unfinished] | None, fault: str) -> None:
        if fault:
            self._window.parts.banner.keep(fault)
        if not found:
            return
        one, more = found[0], len(found) - 1
        when = time.strftime("%A %d %B, %H:%M", time.localtime(one.changed))
        others = f" There {'is' if more == 1 else 'are'} {more} more." if more else ""
        self._window.parts.banner.keep(
            f"A recording of {when} ({size_text(one.bytes)}) was not saved.{others}",
            serious=False,
            offers=(
                Offer("Open", "Save it as a take and look at it", lambda: self.open_unfinished(one.path)),
                Offer("Discard", "Remove it from the disk", lambda: self.discard_unfinished(one.path)),
            ),
        )

    def open_unfinished(self, path: Path) -> None:
        """Save what is whole in it as a take, and show that."""
        self._show_take, self._kept_because = True, ""
        self._saving.start(lambda: self._file(recover(path), path))

    def discard_unfinished(self, path: Path) -> None:
        """Throw it away; the next one is offered."""

        def work() -> list[Unfinished]:
            forget(path)
            return find_unfinished(self.recordings)

        self._looking.start(work)


def new_file(path: Path) -> Path:
    """An empty file at the path, or with a number where there is one already. Raises UserError.

    It is made at once: another window may have begun to record the same source in the same second. An empty
    file of an earlier minute was left by a program that was killed before it had saved: it is taken.
    """
    result, number = path, 2
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                result.open("xb").close()
                return result
            except FileExistsError:
                about = result.stat()
                if about.st_size == 0 and time.time() - about.st_mtime > ABANDONED:
                    return result
                result, number = path.with_name(f"{path.stem} {number}{path.suffix}"), number + 1
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error
