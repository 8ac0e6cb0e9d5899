"""Shards cover every id once, and the order within a block."""

from __future__ import annotations

from itertools import chain

import pytest

from bulk.row import Row
from bulk.shard import Shard, longest_first


def in_time(row: Row) -> int:
    return 0


def test_shards_cover_every_id_exactly_once() -> None:
    ids = [f"row {number}" for number in range(4000)]
    shards = [Shard.parsed(f"{index}/4") for index in range(4)]
    taken = [[each for each in ids if shard.has(each)] for shard in shards]
    assert sorted(chain.from_iterable(taken)) == sorted(ids)
    assert all(850 < len(each) < 1150 for each in taken)
    assert len({shard.worker for shard in shards}) == 4


def test_one_shard_has_everything() -> None:
    assert Shard().has("anything")
    assert Shard.parsed("0/1") == Shard()


@pytest.mark.parametrize("text", ["", "1", "4/4", "-1/4", "1/0", "a/b", "1/4/4", "٣/٤x"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no shard"):
        Shard.parsed(text)


def test_the_longest_of_a_block_is_first() -> None:
    rows = [Row(str(n), str(n), duration) for n, duration in enumerate([1, 9, None, 5, 2, 7])]
    assert [row.id for row in longest_first(rows, in_time, 4)] == ["1", "3", "0", "2", "5", "4"]


def test_late_rows_are_behind_the_others_of_their_block() -> None:
    rows = [Row(str(n), str(n), float(n)) for n in range(6)]
    late = {"5": 1, "3": 2, "4": 2}
    found = longest_first(rows, lambda row: late.get(row.id, 0))
    assert [row.id for row in found] == ["2", "1", "0", "5", "4", "3"]


def test_rows_without_durations_stay_in_order() -> None:
    rows = [Row(str(n), str(n)) for n in range(10)]
    assert list(longest_first(rows, in_time, 4)) == rows
