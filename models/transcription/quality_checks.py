"""Which windows to decode again, which to drop, and what to doubt.

The first three thresholds are openai-whisper's (whisper/transcribe.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log1p

from models.engine.decoding.sequence import DecodingResult
from models.options import Flag, TranscribeOptions

# Whisper's probability of silence is below in nearly all speech, however strange its language.
_PERHAPS_SILENT = 0.2
# Seconds of speech by the voice detector that are believed whatever the decoder makes of them.
_CLEARLY_HEARD = 0.5
# The log-probability that a segment needs where the detector hears less, and where it hears none.
# `scripts.quality.soft_speech` measures both: what is lost of speech, what is said in noise.
_HARDLY_HEARD, _UNHEARD = -2.0, -1.25
# A probability of silence is at most this, or its logarithm would be infinite.
_SILENT = 1 - 1e-6


def needs_no_fallback(options: TranscribeOptions, result: DecodingResult) -> bool:
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
    if hopeless is not None and result.min_logprob < hopeless:
        return result.no_speech_prob > _PERHAPS_SILENT
    is_likely = options.logprob_threshold is not None and (
        result.avg_logprob > options.logprob_threshold
    )
    return is_noise(options, result) and not is_likely


def is_spoken(result: DecodingResult, logprobs: Sequence[float], heard: float) -> bool:
    """Whether a segment is speech, by the voice detector and the decoder together.

    The detector hears `heard` seconds of speech at its time; `logprobs` are those of the tokens of
    its text. The less the detector hears, the surer must the decoder be that somebody speaks and
    that this is said: what noise makes Whisper say is short and improbable ("you").
    """
    if heard >= _CLEARLY_HEARD:
        return True
    if not logprobs:
        return heard > 0
    spoken = log1p(-min(result.no_speech_prob, _SILENT))
    sure = spoken + sum(logprobs) / len(logprobs)
    return sure >= (_HARDLY_HEARD if heard > 0 else _UNHEARD)


def segment_flags(
    options: TranscribeOptions, result: DecodingResult, *, is_loop: bool, is_heard: bool
) -> Iterator[Flag]:
    """Why a segment of a window is in doubt.

    It `is_loop` if a loop was cut out of it, and `is_heard` if it is speech (`is_spoken`).
    """
    if is_unlikely(options, result):
        yield "low_logprob"
    if is_loop or is_repetitive(options, result):
        yield "repetition"
    if not is_heard:
        yield "no_speech"
