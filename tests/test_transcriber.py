"""Both strategies: real speech on real weights, cancellation and limits on a tiny checkpoint."""

from __future__ import annotations

import asyncio
import io
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import av
import numpy as np
import pytest
from whisper.normalizers import BasicTextNormalizer, EnglishTextNormalizer

from models.audio.load import load
from models.audio.mel import Samples
from models.engine.config import EngineConfig
from models.engine.engine import Engine
from models.engine.start import start_engine
from models.errors import AudioError, OptionError
from models.options import Strategy, TranscribeOptions
from models.strategies.parallel import IN_FLIGHT
from models.text.transcript import Segment, Transcript
from models.transcriber import Transcriber
from tests.speech_clips import Clip, clips, jfk
from tests.tiny import tiny_weights

PARALLEL = TranscribeOptions(strategy="parallel", temperature=(0.0,))
# A random checkpoint's scores are those of silence: nothing is to be dropped for them.
EVERYTHING = replace(PARALLEL, no_speech_threshold=None, drop_logprob_threshold=None, language="en")
SILENCE = np.zeros(16_000 * 8, np.float32)


@pytest.fixture
def tiny() -> Iterator[Transcriber]:
    weights = tiny_weights()
    config = EngineConfig(device="cpu", dtype="float32", slots=5)
    transcriber = Transcriber(start_engine(weights, config))
    yield transcriber
    transcriber.close()


def speech(times: int) -> Samples:
    """The 11 s clip so many times, far enough apart that each is a window."""
    return np.concatenate([load(jfk().path), SILENCE] * times)


def transcribe(
    transcriber: Transcriber, samples: Samples, options: TranscribeOptions
) -> Transcript:
    return asyncio.run(transcriber.transcribe_samples(samples, options))


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


def test_parallel_few_windows_are_with_the_engine_at_once(tiny: Transcriber) -> None:
    most = 0

    async def watch() -> None:
        nonlocal most
        work = asyncio.create_task(tiny.transcribe_samples(speech(IN_FLIGHT + 8), EVERYTHING))
        while not work.done():
            scheduler = tiny.engine.scheduler
            most = max(most, scheduler.waiting + len(scheduler.running))
            await asyncio.sleep(0.001)
        await work

    asyncio.run(watch())

    assert 4 < most <= IN_FLIGHT
    assert tiny.engine.counters.windows >= IN_FLIGHT + 8


def test_parallel_unknown_language_is_detected_once(tiny: Transcriber) -> None:
    options = replace(EVERYTHING, language=None)

    transcript = transcribe(tiny, speech(3), options)
    given = transcribe(tiny, speech(3), replace(options, language=transcript.language))

    assert [s.tokens for s in given.segments] == [s.tokens for s in transcript.segments]


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


def spoken(transcript: Transcript) -> list[tuple[int, tuple[int, ...]]]:
    return [(segment.seek, segment.tokens) for segment in transcript.segments]


@pytest.mark.parametrize(
    ("times", "condition", "served", "meant"),
    [
        (1, False, "auto", "sequential"),
        (2, False, "auto", "parallel"),
        (2, True, "auto", "sequential"),
        (2, False, "sequential", "sequential"),
        (1, False, "parallel", "parallel"),
        (2, True, "parallel", "sequential"),
    ],
)
def test_auto_strategy_depends_on_length_and_condition_and_the_servers_choice(
    tiny: Transcriber, times: int, condition: bool, served: Strategy, meant: Strategy
) -> None:
    options = replace(EVERYTHING, strategy="auto", condition_on_previous_text=condition)
    expected = transcribe(tiny, speech(times), replace(options, strategy=meant))

    found = transcribe(Transcriber(tiny.engine, served), speech(times), options)

    assert spoken(found) == spoken(expected)


