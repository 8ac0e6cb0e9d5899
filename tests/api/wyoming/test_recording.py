"""Tests of an utterance's audio, kept as a WAV file."""

from __future__ import annotations

import errno
import tempfile
import wave
from typing import Any

import numpy as np
import pytest
from wyoming.audio import AudioChunk, AudioChunkConverter

from api.errors import ApiError
from api.wyoming import recording
from api.wyoming.recording import PcmFormat, Recording
from models.audio.load.load_audio import load

TONE = np.round(8000 * np.sin(np.arange(16000) * 2 * np.pi * 440 / 16000)).astype("<i2").tobytes()


def kept(pcm: PcmFormat, *sounds: bytes) -> Recording:
    made = Recording(pcm, 600)
    for sound in sounds:
        made.add(sound)
    made.finish()
    return made


def tone(rate: int, width: int, channels: int) -> bytes:
    """A second of it, as the official client's converter makes it."""
    converter = AudioChunkConverter(rate=rate, width=width, channels=channels)
    return bytes(converter.convert(AudioChunk(16000, 2, 1, TONE)).audio)


@pytest.mark.parametrize("width", [2, 3, 4])
def test_file_has_the_format_and_the_sound(width: int) -> None:
    made = kept(PcmFormat(44100, width, 2), bytes(range(24)), bytes(range(24, 48)))
    with wave.open(made.file, "rb") as read:
        assert read.getparams()[:3] == (2, width, 44100)
        assert read.readframes(100) == bytes(range(48))
    made.close()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_sound_is_that_of_the_official_converter(rate: int, width: int, channels: int) -> None:
    made = kept(PcmFormat(rate, width, channels), tone(rate, width, channels))
    heard, said = load(made.file), np.frombuffer(TONE, "<i2") / np.float32(32768)
    made.close()

    middle = slice(1000, 15000)
    assert len(heard) == pytest.approx(16000, abs=20)
    # How far it is shifted by two resamplings does not matter, how loud it is does.
    loudness = [np.sqrt(np.mean(np.square(each[middle]))) for each in (heard, said)]
    assert loudness[0] == pytest.approx(loudness[1], rel=0.03)
    spectrum = np.abs(np.fft.rfft(heard[middle]))
    assert np.argmax(spectrum) == 440 * 14000 // 16000


def test_three_bytes_a_sample() -> None:
    samples = np.frombuffer(TONE, "<i2").astype("<i4") << 8
    packed = samples.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    made = kept(PcmFormat(16000, 3, 1), packed)

    assert np.abs(load(made.file) - np.frombuffer(TONE, "<i2") / 32768).max() < 1e-4
    made.close()


def test_half_a_sample_at_the_end_is_cut() -> None:
    made = kept(PcmFormat(16000, 2, 2), b"abcdef", b"gh", b"ijk")

    assert made.size == 8
    with wave.open(made.file, "rb") as read:
        assert read.readframes(100) == b"abcdefgh"
    made.close()


@pytest.mark.parametrize(
    ("pcm", "seconds"),
    [(PcmFormat(16000, 2, 1), 3), (PcmFormat(48000, 4, 2), 3), (PcmFormat(384000, 4, 64), 600)],
)
def test_too_much_is_refused(pcm: PcmFormat, seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MAX_BYTES", 4 * 1024 * 1024)
    most = min(4 * 1024 * 1024, seconds * pcm.bytes_per_second)
    made = Recording(pcm, seconds)
    made.add(bytes(most))
    with pytest.raises(ApiError, match="The utterance is too long") as caught:
        made.add(b"x")

    assert caught.value.code == "audio_too_long"
    made.close()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({}, "rate"),
        ({"rate": 999, "width": 2, "channels": 1}, "rate"),
        ({"rate": 10**9, "width": 2, "channels": 1}, "rate"),
        ({"rate": 16000.0, "width": 2, "channels": 1}, "rate"),
        ({"rate": "16000", "width": 2, "channels": 1}, "rate"),
        ({"rate": 16000, "width": 0, "channels": 1}, "width"),
        ({"rate": 16000, "width": 8, "channels": 1}, "width"),
        ({"rate": 16000, "width": True, "channels": 1}, "width"),
        ({"rate": 16000, "width": 2}, "channels"),
        ({"rate": 16000, "width": 2, "channels": 65}, "channels"),
    ],
)
def test_format_that_is_none(data: dict[str, Any], name: str) -> None:
    with pytest.raises(ApiError, match=f"The audio's {name} must be a whole number") as caught:
        PcmFormat.from_data(data)

    assert (caught.value.param, caught.value.code) == (name, "invalid_value")


def test_disk_without_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(ApiError) as caught:
        Recording(PcmFormat(16000, 2, 1), 600)

    assert (caught.value.status, caught.value.code) == (503, "no_room")
