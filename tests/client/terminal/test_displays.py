"""Progress bars on a terminal, and lines where there is none."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Literal

import pytest

from client.backend.events import Progress, Waiting
from client.backend.outcome import Outcome
from client.backend.request import Recording
from client.terminal.bars import Bars
from client.terminal.choice import display_of
from client.terminal.plain_lines import ErrorLines, PlainLines
from client.terminal.tally import Tally
from client.terminal.wording import clock, shown, state

FIRST = Recording(Path("a.mp3"), "a\x1b[31m.mp3", Path("a.mp3"))
SECOND = Recording(Path("b.mp3"), "b.mp3", Path("b.mp3"))
HALF = Progress(position=0, done=30.0, total=60.0, seconds_left=12.0)


class Terminal(io.StringIO):
    """A stream that is one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (HALF, "0:30 of 1:00, 0:12 left"),
        (Progress(3, 0.0, 60.0, 90.0), "number 3 in the queue, 1:30 left"),
        (Progress(0, 0.0, 7200.0, None), "0:00 of 2:00:00"),
        (Progress(0, 0.0, 0.0, None), "started"),
        (Waiting(5.0, "busy\n"), "asks again in 5 s: busy\\n"),
    ],
)
def test_where_a_recording_is(event: Progress | Waiting, words: str) -> None:
    assert state(event) == words


def test_names_cannot_steer_a_terminal() -> None:
    assert shown("a\x1b]0;b\x07\u202e\udcff ü🎙") == "a\\x1b]0;b\\x07\\u202e\\udcff ü🎙"
    assert clock(3723.4) == "1:02:03"


def test_plain_lines_are_five_seconds_apart() -> None:
    now = [0.0]
    stream, tally = io.StringIO(), Tally(2)
    display = PlainLines(stream, tally, lambda: now[0])
    with display:
        display.start(FIRST)
        for second in range(1, 12):
            now[0] = float(second)
            display.follow(FIRST, HALF)
        tally.add(failed := Outcome(FIRST, "failed", error="no audio"))
        display.end(failed)
    line = "0 of 2 ended: 0 done; a\\x1b[31m.mp3 0:30 of 1:00, 0:12 left"
    assert stream.getvalue().splitlines() == [line, line, "error: a\\x1b[31m.mp3: no audio"]


def test_silent_but_for_failures() -> None:
    stream = Terminal()
    with ErrorLines(stream) as display:
        display.start(FIRST)
        display.follow(FIRST, HALF)
        display.tell("waiting")
        display.end(Outcome(FIRST, "done"))
        assert stream.getvalue() == ""
        display.end(Outcome(SECOND, "failed", error="no audio"))
    assert stream.getvalue() == "\x1b[31merror: b.mp3: no audio\x1b[0m\n"


def test_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    stream, tally = Terminal(), Tally(3)
    with Bars(stream, tally) as display:
        display.start(FIRST)
        display.start(SECOND)
        display.follow(FIRST, Progress(2, 0.0, 60.0, None))
        display.refresh()
        display.follow(FIRST, HALF)
        display.follow(SECOND, Waiting(5.0, "busy"))
        display.refresh()
        tally.add(done := Outcome(FIRST, "done", seconds=1.0))
        display.end(done)
        tally.add(failed := Outcome(SECOND, "failed", error="[red]no[/red] audio"))
        display.end(failed)
        display.refresh()
    written = stream.getvalue()
    for words in (
        *("number 2 in the queue", "0:30 of 1:00, 0:12 left", "asks again in 5 s: busy"),
        *("a\\x1b[31m.mp3", "error: b.mp3: [red]no[/red] audio", "1 done, 1 failed"),
    ):
        assert words in written


@pytest.mark.parametrize(
    ("asked", "stream", "term", "is_mixed", "kind"),
    [
        ("auto", Terminal(), "xterm", False, Bars),
        ("auto", Terminal(), "dumb", False, PlainLines),
        ("auto", Terminal(), "xterm", True, PlainLines),
        ("auto", io.StringIO(), "xterm", False, PlainLines),
        ("bar", io.StringIO(), "xterm", False, Bars),
        ("plain", Terminal(), "xterm", False, PlainLines),
        ("none", Terminal(), "xterm", False, ErrorLines),
    ],
)
def test_the_display_that_suits(
    asked: Literal["auto", "bar", "plain", "none"],
    stream: io.StringIO,
    term: str,
    is_mixed: bool,
    kind: type,
) -> None:
    found = display_of(asked, stream, Tally(1), {"TERM": term}, is_mixed=is_mixed)
    assert type(found) is kind


def test_summary() -> None:
    tally = Tally(4)
    assert tally.seconds_left(1.0) is None
    tally.add(Outcome(FIRST, "done", seconds=2.0, rtfx=30.0))
    assert tally.seconds_left(2.0) == 6.0
    tally.add(Outcome(SECOND, "skipped"))
    assert tally.summary(4.0) == "1 done, 1 skipped in 0:04, 15.0 times as fast as speech"
