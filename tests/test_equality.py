"""Token for token: the engine against openai-whisper on real weights and real speech."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor
from whisper.decoding import DecodingResult, decode
from whisper.model import Whisper
from whisper.transcribe import transcribe

from models.audio.load import load
from models.audio.mel import LogMel, Samples
from models.engine.engine import Engine
from models.engine.sequence import Window
from models.options import TranscribeOptions
from models.transcriber import Transcriber
from tests.speech_clips import Clip, clips

SHORT = [clip for clip in clips() if not clip.is_long]
LONG = [clip for clip in clips() if clip.is_long and clip.is_speech]
GREEDY = TranscribeOptions(temperature=(0.0,))
# Two float32 programs that add in another order: scores agree to about the fifth digit.
ROUNDING = 1e-3


def samples_of(path: Path) -> Samples:
    with path.open("rb") as file:
        return load(file)


def decoded(reference: Whisper, mel: Tensor, **options: Any) -> DecodingResult:
    """What `whisper.decode` makes of one window in float32."""
    result = decode(reference, mel, fp16=False, **options)
    assert isinstance(result, DecodingResult)
    return result


def assert_decodes_as_whisper(engine: Engine, reference: Whisper, clip: Clip) -> None:
    mel = LogMel(samples_of(clip.path), reference.dims.n_mels).window(0)
    language = None if reference.is_multilingual else "en"
    expected = decoded(reference, mel, language=language)

    result = engine.submit(Window(request=str(clip), mel=mel)).result(120)

    assert list(result.tokens) == expected.tokens
    assert result.text == expected.text
    assert result.language == expected.language
    assert result.avg_logprob == pytest.approx(expected.avg_logprob, abs=ROUNDING)
    assert result.no_speech_prob == pytest.approx(expected.no_speech_prob, abs=ROUNDING)
    assert result.compression_ratio == expected.compression_ratio


@pytest.mark.parametrize("clip", SHORT, ids=str)
def test_base_clip_tokens_equal_whisper_decode(
    clip: Clip,
    engine: Callable[[str], Engine],
    reference: Callable[[str], Whisper],
) -> None:
    assert_decodes_as_whisper(engine("base"), reference("base"), clip)


@pytest.mark.parametrize("clip", [c for c in SHORT if c.language in ("en", "none")], ids=str)
def test_tiny_en_clip_tokens_equal_whisper_decode(
    clip: Clip,
    engine: Callable[[str], Engine],
    reference: Callable[[str], Whisper],
) -> None:
    assert_decodes_as_whisper(engine("tiny.en"), reference("tiny.en"), clip)


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


@pytest.mark.parametrize("task", ["transcribe", "translate"])
def test_task_first_window_tokens_equal_whisper_decode(
    task: str,
    engine: Callable[[str], Engine],
    reference: Callable[[str], Whisper],
) -> None:
    clip = next(clip for clip in SHORT if clip.language == "de")
    mel = LogMel(samples_of(clip.path), 80).window(0)
    expected = decoded(reference("base"), mel, language="de", task=task)

    window = Window(request=task, mel=mel, language="de", task=task)  # type: ignore[arg-type]

    assert list(engine("base").submit(window).result(120).tokens) == expected.tokens


def test_prompt_tokens_equal_whisper_decode(
    engine: Callable[[str], Engine], reference: Callable[[str], Whisper]
) -> None:
    clip = next(clip for clip in SHORT if clip.language == "en")
    mel = LogMel(samples_of(clip.path), 80).window(0)
    prompt = "FELLOW AMERICANS, THE COUNTRY. " * 60
    expected = decoded(reference("base"), mel, language="en", prompt=prompt)

    previous = engine("base").vocabulary.encode(" " + prompt.strip())
    window = Window(request="prompt", mel=mel, language="en", previous=previous)

    assert list(engine("base").submit(window).result(120).tokens) == expected.tokens


def test_concurrent_requests_share_batches_and_keep_their_own_text(
    engine: Callable[[str], Engine],
) -> None:
    transcriber = Transcriber(engine("base"))
    chosen = [clip for clip in SHORT if clip.is_speech][:6]
    recordings = [samples_of(clip.path) for clip in chosen]
    alone = [asyncio.run(transcriber.transcribe_samples(r, GREEDY)) for r in recordings]
    before = transcriber.engine.counters.shared_steps

    async def together() -> list[str]:
        work = [transcriber.transcribe_samples(r, GREEDY) for r in recordings]
        return [transcript.text for transcript in await asyncio.gather(*work)]

    assert asyncio.run(together()) == [transcript.text for transcript in alone]
    assert len({transcript.text for transcript in alone}) == len(chosen)
    assert transcriber.engine.counters.shared_steps > before
    assert max(transcriber.engine.counters.batch_sizes) >= 4
