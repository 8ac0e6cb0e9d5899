"""From logits to the next token: the rules of openai-whisper (whisper/decoding.py) by the batch."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import dataclass

import torch
from torch import Tensor

from models.engine.sequence import Sequence
from models.engine.vocabulary import Vocabulary

SECONDS_PER_TIMESTAMP = 0.02
MAX_INITIAL_TIMESTAMP = 1.0
NEVER = float("-inf")

# One token for each row, and its log-probability.
Chosen = tuple[list[int], list[float]]


@dataclass(frozen=True)
class TimestampState:
    """What the timestamp rules need of each row; every tensor is [rows, 1].

    `start` marks rows without a sampled token, `opened` and `closed` rows whose last token is the
    first or the second timestamp of a pair; `least` is the smallest timestamp allowed.
    """

    start: Tensor
    opened: Tensor
    closed: Tensor
    least: Tensor

    @classmethod
    def of(cls, sequences: Seq[Sequence], begin: int, device: torch.device) -> TimestampState:
        """The state of these sequences' tokens; `begin` is the first timestamp token."""
        rows = [_timestamp_row(sequence.tokens, begin) for sequence in sequences]
        start, opened, closed, least = (
            torch.tensor(column, device=device)[:, None] for column in zip(*rows, strict=True)
        )
        return cls(start, opened, closed, least)


def _timestamp_row(tokens: list[int], begin: int) -> tuple[bool, bool, bool, int]:
    last_is_timestamp = bool(tokens) and tokens[-1] >= begin
    pair, last = follows_timestamp(tokens, begin), last_timestamp(tokens, begin)
    opened, closed = last_is_timestamp and not pair, last_is_timestamp and pair
    # A segment may start where the last one ended, but has to end after its own start.
    return not tokens, opened, closed, last if opened else last + 1


def follows_timestamp(tokens: Seq[int], begin: int) -> bool:
    """Whether there is a timestamp before the last token; at the very start one counts as two."""
    return len(tokens) < 2 or tokens[-2] >= begin


def last_timestamp(tokens: Seq[int], begin: int) -> int:
    """The last timestamp; the token before the first of all where there is none yet."""
    return next((token for token in reversed(tokens) if token >= begin), begin - 1)


def suppression(vocabulary: Vocabulary, device: torch.device) -> Tensor:
    """What is added to logits, [n_vocab], so that no suppressed token is chosen."""
    bias = torch.zeros(vocabulary.dims.n_vocab, device=device)
    bias[torch.tensor(vocabulary.suppressed, device=device)] = NEVER
    return bias


class TokenRules:
    """The tokens a row may take next."""

    def __init__(self, vocabulary: Vocabulary, device: torch.device) -> None:
        self.begin = vocabulary.timestamp_begin
        self.eot = vocabulary.eot
        self.latest_start = self.begin + round(MAX_INITIAL_TIMESTAMP / SECONDS_PER_TIMESTAMP)
        self._suppressed = torch.tensor(vocabulary.suppressed, device=device)
        self._suppressed_at_start = torch.tensor(vocabulary.suppressed_at_start, device=device)
        self._timestamps = torch.arange(self.begin, vocabulary.dims.n_vocab, device=device)

    def apply(self, logits: Tensor, state: TimestampState) -> None:
        """Set what may not follow to -inf in `logits`, [rows, n_vocab], in place."""
        start, opened = state.start[:, 0], state.opened[:, 0]
        text, timestamps = logits[:, : self.begin], logits[:, self.begin :]
        # By rows, not by masks: most rows need none of it, and a pass over all logits takes longer
        # than the rest of the rules.
        logits[:, self._suppressed] = NEVER
        logits[start.nonzero(), self._suppressed_at_start] = NEVER
        # Timestamps come in pairs, except right before the end of the text.
        text[:, : self.eot][opened] = NEVER
        too_late = state.start & (self._timestamps > self.latest_start)
        forbidden = state.closed | too_late | (self._timestamps < state.least)
        timestamps.masked_fill_(forbidden, NEVER)
        # A row starts with a timestamp; later one is due when together they outweigh any text.
        due = timestamps.logsumexp(-1) > text.amax(-1)
        text[start | due] = NEVER


def choose(logits: Tensor, sequences: Seq[Sequence]) -> Chosen:
    """The next token of each row and its log-probability.

    The most probable one at temperature 0, else one drawn from softmax(logits / temperature).
    """
    scores = logits
    if any(sequence.temperature > 0 for sequence in sequences):
        scores = logits.clone()
        for row, sequence in enumerate(sequences):
            if sequence.temperature > 0:
                scores[row] = logits[row] / sequence.temperature + _gumbel(sequence, logits)
    tokens = scores.argmax(-1, keepdim=True)
    logprobs = logits.log_softmax(-1).gather(-1, tokens)
    return tokens.squeeze(-1).tolist(), logprobs.squeeze(-1).tolist()


def _gumbel(sequence: Sequence, logits: Tensor) -> Tensor:
    """Noise that makes argmax a draw (the Gumbel-max trick), [n_vocab].

    It depends on the attempt and the position alone, so that a recording gives the same text
    whatever else is in the batch.
    """
    generator = torch.Generator(logits.device)
    generator.manual_seed(sequence.attempt * 1_000_003 + len(sequence.tokens))
    uniform = torch.rand(logits.shape[-1], generator=generator, device=logits.device)
    return -torch.log(-torch.log(uniform.clamp_(1e-20, 1 - 1e-7)))
