"""Tests of items: ids of turns, as long as more is told of them."""

from __future__ import annotations

from api.realtime.items import Items


def test_a_turn_keeps_its_id_until_it_is_over() -> None:
    items = Items()
    first = items.id_of(0)

    assert items.commit(0) is None
    assert items.id_of(0) == first
    items.end(0)
    assert items.id_of(0) != first


def test_the_item_before_is_known_when_it_is_over() -> None:
    items = Items()
    items.commit(0)
    first = items.id_of(0)
    items.end(0)

    assert items.commit(1) == first


def test_a_turn_that_was_dropped_is_forgotten() -> None:
    items = Items()
    dropped = items.id_of(0)
    items.commit(1)

    assert items.id_of(0) != dropped
