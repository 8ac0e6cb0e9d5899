"""Which windows to decode again and which to drop (openai-whisper, whisper/transcribe.py)."""

from __future__ import annotations

from models.engine.sequence import DecodingResult
from models.options import TranscribeOptions


def is_good(options: TranscribeOptions, result: DecodingResult) -> bool:
    """Whether a window needs no other temperature: no loop, and likely enough or silence."""
    too_repetitive = (
        options.compression_ratio_threshold is not None
        and result.compression_ratio > options.compression_ratio_threshold
    )
    too_unlikely = (
        options.logprob_threshold is not None and result.avg_logprob < options.logprob_threshold
    )
    silent = (
        options.no_speech_threshold is not None
        and result.no_speech_prob > options.no_speech_threshold
    )
    return not (too_repetitive or too_unlikely) or (silent and too_unlikely)


def is_silence(options: TranscribeOptions, result: DecodingResult) -> bool:
    """Whether a window's text is to be dropped: probably no speech, and not likely enough."""
    if options.no_speech_threshold is None:
        return False
    likely = options.logprob_threshold is not None and (
        result.avg_logprob > options.logprob_threshold
    )
    return result.no_speech_prob > options.no_speech_threshold and not likely
