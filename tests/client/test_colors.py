"""`--colors`: what a terminal is shown, and what a pipe is given."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

from client.backend.transcript import Transcript
from client.terminal.colors import colored
from tests.client.serving import PROGRAM, TEXT, api, environment, ran, speaking
from tests.client.test_transcribe import answer
from tests.server import PROJECT, SECONDS


def shown(*arguments: str | Path, **environ: str) -> str:
    """What the client writes to a terminal."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb") as screen:
        subprocess.run(
            [*PROGRAM, *map(str, arguments)],
            cwd=PROJECT,
            env=environment(TERM="xterm", **environ),
            stdout=theirs,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=SECONDS,
        )
        os.close(theirs)
        return screen.read1(65_536).decode().replace("\r\n", "\n")


def test_words_have_colours_on_a_terminal(recording: Path) -> None:
    with api(speaking()) as url:
        told = answer(
            url,
            **{
                "response_format": "verbose_json",
                "timestamp_granularities[]": "word",
                "include[]": "word_probability",
            },
        )
        out = shown(recording, "--colors", "--url", url)
        assert out == f"{colored(Transcript(told))}\n"
        assert "\x1b[33mnaïve\x1b[0m" in out
        assert shown(recording, "--colors", "--url", url, NO_COLOR="1") == f"{TEXT}\n"
        assert shown(recording, "--url", url) == f"{TEXT}\n"


def test_elsewhere_there_are_none(recording: Path) -> None:
    with api(fake := speaking()) as url:
        assert ran(recording, "--colors", "--url", url) == (0, f"{TEXT}\n", "")
    assert [asked.word_timestamps for _, asked in fake.calls] == [False]
