"""The background thread between sources and views.

Nothing queues up: orders are kept as the newest wish of each kind, a live source holds its newest frame
only, and a file leaves out the frames that are late.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from app.pipeline.feed import Feed, Opener
from app.pipeline.frames import Hops, Record, Study
from app.pipeline.orders import Adopted, Exchange, Orders, Patience, Status, WorkerState
from app.pipeline.pipeline import Pipeline
from app.pipeline.session import Session
from app.pipeline.sources import open_source
from model.errors import UserError

__all__ = ["Patience", "Status", "Worker", "WorkerState"]

_log = logging.getLogger(__name__)
T = TypeVar("T")
_OVERTAKEN = "Another model was chosen meanwhile."


class Worker:
    """Plays a source through the pipeline on a thread of its own.

    Every method may be called from any thread and returns at once, but `close`. The callbacks come on the
    worker's thread; from `open` and `adopt` on no record of the source before is told.
    """

    def __init__(
        self,
        pipeline_factory: Callable[[], Pipeline],
        on_record: Callable[[Record], None],
        on_status: Callable[[Status], None],
        *,
        opener: Opener = open_source,
        patience: Patience | None = None,
        on_leave: Callable[[], None] = lambda: None,
    ) -> None:
        """on_leave: called by `open` and `adopt`; from then on no record of the source before is told."""
        self._bell = threading.Condition()
        self._rung = False
        self._orders = Orders()
        self._switches = 0
        self._on_leave = on_leave
        self._session = Session(
            pipeline_factory,
            lambda record: self._deliver(on_record, record),
            lambda status: self._tell(on_status, status),
            lambda spec: Feed(spec, opener, self._ring),
            patience or Patience(),
        )
        self._thread = threading.Thread(target=self._run, name="pointhmr-worker", daemon=True)

    def start(self) -> None:
        """Starts the thread; the model is loaded with the first source."""
        self._thread.start()

    def close(self, timeout: float = 2.0) -> bool:
        """Ends the thread; False if it was still busy after `timeout` seconds (it dies with the program)."""
        self._order(stop=True)
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def open(self, spec: str | Path) -> None:
        """Leaves the current source and plays this one, following the largest person."""
        self._leave(spec=spec, playing=True, chosen=None)

    def adopt(self, record: Record, sha256: str) -> None:
        """Leaves the source for a kept record; only the model of this hash tries masks on it.

        The record's own masks and study come with it: under those of the source before it would at once be
        done anew.
        """
        kept = Adopted(record, sha256)
        own: dict[str, object] = {
            "hops": record.hops,
            "isolate": record.isolate,
            "mirror": record.mirror,
            "study": record.study,
        }
        self._leave(adopted=kept, spec=None, playing=False, **own)

    def play(self) -> None:
        """Goes on; from the end, starts again."""
        self._order(playing=True)

    def pause(self) -> None:
        """Keeps the current frame; other masks and people are still tried on it."""
        self._order(playing=False)

    def step(self, delta: int = 1) -> None:
        """Pauses `delta` frames further; a camera shows its newest frame."""
        with self._bell:
            self._order(step=self._orders.step + delta, playing=False)

    def seek(self, index: int) -> None:
        """Goes to a frame of a file."""
        self._order(index=index, step=0)

    def set_hops(self, hops: Hops) -> None:
        """Masks of all four encoders at once."""
        self._order(hops=hops)

    def set_study(self, study: Study) -> None:
        """What else is computed for every frame; a frame that stands is done at once, by the regressor."""
        self._order(study=study)

    def set_isolate(self, on: bool) -> None:
        """Keep the heatmaps of each person off the others; a frame that stands is encoded again."""
        self._order(isolate=on)

    def set_mirror(self, on: bool) -> None:
        """Look at each person in the mirror too; a frame that stands is encoded again."""
        self._order(mirror=on)

    def set_smoothing(self, strength: float) -> None:
        """Smooth clips and cameras over time from the next frame on; 0 not at all, 1 the most."""
        self._order(smoothing=strength)

    def set_all_people(self, on: bool) -> None:
        """Reconstruct everybody, or one person only."""
        self._order(all_people=on)

    def choose_person(self, person_id: int | None) -> None:
        """Whom to follow; None: the largest."""
        self._order(chosen=person_id)

    def set_loop(self, on: bool) -> None:
        """Start a file again at its end."""
        self._order(loop=on)

    def set_every_frame(self, on: bool) -> None:
        """A file waits for the network instead of leaving late frames out."""
        self._order(every_frame=on)

    def switch(self, pipeline_factory: Callable[[], Pipeline], done: Callable[[str], None]) -> None:
        """Goes over to another pipeline without leaving the source.

        It is made on a thread of its own while the old one goes on. `done` is called once: with "" on the
        worker's thread when everything from the next record on is the new one's, or with a sentence when the
        old one stays. A later switch overtakes an earlier one.
        """
        with self._bell:
            self._switches += 1
            number = self._switches
        arguments = (number, pipeline_factory, lambda fault: self._tell(done, fault))
        threading.Thread(target=self._make, args=arguments, name="pointhmr-loader", daemon=True).start()

    def _make(self, number: int, factory: Callable[[], Pipeline], done: Callable[[str], None]) -> None:
        try:
            exchange = Exchange(factory(), factory, done)
        except UserError as error:
            done(str(error))
            return
        except Exception as error:
            _log.exception("loader")
            done(f"The model could not be loaded: {str(error).rstrip('.') or type(error).__name__}.")
            return
        with self._bell:
            newest, waiting = number == self._switches, self._orders.exchange
            if newest:
                self._order(exchange=exchange)
        overtaken = waiting if newest else exchange
        if overtaken is not None:
            overtaken.done(_OVERTAKEN)

    def _order(self, **wishes: object) -> None:
        with self._bell:
            self._orders = replace(self._orders, **wishes)  # type: ignore[arg-type]
            self._ring()

    def _leave(self, **wishes: object) -> None:
        """The order to leave the source; records are delivered under the same lock."""
        with self._bell:
            self._order(index=None, step=0, **wishes)
            self._on_leave()

    def _ring(self) -> None:
        with self._bell:
            self._rung = True
            self._bell.notify_all()

    def _run(self) -> None:
        while not (orders := self._take_orders()).stop:
            pause = self._session.turn(orders)
            with self._bell:
                if not self._rung and pause != 0.0:
                    self._bell.wait(pause)
                self._rung = False
        self._session.leave()

    def _take_orders(self) -> Orders:
        """All wishes in one snapshot; those that are done once are taken off the list."""
        with self._bell:
            orders = self._orders
            self._orders = replace(
                orders, spec=None, playing=None, index=None, step=0, exchange=None, adopted=None
            )
        return orders

    def _deliver(self, callback: Callable[[Record], None], record: Record) -> None:
        """None of a source that is to be left: its views have been emptied for what comes next."""
        with self._bell:
            if not self._orders.leaving:
                self._tell(callback, record)

    def _tell(self, callback: Callable[[T], None], news: T) -> None:
        """A view that fails must not take the worker with it; after `close` none is called any more."""
        if self._orders.stop:
            return
        try:
            callback(news)
        except Exception:
            _log.exception("callback of the worker")
