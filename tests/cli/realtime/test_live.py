"""The command `live`, on a real server: a recording that is played, and what may go wrong."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.conftest import KEY
from tests.server import PROJECT, SECONDS, Server, free_port
from tests.speech_clips import jfk

TRANSCRIPTION = "conversation.item.input_audio_transcription"


def command(url: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "cli", "live", "--url", url, *map(str, arguments)]


def live(url: str, *arguments: object, key: str = KEY) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(url, *arguments),
        cwd=PROJECT,
        env={**os.environ, "WHISPER_API_KEY": key},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_a_recording_is_played_and_each_turn_is_a_line(server: Server) -> None:
    done = live(server.url, jfk().path, "--speed", 3)

    assert (done.returncode, done.stderr) == (0, "")
    text = " ".join(done.stdout.lower().split())
    assert "fellow americans" in text
    assert "what you can do for your country" in text


def test_events_are_printed_as_json_with_open_text(server: Server) -> None:
    done = live(server.url, jfk().path, "--speed", 2, "--delay", "low", "--json")

    assert done.returncode == 0
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["type"] == "session.created"
    told: dict[str, str] = {}
    for event in events:
        if event["type"] == f"{TRANSCRIPTION}.delta":
            told[event["item_id"]] = told.get(event["item_id"], "") + event["delta"]
        if event["type"] == f"{TRANSCRIPTION}.completed":
            assert told.get(event["item_id"], "") == event["transcript"]
    assert told
    assert any(event["type"] == f"{TRANSCRIPTION}.open_text" for event in events)


def test_a_terminal_shows_open_text_in_grey_and_ends_with_whole_lines(server: Server) -> None:
    terminal, inside = pty.openpty()
    running = subprocess.Popen(
        command(server.url, jfk().path, "--speed", "2"),
        cwd=PROJECT,
        env={**os.environ, "WHISPER_API_KEY": KEY, "COLUMNS": "200"},
        stdout=inside,
    )
    os.close(inside)
    printed = b""
    # A terminal without a program at its other end is an error to read.
    with suppress(OSError):
        while piece := os.read(terminal, 4096):
            printed += piece
    os.close(terminal)

    assert running.wait(SECONDS) == 0
    assert b"\x1b[90m" in printed
    lines = [line.rpartition("\x1b[2K")[2] for line in printed.decode().splitlines()]
    assert "your country" in " ".join(lines).lower()
    assert lines[-1] == ""


def test_an_interrupt_ends_it_with_the_last_text(server: Server) -> None:
    running = subprocess.Popen(
        command(server.url, jfk().path, "--json"),
        cwd=PROJECT,
        env={**os.environ, "WHISPER_API_KEY": KEY},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout
    events = []
    for line in running.stdout:
        events.append(json.loads(line))
        if events[-1]["type"] == "input_audio_buffer.speech_started":
            running.send_signal(2)
            break
    events += [json.loads(line) for line in running.stdout]

    assert running.wait(SECONDS) == 0
    committed = [e["item_id"] for e in events if e["type"] == "input_audio_buffer.committed"]
    done = [e["item_id"] for e in events if e["type"] == f"{TRANSCRIPTION}.completed"]
    assert committed
    assert done == committed


@pytest.mark.parametrize(
    ("arguments", "key", "message"),
    [
        (("no-such.wav",), KEY, "error: no-such.wav is no file\n"),
        ((PROJECT / "README.md",), KEY, "README.md: "),
        ((jfk().path,), "another-key", "refuses (401): The API key is not known"),
        ((jfk().path, "--model", "none"), KEY, "refuses (404): "),
        ((jfk().path, "--language", "xx"), KEY, "error: "),
    ],
    ids=["no file", "no sound", "key", "model", "language"],
)
def test_what_cannot_be_begun_is_one_line(
    server: Server, arguments: tuple[Path | str, ...], key: str, message: str
) -> None:
    done = live(server.url, *arguments, key=key)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert KEY not in done.stderr


def test_without_a_server_it_says_so() -> None:
    done = live(f"http://127.0.0.1:{free_port()}", jfk().path)

    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("problem", ["ImportError", "OSError"])
def test_a_microphone_that_cannot_be_read_is_told(tmp_path: Path, problem: str) -> None:
    (tmp_path / "sounddevice.py").write_text(f"raise {problem}('PortAudio library not found')\n")
    done = subprocess.run(
        [sys.executable, "-m", "cli", "live", "--devices"],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    wanted = {"ImportError": "run scripts/setup microphone", "OSError": "libportaudio2"}
    assert done.returncode == 1
    assert wanted[problem] in done.stderr
