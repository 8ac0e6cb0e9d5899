"""The text of a recording is the same however its voice stands in the channels, with `base`."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable

import numpy as np
import pytest
from jiwer import wer

from models.audio.load.load_audio import load
from models.engine.engine import Engine
from models.options import TranscribeOptions
from models.transcription.transcriber import Transcriber
from models.units import SAMPLE_RATE
from tests.models.audio.load.test_load_audio import wav
from tests.speech_clips import clips

GREEDY = TranscribeOptions(temperature=(0.0,))
SPOKEN = [clip for clip in clips(language="en") if clip.is_speech and clip.seconds < 20][::2]

# Of the voice, of white noise as loud as it, in each channel.
_KINDS = {
    "inverted": ((1, 0), (-1, 0)),
    "inverted and softer": ((1, 0), (-0.6, 0)),
    "one is silent": ((0, 0), (1, 0)),
    "centre of 5.1": ((0, 0), (0, 0), (1, 0), (0, 0), (0, 0), (0, 0)),
    "noise beside the voice": ((1, 0), (0, 1)),
}


Text = Callable[..., str]


@pytest.fixture(scope="module")
def text(thin_engine: Callable[[str], Engine]) -> Text:
    """The text of a file with these channels."""
    transcriber = Transcriber(thin_engine("base"))

    def text(*channels: np.ndarray) -> str:
        integers = (np.stack(channels, axis=1) * 32767).clip(-32768, 32767).astype("<i2")
        samples = load(io.BytesIO(wav(integers, SAMPLE_RATE)))
        return asyncio.run(transcriber.transcribe_samples(samples, GREEDY)).text.lower()

    return text


@pytest.fixture(scope="module")
def alone(text: Text) -> list[str]:
    """The texts of the voices, each the only channel of its file."""
    return [text(load(clip.path)) for clip in SPOKEN]


@pytest.mark.parametrize("kind", _KINDS)
def test_voice_is_heard_in_any_channel(kind: str, text: Text, alone: list[str]) -> None:
    random = np.random.default_rng(7)
    treated = []
    for clip in SPOKEN:
        voice = load(clip.path)
        noise = random.normal(size=len(voice)) * voice.std()
        treated.append(text(*(gain * voice + other * noise for gain, other in _KINDS[kind])))

    assert len(SPOKEN) >= 4
    # One word of the 70: a level that is another rounds to other samples.
    assert wer(alone, treated) <= 1 / 70
