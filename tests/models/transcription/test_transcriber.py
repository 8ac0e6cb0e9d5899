"""One request: which strategy it takes, what it is told, how it ends and how it is cancelled."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import psutil
import pytest

from models.audio.samples import Samples
from models.audio.sandbox.reader import Sandbox
from models.audio_options import MIX, OnTrack, ReadOptions
from models.engine.decoding.sequence import DecodingResult, Window
from models.errors import AudioError, OptionError
from models.options import Strategy, TranscribeOptions
from models.request_stats import RequestStats
from models.text.transcript import Transcript
from models.transcription.audio_input import AudioInput
from models.transcription.transcriber import Transcriber
from tests.transcribing import EVERYTHING, SILENCE, recording, speech, transcribe


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


def test_what_a_request_takes_is_noted(tiny: Transcriber) -> None:
    stats = RequestStats()
    transcript = asyncio.run(tiny.transcribe(recording(95), EVERYTHING, stats=stats))

    assert stats.audio_seconds == transcript.duration == 95
    assert stats.windows >= 4
    assert stats.tokens > 0
    assert stats.first_segment_seconds is not None
    assert all(stage.seconds > 0 and stage.ended for stage in stats.stages.values())
    assert sum(stage.seconds for stage in stats.stages.values()) <= time.monotonic() - stats.began


@pytest.mark.parametrize("strategy", ["sequential", "parallel"])
def test_audio_that_is_done_is_counted_up_to_the_end(tiny: Transcriber, strategy: Strategy) -> None:
    stats, seen = RequestStats(), [0.0]
    options = replace(EVERYTHING, strategy=strategy)
    asyncio.run(
        tiny.transcribe(
            recording(95), options, lambda _: seen.append(stats.done_seconds), stats=stats
        )
    )

    assert stats.is_read
    assert seen == sorted(seen)
    assert 60 < stats.done_seconds <= 95
    assert len(set(seen)) > 2


class Counted(Sandbox):
    """A sandbox that knows how many pieces it has given, of about a second each."""

    def __init__(self) -> None:
        super().__init__()
        before = psutil.Process().children()
        self.prepare()
        (self.template,) = set(psutil.Process().children()) - set(before)
        self.pieces = 0

    def wait_for(self, pieces: int) -> None:
        """Return when so many have been given."""
        deadline = time.monotonic() + 120
        while self.pieces < pieces:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def read(
        self, source: BinaryIO | Path, options: ReadOptions = MIX, on_track: OnTrack | None = None
    ) -> Generator[Samples, None, None]:
        """As the sandbox does."""
        with closing(super().read(source, options, on_track)) as pieces:
            for piece in pieces:
                self.pieces += 1
                yield piece


@pytest.fixture
def counted() -> Iterator[Counted]:
    with closing(Counted()) as counted:
        yield counted


@pytest.fixture
def counting(tiny: Transcriber, counted: Counted) -> Iterator[Transcriber]:
    """The tiny transcriber's engine, with recordings from the counting sandbox."""
    with closing(AudioInput.beside(tiny.engine.spare_threads, counted)) as audio:
        yield Transcriber(tiny.engine, audio=audio)


@pytest.mark.parametrize("strategy", ["sequential", "parallel"])
@pytest.mark.parametrize("after", [1, 60])
def test_cancelled_request_does_not_use_the_file_any_more(
    counting: Transcriber, counted: Counted, strategy: Strategy, after: int
) -> None:
    file = recording(900)
    options = replace(EVERYTHING, strategy=strategy)

    async def cancel() -> int:
        work = asyncio.create_task(counting.transcribe(file, options))
        await asyncio.to_thread(counted.wait_for, after)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        file.close()
        pieces = counted.pieces
        await asyncio.sleep(0.2)
        return counted.pieces - pieces

    # `asyncio.run` waits for threads: none goes on reading
    assert asyncio.run(cancel()) == 0
    assert counted.pieces < 900
    assert counted.template.children() == []


def test_first_window_is_with_the_engine_before_the_file_is_read(
    counting: Transcriber, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = counting.engine.submit
    given: Future[int] = Future()

    def noted(window: Window) -> Future[DecodingResult]:
        if not given.done():
            given.set_result(counted.pieces)
        return submit(window)

    monkeypatch.setattr(counting.engine, "submit", noted)

    async def pieces_before_the_first_window() -> int:
        work = asyncio.create_task(counting.transcribe(recording(900), EVERYTHING))
        pieces = await asyncio.wrap_future(given)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        return pieces

    assert 0 < asyncio.run(pieces_before_the_first_window()) < 900 / 3


def test_options_unknown_strategy_is_refused() -> None:
    with pytest.raises(OptionError, match="strategy must be auto, sequential or parallel"):
        TranscribeOptions(strategy="fast")  # type: ignore[arg-type]


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
    with pytest.raises(OptionError, match=r"keywords are too long: \d+ tokens, and 47 fit"):
        transcribe(tiny, speech(1), replace(EVERYTHING, keywords=("Kubernetes",) * 60))