class Watched(io.BytesIO):
    """A file that knows how often it was read."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """As the file in memory does."""
        self.reads += 1
        return super().read(size)


def recording(seconds: int) -> Watched:
    """A FLAC file of the 11 s clip, over and over."""
    samples = np.resize(load(jfk().path), seconds * 16_000)
    file = Watched()
    with av.open(file, "w", format="flac") as output:
        stream = output.add_stream("flac", rate=16_000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        for start in range(0, len(samples), 4096):
            piece = (samples[None, start : start + 4096] * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
            frame.rate = 16_000
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file


@pytest.mark.parametrize("strategy", ["sequential", "parallel", "auto"])
def test_duration_is_known_at_the_end_of_the_file(tiny: Transcriber, strategy: Strategy) -> None:
    options = replace(EVERYTHING, strategy=strategy)

    assert asyncio.run(tiny.transcribe(recording(95), options)).duration == 95.0


@pytest.mark.parametrize("strategy", ["sequential", "parallel", "auto"])
def test_cut_off_file_is_an_error_also_when_its_end_tells(
    tiny: Transcriber, strategy: Strategy
) -> None:
    whole = recording(200).getvalue()

    with pytest.raises(AudioError, match="cut off"):
        asyncio.run(
            tiny.transcribe(
                io.BytesIO(whole[: len(whole) * 3 // 4]), replace(EVERYTHING, strategy=strategy)
            )
        )

    assert asyncio.run(tiny.transcribe(recording(20), EVERYTHING)).segments
    assert tiny.engine.scheduler.is_idle


@pytest.mark.parametrize("strategy", ["sequential", "parallel"])
@pytest.mark.parametrize("after", [0.02, 0.3])
def test_cancelled_request_does_not_use_the_file_any_more(
    tiny: Transcriber, strategy: Strategy, after: float
) -> None:
    file = recording(900)
    file.reads = 0

    async def cancel() -> int:
        work = tiny.transcribe(file, replace(EVERYTHING, strategy=strategy))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(work, after)
        reads = file.reads
        await asyncio.sleep(0.2)
        return file.reads - reads

    started = time.monotonic()
    assert asyncio.run(cancel()) == 0
    assert file.reads > 0
    # `asyncio.run` waits for threads: none goes on reading
    assert time.monotonic() - started < after + 1.5


def test_first_window_is_with_the_engine_before_the_file_is_read(tiny: Transcriber) -> None:
    file = recording(900)
    file.reads = 0
    load(file)
    all_reads, file.reads = file.reads, 0

    async def reads_before_the_first_window() -> int:
        work = asyncio.create_task(tiny.transcribe(file, EVERYTHING))
        for _ in range(10_000):
            if not tiny.engine.scheduler.is_idle:
                break
            await asyncio.sleep(0.001)
        reads = file.reads
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        return reads

    assert asyncio.run(reads_before_the_first_window()) < all_reads / 3


def test_options_unknown_strategy_is_refused() -> None:
    with pytest.raises(OptionError, match="strategy must be auto, sequential or parallel"):
        TranscribeOptions(strategy="fast")  # type: ignore[arg-type]


@pytest.mark.parametrize("clip", [c for c in clips() if c.is_long and c.is_speech], ids=str)
def test_parallel_long_recording_has_the_words_of_its_text(
    clip: Clip, engine: Callable[[str], Engine]
) -> None:
    transcriber = Transcriber(engine("base"))
    samples = load(clip.path)
    sequential = transcribe(transcriber, samples, replace(PARALLEL, strategy="sequential"))

    parallel = transcribe(transcriber, samples, PARALLEL)

    assert parallel.language == sequential.language == clip.language
    assert wrong_words(clip, parallel) <= wrong_words(clip, sequential) + 0.003 * words(clip)
    assert all(a.start <= b.start for a, b in pairwise(parallel.segments))
    assert parallel.segments[-1].end <= parallel.duration


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


def test_short_silence_is_an_empty_transcript_and_no_work(tiny: Transcriber) -> None:
    transcript = transcribe(tiny, SILENCE, TranscribeOptions())

    assert (transcript.text, transcript.segments, transcript.duration) == ("", (), 8.0)
    assert tiny.engine.counters.windows == 0


def test_silence_is_decoded_where_nothing_is_dropped(tiny: Transcriber) -> None:
    transcribe(tiny, SILENCE, replace(EVERYTHING, strategy="auto", drop=frozenset()))

    assert tiny.engine.counters.windows == 1


def test_prompt_and_keywords_are_told_to_every_window_that_they_are_for(
    tiny: Transcriber,
) -> None:
    plain = transcribe(tiny, speech(2), EVERYTHING).segments
    second = max(segment.seek for segment in plain)

    def texts(**changes: Any) -> list[tuple[int, ...]]:
        found = transcribe(tiny, speech(2), replace(EVERYTHING, **changes)).segments
        return [segment.tokens for segment in found if segment.seek == second]

    without = [segment.tokens for segment in plain if segment.seek == second]
    assert texts(initial_prompt="Kennedy.") == without
    assert texts(initial_prompt="Kennedy.", carry_initial_prompt=True) != without
    assert texts(keywords=("Kennedy",)) != without


def test_keywords_that_leave_no_room_are_refused(tiny: Transcriber) -> None:
    with pytest.raises(OptionError, match=r"keywords are too long: \d+ tokens, and 111 fit"):
        transcribe(tiny, speech(1), replace(EVERYTHING, keywords=("Kubernetes",) * 60))


def detected(transcriber: Transcriber, clip: Clip, *among: str) -> dict[str, float]:
    with clip.path.open("rb") as file:
        return asyncio.run(transcriber.detect_language(file, among))


def test_detect_language(engine: Callable[[str], Engine]) -> None:
    clip = next(clip for clip in clips("de") if clip.seconds > 4)
    probabilities = detected(Transcriber(engine("base")), clip)

    assert next(iter(probabilities)) == "de"
    assert list(probabilities.values()) == sorted(probabilities.values(), reverse=True)
    assert sum(probabilities.values()) == pytest.approx(1)


def test_detect_language_among_some(engine: Callable[[str], Engine]) -> None:
    probabilities = detected(Transcriber(engine("base")), jfk(), "fr", "de")

    assert probabilities.keys() == {"fr", "de"}
    assert sum(probabilities.values()) == pytest.approx(1)


def test_detect_language_of_silence_is_none(tiny: Transcriber) -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setparams((1, 2, 16_000, 0, "NONE", ""))
        output.writeframes(bytes(96_000))

    assert asyncio.run(tiny.detect_language(file)) == {}


def test_detect_language_english_only_model_refuses(engine: Callable[[str], Engine]) -> None:
    with pytest.raises(OptionError, match="English only"):
        detected(Transcriber(engine("tiny.en")), jfk())


def test_parallel_windows_in_another_language_say_so(engine: Callable[[str], Engine]) -> None:
    german = next(clip for clip in clips("de") if clip.seconds > 4)
    samples = np.concatenate([speech(4), load(german.path)])

    transcript = transcribe(Transcriber(engine("base")), samples, replace(PARALLEL, language=None))

    assert transcript.language == "en"
    assert [s.language for s in transcript.segments if s.end < 76] == ["en"] * sum(
        s.end < 76 for s in transcript.segments
    )
    assert {s.language for s in transcript.segments if s.start > 75} == {"de"}
