"""What the worker's thread does with its orders: the state machine of one source after another."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from app.pipeline.feed import Feed
from app.pipeline.frames import Frame, Record
from app.pipeline.orders import Adopted, Exchange, Orders, Patience, Status, WorkerState
from app.pipeline.pipeline import Pipeline
from app.pipeline.player import FilePlayer
from app.pipeline.rescue import Attempt, Machine, Trouble, trouble_of
from app.pipeline.sources import FolderSource, FrameError, SourceError
from app.pipeline.steady import Steadier
from app.pipeline.study import studied, unstudied
from model.errors import UserError

_log = logging.getLogger(__name__)
T = TypeVar("T")
_MOST_FAILURES = 3
"""Frames in a row that may fail before the pipeline is given up (and built anew for the next source)."""
_AFTER_BROKEN = 0.05
"""Seconds after an unreadable picture: a folder that is gone has thousands of them a second."""


class Session:
    """Used by the worker's thread alone. Waits for nothing: `turn` does what is due and says when next."""

    def __init__(
        self,
        pipeline_factory: Callable[[], Pipeline],
        on_record: Callable[[Record], None],
        on_status: Callable[[Status], None],
        new_feed: Callable[[str | Path], Feed],
        patience: Patience,
    ) -> None:
        self._machine = Machine(pipeline_factory, self._lost)
        self._on_record = on_record
        self._on_status = on_status
        self._new_feed = new_feed
        self._patience = patience
        self._status = Status(WorkerState.IDLE)
        self._feed: Feed | None = None
        self._player: FilePlayer | None = None
        self._record: Record | None = None
        """What was delivered last."""
        self._fresh: Record | None = None
        """The last one of `process`: other masks start from its people, so that none is lost for good."""
        self._steadier = Steadier()
        self._playing = True
        self._index: int | None = None
        self._step = 0
        self._owes_frame = False
        self._followed: tuple[bool, int | None] = (False, None)
        self._failures = 0
        self._held = False
        """Whether the gate let nobody through, so that what is shown stands for other orders."""
        self._place = 0
        """Number of the frame that was processed last."""
        self._came = False
        """Whether a picture of this round of a file could be read."""
        self._unmade = False
        """Whether the standing frame was made by a model that has gone."""
        self._notice = ""

    @property
    def _pipeline(self) -> Pipeline | None:
        return self._machine.pipeline

    def turn(self, orders: Orders) -> float | None:
        """One piece of work. Returns the seconds until there may be more; None: until something happens."""
        try:
            self._hear(orders)
            if self._feed is None:
                self._try_masks(orders)
                return None
            if not self._arrived(self._feed):
                return 0.25
            self._obey(orders)
            return self._advance(orders, self._feed)
        except FrameError as error:
            self._notice = str(error)
            self._say(self._status.state)
            return _AFTER_BROKEN
        except UserError as error:
            self._fault(str(error))
        except Exception as error:
            _log.exception("worker")
            self._fault(f"Something went wrong: {trouble_of(error).words}.")
        return None

    def _hear(self, orders: Orders) -> None:
        """Takes over what is done once; a jump may have to wait for the source to open."""
        if orders.exchange is not None:
            self._exchange(orders.exchange, orders)
        if orders.playing is not None:
            self._playing = orders.playing
        if orders.adopted is not None:
            self._adopt(orders.adopted)
        if orders.spec is not None:
            self._open(orders.spec)
        if orders.index is not None:
            self._index, self._step = orders.index, 0
        self._step += orders.step
        if orders.playing and self._status.state is WorkerState.ENDED and self._index is None:
            self._index = 0

    def _exchange(self, other: Exchange, orders: Orders) -> None:
        """Goes over to another pipeline; people keep their ids, and a picture that stands is done again."""
        if self._pipeline is not None:
            other.pipeline.tracker = self._pipeline.tracker
        else:
            other.pipeline.tracker.follow(*self._followed)
        self._machine.factory, self._machine.pipeline = other.factory, other.pipeline
        self._failures, self._notice = 0, ""
        other.done("")
        self._forget_features()
        self._unmade = self._record is not None
        if self._record is None or orders.leaving:
            return
        if self._status.state in (WorkerState.PAUSED, WorkerState.ENDED) and not self._owes_frame:
            self._process(self._record.frame, orders, self._record.timings.get("grab", 0.0))

    def _forget_features(self) -> None:
        """One network's features mean nothing to another."""
        if self._record is not None:
            self._record = self._fresh = replace(unstudied(self._record), people=(), raw=())
        self._steadier.forget()

    def _adopt(self, other: Adopted) -> None:
        """Leaves the source; the record stands alone, and is shown by whoever brought it."""
        self.leave()
        self._say(WorkerState.PAUSED)
        try:
            pipeline = self._pipeline or self._machine.make()
        except UserError as error:
            self._say(WorkerState.PAUSED, f"Masks cannot be tried on this case: {error}")
            return
        if getattr(pipeline.reconstructor, "sha256", "") == other.sha256:
            self._record = self._fresh = other.record
        else:
            self._say(WorkerState.PAUSED, "Another model made this case: masks cannot be tried on it.")

    def _try_masks(self, orders: Orders) -> None:
        """And the other ways to look at an adopted record, if they have changed."""
        record = self._record
        if record is not None and _settings(record) != _settings(orders):
            self._again(record, orders)

    def _open(self, spec: str | Path) -> None:
        self.leave()
        self._say(WorkerState.OPENING, f"Opening {spec}")
        self._feed = self._new_feed(spec)

    def leave(self) -> None:
        """Closes the source and forgets everything about it."""
        if self._feed is not None:
            self._feed.stop()
        if self._pipeline is not None:
            self._pipeline.reset()
        self._feed = self._player = self._record = self._fresh = None
        self._steadier.forget()
        self._index, self._step, self._place = None, 0, 0
        self._failures, self._held, self._notice = 0, False, ""
        self._came = self._unmade = False

    def _fault(self, message: str) -> None:
        self.leave()
        self._say(WorkerState.FAULTED, message)

    def _arrived(self, feed: Feed) -> bool:
        """Waits for the source and the model; True once both are there."""
        if self._status.state is not WorkerState.OPENING:
            return True
        if feed.error is not None:
            raise SourceError(feed.error)
        if self._pipeline is None:
            self._machine.make().tracker.follow(*self._followed)
        if feed.source is None:
            if time.monotonic() - feed.last_arrival > self._patience.opening:
                raise SourceError(f"{feed.spec} does not answer.")
            return False
        self._player = None if feed.source.live else FilePlayer(feed.source)
        self._owes_frame = True
        self._say(WorkerState.RUNNING if self._playing else WorkerState.PAUSED)
        return True

    def _obey(self, orders: Orders) -> None:
        """Play, pause, jumps and whom to follow."""
        state = self._status.state
        assert self._pipeline is not None
        if self._index is not None or self._step:
            self._owes_frame = True
            if self._player is not None:
                self._jump(self._player)
                state = WorkerState.PAUSED
            self._index, self._step = None, 0
        if state is not WorkerState.ENDED:
            if state is WorkerState.RUNNING and not self._playing and self._player is not None:
                self._player.stop_clock()
            state = WorkerState.RUNNING if self._playing else WorkerState.PAUSED
        self._say(state)
        following = (orders.all_people, orders.chosen)
        other = following != self._followed
        if other:
            self._followed = following
            self._pipeline.tracker.follow(*following)
        stands = state is not WorkerState.RUNNING and not self._owes_frame
        if (other or self._unmade) and stands and self._record is not None:
            self._process(self._record.frame, orders, self._record.timings.get("grab", 0.0))

    def _jump(self, player: FilePlayer) -> None:
        assert self._pipeline is not None
        here = self._place
        target = max(0, (here if self._index is None else self._index) + self._step)
        if not 0 <= target - here <= 1:
            self._pipeline.jumped()
            self._steadier.forget()
        player.seek(target, back=target < here)

    def _advance(self, orders: Orders, feed: Feed) -> float | None:
        """The next frame if it is due, else the masks on the current one."""
        running = self._status.state is WorkerState.RUNNING
        if running or self._owes_frame:
            pause = self._live(orders, feed) if self._player is None else self._file(orders, self._player)
            if pause == 0.0:
                return pause
        else:
            pause = None
        record = self._record
        stale = record is not None and _settings(record) != _settings(orders)
        if record is not None and stale and (pause is None or pause > 0.1):
            self._again(record, orders)
        return pause

    def _live(self, orders: Orders, feed: Feed) -> float:
        frame = feed.take()
        if frame is not None:
            self._process(frame, orders, (time.monotonic() - feed.last_arrival) * 1000.0)
            return 0.0
        if feed.error is not None:
            raise SourceError(feed.error)
        now, name = time.monotonic(), feed.source.name if feed.source else feed.spec
        if now - feed.last_arrival > self._patience.dead:
            raise SourceError(f"The {name} does not answer any more.")
        if now - feed.last_arrival > self._patience.silent:
            self._notice = f"The {name} has stopped sending pictures."
            self._say(self._status.state)
        return min(0.25, self._patience.silent / 2)

    def _file(self, orders: Orders, player: FilePlayer) -> float | None:
        wait = 0.0 if self._owes_frame else player.delay(time.monotonic())
        if wait > 0.002:
            return wait
        frame = player.take(time.monotonic(), every=orders.every_frame)
        if frame is not None:
            self._process(frame, orders, player.grab_ms)
            player.shown(frame, time.monotonic())
            return 0.0
        self._owes_frame = False
        if orders.loop and self._record is not None and player.source.length != 1 and self._playing:
            assert self._pipeline is not None
            if not self._came:
                raise SourceError(f"Nothing of {player.source.name} can be read any more.")
            self._came = False
            self._pipeline.reset()
            self._steadier.forget()
            player.seek(0)
            return 0.0
        self._playing = False
        self._say(WorkerState.ENDED)
        return None

    def _process(self, frame: Frame, orders: Orders, grab_ms: float) -> None:
        self._place = frame.index
        self._came, self._unmade = True, False
        done = self._carefully(frame, lambda pipeline: _computed(pipeline, frame, orders, grab_ms))
        if done.result is None:
            self._failed(frame, done.trouble)
            return
        self._owes_frame = False
        record, delivered = done.result
        if not self._hold(record, orders):
            self._fresh = record
            self._deliver(self._steadier(delivered, self._smoothing(orders)))

    def _smoothing(self, orders: Orders) -> float:
        """Nothing is smoothed where pictures do not follow each other, nor while masks are compared."""
        player = self._player
        if player is not None and (player.source.length == 1 or isinstance(player.source, FolderSource)):
            return 0.0
        return 0.0 if orders.study.baseline is not None else orders.smoothing

    def _carefully(self, frame: Frame, work: Callable[[Pipeline], T]) -> Attempt[T]:
        """With the help of `Machine`; the source goes on while another pipeline takes over."""
        state = self._status.state
        done = self._machine.run(work, partial(_note, frame))
        if self._status.state is WorkerState.FAULTED:
            self._notice = ""
            self._say(state)
        return done

    def _lost(self, why: str) -> None:
        self._say(WorkerState.FAULTED, why)
        self._forget_features()

    def _hold(self, record: Record, orders: Orders) -> bool:
        """Whether the gate dropped everybody: then the last good record stays, and it is told why."""
        assert self._pipeline is not None
        shown = self._record
        if record.people or not self._pipeline.rejected or shown is None or not shown.people:
            return False
        self._record = replace(shown, **_settings(orders))
        self._held = True
        self._notice = " ".join((*self._pipeline.rejected, "The last good result is shown."))
        self._say(self._status.state)
        return True

    def _again(self, record: Record, orders: Orders) -> None:
        """A standing frame once more, as the network sees it: smoothed, other masks would hardly show.

        What is remembered for smoothing stays as it was after the frame, so that playing goes on from there.
        """
        before, plain = self._pipeline, unstudied(record.unsmoothed)
        toggled = _looked_at(record) != _looked_at(orders)
        anew = record.hops != orders.hops or toggled or self._failures > 0 or self._held

        def work(pipeline: Pipeline) -> tuple[Record, Record]:
            if pipeline is not before:  # The features are another network's.
                return _computed(pipeline, record.frame, orders, record.timings.get("grab", 0.0))
            fresh = self._fresh or plain
            if _looked_at(fresh) != _looked_at(orders):
                again = pipeline.encode_again(
                    fresh, orders.hops, isolate=orders.isolate, mirror=orders.mirror
                )
            else:
                again = pipeline.regress_again(fresh, orders.hops) if anew else plain
            done = _studied(pipeline, again, orders, record)
            kept = again is plain and record.raw and orders.study.baseline is None
            return again, replace(done, people=record.people, raw=record.raw) if kept else done

        done = self._carefully(record.frame, work)
        if done.result is None:
            # Not for ever the same attempt; the next one takes nothing over from this record.
            self._record = replace(plain, **_settings(orders))
            self._failed(record.frame, done.trouble)
        elif not (anew and self._hold(done.result[0], orders)):
            if self._pipeline is not before or toggled:
                self._fresh = done.result[0]
            self._deliver(done.result[1])

    def _failed(self, frame: Frame, trouble: Trouble | None) -> None:
        """One bad frame is told and left; several in a row are the pipeline's end."""
        self._owes_frame = False
        self._failures += 1
        words = "nothing came out" if trouble is None else trouble.words
        self._notice = f"Frame {frame.index} could not be reconstructed: {words}."
        self._say(self._status.state)
        if self._failures >= _MOST_FAILURES:
            self._machine.pipeline = None
            raise UserError(self._notice)

    def _deliver(self, record: Record) -> None:
        assert self._pipeline is not None
        self._record = record
        self._failures, self._held = 0, False
        self._notice = " ".join(self._pipeline.rejected)
        feed = self._feed
        if not self._notice and self._player is None and feed is not None and feed.source is not None:
            frozen = time.monotonic() - feed.last_change > self._patience.frozen
            self._notice = f"The {feed.source.name} sends the same picture again and again." if frozen else ""
        self._say(self._status.state)
        self._on_record(record)

    def _say(self, state: WorkerState, message: str = "") -> None:
        status = Status(state, message or self._notice)
        if status != self._status:
            self._status = status
            self._on_status(status)


