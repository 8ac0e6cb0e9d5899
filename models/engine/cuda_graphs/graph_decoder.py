"""Decode steps over the first so many slots, each a row, for texts up to a few lengths."""

from __future__ import annotations

from collections.abc import Sequence as Seq

import torch
from torch import Tensor

from models.engine.cuda_graphs.batch_buckets import smallest_of, with_halves
from models.engine.cuda_graphs.graph_cache import GraphCache
from models.engine.cuda_graphs.launcher import Computation, Launcher
from models.engine.decoding.sequence import Sequence
from models.engine.decoding.token_rules import Chosen
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.network.decoder import Network
from models.engine.network.plain_backend import slots_of
from models.engine.static_step.decode_state import DecodeState
from models.engine.static_step.step import Step

# Steps until the host reads what was chosen: it is slower than a small model.
STEPS = 4


class GraphWatch:
    """Notes what the alignment heads of every row score, [batch, heads, positions]."""

    def __init__(self, scores: Tensor) -> None:
        self._scores, self._end = scores, 0

    def note(self, rows: slice, scores: Tensor) -> None:
        """A layer's scores, behind those of the layers before it."""
        begin, self._end = self._end, self._end + scores.shape[1]
        self._scores[rows, begin : self._end] = scores


class GraphDecoder:
    """Each batch size and length is captured; rows that nobody waits for are computed as well."""

    def __init__(
        self,
        network: Network,
        step: Step,
        vocabulary: Vocabulary,
        launcher: Launcher,
        slots: int,
    ) -> None:
        self._step = step
        self._head = network.decoder.head
        device, dims = network.device, network.dims
        self._rows = DecodeState(vocabulary, slots, device)
        self._logits = torch.zeros(slots, dims.n_vocab, device=device)
        # Tokens, exact in this format, and their log-probabilities.
        self._chosen = torch.zeros(2, slots, device=device)
        shape = (slots, network.decoder.n_alignment_head, dims.n_audio_ctx)
        self._scores = torch.zeros(shape, device=device, dtype=torch.float16)
        self._batches, self._lengths = with_halves(slots), step.feed.lengths
        self._feed, self._choose = GraphCache(launcher, self._run), GraphCache(launcher, self._take)
        self._left: set[tuple[Sequence, int, int]] = set()

    def warm_up(self) -> None:
        """Capture all but what word timestamps need; the largest first, as memory is shared."""
        for batch in self._batches[::-1]:
            for draws in (True, False):
                self._choose.of(batch, draws)
            for length in self._lengths[::-1]:
                self._feed.of(batch, length, False)

    def steps(self, sequences: Seq[Sequence]) -> list[Chosen]:
        """Feed each row's last token and choose the next one, `STEPS` times."""
        batch, feed = self._load(sequences)
        choose = self._choose.of(batch, any(each.temperature > 0 for each in sequences))
        chosen = torch.empty(STEPS, 2, batch, device=self._chosen.device)
        for step in range(STEPS):
            feed()
            self._note(sequences, step)
            choose()
            chosen[step] = self._chosen[:, :batch]
        own = chosen.cpu()[:, :, slots_of(sequences)]
        self._left = _states(sequences, STEPS)
        return [(tokens.long().tolist(), logprobs.tolist()) for tokens, logprobs in own]

    def forget(self) -> None:
        """Bring the rows anew before the next steps: some have ended, and would go on."""
        self._left = set()

    def _load(self, sequences: Seq[Sequence]) -> tuple[int, Computation]:
        """Bring the rows where these stand; their batch, and what feeds it."""
        batch = smallest_of(self._batches, max(slots_of(sequences)) + 1)
        furthest = max(sequence.position for sequence in sequences) + STEPS
        length = smallest_of(self._lengths, min(furthest, self._lengths[-1]))
        watches = any(sequence.window.word_timestamps for sequence in sequences)
        # Where each row is as the last steps have left it, the device knows all.
        if not _states(sequences) <= self._left:
            self._rows.load(sequences, batch)
        self.forget()
        return batch, self._feed.of(batch, length, watches)

    def _note(self, sequences: Seq[Sequence], step: int) -> None:
        """Keep what was heard in the step for those whose words are timed."""
        timed = [sequence for sequence in sequences if sequence.window.word_timestamps]
        if timed:
            for sequence, scores in zip(timed, self._scores[slots_of(timed)], strict=True):
                # At its place: a step for which memory ran out is run again.
                sequence.heard[len(sequence.tokens) - 1 + step :] = [[scores]]

    def _run(self, batch: int, length: int, watches: bool) -> None:
        watch = GraphWatch(self._scores) if watches else None
        tokens, positions = self._rows.tokens[:batch], self._rows.positions[:batch]
        states = self._step.feed(tokens, positions, length, watch)
        self._logits[:batch] = self._head(states)

    def _take(self, batch: int, draws: bool) -> None:
        choose = self._step.draw if draws else self._step.choose
        choose(batch, self._logits, self._rows, self._chosen)


def _states(sequences: Seq[Sequence], more: int = 0) -> set[tuple[Sequence, int, int]]:
    """Which attempt of each it is, and how many tokens it has, or will have with so many more."""
    return {(each, each.attempt, len(each.tokens) + more) for each in sequences}
