"""Estimates of a recording's length from its header, before it is read."""

from __future__ import annotations

import io
import wave

import pytest

from models.audio.container.length import estimated_seconds
from tests.speech_clips import Clip, clips, jfk


def wav(seconds: int, rate: int, channels: int) -> io.BytesIO:
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setparams((channels, 2, rate, 0, "NONE", "NONE"))
        output.writeframes(bytes(seconds * rate * channels * 2))
    return file


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2)])
def test_wav_by_its_byte_rate(rate: int, channels: int) -> None:
    assert estimated_seconds(wav(60, rate, channels)) == pytest.approx(60, abs=0.01)


def test_flac_by_its_header() -> None:
    with jfk().path.open("rb") as file:
        assert estimated_seconds(file) == pytest.approx(11, abs=0.1)
        assert file.tell() == 0


@pytest.mark.parametrize("clip", clips(kind="format variant"), ids=str)
def test_other_formats_roughly_by_size(clip: Clip) -> None:
    with clip.path.open("rb") as file:
        estimated = estimated_seconds(file)

    assert clip.seconds / 16 < estimated < clip.seconds * 16


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVEfmt ", b"ID3", b"fLaC"])
def test_nonsense_has_a_length_too(content: bytes) -> None:
    assert 0 <= estimated_seconds(io.BytesIO(content)) < 1
