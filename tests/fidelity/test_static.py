"""The static (CUDA graph) backend on a CPU against the plain one, on real speech."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
import torch

from models.checkpoints.weights import Weights
from models.engine.cuda_graphs.graph_backend import GraphBackend
from models.engine.cuda_graphs.launcher import DirectLauncher
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.engine import Engine
from models.engine.loading.load_network import load_network
from models.engine.network.precision import resolve_precision
from models.options import TranscribeOptions
from models.text.transcript import Transcript, Word
from models.transcription.transcriber import Transcriber
from tests.against_whisper import ROUNDING, SHORT, samples_of
from tests.speech_clips import clips

NAME = "tiny.en"
SLOTS, ENCODE_BATCH = 6, 4
CLIPS = [clip for clip in SHORT if clip.is_speech and clip.language == "en"][:7]
LONG = next(clip for clip in clips() if clip.is_long and clip.is_speech)
OPTIONS = {
    "greedy": TranscribeOptions(temperature=(0.0,)),
    # Hardly a text is as likely as that: windows are decoded again, at random.
    "drawn": TranscribeOptions(temperature=(0.0, 0.3), logprob_threshold=-0.2),
    "words": TranscribeOptions(temperature=(0.0,), word_timestamps=True),
    "in order": TranscribeOptions(temperature=(0.0,), strategy="sequential"),
}


@pytest.fixture(scope="module")
def static(weights: Callable[[str], Weights]) -> Iterator[Transcriber]:
    device = torch.device("cpu")
    precision = resolve_precision("float32", device)
    loaded = weights(NAME)
    backend = GraphBackend(
        load_network(loaded, device, precision),
        Vocabulary(loaded.dims),
        precision,
        DirectLauncher(),
        slots=SLOTS,
        encode_batch=ENCODE_BATCH,
    )
    engine = Engine(backend, slots=SLOTS, encode_batch=ENCODE_BATCH)
    yield Transcriber(engine)
    engine.close()


def words_of(transcript: Transcript) -> list[Word]:
    return [word for segment in transcript.segments for word in segment.words]


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_recordings_together_have_the_text_that_each_has_alone(
    static: Transcriber, engine: Callable[[str], Engine], options: TranscribeOptions
) -> None:
    assert static.engine.takes_samples
    recordings = [samples_of(clip.path) for clip in [*CLIPS, LONG]]

    async def together(transcriber: Transcriber) -> list[Transcript]:
        work = [transcriber.transcribe_samples(samples, options) for samples in recordings]
        return await asyncio.gather(*work)

    expected = asyncio.run(together(Transcriber(engine(NAME))))
    found = asyncio.run(together(static))

    for ours, theirs in zip(found, expected, strict=True):
        assert [each.tokens for each in ours.segments] == [each.tokens for each in theirs.segments]
        for one, other in zip(words_of(ours), words_of(theirs), strict=True):
            assert one.text == other.text
            # Scores are kept in float16 there: a time may fall on the next position.
            assert (one.start, one.end) == pytest.approx((other.start, other.end), abs=0.03)
            assert one.probability == pytest.approx(other.probability, abs=ROUNDING)
    assert any(map(words_of, found)) == options.word_timestamps
    temperatures = {segment.temperature for each in found for segment in each.segments}
    assert max(temperatures) == max(options.temperature)
