"""Unit of work of the batch: a window, its decoding sequence, and the decoding result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Sequence as Seq
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from models.engine.decoding.attempts import Attempt, Attempts
from models.options import Task
from models.request_stats import RequestStats, StageName

if TYPE_CHECKING:
    from torch import Tensor

# Which windows go before which: see `Scheduler`.
LaneName = Literal["short", "live", "background", "job"]

# More than a text has tokens.
_SEEDS_PER_ATTEMPT = 1_000_003


@dataclass(frozen=True)
class DecodingResult:
    """One decoded window; fields as in openai-whisper's `DecodingResult`.

    `tokens` are without the prompt and without end-of-text; `logprobs` are theirs.
    `min_logprob` is the lowest `avg_logprob` of all temperatures that were tried. One that
    `is_whole` has come to its end; others are broken off, at the longest or before.
    `language_probs` is there only where the language was detected, `starts` only where the times of
    words were asked for: seconds in the window at which each token of the text begins, timestamps
    left out, and at which the last one ends.
    """

    language: str
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    text: str
    avg_logprob: float
    no_speech_prob: float
    temperature: float
    compression_ratio: float
    language_probs: dict[str, float] | None = None
    starts: tuple[float, ...] = ()
    min_logprob: float = 0.0
    is_whole: bool = True


def most_probable(probs: Mapping[str, float]) -> str:
    """The language of the highest probability."""
    return max(probs, key=probs.__getitem__)


@dataclass(frozen=True)
class Prefix:
    """The beginning of a window's text, fed and not chosen (`prefix` in whisper/decoding.py).

    `tokens` begin with a timestamp, as any text; `logprobs` are those they were once chosen with.
    """

    tokens: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Window:
    """One window to decode: `audio` is log-mel, [n_mels, 3000], `previous` the tokens before it.

    For an engine that takes samples, `audio` may be at most 30 s of these, [samples]. The recording
    fills `frames` of the 3000; behind them is padding. `language` None asks for detection:
    `choose_language` takes one by their probabilities, in the engine's thread, and a window that
    `detects_only` is done. The window is decoded at each of `temperatures` in turn
    until `accept` takes the result; if it takes none, the one that `prefer` ranks highest is the
    result. An attempt that `is_hopeless`, as is asked now and then with its tokens and the sum of
    their log-probabilities (of the first 0), is broken off. `request` tells the windows of one
    request from those of others. The `lane` is the queue that it waits in: see `Scheduler`. Every
    attempt begins with `prefix`, for which the language must be given. What the window takes is
    noted in the request's `stats`.
    """

    request: str
    audio: Tensor
    frames: int = 3000
    task: Task = "transcribe"
    language: str | None = None
    previous: tuple[int, ...] = ()
    prefix: Prefix = Prefix()
    temperatures: tuple[float, ...] = (0.0,)
    accept: Callable[[DecodingResult], bool] = lambda _: True
    prefer: Callable[[DecodingResult], tuple[float, ...]] = lambda result: (result.avg_logprob,)
    is_hopeless: Callable[[Seq[int], float], bool] = lambda *_: False
    lane: LaneName = "short"
    choose_language: Callable[[Mapping[str, float]], str] = most_probable
    detects_only: bool = False
    word_timestamps: bool = False
    stats: RequestStats = field(default_factory=RequestStats)


@dataclass(eq=False)
class Sequence:
    """A row of the batch: a window on its way through the engine, at one attempt after another.

    Of the window's `attempts` others may be made by other rows. `scores` are the alignment heads',
    as in `Attempt`.
    """

    window: Window
    future: Future[DecodingResult]
    language: str | None
    slot: int | None = None
    prompt: tuple[int, ...] = ()
    tokens: list[int] = field(init=False)
    logprobs: list[float] = field(init=False)
    no_speech_prob: float = 0.0
    attempt: int = 0
    language_probs: dict[str, float] | None = None
    scores: list[list[Tensor]] = field(init=False)
    stage: StageName | None = None
    attempts: Attempts = field(init=False)

    def __post_init__(self) -> None:
        self.attempts = Attempts(self.window, self)
        self._clear()

    @property
    def temperature(self) -> float:
        """The temperature of this attempt."""
        return self.window.temperatures[self.attempt]

    @property
    def is_settled(self) -> bool:
        """True if there is a result, or nobody waits for one any more."""
        return self.future.done()

    @property
    def is_cancelled(self) -> bool:
        """True if nobody waits for the result any more."""
        return self.future.cancelled()

    @property
    def is_prefilled(self) -> bool:
        """True if its prompt, and the prefix of its window, have been fed."""
        return len(self.tokens) > len(self.window.prefix.tokens)

    @property
    def position(self) -> int:
        """Where the next token's input stands in the text context."""
        return len(self.prompt) + len(self.tokens) - 1

    @property
    def seed(self) -> int:
        """Seed of the next token's draw: a function of the attempt and the place in the text alone.

        So a recording gives the same text whatever else is in the batch. From token to token it
        grows by one.
        """
        return self.attempt * _SEEDS_PER_ATTEMPT + len(self.tokens)

    def enter(self, stage: StageName | None) -> None:
        """Go from one stage to the next; None means that it is over."""
        self.window.stats.enter(self.stage, stage)
        self.stage = stage

    def settle(self, result: DecodingResult | Exception) -> None:
        """Give the result, or the failure, to whoever waits for it."""
        # The future may be cancelled by its owner at any moment, also between a check and this.
        with suppress(InvalidStateError):
            if isinstance(result, Exception):
                self.future.set_exception(result)
            else:
                self.future.set_result(result)

    def begin(self) -> None:
        """Start with the next attempt; slot, cross-KV and language are kept."""
        self.attempt = self.attempts.begin()
        self._clear()

    def fork(self) -> Sequence:
        """A row that makes the next attempt in parallel with this one."""
        row = Sequence(self.window, self.future, self.language, language_probs=self.language_probs)
        row.attempts = self.attempts
        self.attempts.rows.append(row)
        row.begin()
        return row

    def _clear(self) -> None:
        prefix = self.window.prefix
        self.tokens, self.logprobs, self.scores = list(prefix.tokens), list(prefix.logprobs), []

    def attempted(self, result: DecodingResult) -> Attempt:
        """This attempt, with its result."""
        # Some devices go on for a few steps after the end.
        return Attempt(result, self.scores[: len(self.logprobs) - 1])


def settle_all(sequences: Iterable[Sequence], failure: Exception) -> None:
    """Fail sequences: those who wait for them get this exception."""
    for sequence in sequences:
        sequence.settle(failure)
