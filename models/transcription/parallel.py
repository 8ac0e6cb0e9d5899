"""Parallel strategy: windows of detected speech, decoded side by side."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Any

from models.audio.mel import Mel
from models.audio.vad.silero import Silero
from models.audio.windows.window_stream import SpeechWindow, speech_windows
from models.text.segment_order import Sequencer
from models.text.transcript import Segment
from models.transcription.features import features
from models.transcription.language_vote import WINDOWS, LanguageVote
from models.transcription.sample_stream import SampleStream
from models.transcription.transcription_context import TranscriptionContext
from models.transcription.window_transcription import WindowTranscription
from models.units import SAMPLE_RATE

# Windows of one recording with the engine at once: enough to keep its slots full while the next
# are made, few enough that a recording of hours holds no more memory than one of minutes. A window
# that loops has its parts there instead, which together are as long.
IN_FLIGHT = 16

Reading = asyncio.Task[tuple[SpeechWindow, Mel] | None]


async def parallel(
    context: TranscriptionContext, stream: SampleStream, detector: Silero
) -> AsyncIterator[Segment]:
    """The segments in order, each as soon as its window and all before it are done.

    Where the language is not known the first windows tell it before the others follow. Where
    somebody reads along, the first goes before the others and alone is asked.
    """
    windows = speech_windows(stream.pieces(), detector, context.options.voice)
    asked = 1 if context.is_live else WINDOWS
    languages = LanguageVote(context.language, context.options.languages, asked)
    sequencer, submitted, covered = Sequencer(), 0, 0
    running: deque[asyncio.Task[list[Segment]]] = deque()
    # One window is read ahead of those that are with the engine.
    reading: Reading | None = _next(context, stream, windows, ahead=False)
    try:
        while reading or running:
            room = len(running) < IN_FLIGHT and submitted != languages.windows
            ready = [reading] if reading and room else []
            undone = (task for task in running if not task.done())
            waiting: list[asyncio.Future[Any]] = [*ready, *undone]
            if not languages.settled.done():
                waiting.append(languages.settled)
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for read in (task.result() for task in ready if task.done()):
                reading = None
                if read is None:
                    languages.limit_windows(submitted)
                    continue
                spoken = WindowTranscription(
                    context, stream, languages, *read, is_first=not submitted
                )
                end = spoken.plan.end
                running.append(asyncio.create_task(_counted(context, spoken, end - covered)))
                submitted, covered = submitted + 1, end
                ahead = len(running) > IN_FLIGHT // 2
                reading = _next(context, stream, windows, ahead=ahead)
            # The others may wait for one that has failed: for the language that it would have told.
            for failed in [task for task in running if task.done() and task.exception()]:
                failed.result()
            while running and running[0].done():
                for segment in running.popleft().result():
                    yield sequencer.put(segment)
        context.language = languages.language
    finally:
        tasks = [*running, *([reading] if reading else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _counted(
    context: TranscriptionContext, spoken: WindowTranscription, samples: int
) -> list[Segment]:
    """The window's segments; then so many samples, with the silence before it, are done."""
    segments = await spoken.segments()
    context.stats.done_seconds += samples / SAMPLE_RATE
    return segments


def _next(
    context: TranscriptionContext,
    stream: SampleStream,
    windows: Iterator[SpeechWindow],
    *,
    ahead: bool,
) -> Reading:
    """Reads on to the next window, and makes its features in the same thread."""

    def read() -> tuple[SpeechWindow, Mel] | None:
        window = next(windows, None)
        if window is None:
            return None
        return window, features(context.engine, window.samples)

    return asyncio.create_task(stream.run(read, ahead=ahead))
