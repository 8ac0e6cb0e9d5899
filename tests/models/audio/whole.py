"""A recording as a whole: its speech probabilities, its spans, the windows planned of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.audio.samples import Samples
from models.audio.vad.silero import BLOCK, SileroStream
from models.audio.vad.soft_speech import SoftSpeechStream
from models.audio.vad.speech_spans import Span, SpanFinder
from models.audio.windows.window_plan import PlannedWindow, Planner
from models.options import VoiceOptions


def probabilities(
    stream: SileroStream | SoftSpeechStream, samples: Samples, size: int = BLOCK
) -> NDArray[np.float32]:
    """Those that a new listener gives in blocks of a `size`, [ceil(samples / 512)]."""
    found = [stream.feed(samples[at : at + size]) for at in range(0, len(samples), size)]
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def speech_spans(
    probabilities: NDArray[np.float32], length: int, options: VoiceOptions
) -> list[Span]:
    """The spans of a recording of `length` samples, in order and disjoint."""
    return SpanFinder(options).feed(probabilities, length)


def plan_windows(
    spans: Sequence[Span], probabilities: NDArray[np.float32], length: int, padding_ms: int
) -> list[PlannedWindow]:
    """The windows of a recording of `length` samples, all of whose spans are known."""
    planner = Planner(padding_ms)
    for span in spans:
        planner.add(span, probabilities, 0)
    return planner.finish(length)
