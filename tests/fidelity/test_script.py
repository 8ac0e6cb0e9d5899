"""One script in one transcript, with real weights: windows that came in two become one."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import replace

import av
import numpy as np
import pytest

from models.audio.samples import Samples
from models.engine.engine import Engine
from models.language.languages import Script
from models.options import TranscribeOptions
from models.text import chinese
from models.text.script import ScriptNormalizer
from models.text.transcript import Segment, Transcript
from models.transcription.transcriber import Transcriber
from tests.against_whisper import samples_of
from tests.speech_clips import OWN_SPEECH
from tests.transcribing import SILENCE

CLIP = OWN_SPEECH / "clips" / "aishell" / "estate-agents.flac"
# The prompt is for the first window alone, which follows its script; the others have their own.
MIXED = TranscribeOptions(
    language="zh",
    initial_prompt="以下是普通话的句子：我们这里说国语。",  # noqa: RUF001
    temperature=(0.0,),
    strategy="parallel",
    word_timestamps=True,
)


@pytest.fixture(scope="module")
def three() -> Samples:
    """The clip three times, each a window."""
    return np.concatenate([samples_of(CLIP), SILENCE] * 3)


@pytest.fixture(scope="module")
def transcriber(thin_engine: Callable[[str], Engine]) -> Transcriber:
    return Transcriber(thin_engine("base"))


def marks(transcript: Transcript) -> list[tuple[int, int]]:
    """The characters of each segment that are Simplified and Traditional alone."""
    return [chinese.marks(segment.text) for segment in transcript.segments]


def as_file(samples: Samples) -> io.BytesIO:
    file = io.BytesIO()
    with av.open(file, "w", format="wav") as output:
        stream = output.add_stream("pcm_s16le", rate=16_000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        pcm = (samples[None] * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = 16_000
        output.mux([*stream.encode(frame), *stream.encode(None)])
    file.seek(0)
    return file


def test_windows_come_in_two_scripts(
    transcriber: Transcriber, three: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptNormalizer, "normalized_together", lambda _, segments: list(segments))
    found = marks(asyncio.run(transcriber.transcribe_samples(three, MIXED)))

    assert any(traditional > simplified for simplified, traditional in found)
    assert any(simplified > traditional for simplified, traditional in found)


@pytest.mark.parametrize(
    ("asked", "written"), [((), 1), (("Hans",), 0), (("Hant-TW",), 1), (("Hant-HK",), 1)]
)
def test_transcript_has_one_script(
    transcriber: Transcriber, three: Samples, asked: tuple[Script, ...], written: int
) -> None:
    transcript = asyncio.run(transcriber.transcribe_samples(three, replace(MIXED, scripts=asked)))

    assert transcript.language == "zh"
    assert len(transcript.segments) >= 3
    for simplified_and_traditional, segment in zip(
        marks(transcript), transcript.segments, strict=True
    ):
        assert simplified_and_traditional[written] > 0
        assert simplified_and_traditional[1 - written] == 0
        assert "".join(word.text for word in segment.words) == segment.text
        assert b"".join(score.data for score in segment.scores).decode() == segment.text


def test_stream_keeps_the_script_it_began_with(transcriber: Transcriber, three: Samples) -> None:
    told: list[Segment] = []
    transcript = asyncio.run(transcriber.transcribe(as_file(three), MIXED, told.append))

    assert tuple(told) == transcript.segments
    assert all(simplified > 0 and traditional == 0 for simplified, traditional in marks(transcript))
