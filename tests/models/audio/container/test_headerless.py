"""Tests of what tells samples without a header from files, and of the header they get."""

from __future__ import annotations

import io
import random
import wave

import pytest

from models.audio.container.headerless import HEAD_BYTES, is_headerless, wav_header
from tests.models.audio.timed_files import Burst, Kind, timed
from tests.speech_clips import FORMATS, OWN_SPEECH, jfk

CONTAINERS = [
    Kind("adts", "aac"),
    Kind("aiff", "pcm_s16be"),
    Kind("asf", "mp3"),
    Kind("au", "pcm_s16be"),
    Kind("avi", "mp3"),
    Kind("caf", "pcm_s16le"),
    Kind("flac", "flac"),
    Kind("flv", "mp3", rate=44_100),
    Kind("matroska", "flac"),
    Kind("mov", "aac"),
    Kind("mp3", "mp3", options={"id3v2_version": "0", "write_xing": "0"}),
    Kind("mp3", "mp3", options={"id3v2_version": "0"}, rate=16_000),
    Kind("mpegts", "aac"),
    Kind("ogg", "libopus"),
    Kind("tta", "tta"),
    Kind("vob", "mp2"),
    Kind("w64", "pcm_s16le"),
    Kind("wav", "pcm_s16le"),
    Kind("wv", "wavpack"),
]


@pytest.mark.parametrize("kind", CONTAINERS, ids=str)
def test_a_file_is_told_by_its_beginning(kind: Kind) -> None:
    assert not is_headerless(timed(kind, [Burst(0.0, 1.0)])[:HEAD_BYTES])


def test_the_tests_own_recordings_are_files() -> None:
    paths = [path for path in OWN_SPEECH.rglob("*.*") if path.suffix in (".flac", ".opus", ".mkv")]
    paths += [path for path in FORMATS.glob("*.*") if path.suffix != ".txt"]
    assert len(paths) > 40
    assert [path.name for path in paths if is_headerless(path.read_bytes()[:HEAD_BYTES])] == []


def samples() -> bytes:
    with wave.open(str(FORMATS / "jfk-16k.wav")) as clip:
        return bytes(clip.readframes(clip.getnframes()))


@pytest.mark.parametrize("at", range(0, 300_000, 999))
def test_speech_is_told_from_files_wherever_it_begins(at: int) -> None:
    assert is_headerless(samples()[at : at + HEAD_BYTES])


def test_noise_is_told_from_files() -> None:
    made = random.Random(24)
    heads = [b"\xff" + made.randbytes(HEAD_BYTES - 1) for _ in range(2_000)]
    assert [head[:8].hex() for head in heads if not is_headerless(head)] == []


@pytest.mark.parametrize(
    "head", [b"", b"\x00", b"\xff\xf1", b"\xff\xfb\x90", b"\xff" * 4_000, bytes(4_000)]
)
def test_little_or_silence_is_no_file(head: bytes) -> None:
    assert is_headerless(head)


@pytest.mark.parametrize("cut", [0, 1])
def test_header_is_that_of_a_wav_file(cut: int) -> None:
    whole = samples()
    content = whole[: len(whole) - cut]
    with wave.open(io.BytesIO(wav_header(len(content)) + content)) as read:
        assert read.getparams()[:3] == (1, 2, 16_000)
        assert read.getnframes() == len(content) // 2
        assert read.readframes(1_000) == content[:2_000]
    assert jfk().seconds == pytest.approx(len(whole) / 32_000, abs=0.1)
