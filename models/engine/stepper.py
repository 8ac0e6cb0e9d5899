"""One step of continuous batching: the scheduler's plan is encoded, decoded and handed on."""

from __future__ import annotations

import logging
import time

import torch
from torch import Tensor

from models.engine.backend import Backend
from models.engine.counters import EngineCounters
from models.engine.decoding.sequence import Sequence, settle_all
from models.engine.decoding.token_rules import Chosen
from models.engine.device.oom_backoff import BatchBackoff
from models.engine.results import Results
from models.engine.scheduler import Encoding, Plan, Scheduler
from models.errors import OverloadedError

logger = logging.getLogger(__name__)

# When to come again, in seconds, where a device has no memory for a single window.
_RETRY_AFTER = 10.0


class Stepper:
    """Runs the plans of `scheduler` on `backend`, one step at a time.

    Where the device runs out of memory, fewer windows are encoded or decoded together, and none is
    lost for it.
    """

    def __init__(self, backend: Backend, scheduler: Scheduler, counters: EngineCounters) -> None:
        self._backend = backend
        self._vocabulary = backend.vocabulary
        self._scheduler = scheduler
        self._counters = counters
        self._results = Results(backend, scheduler, counters)
        self._row_limit = BatchBackoff(scheduler.slots)

    def step(self) -> None:
        """Schedule, encode, decode, postprocess."""
        begin = time.perf_counter()
        plan = self._scheduler.schedule()
        self._counters.cancelled = self._scheduler.dropped
        if plan.is_empty:
            return
        for encoding in plan.encodings:
            self._encode(encoding)
        if plan.has_rows:
            self._decode(plan)
        else:
            self._backend.wait()
        self._counters.steps += 1
        self._scheduler.ran(time.perf_counter() - begin)

    def _encode(self, encoding: Encoding) -> None:
        """One stage further; complete windows go on to decoding."""
        if encoding.work is None:
            encoding.work = self._backend.encode(encoding.sequences)
        try:
            next(encoding.work)
        except StopIteration:
            self._counters.windows += len(encoding.sequences)
            self._scheduler.encode_limit.fitted()
            self._scheduler.encoded(encoding)
        except torch.OutOfMemoryError:
            self._encode_fewer(encoding)

    def _encode_fewer(self, encoding: Encoding) -> None:
        """These windows wait again, to be encoded in halves; a single one fails."""
        self._note_out_of_memory(self._scheduler.encode_limit, len(encoding.sequences))
        if len(encoding.sequences) > 1:
            self._scheduler.requeue(encoding)
        else:
            self._scheduler.give_up(encoding)
            settle_all(encoding.sequences, _no_memory())

    def _decode(self, plan: Plan) -> None:
        """Every row takes a token, but for those that have just learned their language."""
        for part in plan.parts(self._row_limit.now):
            try:
                steps = self._steps(part)
            except torch.OutOfMemoryError:
                self._decode_fewer([*part.prefill, *part.decode])
                return
            self._row_limit.fitted()
            for rows, chosen in steps:
                self._results.append(rows, chosen)

    def _decode_fewer(self, rows: list[Sequence]) -> None:
        """These rows stay where they were, and fewer run together now; a single one fails."""
        self._note_out_of_memory(self._row_limit, len(rows))
        if len(rows) == 1:
            self._scheduler.release(rows[0])
            settle_all(rows, _no_memory())

    def _note_out_of_memory(self, limit: BatchBackoff, tried: int) -> None:
        limit.ran_out(tried)
        self._counters.out_of_memory += 1
        logger.warning("out of device memory with %d windows; now %d at once", tried, limit.now)

    def _steps(self, plan: Plan) -> list[tuple[list[Sequence], list[Chosen]]]:
        """Run the plan's prompts and rows; the rows that get tokens, with these, step by step."""
        steps: list[tuple[list[Sequence], list[Chosen]]] = []
        if plan.prefill:
            known, logits = self._prefill(plan.prefill)
            if known:
                steps.append((known, [self._backend.choose(logits, known)]))
        if plan.decode:
            chosen = self._backend.step(plan.decode)
            steps.append((plan.decode, chosen))
            self._counters.batch_sizes[len(plan.decode)] += len(chosen)
        return steps

    def _prefill(self, sequences: list[Sequence]) -> tuple[list[Sequence], Tensor]:
        """Feed the prompts; the rows of known language, with the logits after, [rows, n_vocab].

        A row whose language is unknown learns it now and starts next step.
        """
        for sequence in sequences:
            sequence.prompt = self._prompt(sequence)
        logits = self._backend.prefill(sequences)
        known = [row for row, sequence in enumerate(sequences) if sequence.language is not None]
        for row, sequence in enumerate(sequences):
            if sequence.language is None:
                self._detect_language(sequence, logits[row])
        return [sequences[row] for row in known], logits[known]

    def _detect_language(self, sequence: Sequence, logits: Tensor) -> None:
        """From the logits after start-of-transcript, [n_vocab]."""
        window = sequence.window
        sequence.language_probs = self._backend.language_probs(logits)
        sequence.language = window.choose_language(sequence.language_probs)
        if window.detects_only:
            window.stats.windows += 1
            self._scheduler.release(sequence)
            sequence.settle(self._results.result(sequence))

    def _prompt(self, sequence: Sequence) -> tuple[int, ...]:
        if sequence.language is None:
            return (self._vocabulary.sot,)
        window = sequence.window
        return self._vocabulary.prompt(sequence.language, window.task, window.previous)


def _no_memory() -> OverloadedError:
    return OverloadedError("The device has no memory for this recording now.", _RETRY_AFTER)
