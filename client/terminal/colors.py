"""Colours of confidence: words of a text on a terminal by their probability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from client.backend.transcript import Transcript

_PLAIN = "\x1b[0m"
# Up to which probability, and the colour: red, yellow, green.
_COLORS = ((0.4, "\x1b[31m"), (0.7, "\x1b[33m"), (1.0, "\x1b[32m"))


def colored(transcript: Transcript) -> str:
    """The text, each word with what follows it in its colour; plain where nothing is known."""
    return "".join(_parts(transcript.text, _places(transcript)))


def _parts(text: str, places: list[tuple[int, str]]) -> Iterator[str]:
    """The text before the first word, and each word with all up to the next one."""
    starts = [place for place, _ in places]
    yield text[: starts[0]] if starts else text
    for (start, color), end in zip(places, [*starts[1:], len(text)], strict=False):
        word = text[start:end]
        shown = word.rstrip()
        yield f"{color}{shown}{_PLAIN}{word[len(shown) :]}"


def _places(transcript: Transcript) -> list[tuple[int, str]]:
    """Where each word begins in the text, and its colour."""
    found, at = [], 0
    for word in transcript.members.get("words") or ():
        spelled, color = str(word.get("word", "")), _color(word)
        place = transcript.text.find(spelled, at) if spelled else -1
        if place >= 0 and color:
            found.append((place, color))
            at = place + len(spelled)
    return found


def _color(word: Mapping[str, Any]) -> str | None:
    probability = word.get("probability")
    if not isinstance(probability, int | float):
        return None
    return next((color for most, color in _COLORS if probability <= most), _COLORS[-1][1])
