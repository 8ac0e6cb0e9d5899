"""Token rules as logit filters by the batch, the same as openai-whisper's (whisper/decoding.py)."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import dataclass

import torch
from torch import Tensor

from models.engine.decoding.sampling import gumbel_scores
from models.engine.decoding.sequence import Sequence
from models.engine.decoding.vocabulary import Vocabulary
from models.units import SECONDS_PER_TIMESTAMP

MAX_INITIAL_TIMESTAMP = 1.0
NEVER = float("-inf")

# One token for each row, and its log-probability.
Chosen = tuple[list[int], list[float]]


@dataclass(frozen=True)
class TimestampState:
    """Each row's state for the timestamp rules; every tensor is [rows, 1].

    `start` marks rows without a sampled token, `opened` and `closed` rows whose last token is the
    first or the second timestamp of a pair; `minimum` is the smallest timestamp allowed.
    """

    start: Tensor
    opened: Tensor
    closed: Tensor
    minimum: Tensor

    @classmethod
    def of(cls, sequences: Seq[Sequence], begin: int, device: torch.device) -> TimestampState:
        """The state of these sequences' tokens; `begin` is the first timestamp token."""
        rows = [_timestamp_row(sequence.tokens, begin) for sequence in sequences]
        start, opened, closed, minimum = (
            torch.tensor(column, device=device)[:, None] for column in zip(*rows, strict=True)
        )
        return cls(start, opened, closed, minimum)


def _timestamp_row(tokens: list[int], begin: int) -> tuple[bool, bool, bool, int]:
    last_is_timestamp = bool(tokens) and tokens[-1] >= begin
    pair, last = follows_timestamp(tokens, begin), last_timestamp(tokens, begin)
    opened, closed = last_is_timestamp and not pair, last_is_timestamp and pair
    # A segment may start where the last one ended, but has to end after its own start.
    return not tokens, opened, closed, last if opened else last + 1


def follows_timestamp(tokens: Seq[int], begin: int) -> bool:
    """True if a timestamp comes before the last token; at the very start one counts as two."""
    return len(tokens) < 2 or tokens[-2] >= begin


def last_timestamp(tokens: Seq[int], begin: int) -> int:
    """The last timestamp; the token before the first of all where there is none yet."""
    return next((token for token in reversed(tokens) if token >= begin), begin - 1)


class TokenRules:
    """Logit filters of openai-whisper; no shape depends on the data, so a GPU can replay them."""

    def __init__(self, vocabulary: Vocabulary, device: torch.device) -> None:
        n_vocab = vocabulary.dims.n_vocab
        self.begin, self.eot = vocabulary.timestamp_begin, vocabulary.eot
        self.latest_start = self.begin + round(MAX_INITIAL_TIMESTAMP / SECONDS_PER_TIMESTAMP)
        # Added to logits: -inf where a token is never taken.
        self.suppression = torch.zeros(n_vocab, device=device)
        self.suppression[torch.tensor(vocabulary.suppressed, device=device)] = NEVER
        self._timestamps = torch.arange(self.begin, n_vocab, device=device)

    def apply(self, logits: Tensor, state: TimestampState) -> None:
        """Set what may not follow to -inf in `logits`, [rows, n_vocab], in place."""
        logits += self.suppression
        text, timestamps = logits[:, : self.begin], logits[:, self.begin :]
        # Timestamps come in pairs, except right before the end of the text.
        text[:, : self.eot].masked_fill_(state.opened, NEVER)
        too_late = state.start & (self._timestamps > self.latest_start)
        forbidden = state.closed | too_late | (self._timestamps < state.minimum)
        timestamps.masked_fill_(forbidden, NEVER)
        # A row starts with a timestamp; later one is due when together they outweigh any text.
        due = timestamps.logsumexp(-1, keepdim=True) > text.amax(-1, keepdim=True)
        text.masked_fill_(state.start | due, NEVER)


def choose(logits: Tensor, sequences: Seq[Sequence]) -> Chosen:
    """The next token of each row and its log-probability, from logits [rows, n_vocab].

    The most probable one at temperature 0, else one drawn from softmax(logits / temperature).
    """
    scores = logits
    if drawn := [row for row, sequence in enumerate(sequences) if sequence.temperature > 0]:
        drawing = [sequences[row] for row in drawn]
        temperatures = torch.tensor([s.temperature for s in drawing], device=logits.device)
        seeds = torch.tensor([s.seed for s in drawing], device=logits.device)
        scores = logits.clone()
        scores[drawn] = gumbel_scores(logits[drawn], temperatures, seeds)
    tokens = scores.argmax(-1)
    return tokens.tolist(), logprobs_of(tokens, logits).tolist()


def logprobs_of(tokens: Tensor, logits: Tensor) -> Tensor:
    """The log-probabilities, [rows], of tokens [rows] under logits [rows, n_vocab]."""
    return logits.gather(-1, tokens[:, None])[:, 0] - logits.logsumexp(-1)
