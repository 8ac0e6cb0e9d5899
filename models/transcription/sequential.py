"""Sequential strategy: the seek loop of openai-whisper (whisper/transcribe.py)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial

from models.audio.mel import Mel
from models.engine.decoding.sequence import DecodingResult, Window
from models.text.segment_order import Sequencer, by_time, ended_by
from models.text.speech_edges import SpeechBetween
from models.text.transcript import Segment
from models.transcription.language_vote import most_probable
from models.transcription.quality_checks import needs_no_fallback
from models.transcription.sample_stream import SampleStream
from models.transcription.transcription_context import TranscriptionContext
from models.transcription.window_parts import DecodedPart, PartDecoder
from models.units import FRAMES_PER_SECOND

# Above it a window's text is too random to be the next window's prompt (whisper/transcribe.py).
MAX_PROMPT_TEMPERATURE = 0.5
# Seconds by which a segment may be off from its speech: less is openai-whisper's own.
_SLACK = 1.0


async def sequential(
    context: TranscriptionContext, stream: SampleStream, mel: Mel, speech: SpeechBetween
) -> AsyncIterator[Segment]:
    """The segments in order, each as soon as its window is done."""
    seek = 0
    sequencer = Sequencer()
    history = context.first_history()
    parts = PartDecoder(context, speech, _SLACK)
    detect = partial(most_probable, among=context.options.languages)
    while seek < mel.frames:
        context.stats.done_seconds = seek / FRAMES_PER_SECOND
        make = partial(context.window, mel, seek, history, context.language or detect)
        window = make() if mel.is_ready(seek) else await stream.run(make)
        frames = mel.content(seek)
        speech_seconds = speech(seek / FRAMES_PER_SECOND, (seek + frames) / FRAMES_PER_SECOND)
        window = context.with_guard(window, speech_seconds)
        result = await _decoded(context, stream, mel, window, seek)
        context.language = result.language
        if context.repetition(speech_seconds, frames).says_nothing(result):
            seek += frames
            continue
        whole = DecodedPart(window, seek, frames, result)
        cut = parts.cut(await parts.split(whole))
        segments = by_time([*cut.segments, *await parts.uncovered(whole, cut)])
        for segment in segments:
            # There the next window begins, whose words come after this one's.
            yield sequencer.put(ended_by(segment, cut.next_seek / FRAMES_PER_SECOND))
        history = _remembered(context, history, segments, result)
        seek = cut.next_seek
    context.stats.done_seconds = mel.frames / FRAMES_PER_SECOND


async def _decoded(
    context: TranscriptionContext, stream: SampleStream, mel: Mel, window: Window, seek: int
) -> DecodingResult:
    """The window's result; what the next one may need is read meanwhile."""
    result = asyncio.wrap_future(context.engine.submit(window))
    try:
        if seek + mel.content(seek) < mel.frames:
            await stream.run(partial(mel.read_ahead, seek), ahead=True)
        return await result
    finally:
        result.cancel()


def _remembered(
    context: TranscriptionContext,
    history: tuple[int, ...],
    segments: Sequence[Segment],
    result: DecodingResult,
) -> tuple[int, ...]:
    """The prompt tokens of the next window."""
    options = context.options
    if not options.condition_on_previous_text:
        return ()
    # Where no attempt was good the last one counts, though another's text was taken.
    tried = result.temperature if needs_no_fallback(options, result) else options.temperature[-1]
    if tried > MAX_PROMPT_TEMPERATURE:
        return ()
    return history + tuple(token for segment in segments for token in segment.tokens)
