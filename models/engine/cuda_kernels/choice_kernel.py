"""Token rules, argmax and the row's advance in one kernel (choice.cu)."""

from __future__ import annotations

from torch import Tensor

from models.engine.cuda_kernels.compiler import Kernel
from models.engine.decoding.token_rules import TokenRules
from models.engine.static_step.decode_state import DecodeState

_THREADS = 1024


class FusedChoice:
    """A `Choice` as `PlainChoice` without draws; the logits stay as they are."""

    def __init__(self, rules: TokenRules) -> None:
        self._rules = rules
        bias = rules.suppression
        self._kernel = Kernel("choice.cu", "choose", {"N_VOCAB": len(bias)}, bias.device)

    def __call__(self, batch: int, logits: Tensor, rows: DecodeState, chosen: Tensor) -> None:
        """[slots, n_vocab] -> `chosen`, [2, slots]: tokens and log-probabilities."""
        rules = self._rules
        state = (rows.tokens, rows.positions, rows.pairs, rows.stamps)
        tensors = (logits, rules.suppression, *state, chosen[0], chosen[1])
        edges = (rules.begin, rules.eot, rows.idle_position)
        self._kernel.launch((batch, 1, 1), _THREADS, (*tensors, *edges))
