"""Results of sequences: tokens appended, ends found, temperature fallback, futures settled."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence as Seq
from dataclasses import replace
from operator import attrgetter

import torch

from models.engine.backend import Backend
from models.engine.counters import EngineCounters
from models.engine.decoding.attempts import Attempt
from models.engine.decoding.sequence import DecodingResult, Sequence, Window
from models.engine.decoding.token_rules import Chosen
from models.engine.scheduler import Scheduler

logger = logging.getLogger(__name__)

# Tokens between two questions if an attempt is hopeless.
_BETWEEN = 8


class Results:
    """Ends sequences, or has them try again at the next temperature."""

    def __init__(self, backend: Backend, scheduler: Scheduler, counters: EngineCounters) -> None:
        self._backend = backend
        self._vocabulary = backend.vocabulary
        self._scheduler = scheduler
        self._counters = counters

    def append(self, rows: list[Sequence], chosen: list[Chosen]) -> None:
        """Give each row its tokens; what was chosen after its end is discarded."""
        ended = [
            sequence
            for row, sequence in enumerate(rows)
            if any(self._add(sequence, tokens[row], logprobs[row]) for tokens, logprobs in chosen)
        ]
        self._finish(ended)

    def _add(self, sequence: Sequence, token: int, logprob: float) -> bool:
        """Append a token to a sequence; True if that ends it."""
        sequence.logprobs.append(logprob)
        ended = token == self._vocabulary.eot
        if not ended:
            sequence.tokens.append(token)
            self._counters.tokens += 1
        # The limits of openai-whisper: half the context for the text, prompt and text in all.
        limit = self._vocabulary.dims.n_text_ctx
        is_full = len(sequence.tokens) >= limit // 2 or sequence.position >= limit
        return ended or is_full or _is_hopeless(sequence)

    def _finish(self, sequences: list[Sequence]) -> None:
        done: dict[Sequence, Attempt] = {}
        for sequence in sorted(sequences, key=attrgetter("attempt")):
            # One that was accepted a moment ago may have been before it.
            if sequence in sequence.attempts.rows:
                self._judge(sequence)
                if not sequence.attempts.rows:
                    done[sequence] = sequence.attempts.best()
        results = {sequence: attempt.result for sequence, attempt in done.items()}
        timed = [sequence for sequence in done if sequence.window.word_timestamps]
        all_starts = self._align([(sequence.window, done[sequence]) for sequence in timed])
        for sequence, starts in zip(timed, all_starts, strict=True):
            results[sequence] = replace(results[sequence], starts=starts)
        for sequence, result in results.items():
            sequence.window.stats.windows += 1
            sequence.window.stats.tokens += len(result.tokens) - len(sequence.window.prefix.tokens)
            self._scheduler.release(sequence)
            sequence.settle(result)

    def _judge(self, sequence: Sequence) -> None:
        """Accept or fail an attempt that has ended; the row makes the next one, if it is needed."""
        attempts, result = sequence.attempts, self.result(sequence)
        attempt = sequence.attempted(result)
        if sequence.window.accept(result):
            for row in attempts.accept(sequence.attempt, attempt):
                self._release(row)
        else:
            attempts.fail(sequence.attempt, attempt)
            self._count_fallback(sequence)
        if attempts.are_left:
            sequence.begin()
            self._fork(sequence)
        elif len(attempts.rows) > 1:
            self._release(sequence)
        else:
            attempts.rows.clear()

    def _count_fallback(self, sequence: Sequence) -> None:
        if sequence.attempt + 1 < len(sequence.window.temperatures):
            self._counters.fallbacks += 1
            sequence.window.stats.fallbacks += 1

    def _fork(self, sequence: Sequence) -> None:
        """Begin the attempts that are left in rows of their own, as far as slots are free."""
        while (
            self._backend.shares_windows
            and sequence.attempts.are_left
            and self._scheduler.has_spare_slot(sequence)
        ):
            row = sequence.fork()
            self._scheduler.join(row)
            self._backend.share_window(sequence, row)

    def _release(self, row: Sequence) -> None:
        row.attempts.rows.remove(row)
        self._scheduler.release(row)

    def _align(self, attempts: Seq[tuple[Window, Attempt]]) -> list[tuple[float, ...]]:
        try:
            return self._backend.align(attempts)
        except torch.OutOfMemoryError:
            self._counters.out_of_memory += 1
            logger.warning("out of device memory for word timestamps; found on the host")
            return self._backend.align(
                [(window, attempt.on_host()) for window, attempt in attempts]
            )

    def result(self, sequence: Sequence) -> DecodingResult:
        """The result of a sequence's tokens so far."""
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
            is_whole=len(sequence.logprobs) > len(sequence.tokens),
            language_probs=sequence.language_probs,
        )


def _is_hopeless(sequence: Sequence) -> bool:
    tokens = sequence.tokens
    # The first attempt is made to its end, however improbable: none of the others may be better.
    logprob = sum(sequence.logprobs) if sequence.attempt else 0.0
    return not len(tokens) % _BETWEEN and sequence.window.is_hopeless(tokens, logprob)


def _compression_ratio(text: str) -> float:
    """Ratio of zlib to the text: loops compress far too well (openai-whisper, whisper/utils.py)."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))
