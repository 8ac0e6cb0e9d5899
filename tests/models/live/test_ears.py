"""Ears of a session: how much one call hears."""

from __future__ import annotations

import pytest

from models.live.ears import Ears
from models.live.live_options import AudioFormat
from models.live.pcm import bytes_per_second

FORMATS = [AudioFormat("pcm16", 48_000), AudioFormat("pcm16", 8_000), AudioFormat("g711_ulaw")]


@pytest.mark.parametrize("audio", FORMATS, ids=str)
@pytest.mark.parametrize("appends", [1, 40])
def test_a_call_hears_a_second_of_any_format(audio: AudioFormat, appends: int) -> None:
    ears = Ears(audio)
    size = 4 * bytes_per_second(audio) // appends
    for _ in range(appends):
        ears.append(bytes(size))
    left = []
    for _ in range(4):
        ears.hear()
        left.append(ears.pending)

    assert left == [3.0, 2.0, 1.0, 0.0]


def test_a_call_hears_one_format() -> None:
    ears = Ears(AudioFormat("pcm16", 16_000))
    ears.append(bytes(16_000))
    ears.configure(AudioFormat("g711_alaw", 8_000))
    ears.append(bytes(4_000))
    assert ears.seconds == 1.0
    ears.hear()
    assert ears.pending == 0.5
    ears.hear()
    assert ears.pending == 0.0
