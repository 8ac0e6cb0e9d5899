"""The language of a recording, without its text."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Callable

import pytest

from models.engine.engine import Engine
from models.errors import OptionError
from models.transcription.transcriber import Transcriber
from tests.speech_clips import Clip, clips, jfk


def detected(transcriber: Transcriber, clip: Clip, *among: str) -> dict[str, float]:
    with clip.path.open("rb") as file:
        return asyncio.run(transcriber.detect_language(file, among))


def test_detect_language(engine: Callable[[str], Engine]) -> None:
    clip = next(clip for clip in clips("de") if clip.seconds > 4)
    probabilities = detected(Transcriber(engine("base")), clip)

    assert next(iter(probabilities)) == "de"
    assert list(probabilities.values()) == sorted(probabilities.values(), reverse=True)
    assert sum(probabilities.values()) == pytest.approx(1)


def test_detect_language_among_some(engine: Callable[[str], Engine]) -> None:
    probabilities = detected(Transcriber(engine("base")), jfk(), "fr", "de")

    assert probabilities.keys() == {"fr", "de"}
    assert sum(probabilities.values()) == pytest.approx(1)


def test_detect_language_of_silence_is_none(tiny: Transcriber) -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setparams((1, 2, 16_000, 0, "NONE", ""))
        output.writeframes(bytes(96_000))

    assert asyncio.run(tiny.detect_language(file)) == {}


def test_detect_language_english_only_model_refuses(engine: Callable[[str], Engine]) -> None:
    with pytest.raises(OptionError, match="English only"):
        detected(Transcriber(engine("tiny.en")), jfk())
