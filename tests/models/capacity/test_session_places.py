"""Tests of the places of live sessions: a limit for all, and fair parts of it."""

from __future__ import annotations

from contextlib import ExitStack, suppress

import pytest

from models.capacity.session_places import SessionPlaces
from models.errors import OverloadedError


def taken_by(places: SessionPlaces, held: ExitStack, key: str) -> int:
    """How many places this key gets before it is refused."""
    before = places.taken
    with suppress(OverloadedError):
        while True:
            held.enter_context(places.place(key))
    return places.taken - before


def test_keys_get_equal_parts_and_one_is_left_for_the_next() -> None:
    places = SessionPlaces(8)
    with ExitStack() as held:
        assert [taken_by(places, held, key) for key in ("a", "b", "c", "d")] == [4, 2, 1, 1]
        assert places.taken == 8
    assert places.taken == 0


def test_without_keys_anybody_may_fill_them() -> None:
    places = SessionPlaces(3)
    with ExitStack() as held:
        assert taken_by(places, held, "") == 3


def test_one_place_is_anybodys() -> None:
    places = SessionPlaces(1)
    with ExitStack() as held:
        assert taken_by(places, held, "a") == 1
        with pytest.raises(OverloadedError, match="as many live sessions") as caught:
            held.enter_context(places.place("b"))
        assert caught.value.retry_after > 0
    with places.place("b"):
        assert places.taken == 1


def test_a_place_is_given_back_whatever_happens() -> None:
    places = SessionPlaces(1)
    with pytest.raises(ValueError, match="x"), places.place("a"):
        raise ValueError("x")
    assert places.taken == 0
