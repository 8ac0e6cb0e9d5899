"""One window after another: the seek loop of openai-whisper (whisper/transcribe.py)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial

from models.audio.mel import Mel
from models.engine.decoding.sequence import DecodingResult, Window
from models.text.edges import SpeechBetween
from models.text.segment_order import Sequencer, by_time, ended_by
from models.text.transcript import Segment
from models.transcription.language_vote import most_probable
from models.transcription.quality_checks import needs_no_fallback
from models.transcription.recording_windows import RecordingWindows
from models.transcription.sample_stream import SampleStream
from models.transcription.window_parts import Part, WindowParts
from models.units import FRAMES_PER_SECOND

# Above it a window's text is too random to be the next window's prompt (whisper/transcribe.py).
MAX_PROMPT_TEMPERATURE = 0.5
# Seconds by which a segment may be off from its speech: less is openai-whisper's own.
_SLACK = 1.0


async def sequential(
    recording: RecordingWindows, source: SampleStream, mel: Mel, speech: SpeechBetween
) -> AsyncIterator[Segment]:
    """The segments in order, each as soon as its window is done."""
    seek = 0
    sequencer = Sequencer()
    history = recording.first_history()
    parts = WindowParts(recording, speech, _SLACK)
    detect = partial(most_probable, among=recording.options.languages)
    while seek < mel.frames:
        make = partial(recording.window, mel, seek, history, recording.language or detect)
        window = make() if mel.is_made(seek) else await source.run(make)
        frames = mel.content(seek)
        heard = speech(seek / FRAMES_PER_SECOND, (seek + frames) / FRAMES_PER_SECOND)
        window = recording.weighed(window, heard)
        result = await _decoded(recording, source, mel, window, seek)
        recording.language = result.language
        if recording.repetition(heard, frames).says_nothing(result):
            seek += frames
            continue
        whole = Part(window, seek, frames, result)
        cut = parts.cut(await parts.of(whole))
        segments = by_time([*cut.segments, *await parts.uncovered(whole, cut)])
        for segment in segments:
            # There the next window begins, whose words come after this one's.
            yield sequencer.put(ended_by(segment, cut.after / FRAMES_PER_SECOND))
        history = _remembered(recording, history, segments, result)
        seek = cut.after


async def _decoded(
    recording: RecordingWindows, source: SampleStream, mel: Mel, window: Window, seek: int
) -> DecodingResult:
    """The window's result; what the next one may need is read meanwhile."""
    result = asyncio.wrap_future(recording.engine.submit(window))
    try:
        if seek + mel.content(seek) < mel.frames:
            await source.run(partial(mel.read_ahead, seek), ahead=True)
        return await result
    finally:
        result.cancel()


def _remembered(
    recording: RecordingWindows,
    history: tuple[int, ...],
    segments: Sequence[Segment],
    result: DecodingResult,
) -> tuple[int, ...]:
    """The tokens that the next window is told."""
    options = recording.options
    if not options.condition_on_previous_text:
        return ()
    # Where no attempt was good the last one counts, though another's text was taken.
    tried = result.temperature if needs_no_fallback(options, result) else options.temperature[-1]
    if tried > MAX_PROMPT_TEMPERATURE:
        return ()
    return history + tuple(token for segment in segments for token in segment.tokens)
