"""Subtitles of a film: those of the track a player takes, at the times at which it is spoken."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Callable

import pytest

from models.audio_options import AudioTrack
from models.engine.engine import Engine
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.subtitle_options import SubtitleOptions
from models.text.subtitles.cues import cues
from models.text.subtitles.subtitle_files import srt
from models.transcription.transcriber import Transcriber
from tests.models.audio.film import film, lines

# As segments, and cut by the words' times.
LAYOUTS = (SubtitleOptions(), SubtitleOptions(max_line_width=42, max_line_count=2))
# Seconds by which a cue may begin beside its line, and end beside it: the voice dies away slowly.
CLOSE, LINGERS = 0.1, 0.3

_TIME = re.compile(r"(\d\d):(\d\d):(\d\d),(\d\d\d)")


def subtitles(
    engine: Engine, container: str, layout: SubtitleOptions
) -> tuple[str, AudioTrack | None]:
    """The film's srt, and the track that it is of."""
    transcriber, stats = Transcriber(engine), RequestStats()
    options = TranscribeOptions(word_timestamps=layout != SubtitleOptions())
    work = transcriber.transcribe(io.BytesIO(film(container)), options, stats=stats)
    transcript = asyncio.run(work)
    return srt(cues(transcript.segments, transcript.duration, layout)), stats.track


def seconds(text: str) -> list[float]:
    """All times in an srt file."""
    parts = [[int(each) for each in time] for time in _TIME.findall(text)]
    return [3600 * h + 60 * m + s + ms / 1000 for h, m, s, ms in parts]


@pytest.mark.parametrize("container", ["matroska", "mp4"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_subtitles_line_up_with_what_is_spoken(
    thin_engine: Callable[[str], Engine], container: str, layout: SubtitleOptions
) -> None:
    text, track = subtitles(thin_engine("base"), container, layout)

    assert track == AudioTrack(1, 2, "eng")
    assert "my fellow Americans" in text
    assert "Weißenburg" not in text
    times = seconds(text)
    for line in lines():
        start, end = line.spoken
        assert min(abs(time - start) for time in times[::2]) <= CLOSE, text
        assert min(abs(time - end) for time in times[1::2]) <= LINGERS, text
