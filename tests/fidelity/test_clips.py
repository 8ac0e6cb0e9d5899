"""Token for token: every clip with `base` against openai-whisper, alone and among others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from whisper.model import Whisper

from models.engine.engine import Engine
from models.options import TranscribeOptions
from models.transcription.transcriber import Transcriber
from tests.against_whisper import FIRST, SHORT, assert_decodes_as_whisper, samples_of
from tests.speech_clips import Clip

GREEDY = TranscribeOptions(temperature=(0.0,))


@pytest.mark.parametrize("clip", [clip for clip in SHORT if clip not in FIRST], ids=str)
def test_base_clip_tokens_equal_whisper_decode(
    clip: Clip,
    engine: Callable[[str], Engine],
    reference: Callable[[str], Whisper],
) -> None:
    assert_decodes_as_whisper(engine("base"), reference("base"), clip)


def test_concurrent_requests_share_batches_and_keep_their_own_text(
    engine: Callable[[str], Engine],
) -> None:
    transcriber = Transcriber(engine("base"))
    chosen = [clip for clip in SHORT if clip.is_speech][:6]
    recordings = [samples_of(clip.path) for clip in chosen]
    alone = [asyncio.run(transcriber.transcribe_samples(r, GREEDY)) for r in recordings]

    async def together() -> list[str]:
        work = [transcriber.transcribe_samples(r, GREEDY) for r in recordings]
        return [transcript.text for transcript in await asyncio.gather(*work)]

    assert asyncio.run(together()) == [transcript.text for transcript in alone]
    assert len({transcript.text for transcript in alone}) == len(chosen)
    assert max(transcriber.engine.counters.batch_sizes) >= 4
