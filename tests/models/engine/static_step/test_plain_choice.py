"""Tokens chosen in static shapes, held against the rules by the row."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.cuda_graphs.batch_buckets import (
    filled_up,
    powers_of_two,
    smallest_of,
    with_halves,
)
from models.engine.decoding.sequence import Sequence
from models.engine.decoding.token_rules import TimestampState, TokenRules, choose
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.static_step.decode_state import DecodeState
from models.engine.static_step.plain_choice import PlainChoice
from tests.models.engine.decoding.test_token_rules import DIMS, sampled, sequence_with

CPU = torch.device("cpu")
SLOTS = 6


def in_slots(
    rows: list[list[int]], slots: list[int], temperatures: tuple[float, ...] | list[float] = ()
) -> list[Sequence]:
    heat = [*temperatures, *[0.0] * len(rows)]
    sequences = [sequence_with(row, each) for row, each in zip(rows, heat, strict=False)]
    for sequence, slot in zip(sequences, slots, strict=False):
        sequence.slot = slot
    return sequences


@pytest.mark.parametrize("name", ["base", "tiny.en", "large-v3"])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_choice_is_that_of_the_rules_step_by_step(name: str, data: st.DataObject) -> None:
    vocabulary = Vocabulary(DIMS[name])
    rules = TokenRules(vocabulary, CPU)
    choice = PlainChoice(rules, draws=True)
    texts = data.draw(
        st.lists(sampled(rules.begin).filter(bool), min_size=1, max_size=SLOTS), label="texts"
    )
    heat = st.lists(st.sampled_from([0.0, 0.4, 1.0]), min_size=SLOTS, max_size=SLOTS)
    sequences = in_slots(
        texts,
        data.draw(st.permutations(range(SLOTS)), label="slots"),
        data.draw(heat, label="temperatures"),
    )
    rows, chosen = DecodeState(vocabulary, SLOTS, CPU), torch.zeros(2, SLOTS)
    torch.manual_seed(data.draw(st.integers(0, 1000)))
    rows.load(sequences, SLOTS)
    for _ in range(3):
        logits = torch.randn(SLOTS, vocabulary.dims.n_vocab) * 4
        logits[:, rules.begin :] += data.draw(st.sampled_from([-8.0, 0.0, 8.0]))
        own = logits[[sequence.slot or 0 for sequence in sequences]]
        rules.apply(own, TimestampState.of(sequences, rules.begin, CPU))
        tokens, logprobs = choose(own, sequences)

        choice(SLOTS, logits, rows, chosen)

        for sequence, token, logprob in zip(sequences, tokens, logprobs, strict=True):
            assert chosen[0, sequence.slot] == token
            assert chosen[1, sequence.slot].item() == pytest.approx(logprob, abs=1e-4)
            sequence.tokens.append(token)
            assert rows.positions[sequence.slot] == sequence.position


def test_rows_that_nobody_waits_for_stand_where_no_text_is_read() -> None:
    vocabulary = Vocabulary(DIMS["base"])
    rows = DecodeState(vocabulary, 4, CPU)
    rows.load(in_slots([[50364, 5]], [2]), 4)

    assert rows.positions.tolist() == [447, 447, 2, 447]
    rows.go_on(4, torch.tensor([7, 7, 7, 7]))
    assert rows.positions.tolist() == [447, 447, 3, 447]


@given(maximum=st.integers(1, 300), needed=st.data())
def test_sizes_are_few_and_one_is_always_enough(maximum: int, needed: st.DataObject) -> None:
    for sizes in (powers_of_two(maximum), with_halves(maximum)):
        assert list(sizes) == sorted(set(sizes))
        assert (sizes[0], sizes[-1]) == (1, maximum)
        wanted = needed.draw(st.integers(1, maximum))
        assert wanted <= smallest_of(sizes, wanted) < 2 * wanted or wanted == 1
        assert filled_up(range(wanted), maximum)[wanted - 1 :] == [wanted - 1] * (
            maximum - wanted + 1
        )
