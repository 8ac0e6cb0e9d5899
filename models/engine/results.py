"""Tokens become results: what a sequence has said, whether that will do, and who is told."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence as Seq
from dataclasses import replace

import torch

from models.engine.counters import EngineCounters
from models.engine.decoding import Chosen
from models.engine.runner import Runner
from models.engine.scheduler import Scheduler
from models.engine.sequence import Attempt, DecodingResult, Sequence, Window

logger = logging.getLogger(__name__)


class Results:
    """Ends sequences, or has them try again at the next temperature."""

    def __init__(self, runner: Runner, scheduler: Scheduler, counters: EngineCounters) -> None:
        self._runner = runner
        self._vocabulary = runner.vocabulary
        self._scheduler = scheduler
        self._counters = counters

    def take(self, rows: list[Sequence], chosen: list[Chosen]) -> None:
        """Give each row its tokens; what was chosen after its end is nobody's."""
        ended = [
            sequence
            for row, sequence in enumerate(rows)
            if any(self._add(sequence, tokens[row], logprobs[row]) for tokens, logprobs in chosen)
        ]
        self._finish(ended)

    def _add(self, sequence: Sequence, token: int, logprob: float) -> bool:
        """Append a token to a sequence; whether it has ended."""
        sequence.logprobs.append(logprob)
        ended = token == self._vocabulary.eot
        if not ended:
            sequence.tokens.append(token)
            self._counters.tokens += 1
        # The limits of openai-whisper: half the context for the text, prompt and text in all.
        limit = self._vocabulary.dims.n_text_ctx
        return ended or len(sequence.tokens) >= limit // 2 or sequence.position >= limit

    def _finish(self, sequences: list[Sequence]) -> None:
        done: dict[Sequence, Attempt] = {}
        for sequence in sequences:
            result = self.result(sequence)
            is_good = sequence.window.accept(result)
            if is_good or not sequence.has_more_temperatures:
                done[sequence] = sequence.taken(result, is_good=is_good)
            else:
                sequence.restart(result)
                self._counters.fallbacks += 1
                sequence.window.usage.fallbacks += 1
        results = {sequence: attempt.result for sequence, attempt in done.items()}
        timed = [sequence for sequence in done if sequence.window.word_timestamps]
        starts = self._starts([(each.window, done[each]) for each in timed])
        for sequence, own in zip(timed, starts, strict=True):
            results[sequence] = replace(results[sequence], starts=own)
        for sequence, result in results.items():
            sequence.window.usage.windows += 1
            sequence.window.usage.tokens += len(result.tokens)
            self._scheduler.release(sequence)
            sequence.settle(result)

    def _starts(self, attempts: Seq[tuple[Window, Attempt]]) -> list[tuple[float, ...]]:
        try:
            return self._runner.align(attempts)
        except torch.OutOfMemoryError:
            self._counters.out_of_memory += 1
            logger.warning("out of device memory for the times of words; found on the host")
            return self._runner.align([(window, each.on_host()) for window, each in attempts])

    def result(self, sequence: Sequence) -> DecodingResult:
        """What a sequence says by now."""
        text = self._vocabulary.decode(sequence.tokens).strip()
        assert sequence.language is not None
        return DecodingResult(
            language=sequence.language,
            tokens=tuple(sequence.tokens),
            logprobs=tuple(sequence.logprobs[: len(sequence.tokens)]),
            text=text,
            avg_logprob=sum(sequence.logprobs) / (len(sequence.tokens) + 1),
            no_speech_prob=sequence.no_speech_prob,
            temperature=sequence.temperature,
            compression_ratio=_compression_ratio(text),
            language_probs=sequence.language_probs,
        )


def _compression_ratio(text: str) -> float:
    """How well the text compresses: loops do so far too well (openai-whisper, whisper/utils.py)."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))
