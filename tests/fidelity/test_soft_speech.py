"""Soft, far and whispered speech on real weights: what openai-whisper reads is not thrown away."""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import av
import numpy as np
import pytest
from whisper.model import Whisper
from whisper.normalizers import EnglishTextNormalizer
from whisper.transcribe import transcribe as whisper_transcribe

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from models.engine.engine import Engine
from models.options import Strategy, TranscribeOptions
from models.text.transcript import Transcript
from models.transcription.transcriber import Transcriber
from scripts.quality.conditions import at_peak
from scripts.quality.sounds import sounds
from scripts.quality.whispering import whispered
from tests.speech_clips import Clip, clips, jfk

GREEDY = TranscribeOptions(temperature=(0.0,), language="en")
WORDS = EnglishTextNormalizer()  # type: ignore[no-untyped-call]
NEAR, FAR = "kathleen/arctic_a0034_1592747795", "librispeech/1688-142285-0002"


def clip(name: str) -> Samples:
    return load(next(c.path for c in clips() if str(c.path).endswith(f"{name}.flac")))


def in_16_bits(samples: Samples) -> Samples:
    return (np.rint(samples * 32768) / 32768).astype(np.float32)


def pause(seconds: float) -> Samples:
    return np.zeros(round(seconds * 16_000), np.float32)


def heard(engine: Engine, samples: Samples, options: TranscribeOptions = GREEDY) -> Transcript:
    return asyncio.run(Transcriber(engine).transcribe_samples(in_16_bits(samples), options))


@pytest.fixture(scope="module")
def base(thin_engine: Callable[[str], Engine]) -> Engine:
    return thin_engine("base")


@pytest.mark.parametrize("level", [-40, -52, -60])
@pytest.mark.parametrize("name", ["jfk", NEAR, FAR])
def test_soft_speech_loses_no_words(base: Engine, name: str, level: int) -> None:
    samples = clip(name)
    everything = replace(GREEDY, drop=frozenset())

    soft = heard(base, at_peak(samples, level))

    assert soft.text == heard(base, at_peak(samples, level), everything).text
    assert len(WORDS(soft.text).split()) >= len(WORDS(heard(base, samples).text).split())
    assert all(segment.flags == () for segment in soft.segments)


@pytest.mark.parametrize("level", [-10, -40])
@pytest.mark.parametrize(
    ("name", "seconds"), [("jfk", 4.4), (NEAR, 9.0), ("ljspeech/LJ001-0002", 9.0)]
)
def test_whispered_speech_is_kept_as_it_is_read(
    base: Engine, name: str, seconds: float, level: int
) -> None:
    samples = at_peak(whispered(clip(name)[: round(seconds * 16_000)]), level)
    everything = TranscribeOptions(temperature=(0.0,), language="en", drop=frozenset())

    found = heard(base, samples)

    assert found.text
    assert found.text == heard(base, samples, everything).text
    assert all(segment.flags == () for segment in found.segments)


@pytest.mark.parametrize("between", [0.5, 10.0])
def test_a_far_speaker_is_kept_beside_a_near_one(base: Engine, between: float) -> None:
    """Over 30 s, where they mostly have windows of their own."""
    turns = 6
    near, far = at_peak(clip(NEAR), -3), at_peak(clip(FAR), -43)
    said = [near, pause(between), far, pause(between)] * turns

    text = WORDS(heard(base, np.concatenate(said)).text)

    assert text.count("stamp") == turns
    assert text.count("so silly") == turns


@pytest.mark.parametrize("strategy", ["sequential", "parallel"])
@pytest.mark.parametrize("between", [0.5, 3.0])
@pytest.mark.parametrize("order", ["near far", "far near", "far near far"])
def test_a_far_speaker_is_kept_in_one_window_with_a_near_one(
    base: Engine, order: str, between: float, strategy: Strategy
) -> None:
    turns = {"near": at_peak(clip(NEAR), -3), "far": at_peak(clip(FAR), -43)}
    said = [part for turn in order.split() for part in (turns[turn], pause(between))]

    text = WORDS(heard(base, np.concatenate(said), replace(GREEDY, strategy=strategy)).text)

    assert text.count("women and children") == 1
    assert text.count("so silly") == order.count("far")


def test_a_long_recording_of_soft_speech_is_transcribed(base: Engine) -> None:
    samples = np.concatenate([load(jfk().path), pause(2)] * 4)

    soft = WORDS(heard(base, at_peak(samples, -55)).text)

    assert soft.count("country") == 8
    assert soft.count("my fellow america") == 4


def test_the_language_of_soft_and_of_whispered_speech_is_detected(base: Engine) -> None:
    german = clip("kerstin/de_rhasspy-0004")
    for samples in (at_peak(german, -55), whispered(german)):
        transcript = heard(base, samples, TranscribeOptions(temperature=(0.0,)))
        assert transcript.language == "de"
        file = io.BytesIO(encoded(samples, "flac", "flac", 16_000, 1))
        assert next(iter(asyncio.run(Transcriber(base).detect_language(file)))) == "de"


@pytest.mark.parametrize("seconds", [6, 45])
@pytest.mark.parametrize("level", [-3, -50])
@pytest.mark.parametrize("name", ["pink noise", "melody", "steps", "room", "siren"])
def test_no_text_where_nobody_speaks(base: Engine, name: str, level: int, seconds: int) -> None:
    samples = np.resize(at_peak(sounds()[f"{name}, 28 s"], level), seconds * 16_000)

    assert heard(base, samples, TranscribeOptions()).text == ""


def encoded(samples: Samples, codec: str, container: str, rate: int, channels: int) -> bytes:
    """A file of that codec, 8 kbit/s where it loses anything, the voice on the first channel."""
    file = io.BytesIO()
    layout = {1: "mono", 2: "stereo"}[channels]
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = 8_000 * channels
        resampler = av.AudioResampler(stream.format, layout, rate, stream.codec_context.frame_size)
        voice = (in_16_bits(samples) * 32768).clip(-32768, 32767).astype(np.int16)
        every = np.stack([voice, *[np.zeros_like(voice)] * (channels - 1)], axis=1)
        frame = av.AudioFrame.from_ndarray(every.reshape(1, -1), format="s16", layout=layout)
        frame.rate = 16_000
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return file.getvalue()


SHORT = [c for c in clips() if c.is_speech and c.seconds < 4]
CODECS = [
    ("flac", "flac", 16_000),
    ("libopus", "ogg", 48_000),
    ("libmp3lame", "mp3", 16_000),
    ("pcm_mulaw", "wav", 8_000),
]
# Level, codec, channels, and how often it is said, half a second between.
WAYS = list(product([-3, -30, -45, -60], CODECS, [1, 2], [1, 3]))


SAMPLE = random.Random(22).sample(list(product(SHORT, WAYS)), 16)


@pytest.mark.parametrize(("chosen", "way"), SAMPLE, ids=str)
def test_nothing_that_whisper_reads_comes_back_empty(
    base: Engine,
    reference: Callable[[str], Whisper],
    chosen: Clip,
    way: tuple[int, tuple[str, str, int], int, int],
) -> None:
    level, codec, channels, count = way
    said = np.concatenate([load(chosen.path), pause(0.5)] * count)
    file = io.BytesIO(encoded(at_peak(said, level), *codec, channels))

    ours = asyncio.run(
        Transcriber(base).transcribe(file, TranscribeOptions(language=chosen.language))
    )

    file.seek(0)
    theirs = whisper_transcribe(
        reference("base"), load(file), language=chosen.language, temperature=0.0, fp16=False
    )
    assert ours.text or not theirs["text"].strip()
