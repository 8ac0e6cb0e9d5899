"""Language detection: the languages of a recording by probability, without its text."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from itertools import islice

from models.audio.mel import Mel
from models.audio.vad.silero import Silero
from models.audio.windows.window_stream import speech_windows
from models.engine.decoding.sequence import Window
from models.engine.engine import Engine
from models.options import VoiceOptions
from models.request_stats import RequestStats
from models.transcription.features import features
from models.transcription.language_vote import WINDOWS, mean_probabilities
from models.transcription.sample_stream import SampleStream


async def detect(
    engine: Engine,
    stream: SampleStream,
    detector: Silero,
    among: Sequence[str],
    stats: RequestStats,
) -> dict[str, float]:
    """The probability of each language, the most probable one first; together they are 1.

    The mean over the first windows in which somebody speaks; nothing where nobody does. Only
    `among` these languages, if there are any.
    """

    def windows() -> list[Mel]:
        spoken = speech_windows(stream.pieces(), detector, VoiceOptions())
        return [features(engine, window.samples) for window in islice(spoken, WINDOWS)]

    request = uuid.uuid4().hex
    futures = [
        engine.submit(
            Window(request, mel.window(0), mel.content(0), detects_only=True, stats=stats)
        )
        for mel in await stream.run(windows)
    ]
    results = await asyncio.gather(*map(asyncio.wrap_future, futures))
    probs = [result.language_probs for result in results if result.language_probs]
    return mean_probabilities(probs, among) if probs else {}
