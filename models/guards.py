"""Which windows to decode again, which to drop, and what to doubt.

The first three thresholds are openai-whisper's (whisper/transcribe.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from models.engine.sequence import DecodingResult
from models.options import Flag, TranscribeOptions

# Whisper's probability of silence is below in nearly all speech, however strange its language.
_PERHAPS_SILENT = 0.2


def is_good(options: TranscribeOptions, result: DecodingResult) -> bool:
    """Whether a window needs no other temperature: no loop, and likely enough or silence."""
    too_unlikely = is_unlikely(options, result)
    silent = too_unlikely and is_noise(options, result)
    return silent or not (too_unlikely or is_repetitive(options, result))


def is_unlikely(options: TranscribeOptions, result: DecodingResult) -> bool:
    """Whether the text is too improbable."""
    threshold = options.logprob_threshold
    return threshold is not None and result.avg_logprob < threshold


def is_repetitive(options: TranscribeOptions, result: DecodingResult) -> bool:
    """Whether the text compresses too well."""
    threshold = options.compression_ratio_threshold
    return threshold is not None and result.compression_ratio > threshold


def is_noise(options: TranscribeOptions, result: DecodingResult) -> bool:
    """Whether Whisper itself thinks that nobody speaks."""
    threshold = options.no_speech_threshold
    return threshold is not None and result.no_speech_prob > threshold


def says_nothing(options: TranscribeOptions, result: DecodingResult) -> bool:
    """Whether a window's text is to be dropped.

    Probably no speech and not likely enough, as in openai-whisper; or perhaps no speech and, at
    some temperature, so improbable that the text is what noise and music make Whisper say.
    """
    hopeless = options.drop_logprob_threshold
    if hopeless is not None and result.least_logprob < hopeless:
        return result.no_speech_prob > _PERHAPS_SILENT
    is_likely = options.logprob_threshold is not None and (
        result.avg_logprob > options.logprob_threshold
    )
    return is_noise(options, result) and not is_likely


def doubts(
    options: TranscribeOptions, result: DecodingResult, *, is_loop: bool, is_heard: bool
) -> Iterator[Flag]:
    """Why a segment of a window is in doubt.

    It `is_loop` if a loop was cut out of it, and `is_heard` if somebody speaks at its time.
    """
    if is_unlikely(options, result):
        yield "low_logprob"
    if is_loop or is_repetitive(options, result):
        yield "repetition"
    if not is_heard:
        yield "no_speech"
