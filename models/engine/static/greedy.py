"""The most probable token under the rules, in whole passes: no shape depends on the data.

The same as `TokenRules` and `choose` (decoding.py) at temperature 0, for rows that have a token.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.engine.decoding import NEVER, suppression
from models.engine.vocabulary import Vocabulary


class Greedy:
    """Chooses tokens on one device without asking the host."""

    def __init__(self, vocabulary: Vocabulary, device: torch.device) -> None:
        n_vocab = vocabulary.dims.n_vocab
        self._begin, self._eot = vocabulary.timestamp_begin, vocabulary.eot
        self._bias = suppression(vocabulary, device)
        self._timestamps = torch.arange(self._begin, n_vocab, device=device)

    def choose(
        self, logits: Tensor, opened: Tensor, closed: Tensor, least: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Tokens and log-probabilities, [rows] each; `logits`, [rows, n_vocab], are changed.

        `opened`, `closed` and `least`, [rows, 1], as in `TimestampState`.
        """
        logits += self._bias
        text, timestamps = logits[:, : self._begin], logits[:, self._begin :]
        text[:, : self._eot].masked_fill_(opened, NEVER)
        timestamps.masked_fill_(closed | (self._timestamps < least), NEVER)
        due = timestamps.logsumexp(-1) > text.amax(-1)
        text.masked_fill_(due[:, None], NEVER)
        largest, tokens = logits.max(-1)
        return tokens, largest - logits.logsumexp(-1)
