"""The script of a whole transcript, and of a stream; and Cantonese for those who know none."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from models.errors import OptionError
from models.options import TranscribeOptions
from models.text.transcript import Segment, Transcript
from models.transcription.sample_stream import SampleStream
from models.transcription.transcriber import Transcriber
from models.transcription.transcription_context import TranscriptionContext
from models.units import WINDOW_SAMPLES
from tests.models.text.test_script import LATIN, SIMPLIFIED, TRADITIONAL, said
from tests.transcribing import SILENCE, recording, transcribe

CHINESE = TranscribeOptions(language="zh")


def saying(monkeypatch: pytest.MonkeyPatch, *segments: Segment) -> None:
    """Let every recording have these segments."""

    async def fixed(
        self: Transcriber, _: TranscriptionContext, stream: SampleStream
    ) -> AsyncIterator[Segment]:
        await stream.run(lambda: stream.beginning(WINDOW_SAMPLES))
        for segment in segments:
            yield segment

    monkeypatch.setattr(Transcriber, "_segments", fixed)


def texts(transcript: Transcript) -> list[str]:
    return [segment.text for segment in transcript.segments]


def streamed(tiny: Transcriber, options: TranscribeOptions) -> list[str]:
    """The texts that a stream is told, which are those of the transcript."""
    told: list[Segment] = []
    transcript = asyncio.run(tiny.transcribe(recording(2), options, told.append))
    assert tuple(told) == transcript.segments
    return texts(transcript)


def test_whole_transcript_is_in_the_script_of_most(
    tiny: Transcriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    saying(monkeypatch, said(TRADITIONAL), said(SIMPLIFIED), said(SIMPLIFIED))

    assert texts(transcribe(tiny, SILENCE, CHINESE)) == [SIMPLIFIED] * 3
    # Also where the language was detected.
    assert texts(transcribe(tiny, SILENCE, TranscribeOptions())) == [SIMPLIFIED] * 3


def test_stream_keeps_what_it_began_with(
    tiny: Transcriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    saying(monkeypatch, said(TRADITIONAL), said(SIMPLIFIED), said(SIMPLIFIED))

    assert streamed(tiny, CHINESE) == [TRADITIONAL] * 3


def test_job_has_the_script_of_most_though_its_segments_are_told_before(
    tiny: Transcriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    saying(monkeypatch, said(TRADITIONAL), said(SIMPLIFIED), said(SIMPLIFIED))
    told: list[Segment] = []
    options = replace(CHINESE, is_job=True)

    transcript = asyncio.run(tiny.transcribe(recording(2), options, told.append))

    assert texts(transcript) == [SIMPLIFIED] * 3
    assert [segment.text for segment in told] == [TRADITIONAL] * 3


def test_script_asked_for_is_that_of_all(
    tiny: Transcriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    saying(monkeypatch, said(TRADITIONAL), said(SIMPLIFIED))
    options = replace(CHINESE, scripts=("Hans",))

    assert texts(transcribe(tiny, SILENCE, options)) == [SIMPLIFIED] * 2
    assert streamed(tiny, options) == [SIMPLIFIED] * 2


def test_translation_stays(tiny: Transcriber, monkeypatch: pytest.MonkeyPatch) -> None:
    names = said("He is called 习近平 or 習近平, 我們")
    saying(monkeypatch, names, said(LATIN, "sr"))
    options = TranscribeOptions(task="translate", language="zh", scripts=("Hans", "Cyrl"))

    assert texts(transcribe(tiny, SILENCE, options)) == [names.text, LATIN]


def test_opencc_is_loaded_for_those_who_need_it_alone(
    tiny: Transcriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.text.chinese._converter", None)
    saying(monkeypatch, said(SIMPLIFIED), said("Hello 们", "en"))

    assert texts(transcribe(tiny, SILENCE, CHINESE)) == [SIMPLIFIED, "Hello 们"]
    assert texts(transcribe(tiny, SILENCE, replace(CHINESE, scripts=("Hans",))))[0] == SIMPLIFIED


@pytest.mark.parametrize(
    "options",
    [TranscribeOptions(language="yue"), TranscribeOptions(languages=("yue", "zh", "en"))],
)
def test_cantonese_is_chinese_to_a_checkpoint_without_it(
    tiny: Transcriber, options: TranscribeOptions
) -> None:
    assert "yue" not in tiny.vocabulary.languages
    transcript = asyncio.run(tiny.transcribe(recording(3), replace(options, temperature=(0.0,))))

    assert transcript.language in ("zh", "en")
    found = asyncio.run(tiny.detect_language(recording(3), ("yue", "zh", "de")))
    assert set(found) <= {"zh", "de"}


def test_language_that_a_checkpoint_does_not_know_is_named_as_it_was_given(
    monkeypatch: pytest.MonkeyPatch, tiny: Transcriber
) -> None:
    monkeypatch.setattr(tiny.vocabulary, "languages", {"en": 1})

    with pytest.raises(OptionError, match="does not know the language 'yue'"):
        asyncio.run(tiny.transcribe(io.BytesIO(), TranscribeOptions(language="yue")))
