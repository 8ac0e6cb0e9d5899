"""The engine: windows of all requests in one queue and one batch; `step()` is the whole of it."""

from __future__ import annotations

import logging
import threading
import time
import zlib
from concurrent.futures import Future, InvalidStateError
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace

import torch
from torch import Tensor

from models.engine.counters import EngineCounters, EngineState
from models.engine.decoding import Chosen
from models.engine.device import describe_device
from models.engine.limits import BatchLimit
from models.engine.runner import Runner
from models.engine.scheduler import Encoding, Plan, Scheduler
from models.engine.sequence import Attempt, DecodingResult, Sequence, Window
from models.engine.threads import take_cores
from models.errors import EngineStoppedError, OverloadedError

logger = logging.getLogger(__name__)

# When to come again, in seconds, where a device has no memory for a single window.
_RETRY_AFTER = 10.0


class Engine:
    """Decodes windows on one device, in a thread of its own.

    It computes with so many CPU `threads` (0: all), each step in its turn. `submit` may be called
    from any thread. Cancelling the future drops the window before the next step. Where the device
    runs out of memory, fewer windows are encoded or decoded together, and none is lost for it.
    """

    def __init__(
        self,
        runner: Runner,
        *,
        slots: int,
        encode_batch: int,
        threads: int = 0,
        cpu: AbstractContextManager[None] | None = None,
    ) -> None:
        self.runner = runner
        self.vocabulary = runner.vocabulary
        self.scheduler = Scheduler(slots, encode_batch, overlaps=runner.overlaps)
        self.counters = EngineCounters()
        self._row_limit = BatchLimit(slots)
        self._cpu = cpu or nullcontext()
        self._arrived: list[Sequence] = []
        self._wakeup = threading.Condition()
        self._stopping = False
        self._threads = threads or torch.get_num_threads()
        self._thread = threading.Thread(target=self._run, name="whisper-engine", daemon=True)
        self._thread.start()

    @property
    def device(self) -> str:
        """The device as a person would name it."""
        return describe_device(self.runner.device)

    @property
    def dtype(self) -> str:
        """The precision: float32, float16, bfloat16 or int8."""
        return self.runner.precision.name

    def state(self) -> EngineState:
        """How busy the engine is, and what it has done; any thread may ask."""
        counters = replace(self.counters, batch_sizes=self.counters.batch_sizes.copy())
        waiting = len(self._arrived) + self.scheduler.waiting
        return EngineState(
            device=self.device,
            dtype=self.dtype,
            waiting=waiting,
            running=self.scheduler.busy,
            slots=self.scheduler.slots,
            counters=counters,
        )

    def submit(self, window: Window) -> Future[DecodingResult]:
        """Queue a window; its result comes through the future.

        Raises:
            EngineStoppedError: the engine has been closed.
        """
        future: Future[DecodingResult] = Future()
        language = window.language
        if language is None and not self.vocabulary.dims.is_multilingual:
            language = "en"
        with self._wakeup:
            if self._stopping:
                raise EngineStoppedError("The server is shutting down.")
            sequence = Sequence(window, future, language)
            sequence.enter("queue")
            self._arrived.append(sequence)
            self._wakeup.notify()
        return future

    def close(self) -> None:
        """Stop after the running step; windows not yet decoded fail with EngineStoppedError."""
        with self._wakeup:
            self._stopping = True
            self._wakeup.notify()
        self._thread.join()

    def step(self) -> None:
        """Schedule, run, postprocess."""
        begin = time.perf_counter()
        plan = self.scheduler.schedule()
        self.counters.cancelled = self.scheduler.dropped
        if plan.is_empty:
            return
        for encoding in plan.encodings:
            self._encode(encoding)
        if plan.has_rows:
            self._decode(plan)
        else:
            self.runner.wait()
        self.counters.steps += 1
        self.scheduler.ran(time.perf_counter() - begin)

    def _encode(self, encoding: Encoding) -> None:
        """One stage further; complete windows go on to decoding."""
        if encoding.work is None:
            encoding.work = self.runner.encode(encoding.sequences)
        try:
            next(encoding.work)
        except StopIteration:
            self.counters.windows += len(encoding.sequences)
            self.scheduler.encode_limit.fitted()
            self.scheduler.encoded(encoding)
        except torch.OutOfMemoryError:
            self._encode_fewer(encoding)

    def _encode_fewer(self, encoding: Encoding) -> None:
        """These windows wait again, to be encoded in halves; a single one fails."""
        self._note_out_of_memory(self.scheduler.encode_limit, len(encoding.sequences))
        if len(encoding.sequences) > 1:
            self.scheduler.requeue(encoding)
        else:
            self.scheduler.give_up(encoding)
            _settle_all(encoding.sequences, _no_memory())

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
                self._postprocess(rows, chosen)

    def _decode_fewer(self, rows: list[Sequence]) -> None:
        """These rows stay where they were, and fewer run together now; a single one fails."""
        self._note_out_of_memory(self._row_limit, len(rows))
        if len(rows) == 1:
            self.scheduler.release(rows[0])
            _settle_all(rows, _no_memory())

    def _note_out_of_memory(self, limit: BatchLimit, tried: int) -> None:
        limit.ran_out(tried)
        self.counters.out_of_memory += 1
        logger.warning("out of device memory with %d windows; now %d at once", tried, limit.now)

    def _steps(self, plan: Plan) -> list[tuple[list[Sequence], list[Chosen]]]:
        """Run the plan's prompts and rows; those that take tokens now, and which, in turn."""
        steps: list[tuple[list[Sequence], list[Chosen]]] = []
        if plan.prefill:
            known, logits = self._prefill(plan.prefill)
            if known:
                steps.append((known, [self.runner.choose(logits, known)]))
        if plan.decode:
            steps.append((plan.decode, self.runner.step(plan.decode)))
            self.counters.batch_sizes[len(plan.decode)] += 1
            requests = {sequence.window.request for sequence in plan.decode}
            self.counters.shared_steps += len(requests) > 1
        return steps

    def _prefill(self, sequences: list[Sequence]) -> tuple[list[Sequence], Tensor]:
        """Feed the prompts; a row whose language is unknown learns it now and starts next step."""
        for sequence in sequences:
            sequence.prompt = self._prompt(sequence)
        logits = self.runner.prefill(sequences)
        known = [row for row, sequence in enumerate(sequences) if sequence.language is not None]
        for row, sequence in enumerate(sequences):
            if sequence.language is None:
                self._learn_language(sequence, logits[row])
        return [sequences[row] for row in known], logits[known]

    def _learn_language(self, sequence: Sequence, logits: Tensor) -> None:
        window = sequence.window
        sequence.language_probs = self.runner.language_probs(logits)
        sequence.language = window.choose_language(sequence.language_probs)
        if window.detects_only:
            window.usage.windows += 1
            self.scheduler.release(sequence)
            _settle(sequence.future, self._result(sequence))

    def _prompt(self, sequence: Sequence) -> tuple[int, ...]:
        if sequence.language is None:
            return (self.vocabulary.sot,)
        window = sequence.window
        return self.vocabulary.prompt(sequence.language, window.task, window.previous)

    def _postprocess(self, rows: list[Sequence], chosen: list[Chosen]) -> None:
        """Give each row its tokens; what was chosen after its end is nobody's."""
        ended = [
            sequence
            for row, sequence in enumerate(rows)
            if any(self._take(sequence, tokens[row], logprobs[row]) for tokens, logprobs in chosen)
        ]
        self._finish(ended)

    def _take(self, sequence: Sequence, token: int, logprob: float) -> bool:
        """Append a token to a sequence; whether it has ended."""
        sequence.logprobs.append(logprob)
        ended = token == self.vocabulary.eot
        if not ended:
            sequence.tokens.append(token)
            self.counters.tokens += 1
        # The limits of openai-whisper: half the context for the text, prompt and text in all.
        limit = self.vocabulary.dims.n_text_ctx
        return ended or len(sequence.tokens) >= limit // 2 or sequence.position >= limit

    def _finish(self, sequences: list[Sequence]) -> None:
        done: dict[Sequence, Attempt] = {}
        for sequence in sequences:
            result = self._result(sequence)
            is_good = sequence.window.accept(result)
            if is_good or not sequence.has_more_temperatures:
                done[sequence] = sequence.taken(result, is_good=is_good)
            else:
                sequence.restart(result)
                self.counters.fallbacks += 1
                sequence.window.usage.fallbacks += 1
        results = {sequence: attempt.result for sequence, attempt in done.items()}
        timed = [sequence for sequence in done if sequence.window.word_timestamps]
        starts = self.runner.align([(each.window, done[each]) for each in timed])
        for sequence, own in zip(timed, starts, strict=True):
            results[sequence] = replace(results[sequence], starts=own)
        for sequence, result in results.items():
            sequence.window.usage.windows += 1
            sequence.window.usage.tokens += len(result.tokens)
            self.scheduler.release(sequence)
            _settle(sequence.future, result)

    def _result(self, sequence: Sequence) -> DecodingResult:
        text = self.vocabulary.decode(sequence.tokens).strip()
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

    def _run(self) -> None:
        take_cores(self._threads)
        with self.runner.computing():
            while self._wait_for_work():
                try:
                    with self._cpu:
                        self.step()
                except Exception:  # one step's fault must not end the server
                    logger.exception("a decoding step failed; its windows are given up")
                    failure = EngineStoppedError("The model failed while decoding this recording.")
                    _settle_all(self.scheduler.drain(waiting=False), failure)
        stopped = EngineStoppedError("The server is shutting down.")
        _settle_all(self.scheduler.drain(waiting=True), stopped)

    def _wait_for_work(self) -> bool:
        """Take in what has arrived, sleeping while there is nothing; False when stopping."""
        with self._wakeup:
            while self.scheduler.is_idle and not self._arrived and not self._stopping:
                self._wakeup.wait()
            for sequence in self._arrived:
                self.scheduler.add(sequence)
            self._arrived.clear()
            return not self._stopping


def _compression_ratio(text: str) -> float:
    """How well the text compresses: loops do so far too well (openai-whisper, whisper/utils.py)."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def _no_memory() -> OverloadedError:
    return OverloadedError("The device has no memory for this recording now.", _RETRY_AFTER)


def _settle(future: Future[DecodingResult], result: DecodingResult | Exception) -> None:
    # The future may be cancelled by its owner at any moment, also between a check and this call.
    with suppress(InvalidStateError):
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)


def _settle_all(sequences: list[Sequence], failure: Exception) -> None:
    for sequence in sequences:
        _settle(sequence.future, failure)
