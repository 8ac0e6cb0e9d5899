"""The strategy of a transcription: windows in sequence, or in parallel."""

from __future__ import annotations

from typing import Literal

from models.options import TranscribeOptions
from models.transcription.sample_stream import SampleStream
from models.units import WINDOW_SAMPLES


def choose_strategy(
    options: TranscribeOptions, stream: SampleStream
) -> Literal["sequential", "parallel"]:
    """What `auto` stands for: see `TranscribeOptions`. Reads the beginning if that decides."""
    if options.strategy != "auto":
        return options.strategy
    if options.condition_on_previous_text or stream.fits(WINDOW_SAMPLES):
        return "sequential"
    return "parallel"
