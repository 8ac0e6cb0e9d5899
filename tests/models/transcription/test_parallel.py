"""Windows side by side: real speech on real weights, limits and order on a tiny checkpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from itertools import count, pairwise

import numpy as np
import pytest
from whisper.normalizers import BasicTextNormalizer, EnglishTextNormalizer

from models.audio.load.load_audio import load
from models.engine.decoding.sequence import DecodingResult, Window
from models.engine.engine import Engine
from models.errors import OptionError, OverloadedError
from models.options import TranscribeOptions
from models.text.transcript import Segment, Transcript
from models.transcription.language_vote import WINDOWS
from models.transcription.parallel import IN_FLIGHT
from models.transcription.transcriber import Transcriber
from tests.speech_clips import Clip, clips, jfk
from tests.transcribing import EVERYTHING, PARALLEL, SILENCE, recording, speech, transcribe


def test_parallel_no_speech_is_an_empty_transcript_and_no_work(tiny: Transcriber) -> None:
    transcript = transcribe(tiny, SILENCE, PARALLEL)

    assert (transcript.text, transcript.segments, transcript.duration) == ("", (), 8.0)
    assert tiny.engine.counters.windows == 0


def test_parallel_segments_are_in_order_inside_their_windows_and_numbered(
    tiny: Transcriber,
) -> None:
    transcript = transcribe(tiny, speech(6), EVERYTHING)

    segments = transcript.segments
    assert [segment.id for segment in segments] == list(range(len(segments)))
    assert len({segment.seek for segment in segments}) >= 6
    assert all(a.start <= b.start for a, b in pairwise(segments))
    for segment in segments:
        assert segment.seek / 100 <= segment.start <= segment.end <= transcript.duration
        # a window has no more than the 11 s of one clip and what was padded
        assert segment.end % 19 <= 11.5


def test_parallel_windows_share_batches_and_do_not_touch_each_other(tiny: Transcriber) -> None:
    alone = transcribe(tiny, speech(1), EVERYTHING)
    before = tiny.engine.counters.batch_sizes.copy()

    together = transcribe(tiny, speech(4), EVERYTHING)

    assert together.segments[0].tokens == alone.segments[0].tokens
    assert max(tiny.engine.counters.batch_sizes - before) == 4


def test_parallel_read_along_first_window_does_not_wait_for_the_others(tiny: Transcriber) -> None:
    alone: list[int] = []
    seen: list[Segment] = []

    def on_segment(segment: Segment) -> None:
        seen.append(segment)
        alone.append(tiny.engine.counters.batch_sizes[1])

    transcript = asyncio.run(tiny.transcribe(recording(240), EVERYTHING, on_segment))

    assert tuple(seen) == transcript.segments
    # It decoded alone; the others fill the slots of the background first.
    assert alone[0] > len(seen[0].tokens) - 2


def test_windows_of_a_job_are_in_the_lane_of_jobs(tiny: Transcriber) -> None:
    lanes: set[str] = set()
    told: list[Segment] = []

    async def run() -> Transcript:
        work = asyncio.create_task(
            tiny.transcribe(recording(240), replace(EVERYTHING, is_job=True), told.append)
        )
        while not work.done():
            lanes.update(sequence.window.lane for sequence in tiny.engine.scheduler.running)
            await asyncio.sleep(0.001)
        return await work

    transcript = asyncio.run(run())

    assert lanes == {"job"}
    assert tuple(told) == transcript.segments


def test_parallel_few_windows_are_with_the_engine_at_once(tiny: Transcriber) -> None:
    maximum = 0
    # The parts of a window that loops, as random weights do, are in its place.
    whole = replace(EVERYTHING, loop_threshold=None)

    async def watch() -> None:
        nonlocal maximum
        work = asyncio.create_task(tiny.transcribe_samples(speech(IN_FLIGHT + 8), whole))
        while not work.done():
            scheduler = tiny.engine.scheduler
            maximum = max(maximum, scheduler.waiting + len(scheduler.running))
            await asyncio.sleep(0.001)
        await work

    asyncio.run(watch())

    assert 4 < maximum <= IN_FLIGHT
    assert tiny.engine.counters.windows >= IN_FLIGHT + 8


def test_parallel_unknown_language_is_detected_once(tiny: Transcriber) -> None:
    options = replace(EVERYTHING, language=None)

    transcript = transcribe(tiny, speech(3), options)
    given = transcribe(tiny, speech(3), replace(options, language=transcript.language))

    assert [s.tokens for s in given.segments] == [s.tokens for s in transcript.segments]


@pytest.mark.parametrize("which", range(WINDOWS))
def test_parallel_window_that_fails_before_the_language_is_known_fails_the_recording(
    tiny: Transcriber, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    submit, numbers = tiny.engine.submit, count()

    def submit_or_fail(window: Window) -> Future[DecodingResult]:
        if next(numbers) != which:
            return submit(window)
        failed: Future[DecodingResult] = Future()
        failed.set_exception(OverloadedError("no memory", 1.0))
        return failed

    monkeypatch.setattr(tiny.engine, "submit", submit_or_fail)

    async def run() -> None:
        async with asyncio.timeout(60):
            with pytest.raises(OverloadedError, match="no memory"):
                await tiny.transcribe_samples(speech(6), replace(EVERYTHING, language=None))

    asyncio.run(run())


def test_parallel_prompt_is_for_the_first_window(tiny: Transcriber) -> None:
    plain = transcribe(tiny, speech(2), EVERYTHING).segments
    prompted = transcribe(tiny, speech(2), replace(EVERYTHING, initial_prompt="Kennedy.")).segments

    second = max(segment.seek for segment in plain)
    assert prompted[0].tokens != plain[0].tokens
    assert [s.tokens for s in prompted if s.seek == second] == [
        s.tokens for s in plain if s.seek == second
    ]


def test_parallel_cancel_takes_every_window_out_of_the_engine(tiny: Transcriber) -> None:
    async def cancel() -> None:
        work = asyncio.create_task(tiny.transcribe_samples(speech(IN_FLIGHT), EVERYTHING))
        done, _ = await asyncio.wait([work], timeout=1.0)
        assert not done
        assert len(tiny.engine.scheduler.running) == 4
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(cancel())
    afterwards = transcribe(tiny, speech(1), EVERYTHING)

    assert afterwards.segments
    assert tiny.engine.scheduler.is_idle
    assert tiny.engine.counters.cancelled >= 4


def test_parallel_does_not_go_with_the_previous_text() -> None:
    with pytest.raises(OptionError, match="needs the sequential strategy"):
        TranscribeOptions(strategy="parallel", condition_on_previous_text=True)


@pytest.mark.parametrize("clip", [c for c in clips() if c.is_long and c.is_speech], ids=str)
def test_parallel_long_recording_has_the_words_of_its_text(
    clip: Clip, thin_engine: Callable[[str], Engine]
) -> None:
    transcriber = Transcriber(thin_engine("base"))
    samples = load(clip.path)
    sequential = transcribe(transcriber, samples, replace(PARALLEL, strategy="sequential"))

    parallel = transcribe(transcriber, samples, PARALLEL)

    assert parallel.language == sequential.language == clip.language
    assert wrong_words(clip, parallel) <= wrong_words(clip, sequential) + 0.003 * words(clip)
    assert all(a.start <= b.start for a, b in pairwise(parallel.segments))
    assert parallel.segments[-1].end <= parallel.duration


def test_parallel_english_only_model_transcribes(engine: Callable[[str], Engine]) -> None:
    transcriber = Transcriber(engine("tiny.en"))

    transcript = transcribe(transcriber, load(jfk().path), PARALLEL)

    assert transcript.language == "en"
    assert "ask what you can do for your country" in transcript.text


def test_parallel_translate_writes_english(engine: Callable[[str], Engine]) -> None:
    clip = next(clip for clip in clips("de") if not clip.is_long)
    options = replace(PARALLEL, task="translate")

    transcript = transcribe(Transcriber(engine("base")), load(clip.path), options)

    assert (transcript.task, transcript.language) == ("translate", "de")
    assert transcript.text


def test_parallel_windows_in_another_language_say_so(
    thin_engine: Callable[[str], Engine],
) -> None:
    german = next(clip for clip in clips("de") if clip.seconds > 4)
    samples = np.concatenate([speech(4), load(german.path)])

    transcript = transcribe(
        Transcriber(thin_engine("base")), samples, replace(PARALLEL, language=None)
    )

    assert transcript.language == "en"
    assert [s.language for s in transcript.segments if s.end < 76] == ["en"] * sum(
        s.end < 76 for s in transcript.segments
    )
    assert {s.language for s in transcript.segments if s.start > 75} == {"de"}


def words(clip: Clip) -> int:
    return len(BasicTextNormalizer()(clip.text).split())


def wrong_words(clip: Clip, transcript: Transcript) -> int:
    """Words to replace, leave out or put in to get from the clip's text to the transcript."""
    normalize = (EnglishTextNormalizer if clip.language == "en" else BasicTextNormalizer)()
    expected, found = normalize(clip.text).split(), normalize(transcript.text).split()
    row = list(range(len(found) + 1))
    for i, word in enumerate(expected, start=1):
        above, row = row, [i]
        for j, other in enumerate(found, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (word != other)))
    return row[-1]
