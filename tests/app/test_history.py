"""What is remembered of a source: curves, failures, and never too much."""

from __future__ import annotations

import numpy as np

from app.pipeline.history import CURVE_POINTS, History
from tests.app.case_fakes import FINE, flagged, record


def test_a_curve_is_in_the_order_of_the_source_whatever_came_first():
    history = History()
    for index in (4, 1, 2):
        history.add(record(index=index))
    numbers, values = history.curve("confidence", 1)
    assert numbers.tolist() == [1, 2, 4]
    assert np.allclose(values, FINE.confidence)


def test_what_was_not_examined_is_a_gap_and_what_comes_again_counts():
    history = History()
    history.add(record(None, index=0))
    assert np.isnan(history.curve("ambiguity", None)[1]).all()
    history.add(record(index=0))
    assert len(history) == 1 and np.isfinite(history.curve("ambiguity", None)[1]).all()


def test_the_oldest_goes_when_there_are_too_many():
    history = History(3)
    for index in range(10):
        history.add(record(index=index))
    assert [moment.index for moment in history.moments] == [7, 8, 9]


def test_failures_are_told_by_kind_with_the_severity_of_that_kind():
    history = History()
    history.add(record(index=0))
    history.add(record(flagged(("limbs", 2.0), ("modes", 3.0)), index=1))
    history.add(record(flagged(("modes", 1.5)), index=2))
    assert [(one.index, one.severity) for one in history.failures()] == [(1, 3.0), (2, 1.5)]
    assert [(one.index, one.severity) for one in history.failures("limbs")] == [(1, 2.0)]
    history.add(record(index=1))
    assert [one.index for one in history.failures()] == [2], "seen again, it was fine"


def test_a_long_source_is_told_of_at_even_steps_and_its_failures_whole():
    history, long = History(), 3 * CURVE_POINTS + 1
    for index in range(long):
        history.add(record(flagged(("limbs", 2.0)) if index % 100 == 7 else None, index=index))
    numbers, values = history.curve("confidence", None)
    assert CURVE_POINTS / 2 < len(numbers) == len(values) <= CURVE_POINTS
    assert set(np.diff(numbers)) == {4.0}
    assert [one.index for one in history.failures()] == list(range(7, long, 100))


def test_failures_go_with_their_frames():
    history = History(2)
    for index in range(4):
        history.add(record(flagged(("limbs", 2.0)), index=index))
    assert [one.index for one in history.failures()] == [2, 3]
