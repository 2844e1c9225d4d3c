"""What is remembered of a source: curves, failures, and never too much."""

from __future__ import annotations

import numpy as np

from app.pipeline.history import History
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
