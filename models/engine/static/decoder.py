"""Decode steps over the first so many slots, each a row, for texts up to a few lengths."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from functools import partial

import torch
from torch import Tensor

from models.engine.decoding import Chosen
from models.engine.network import Network
from models.engine.runner import slots_of
from models.engine.sequence import Sequence
from models.engine.static.choice import Choice
from models.engine.static.forward import Forward
from models.engine.static.launch import Computation, Launcher
from models.engine.static.rows import Rows
from models.engine.static.sizes import least_of, with_halves
from models.engine.vocabulary import Vocabulary

# Steps until the host reads what was chosen: it is slower than a small model.
STEPS = 4


class StaticWatch:
    """Notes what the alignment heads of every row score, [batch, heads, positions]."""

    def __init__(self, scores: Tensor) -> None:
        self._scores, self._end = scores, 0

    def note(self, rows: slice, scores: Tensor) -> None:
        """A layer's scores, behind those of the layers before it."""
        begin, self._end = self._end, self._end + scores.shape[1]
        self._scores[rows, begin : self._end] = scores


class StaticDecoder:
    """Each batch size and length is captured; rows that nobody waits for are computed as well."""

    def __init__(
        self,
        network: Network,
        forward: Forward,
        choice: Choice,
        vocabulary: Vocabulary,
        launcher: Launcher,
        slots: int,
    ) -> None:
        self._forward, self._choice, self._launcher = forward, choice, launcher
        self._head = network.decoder.head
        device, dims = network.device, network.dims
        self._rows = Rows(vocabulary, slots, device)
        self._logits = torch.zeros(slots, dims.n_vocab, device=device)
        # Tokens, exact in this format, and their log-probabilities.
        self._chosen = torch.zeros(2, slots, device=device)
        shape = (slots, network.decoder.n_alignment_head, dims.n_audio_ctx)
        self._scores = torch.zeros(shape, device=device, dtype=torch.float16)
        self._batches, self._lengths = with_halves(slots), forward.lengths
        self._feeding: dict[tuple[int, int, bool], Computation] = {}
        self._choosing: dict[int, Computation] = {}
        self._left: set[tuple[Sequence, int, int]] = set()

    def warm_up(self) -> None:
        """Capture all but what word timestamps need; the largest first, as memory is shared."""
        for batch in self._batches[::-1]:
            self._choose(batch)
            for length in self._lengths[::-1]:
                self._feed(batch, length, watches=False)

    def steps(self, sequences: Seq[Sequence]) -> list[Chosen]:
        """Feed each row's last token and choose the most probable next one, `STEPS` times."""
        batch, feed = self._load(sequences, STEPS)
        choose = self._choose(batch)
        chosen = torch.empty(STEPS, 2, batch, device=self._chosen.device)
        for step in range(STEPS):
            feed()
            self._note(sequences, step)
            choose()
            chosen[step] = self._chosen[:, :batch]
        own = chosen.cpu()[:, :, slots_of(sequences)]
        self._left = _states(sequences, STEPS)
        return [(tokens.long().tolist(), logprobs.tolist()) for tokens, logprobs in own]

    def logits(self, sequences: Seq[Sequence]) -> Tensor:
        """Feed each row's last token once; the logits after it, [rows, n_vocab]."""
        _, feed = self._load(sequences, 1)
        feed()
        self._note(sequences, 0)
        return self._logits[slots_of(sequences)]

    def _load(self, sequences: Seq[Sequence], steps: int) -> tuple[int, Computation]:
        """Bring the rows where these stand; their batch, and what feeds it."""
        batch = least_of(self._batches, max(slots_of(sequences)) + 1)
        furthest = max(sequence.position for sequence in sequences) + steps
        length = least_of(self._lengths, min(furthest, self._lengths[-1]))
        watches = any(sequence.window.word_timestamps for sequence in sequences)
        # Where each row is as the last steps have left it, the device knows all.
        if not _states(sequences) <= self._left:
            self._rows.load(sequences, batch)
        self._left = set()
        return batch, self._feed(batch, length, watches=watches)

    def _note(self, sequences: Seq[Sequence], step: int) -> None:
        """Keep what was heard in the step for those whose words are timed."""
        timed = [sequence for sequence in sequences if sequence.window.word_timestamps]
        if timed:
            for sequence, scores in zip(timed, self._scores[slots_of(timed)], strict=True):
                # At its place: a step for which memory ran out is run again.
                sequence.heard[len(sequence.tokens) - 1 + step :] = [[scores]]

    def _feed(self, batch: int, length: int, *, watches: bool) -> Computation:
        key = (batch, length, watches)
        if key not in self._feeding:
            self._feeding[key] = self._launcher.capture(partial(self._run, *key))
        return self._feeding[key]

    def _run(self, batch: int, length: int, watches: bool) -> None:
        watch = StaticWatch(self._scores) if watches else None
        tokens, positions = self._rows.tokens[:batch], self._rows.positions[:batch]
        states = self._forward(tokens, positions, length, watch)
        self._logits[:batch] = self._head(states)

    def _choose(self, batch: int) -> Computation:
        if batch not in self._choosing:
            choose = partial(self._choice, batch, self._logits, self._rows, self._chosen)
            self._choosing[batch] = self._launcher.capture(choose)
        return self._choosing[batch]


def _states(sequences: Seq[Sequence], more: int = 0) -> set[tuple[Sequence, int, int]]:
    """Which attempt of each it is, and how many tokens it has, or will have with so many more."""
    return {(each, each.attempt, len(each.tokens) + more) for each in sequences}
