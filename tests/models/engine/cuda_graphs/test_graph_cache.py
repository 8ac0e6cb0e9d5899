"""Batch buckets: few sizes, one of which is always enough."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.engine.cuda_graphs.graph_cache import (
    GraphCache,
    bucket_for,
    padded_to,
    powers_of_two,
    with_halves,
)
from models.engine.cuda_graphs.launcher import Computation, DirectLauncher


@given(maximum=st.integers(1, 300), needed=st.data())
def test_buckets_are_few_and_one_is_always_enough(maximum: int, needed: st.DataObject) -> None:
    for sizes in (powers_of_two(maximum), with_halves(maximum)):
        assert list(sizes) == sorted(set(sizes))
        assert (sizes[0], sizes[-1]) == (1, maximum)
        wanted = needed.draw(st.integers(1, maximum))
        assert wanted <= bucket_for(sizes, wanted) < 2 * wanted or wanted == 1
        copies = maximum - wanted + 1
        assert padded_to(maximum, range(wanted))[wanted - 1 :] == [wanted - 1] * copies


def test_each_size_is_captured_once() -> None:
    captured: list[bool] = []

    class Counting(DirectLauncher):
        def capture(self, compute: Computation, *, side_stream: bool = False) -> Computation:
            captured.append(side_stream)
            return compute

    ran: list[tuple[int, int]] = []
    graphs = GraphCache[int, int](Counting(), lambda *size: ran.append(size), side_stream=True)
    for size in ((1, 2), (3, 4), (1, 2)):
        graphs.get(*size)()

    assert ran == [(1, 2), (3, 4), (1, 2)]
    assert captured == [True, True]
