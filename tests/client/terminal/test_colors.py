"""Colours of confidence."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest

from client.backend.transcript import Transcript
from client.terminal.choice import shows_colors
from client.terminal.colors import colored

RED, YELLOW, GREEN = "\x1b[31m", "\x1b[33m", "\x1b[32m"


def transcript(text: str, **members: Any) -> Transcript:
    return Transcript(json.dumps({"text": text, **members}))


def word(text: str, probability: float | None) -> dict[str, Any]:
    return {"word": text, "probability": probability}


def without_colors(text: str) -> str:
    return re.sub("\x1b\\[[0-9]+m", "", text)


def test_each_word_with_what_follows_it_has_its_colour() -> None:
    words = [word("And", 0.2), word("so", 0.5), word("said", 0.99)]
    assert colored(transcript("And, so said.", words=words)) == (
        f"{RED}And,\x1b[0m {YELLOW}so\x1b[0m {GREEN}said.\x1b[0m"
    )


@pytest.mark.parametrize(
    "words",
    [
        None,
        [],
        [word("And", None)],
        [word("nowhere", 0.1)],
        [word("", 0.1), word("so", 0.1)],
        [word("so", 0.1), word("And", 0.9), word("so", 0.5)],
    ],
)
def test_no_text_is_lost_whatever_the_words_are(words: list[dict[str, Any]] | None) -> None:
    assert without_colors(colored(transcript("And so, and so.", words=words))) == "And so, and so."


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "shows"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colours_are_for_terminals(
    stream: io.StringIO, environ: dict[str, str], shows: bool
) -> None:
    assert shows_colors(stream, environ) is shows
