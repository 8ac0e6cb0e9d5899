"""Word times against exact truth, as they are served: int8, thin padding, all by default."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from models.checkpoints.weights import Weights
from models.engine.device.engine_config import EngineConfig
from models.engine.start import start_engine
from models.options import TranscribeOptions, WordTimes
from models.text.transcript import Transcript, Word
from models.transcription.transcriber import Transcriber
from scripts.quality.truth import Errors, between
from tests.against_whisper import samples_of
from tests.speech_clips import OWN_SPEECH

TRUTH = OWN_SPEECH / "clips" / "truth"
RECORDINGS = json.loads((TRUTH / "words.json").read_text(encoding="utf-8"))
ENGLISH = [name for name, recording in RECORDINGS.items() if recording["language"] == "en"]


@pytest.fixture(scope="module")
def served(weights: Callable[[str], Weights]) -> Iterator[Callable[[str], Transcriber]]:
    started: dict[str, Transcriber] = {}

    def start(model: str) -> Transcriber:
        if model not in started:
            config = EngineConfig(device="cpu", dtype="int8")
            started[model] = Transcriber(start_engine(weights(model), config))
        return started[model]

    yield start
    for each in started.values():
        each.close()


def heard(transcriber: Transcriber, name: str, times: WordTimes = "heard") -> Transcript:
    options = TranscribeOptions(
        language=RECORDINGS[name]["language"], word_timestamps=True, word_times=times
    )
    return asyncio.run(transcriber.transcribe_samples(samples_of(TRUTH / name), options))


def errors(transcript: Transcript, name: str) -> Errors:
    true = [Word(text, start, end, 1.0) for text, start, end in RECORDINGS[name]["words"]]
    return between([word for each in transcript.segments for word in each.words], true)


@pytest.mark.parametrize(
    ("model", "names", "maximum"),
    [("base", list(RECORDINGS), 50), ("tiny.en", ENGLISH, 60)],
    ids=["base", "tiny.en"],
)
def test_words_are_near_the_truth(
    served: Callable[[str], Transcriber], model: str, names: list[str], maximum: float
) -> None:
    found = [errors(heard(served(model), name), name) for name in names]
    for name, each in zip(names, found, strict=True):
        assert len(each.starts) >= 0.7 * len(RECORDINGS[name]["words"])
    raw = [errors(heard(served(model), name, "openai"), name) for name in names]
    total, before = sum(found, Errors()).figures(), sum(raw, Errors()).figures()
    assert total["mean"] < 0.7 * before["mean"]
    assert total["mean"] <= maximum


@pytest.mark.parametrize("name", list(RECORDINGS))
def test_words_are_in_order_and_in_their_segments(
    served: Callable[[str], Transcriber], name: str
) -> None:
    transcript = heard(served("base"), name)
    words = [word for segment in transcript.segments for word in segment.words]
    assert all(a.end <= b.start for a, b in pairwise(words))
    assert all(word.start <= word.end for word in words)
    assert words[0].start >= 0.0
    assert words[-1].end <= transcript.duration
    for segment in transcript.segments:
        assert (segment.start, segment.end) == (segment.words[0].start, segment.words[-1].end)
