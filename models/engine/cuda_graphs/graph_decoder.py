"""Decode steps as CUDA graphs: batch buckets of the first slots, texts up to a few lengths."""

from __future__ import annotations

from collections.abc import Sequence as Seq

import torch
from torch import Tensor

from models.engine.cuda_graphs.graph_cache import GraphCache, bucket_for, with_halves
from models.engine.cuda_graphs.launcher import Computation, Launcher
from models.engine.decoding.sequence import Sequence
from models.engine.decoding.token_rules import Chosen
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.network.decoder import Network
from models.engine.network.plain_backend import slots_of
from models.engine.static_step.decode_state import DecodeState
from models.engine.static_step.plain_step import Step

# Steps until the host reads what was chosen: it is slower than a small model.
STEPS = 4


class GraphRecorder:
    """Keeps the alignment heads' scores of every row in `scores`, [batch, heads, positions]."""

    def __init__(self, scores: Tensor) -> None:
        self._scores, self._end = scores, 0

    def record(self, rows: slice, scores: Tensor) -> None:
        """Keep a layer's scores, [rows, heads, 1, positions], behind those of layers before it."""
        begin, self._end = self._end, self._end + scores.shape[1]
        self._scores[rows, begin : self._end] = scores[:, :, 0]


class GraphDecoder:
    """Each batch bucket and length is captured; idle rows are computed as well."""

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
        self._feed = GraphCache(launcher, self._run_feed)
        self._choose = GraphCache(launcher, self._run_choice)
        # The attempts and lengths of text that the device's rows stand at.
        self._on_device: set[tuple[Sequence, int, int]] = set()

    def warm_up(self) -> None:
        """Capture all but what word timestamps need; the largest first, as memory is shared."""
        for batch in self._batches[::-1]:
            for draws in (True, False):
                self._choose.get(batch, draws)
            for length in self._lengths[::-1]:
                self._feed.get(batch, length, False)

    def steps(self, sequences: Seq[Sequence]) -> list[Chosen]:
        """Feed each row's last token and choose the next one, `STEPS` times."""
        batch, feed = self._load(sequences)
        choose = self._choose.get(batch, any(seq.temperature > 0 for seq in sequences))
        chosen = torch.empty(STEPS, 2, batch, device=self._chosen.device)
        for step in range(STEPS):
            feed()
            self._keep_scores(sequences, step)
            choose()
            chosen[step] = self._chosen[:, :batch]
        by_step = chosen.cpu()[:, :, slots_of(sequences)]
        self._on_device = _states(sequences, STEPS)
        return [(tokens.long().tolist(), logprobs.tolist()) for tokens, logprobs in by_step]

    def invalidate(self) -> None:
        """Load the rows anew before the next steps: some have ended, and would go on."""
        self._on_device = set()

    def _load(self, sequences: Seq[Sequence]) -> tuple[int, Computation]:
        """Load the rows unless the device has them; their batch bucket, and what feeds it."""
        batch = bucket_for(self._batches, max(slots_of(sequences)) + 1)
        furthest = max(sequence.position for sequence in sequences) + STEPS
        length = bucket_for(self._lengths, min(furthest, self._lengths[-1]))
        records = any(sequence.window.word_timestamps for sequence in sequences)
        # Where each row is as the last steps have left it, the device knows all.
        if not _states(sequences) <= self._on_device:
            self._rows.load(sequences, batch)
        self.invalidate()
        return batch, self._feed.get(batch, length, records)

    def _keep_scores(self, sequences: Seq[Sequence], step: int) -> None:
        """Keep the alignment heads' scores of the step for sequences with word timestamps."""
        timed = [sequence for sequence in sequences if sequence.window.word_timestamps]
        if timed:
            for sequence, scores in zip(timed, self._scores[slots_of(timed)], strict=True):
                # At its place: a step for which memory ran out is run again.
                sequence.scores[len(sequence.tokens) - 1 + step :] = [[scores]]

    def _run_feed(self, batch: int, length: int, records: bool) -> None:
        recorder = GraphRecorder(self._scores) if records else None
        tokens, positions = self._rows.tokens[:batch], self._rows.positions[:batch]
        states = self._step.feed(tokens, positions, length, recorder)
        self._logits[:batch] = self._head(states)

    def _run_choice(self, batch: int, draws: bool) -> None:
        choose = self._step.draw if draws else self._step.choose
        choose(batch, self._logits, self._rows, self._chosen)


def _states(sequences: Seq[Sequence], more: int = 0) -> set[tuple[Sequence, int, int]]:
    """Each sequence with the number of its attempt and of its tokens, `more` of them to come."""
    return {(seq, seq.attempt, len(seq.tokens) + more) for seq in sequences}
