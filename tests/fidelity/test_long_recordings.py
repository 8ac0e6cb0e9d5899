"""Token for token: recordings of several windows against openai-whisper."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from whisper.model import Whisper
from whisper.transcribe import transcribe

from models.engine.engine import Engine
from models.options import TranscribeOptions
from models.transcription.transcriber import Transcriber
from tests.against_whisper import ROUNDING, samples_of
from tests.speech_clips import Clip, clips

LONG = [clip for clip in clips() if clip.is_long and clip.is_speech]


@pytest.mark.parametrize(
    ("clip", "condition"),
    [
        pytest.param(LONG[0], True, id=f"conditioned-{LONG[0]}"),
        pytest.param(LONG[1], False, id=f"independent-{LONG[1]}"),
    ],
)
def test_long_recording_segments_equal_whisper_transcribe(
    clip: Clip,
    condition: bool,
    engine: Callable[[str], Engine],
    reference: Callable[[str], Whisper],
) -> None:
    samples = samples_of(clip.path)
    expected = transcribe(
        reference("base"),
        samples,
        temperature=0.0,
        condition_on_previous_text=condition,
        fp16=False,
    )
    options = TranscribeOptions(
        temperature=(0.0,), condition_on_previous_text=condition, strategy="sequential"
    )

    transcript = asyncio.run(Transcriber(engine("base")).transcribe_samples(samples, options))

    assert transcript.language == expected["language"]
    assert transcript.text == expected["text"].strip()
    assert len(transcript.segments) == len(expected["segments"])
    for ours, theirs in zip(transcript.segments, expected["segments"], strict=True):
        assert list(ours.tokens) == theirs["tokens"]
        assert (ours.id, ours.seek, ours.text) == (theirs["id"], theirs["seek"], theirs["text"])
        assert ours.start == pytest.approx(theirs["start"], abs=1e-6)
        assert ours.end == pytest.approx(theirs["end"], abs=1e-6)
        assert ours.avg_logprob == pytest.approx(theirs["avg_logprob"], abs=ROUNDING)
