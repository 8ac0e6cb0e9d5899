"""The order in which events are told."""

from __future__ import annotations

from models.errors import DecodingError
from models.live.event_order import EventOrder
from models.live.events import Committed, Completed, Delta, Failed, OpenText


def completed(turn: int) -> Completed:
    return Completed(turn, "", "en", 1.0, 10, 0)


def test_text_of_a_later_turn_waits_for_the_turn_ahead() -> None:
    order = EventOrder()
    order.begin(0)
    order.begin(1)

    assert order.put(Committed(0)) == [Committed(0)]
    assert order.put(Delta(1, "b")) == []
    assert order.put(Committed(1)) == [Committed(1)]
    assert order.put(completed(1)) == []
    assert order.put(Delta(0, "a")) == [Delta(0, "a")]
    assert order.put(completed(0)) == [completed(0), Delta(1, "b"), completed(1)]
    assert order.unfinished == 0


def test_a_failure_lets_the_next_turn_go_on() -> None:
    order = EventOrder()
    order.begin(0)
    order.begin(1)
    order.put(Delta(1, "b"))
    failed = Failed(0, DecodingError("It failed."))

    assert order.put(failed) == [failed, Delta(1, "b")]


def test_a_turn_that_is_dropped_holds_nobody_back_and_says_nothing_more() -> None:
    order = EventOrder()
    for turn in range(3):
        order.begin(turn)
    order.put(Delta(2, "c"))
    assert order.drop(1) == []
    assert order.put(Delta(1, "b")) == []
    assert order.put(completed(0)) == [completed(0), Delta(2, "c")]


def test_of_open_texts_that_wait_the_last_one_is_told() -> None:
    order = EventOrder()
    order.begin(0)
    order.begin(1)
    for text in ("a", "b"):
        order.put(OpenText(1, text))

    assert order.put(completed(0)) == [completed(0), OpenText(1, "b")]