def _note(frame: Frame, error: Exception) -> None:
    # As text: a kept log record would keep the error, and that every tensor which it passed.
    trace = "".join(traceback.format_exception(error)).rstrip()
    _log.warning("frame %d of %s\n%s", frame.index, frame.source, trace)


def _computed(pipeline: Pipeline, frame: Frame, orders: Orders, grab_ms: float) -> tuple[Record, Record]:
    """The frame's record, and the same with the answers to what else is wanted."""
    record = pipeline.process(frame, orders.hops, isolate=orders.isolate, mirror=orders.mirror)
    record = replace(record, timings={"grab": grab_ms, **record.timings})
    return record, _studied(pipeline, record, orders, None)


def _settings(wanted: Orders | Record) -> dict[str, Any]:
    """What a standing frame is computed again for."""
    return {
        "hops": wanted.hops,
        "study": wanted.study,
        "isolate": wanted.isolate,
        "mirror": wanted.mirror,
    }


def _looked_at(wanted: Orders | Record) -> tuple[bool, bool]:
    """What the features depend on."""
    return wanted.isolate, wanted.mirror


def _studied(pipeline: Pipeline, record: Record, orders: Orders, known: Record | None) -> Record:
    """The record with the answers to what else is wanted; it comes without any."""
    if orders.study == record.study:
        return record
    return studied(pipeline.reconstructor, record, orders.study, known, orders.chosen)
