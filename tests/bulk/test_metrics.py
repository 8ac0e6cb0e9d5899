"""Metrics and progress of a run."""

from __future__ import annotations

import errno
import io
import socket

import httpx
import pytest

from bulk.errors import AUDIO, RowError
from bulk.manifest import Survey
from bulk.metrics import BulkMetrics, served
from bulk.progress import MAX_LINES, Bar, Lines, display_of, progress_line
from bulk.result import Result
from bulk.row import Row
from bulk.tally import Tally

FINE = Result(Row("a", "a.wav", 30.0), {"text": "said", "duration": 30.0})
FAILED = Result(Row("b", "b\n.wav", 30.0), error=RowError(AUDIO, "no audio"))


def tally(seconds: float | None = 120.0, now: float = 10.0) -> Tally:
    times = iter([0.0])
    return Tally(Survey(4, 4, seconds), clock=lambda: next(times, now))


def test_metrics_have_the_servers_names() -> None:
    counted = tally()
    metrics = BulkMetrics(counted, "base")
    for result in (FINE, FINE, FAILED):
        counted.add(result)
        metrics.add(result)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with served(metrics, "127.0.0.1", port):
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    assert 'whisper_audio_seconds_total{model="base"} 60.0' in text
    assert 'endpoint="bulk",model="base",outcome="ok"} 2.0' in text
    assert 'endpoint="bulk",model="base",outcome="audio_error"} 1.0' in text
    assert "whisper_bulk_rows_left 1.0" in text


def test_the_rest_is_told_by_audio_where_it_is_known() -> None:
    for seconds, left in ((120.0, "0:30"), (None, "0:30")):
        counted = tally(seconds)
        counted.add(FINE)
        assert progress_line(counted) == (
            f"1 of 4 rows, 0 failed, 0.1 rows/s, 3.0 times as fast as speech, {left} left"
        )


def test_failures_are_lines_and_only_the_first_ones() -> None:
    stream, counted = io.StringIO(), tally()
    lines = Lines(stream, counted)
    for _ in range(MAX_LINES + 5):
        counted.add(FAILED)
        lines.ended(FAILED)
    told = stream.getvalue().splitlines()
    assert len(told) == MAX_LINES
    assert told[0] == r"error: b\n.wav: no audio (audio_error)"
    assert told[-1].endswith("further ones are in the parts alone")


def test_a_line_now_and_then() -> None:
    stream, counted, now = io.StringIO(), tally(), [0.0]
    lines = Lines(stream, counted, lambda: now[0])
    for now[0] in (1.0, 5.0, 11.0, 12.0, 22.0):
        counted.add(FINE)
        lines.ended(FINE)
    assert [line[:9] for line in stream.getvalue().splitlines()] == ["3 of 4 ro", "5 of 4 ro"]


def test_a_row_that_is_at_work_for_long_is_named() -> None:
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, tally(), lambda: now[0])
    for now[0], seconds in ((5.0, 5.0), (12.0, 12.0), (100.0, 100.0)):
        lines.remind((FAILED.row, seconds))
    first, second = stream.getvalue().splitlines()
    assert "at b" not in first
    assert second.endswith(r"at b\n.wav for 1:40")


class Closed(io.StringIO):
    """A terminal that was closed."""

    def write(self, text: str, /) -> int:
        raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize("kind", [Lines, Bar])
def test_a_stream_that_fails_is_no_matter(kind: type[Lines]) -> None:
    counted = tally()
    counted.add(FAILED)
    lines = kind(Closed(), counted)
    lines.ended(FAILED)
    lines.tell("without a server")
    lines.close()


def test_a_bar_shows_lines_above_it() -> None:
    stream, counted = io.StringIO(), tally()
    bar = Bar(stream, counted)
    for result in (FINE, FAILED):
        counted.add(result)
        bar.ended(result)
    bar.tell("without a server")
    bar.close()
    assert r"error: b\n.wav: no audio" in stream.getvalue()
    assert "without a server" in stream.getvalue()


def test_display_suits_where_it_is_shown() -> None:
    stream = io.StringIO()
    kinds = [type(display_of(each, stream, tally(), is_dumb=False)) for each in ("auto", "plain")]
    assert kinds == [Lines, Lines]
