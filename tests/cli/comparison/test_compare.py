"""`whisper-bento compare` over the wire, against servers whose answers are written down."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import get_args

import pytest

from cli.compare import main
from cli.comparison.calls import CALLS
from cli.comparison.difference import DifferenceKind
from tests.cli.comparison.comparing import compared, found
from tests.cli.comparison.planted import FOUND, PLANTED, TOLD
from tests.cli.comparison.scripted import (
    SAID,
    USAGE,
    ScriptedServer,
    answers,
    error,
    value,
    verbose,
    words,
)
from tests.server import listening


def test_every_planted_difference_is_found_and_no_other(
    stack: ExitStack, faultless: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = stack.enter_context(listening(ScriptedServer({**answers(), **PLANTED})))

    status, document = compared(capsys, recording, "--here", other, "--against", faultless)

    assert status == 1
    assert sorted(found(document)) == sorted(FOUND)
    assert {kind for _, kind, _ in FOUND} == set(get_args(DifferenceKind))
    assert document["differences"] == len(FOUND)
    assert [call["call"] for call in document["calls"]] == [call.name for call in CALLS]


def test_seen_from_the_other_side_missing_is_additional(
    stack: ExitStack, faultless: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = stack.enter_context(listening(ScriptedServer({**answers(), **PLANTED})))

    _, document = compared(capsys, recording, "--here", faultless, "--against", other)

    turned = {"missing": "additional", "additional": "missing"}
    expected = [(call, turned.get(kind, kind), where) for call, kind, where in FOUND]
    assert sorted(found(document)) == sorted(expected)


def test_what_is_found_is_told_in_numbers(
    stack: ExitStack, faultless: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = stack.enter_context(listening(ScriptedServer({**answers(), **PLANTED})))

    assert main([str(recording), "--here", other, "--against", faultless], {}) == 1
    assert capsys.readouterr().out == TOLD


def test_words_that_differ_everywhere_are_told_once(
    stack: ExitStack, faultless: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = {"json": value({"text": SAID.replace("not", "nought"), "usage": USAGE})}
    script = {**answers(), **other, "text": PLANTED["text"], "vtt": PLANTED["vtt"]}
    here = stack.enter_context(listening(ScriptedServer(script)))
    command = [str(recording), "--here", here, "--against", faultless, "--only", "text,vtt"]

    assert main(command, {}) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"  text       text: {TOLD.splitlines()[3].partition('text: ')[2]}",
        "text             1 difference",
        "  text       text: as in json",
        "vtt              1 difference",
        '  header     content-type: here "text/vtt", against "text/plain; charset=utf-8"',
        "3 differences in 3 of 3 calls",
    ]


def test_two_servers_alike_have_no_differences(
    stack: ExitStack, faultless: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(recording), "--here", faultless, "--against", f"{faultless}/v1/"], {}) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == "no differences in 12 calls"
    assert told.err.splitlines() == [
        f"here     {faultless}/v1  model whisper-1",
        f"against  {faultless}/v1  model whisper-1",
        "12 calls to each. A hosted service bills the 8 that send the recording (0.0 kB).",
    ]


def test_a_format_that_one_side_refuses_is_a_difference(
    stack: ExitStack, faultless: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As gpt-4o-transcribe knows no srt, and whisper-1 does not stream."""
    refused = value(error(400, "unsupported_value", "response_format"), 400)
    script = {**answers(), "srt": refused, "stream": answers()["json"]}
    other = stack.enter_context(listening(ScriptedServer(script)))

    status, document = compared(capsys, recording, "--here", faultless, "--against", other)

    assert status == 1
    assert found(document) == [("srt", "status", ""), ("stream", "header", "content-type")]


def test_times_and_durations_may_differ_by_a_step(
    stack: ExitStack, faultless: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = {**answers(), "words": value({**verbose(), "duration": 3.019, "words": words(0.02)})}
    other = stack.enter_context(listening(ScriptedServer(script)))
    servers = ("--here", faultless, "--against", other)

    assert compared(capsys, recording, *servers)[0] == 0
    status, document = compared(capsys, recording, *servers, "--tolerance", "0")
    assert status == 1
    assert found(document) == [("words", "value", "duration"), ("words", "times", "words")]


def test_calls_can_be_chosen_and_are_counted_before(
    faultless: str, stack: ExitStack, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = ScriptedServer(answers())
    other = stack.enter_context(listening(app))
    servers = ("--here", faultless, "--against", other)

    assert main([str(recording), *servers, "--only", "srt,unknown-model"], {}) == 0
    assert [seen.call for seen in app.seen] == ["json", "srt", "unknown-model"]
    assert "3 calls to each. A hosted service bills the 2 that" in capsys.readouterr().err


def test_a_dry_run_sends_nothing(
    faultless: str, stack: ExitStack, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = ScriptedServer(answers())
    other = stack.enter_context(listening(app))

    assert main([str(recording), "--here", other, "--against", other, "--dry-run"], {}) == 0
    assert capsys.readouterr().out.split() == [call.name for call in CALLS]
    assert app.seen == []
