"""Sound over Wyoming: any rate, width and number of channels, and none at all."""

from __future__ import annotations

import numpy as np
import pytest
from wyoming.audio import AudioChunk, AudioChunkConverter

from tests.wire.promises import promises
from tests.wire.wyoming_home import Home, spoken
from tests.wyoming_events import KIND, Kind, pcm, transcript_of


@pytest.mark.parametrize(
    "kind", [(48000, 2, 2), (16000, 4, 1), (44100, 4, 2), (8000, 2, 1), (16000, 1, 1)], ids=str
)
@promises("Wyoming", "audio of any rate, of 1 to 4 bytes a sample, in any channels", "extension")
def test_any_kind_of_audio(home: Home, kind: Kind) -> None:
    rate, width, channels = kind
    converter = AudioChunkConverter(rate=rate, width=width, channels=channels)
    sound = converter.convert(AudioChunk(*KIND, pcm())).audio
    found = transcript_of(home.ask(*spoken(sound, kind))).text

    assert "not what your country can do for you" in found


@promises("Wyoming", "24 bits, which the official client cannot convert", "extension")
def test_three_bytes_a_sample(home: Home, home_text: str) -> None:
    wide = np.frombuffer(pcm(), "<i2").astype("<i4") << 8
    sound = wide.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()

    assert transcript_of(home.ask(*spoken(sound, (16000, 3, 1)))).text == home_text


@pytest.mark.parametrize("seconds", [0, 0.01, 0.1, 3])
@promises("Wyoming", "silence, or no sound at all, is an empty text", "extension")
def test_silence(home: Home, seconds: float) -> None:
    assert transcript_of(home.ask(*spoken(bytes(2 * int(16000 * seconds))))).text == ""
