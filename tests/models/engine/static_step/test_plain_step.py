"""Tokens chosen in static shapes, held against the rules by the row."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.decoding.sequence import Sequence
from models.engine.decoding.token_rules import TimestampState, TokenRules, choose
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.static_step.decode_state import DecodeState
from models.engine.static_step.plain_step import PlainChoice
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
@settings(max_examples=30)
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
        of_rows = logits[[sequence.slot or 0 for sequence in sequences]]
        rules.apply(of_rows, TimestampState.of(sequences, rules.begin, CPU))
        tokens, logprobs = choose(of_rows, sequences)

        choice(SLOTS, logits, rows, chosen)

        for sequence, token, logprob in zip(sequences, tokens, logprobs, strict=True):
            assert chosen[0, sequence.slot] == token
            assert chosen[1, sequence.slot].item() == pytest.approx(logprob, abs=1e-4)
            sequence.tokens.append(token)
            assert rows.positions[sequence.slot] == sequence.position


def test_idle_rows_stand_where_no_text_is_read() -> None:
    vocabulary = Vocabulary(DIMS["base"])
    rows = DecodeState(vocabulary, 4, CPU)
    rows.load(in_slots([[50364, 5]], [2]), 4)

    assert rows.positions.tolist() == [447, 447, 2, 447]
    rows.advance(4, torch.tensor([7, 7, 7, 7]))
    assert rows.positions.tolist() == [447, 447, 3, 447]
