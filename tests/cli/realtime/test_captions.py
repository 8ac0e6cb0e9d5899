"""Captions: what a terminal shows of the server's events."""

from __future__ import annotations

import io
import json
import re

import pytest
from wcwidth import wcswidth

from cli.realtime.captions import EventLines, LiveLines, TurnLines, fitting_end, visible

TRANSCRIPTION = "conversation.item.input_audio_transcription"
Event = dict[str, object]


def delta(text: str) -> Event:
    return {"type": f"{TRANSCRIPTION}.delta", "item_id": "a", "delta": text}


def open_text(text: str) -> Event:
    return {"type": f"{TRANSCRIPTION}.open_text", "item_id": "a", "text": text}


def completed(text: str) -> Event:
    return {"type": f"{TRANSCRIPTION}.completed", "item_id": "a", "transcript": text}


def screen(printed: str) -> list[str]:
    """The lines of a terminal after what was printed, without colours."""
    lines = [""]
    for part in re.split(r"(\r\x1b\[2K|\n)", re.sub(r"\x1b\[\d*m", "", printed)):
        if part == "\n":
            lines.append("")
        elif part == "\r\x1b[2K":
            lines[-1] = ""
        else:
            lines[-1] += part
    return lines


def test_a_line_grows_with_settled_text_and_shows_what_is_open_behind_it() -> None:
    out = io.StringIO()
    captions = LiveLines(out)

    captions.show(delta("And so"))
    captions.show(open_text(" my fellow"))
    assert screen(out.getvalue()) == ["And so my fellow"]
    assert out.getvalue().endswith("And so\x1b[90m my fellow\x1b[0m")

    captions.show(delta(", my"))
    assert screen(out.getvalue()) == ["And so, my"]

    captions.show(completed("And so, my fellow Americans."))
    captions.show(delta("Ask"))
    assert screen(out.getvalue()) == ["And so, my fellow Americans.", "Ask"]

    captions.close()
    assert screen(out.getvalue()) == ["And so, my fellow Americans.", ""]


def test_a_turn_without_words_leaves_no_line() -> None:
    out = io.StringIO()
    for captions in (LiveLines(out), TurnLines(out)):
        captions.show(completed(""))

    assert screen(out.getvalue()) == [""]


@pytest.mark.parametrize("columns", [10, 40, 80])
def test_a_long_line_shows_its_end_and_never_breaks(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = io.StringIO()
    captions = LiveLines(out)
    captions.show(delta("word " * 50))
    captions.show(open_text("\u4f60\u597d" * 3))

    (line,) = screen(out.getvalue())
    assert wcswidth(line) < columns
    assert line.endswith("\u4f60\u597d")


def test_what_is_said_steers_no_terminal() -> None:
    hostile = "a\x1b[2Jb\x07\rc\nd"
    assert visible(hostile) == "a [2Jb  c d"
    out = io.StringIO()
    TurnLines(out).show(completed(hostile))
    assert out.getvalue() == "a [2Jb  c d\n"


def test_joiners_are_a_part_of_words() -> None:
    word = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    assert visible(word) == word


@pytest.mark.parametrize(
    ("text", "columns", "end"),
    [
        ("abc", 3, "abc"),
        ("abc", 2, "bc"),
        ("abc", 0, ""),
        ("\u4f60\u597d", 3, "\u597d"),
        ("", 5, ""),
    ],
)
def test_the_end_that_fits(text: str, columns: int, end: str) -> None:
    assert fitting_end(text, columns) == end


def test_events_are_lines_of_json() -> None:
    out = io.StringIO()
    EventLines(out).show(delta("gr\u00fcn"))

    assert json.loads(out.getvalue()) == delta("gr\u00fcn")
    assert "gr\u00fcn" in out.getvalue()
