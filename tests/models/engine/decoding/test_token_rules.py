"""The token rules, held against openai-whisper's own logit filters."""

from __future__ import annotations

from concurrent.futures import Future

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper.decoding import ApplyTimestampRules, SuppressBlank, SuppressTokens
from whisper.tokenizer import get_tokenizer

from models.checkpoints.catalogue import CHECKPOINTS, Dimensions
from models.engine.decoding.sequence import Sequence, Window
from models.engine.decoding.token_rules import TimestampState, TokenRules, choose
from models.engine.decoding.vocabulary import Vocabulary

DIMS = {checkpoint.name: checkpoint.dims for checkpoint in CHECKPOINTS}
CPU = torch.device("cpu")


def sequence_with(tokens: list[int], temperature: float = 0.0) -> Sequence:
    window = Window(request="r", audio=torch.empty(0), temperatures=(temperature,))
    sequence = Sequence(window, Future(), "en", slot=0, prompt=(1,))
    sequence.tokens = tokens
    return sequence


def filtered_by_whisper(dims: Dimensions, logits: torch.Tensor, tokens: list[int]) -> torch.Tensor:
    """What openai-whisper's filters leave of one row of logits after a prompt of one token."""
    tokenizer = get_tokenizer(
        dims.is_multilingual, num_languages=dims.num_languages, language="en", task="transcribe"
    )
    specials = (tokenizer.transcribe, tokenizer.translate, tokenizer.sot, tokenizer.sot_prev)
    suppressed = {*tokenizer.non_speech_tokens, *specials, tokenizer.sot_lm, tokenizer.no_speech}
    filters = (
        SuppressBlank(tokenizer, 1),
        SuppressTokens(sorted(suppressed)),
        ApplyTimestampRules(tokenizer, 1, 50),
    )
    row, context = logits.clone()[None], torch.tensor([[0, *tokens]])
    for rule in filters:
        rule.apply(row, context)
    return row[0]


@st.composite
def sampled(draw: st.DrawFn, begin: int) -> list[int]:
    """Tokens a decoder could have sampled: text and rising timestamps in any mixture."""
    kinds = draw(st.lists(st.sampled_from(["text", "same", "later"]), max_size=12))
    tokens, stamp = [], begin
    for kind in kinds:
        stamp += draw(st.integers(1, 200)) if kind == "later" else 0
        tokens.append(draw(st.integers(0, 49_999)) if kind == "text" else stamp)
    return tokens


@pytest.mark.parametrize("name", ["base", "tiny.en", "large-v3"])
@settings(max_examples=40)
@given(data=st.data())
def test_rules_any_tokens_as_whisper_filters(name: str, data: st.DataObject) -> None:
    vocabulary = Vocabulary(DIMS[name])
    rules = TokenRules(vocabulary, CPU)
    rows = data.draw(st.lists(sampled(rules.begin), min_size=1, max_size=4))
    torch.manual_seed(data.draw(st.integers(0, 1000)))
    logits = torch.randn(len(rows), vocabulary.dims.n_vocab) * 4
    logits[:, rules.begin :] += data.draw(st.sampled_from([-8.0, 0.0, 8.0]))
    expected = [filtered_by_whisper(vocabulary.dims, logits[i], row) for i, row in enumerate(rows)]

    rules.apply(logits, TimestampState.of([sequence_with(row) for row in rows], rules.begin, CPU))

    assert torch.equal(logits, torch.stack(expected))


def test_choose_greedy_takes_the_most_probable() -> None:
    logits = torch.tensor([[0.0, 2.0, 1.0], [3.0, 0.0, 0.0]])

    tokens, logprobs = choose(logits, [sequence_with([]), sequence_with([])])

    assert tokens == [1, 0]
    expected = [row.log_softmax(-1).max().item() for row in logits]
    assert logprobs == pytest.approx(expected, abs=1e-6)


def test_choose_temperature_draws_from_the_softmax() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0]])
    counts = torch.zeros(3)
    for length in range(4000):
        tokens, _ = choose(logits, [sequence_with([0] * length, temperature=0.5)])
        counts[tokens[0]] += 1

    assert torch.allclose(counts / 4000, (logits[0] / 0.5).softmax(-1), atol=0.03)


def test_choose_never_takes_a_forbidden_token() -> None:
    logits = torch.full((1, 1000), float("-inf"))
    logits[0, 7] = -5.0

    draws = {
        choose(logits, [sequence_with([0] * length, temperature=1.0)])[0][0]
        for length in range(200)
    }

    assert draws == {7}
