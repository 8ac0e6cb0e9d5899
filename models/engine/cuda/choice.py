"""The next token of each row in one kernel."""

from __future__ import annotations

import torch
from torch import Tensor

from models.engine.cuda.compiler import Kernel
from models.engine.decoding import suppression
from models.engine.static.rows import Rows
from models.engine.vocabulary import Vocabulary

_THREADS = 1024


class FusedChoice:
    """What `PlainChoice` does."""

    def __init__(self, vocabulary: Vocabulary, device: torch.device) -> None:
        n_vocab = vocabulary.dims.n_vocab
        self._kernel = Kernel("choose", {"N_VOCAB": n_vocab}, device)
        self._bias = suppression(vocabulary, device)
        nowhere = vocabulary.dims.n_text_ctx - 1
        self._edges = [vocabulary.timestamp_begin, vocabulary.eot, nowhere]

    def __call__(self, batch: int, logits: Tensor, rows: Rows, chosen: Tensor) -> None:
        state = [rows.tokens, rows.positions, rows.pairs, rows.stamps]
        tensors = [logits, self._bias, *state, chosen[0], chosen[1]]
        self._kernel.launch((batch, 1), _THREADS, [*tensors, *self._edges])
