"""Tasks that carry turns through the engine: from their sound to their events."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Protocol

from models.errors import DecodingError, OverloadedError, WhisperError
from models.live.agreement import policy_of
from models.live.events import Delta, Failed, LiveEvent, OpenText
from models.live.live_options import LiveOptions
from models.live.live_turn import Decoding, LiveTurn
from models.live.recognizer import Recognizer, Recognizers
from models.live.turn_results import completed, logprobs_of
from models.live.whole_turn import WholeTurn
from models.text.transcript import TokenScore, Transcript
from models.transcription.live_window import LiveText
from models.units import SAMPLE_RATE

# Seconds that a turn waits for its model to be loaded, and between two questions.
_MODEL_WAIT, _MODEL_RETRY = 120.0, 1.0

# Seconds of a monotonic clock.
Clock = Callable[[], float]
Turn = LiveTurn | WholeTurn

logger = logging.getLogger(__name__)


class TurnListener(Protocol):
    """Whoever has turns."""

    def tell(self, event: LiveEvent) -> None:
        """An event of a turn's text."""
        ...

    def hear_pause(self, turn: int, text: str) -> None:
        """A turn's text before the pause that it is in."""
        ...


class TurnTask:
    """One turn on its way to its listener.

    `changed` is to be called at every change. Cancelling `task` takes its windows out of the
    engine.
    """

    def __init__(
        self, turn: Turn, recognizers: Recognizers, listener: TurnListener, clock: Clock
    ) -> None:
        self.turn = turn
        self._recognizers, self._listener, self._clock = recognizers, listener, clock
        self._change = asyncio.Event()
        self._decoding: tuple[Decoding, asyncio.Task[LiveText]] | None = None
        self.has_failed = False
        self.task = asyncio.create_task(self._run())

    def changed(self) -> None:
        """Look again what is to be done."""
        self._change.set()
        if self._decoding and isinstance(self.turn, LiveTurn):
            decoding, task = self._decoding
            if self.turn.is_superseded(decoding, self._clock()):
                task.cancel()

    async def _run(self) -> None:
        turn = self.turn
        try:
            async with _loaded(self._recognizers, turn.options) as recognizer:
                if isinstance(turn, LiveTurn):
                    await self._run_live(turn, recognizer)
                else:
                    await self._run_whole(turn, recognizer)
        except WhisperError as error:
            await self._fail(error)
        except Exception:
            logger.exception("a live turn failed")
            await self._fail(DecodingError("The model failed while decoding this turn."))

    async def _fail(self, error: WhisperError) -> None:
        """Tell the failure once the turn is committed; until then it keeps no sound."""
        self.has_failed = True
        self.turn.audio.drop_before(self.turn.audio.end)
        while not self.turn.is_committed:
            await self._wait(None)
        self._listener.tell(Failed(self.turn.number, error))

    async def _run_whole(self, turn: WholeTurn, recognizer: Recognizer) -> None:
        parts: list[Transcript] = []
        options = turn.options.transcription
        while not turn.is_final:
            end = turn.next_part()
            if end is None:
                await self._wait(None)
                continue
            samples = turn.audio.samples(end)
            parts.append(await recognizer.transcribe_samples(samples, options))
            options = replace(options, language=parts[0].language)
            turn.drop_before(end)
        text = "".join(segment.text for part in parts for segment in part.segments).strip()
        self._complete(turn, text, parts[0].language if parts else None, logprobs_of(parts))

    async def _run_live(self, turn: LiveTurn, recognizer: Recognizer) -> None:
        while not (turn.is_committed and turn.is_final):
            work = turn.next_decoding(self._clock())
            if isinstance(work, Decoding):
                await self._decode(turn, work, recognizer)
            else:
                await self._wait(work)
        turn.settled.settle_all()
        self._tell_delta(turn, is_last=True)
        turn.close()
        self._complete(turn, turn.settled.text, turn.heard_language, turn.settled.logprobs)

    async def _decode(self, turn: LiveTurn, decoding: Decoding, recognizer: Recognizer) -> None:
        """Decode a window, unless it is superseded meanwhile."""
        turn.begin(decoding, self._clock())
        task = asyncio.ensure_future(recognizer.decode_live(turn.window(decoding)))
        self._decoding = decoding, task
        try:
            await asyncio.wait([task])
        finally:
            self._decoding = None
            task.cancel()
        if task.cancelled():
            return
        turn.hear(decoding, task.result(), self._clock())
        self._tell_delta(turn)
        self._listener.tell(OpenText(turn.number, turn.settled.open_text))
        is_whole = decoding.is_final and turn.is_final
        if is_whole and turn.is_paused and not turn.is_committed:
            self._listener.hear_pause(turn.number, turn.settled.text + turn.settled.open_text)

    def _tell_delta(self, turn: LiveTurn, *, is_last: bool = False) -> None:
        text, logprobs = turn.settled.take(is_last=is_last)
        if text or logprobs:
            self._listener.tell(Delta(turn.number, text, logprobs))

    def _complete(
        self, turn: Turn, text: str, language: str | None, logprobs: list[TokenScore]
    ) -> None:
        if isinstance(turn, WholeTurn) and text:
            self._listener.tell(Delta(turn.number, text, tuple(logprobs)))
        seconds = turn.audio.end / SAMPLE_RATE
        language = language or turn.options.transcription.language or ""
        self._listener.tell(completed(turn.number, text, language, seconds, logprobs))

    async def _wait(self, seconds: float | None) -> None:
        """Until something changes, or so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._change.wait()
        except TimeoutError:
            pass
        self._change.clear()


def turn_for(number: int, options: LiveOptions) -> Turn:
    """A turn whose text comes as its options say."""
    policy = policy_of(options.delay)
    return LiveTurn(number, options, policy) if policy else WholeTurn(number, options)


@asynccontextmanager
async def _loaded(recognizers: Recognizers, options: LiveOptions) -> AsyncIterator[Recognizer]:
    """The model of a turn; one that is being loaded, or has no room yet, is waited for.

    Raises:
        OverloadedError: it is not there after two minutes.
        ModelLoadError: it cannot be loaded.
    """
    assert options.model is not None
    end = time.monotonic() + _MODEL_WAIT
    async with AsyncExitStack() as stack:
        while True:
            try:
                recognizer = await stack.enter_async_context(recognizers.use(options.model))
                break
            except OverloadedError:
                if time.monotonic() >= end:
                    raise
                await asyncio.sleep(_MODEL_RETRY)
        yield recognizer
