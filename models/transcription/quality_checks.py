"""Quality checks: criteria for temperature fallback, for silence, and the flags of segments.

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
_CLEARLY_SPEECH = 0.5
# The log-probability that a segment needs where the detector finds less, and where it finds none.
# `scripts.quality.soft_speech` measures both: what is lost of speech, what is said in noise.
_MIN_LOGPROB_NEAR_SPEECH, _MIN_LOGPROB_IN_SILENCE = -2.0, -1.25
# A probability of silence is at most this, or its logarithm would be infinite.
_SILENT = 1 - 1e-6


def needs_no_fallback(options: TranscribeOptions, result: DecodingResult) -> bool:
    """True if a window needs no temperature fallback: no loop, and likely enough or silence."""
    too_unlikely = is_unlikely(options, result)
    silent = too_unlikely and is_noise(options, result)
    return silent or not (too_unlikely or is_repetitive(options, result))


def is_unlikely(options: TranscribeOptions, result: DecodingResult) -> bool:
    """True if the average log-probability is below the threshold."""
    threshold = options.logprob_threshold
    return threshold is not None and result.avg_logprob < threshold


def is_repetitive(options: TranscribeOptions, result: DecodingResult) -> bool:
    """True if the compression ratio is above the threshold."""
    threshold = options.compression_ratio_threshold
    return threshold is not None and result.compression_ratio > threshold


def is_noise(options: TranscribeOptions, result: DecodingResult) -> bool:
    """True if Whisper's own no-speech probability is above the threshold."""
    threshold = options.no_speech_threshold
    return threshold is not None and result.no_speech_prob > threshold


def says_nothing(options: TranscribeOptions, result: DecodingResult) -> bool:
    """True if a window's text is to be dropped.

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


def is_spoken(result: DecodingResult, logprobs: Sequence[float], speech_seconds: float) -> bool:
    """True if a segment is speech, by the voice activity detector and the decoder together.

    The detector finds `speech_seconds` at its time; `logprobs` are those of the tokens of
    its text. The less the detector finds, the surer must the decoder be that somebody speaks and
    that this is said: what noise makes Whisper say is short and improbable ("you").
    """
    if speech_seconds >= _CLEARLY_SPEECH:
        return True
    if not logprobs:
        return speech_seconds > 0
    spoken = log1p(-min(result.no_speech_prob, _SILENT))
    sure = spoken + sum(logprobs) / len(logprobs)
    return sure >= (_MIN_LOGPROB_NEAR_SPEECH if speech_seconds > 0 else _MIN_LOGPROB_IN_SILENCE)


def segment_flags(
    options: TranscribeOptions, result: DecodingResult, *, is_loop: bool, is_speech: bool
) -> Iterator[Flag]:
    """The quality flags of a window's segment.

    It `is_loop` if a loop was cut out of it, and `is_speech` by `is_spoken`.
    """
    if is_unlikely(options, result):
        yield "low_logprob"
    if is_loop or is_repetitive(options, result):
        yield "repetition"
    if not is_speech:
        yield "no_speech"
