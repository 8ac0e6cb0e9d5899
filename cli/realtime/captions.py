"""Captions in a terminal: settled text as it comes, and in grey what is heard behind it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

from wcwidth import wcswidth

_TRANSCRIPTION = "conversation.item.input_audio_transcription."
# To the line's begin, and delete it.
_CLEAR = "\r\x1b[2K"
# They belong to the spelling of Persian, Malayalam and others (U+200C, U+200D).
_JOINERS = "\u200c\u200d"
_GREY, _PLAIN = "\x1b[90m", "\x1b[0m"
Event = Mapping[str, Any]


class Captions(Protocol):
    """Shows what the server tells."""

    def show(self, event: Event) -> None:
        """Show a server event, or what of it there is to see."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


class EventLines:
    """Every event, as a line of JSON."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, event: Event) -> None:
        """Print it."""
        print(json.dumps(event, ensure_ascii=False), file=self._out, flush=True)

    def close(self) -> None:
        """Nothing is left to do."""


class TurnLines:
    """Every turn, as a line of text once it is complete: for files and pipes."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, event: Event) -> None:
        """Print the transcript of a turn in which something was said."""
        if event["type"] == f"{_TRANSCRIPTION}completed" and (text := printable(event)):
            print(text, file=self._out, flush=True)

    def close(self) -> None:
        """Nothing is left to do."""


class LiveLines:
    """Every turn, as a line that grows while somebody speaks; open text stands behind it in grey.

    A line longer than the terminal shows its end alone, until the turn is complete.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._settled = self._open = ""

    def show(self, event: Event) -> None:
        """Draw the line again, or end it."""
        match str(event["type"]).removeprefix(_TRANSCRIPTION):
            case "delta":
                self._settled += event["delta"]
                # It is about the text before this.
                self._open = ""
                self._draw()
            case "open_text":
                self._open = event["text"]
                self._draw()
            case "completed":
                if text := printable(event):
                    print(f"{_CLEAR}{text}", file=self._out)
                self._settled = self._open = ""
                self._draw()

    def close(self) -> None:
        """Delete a line that has not been completed."""
        print(_CLEAR, end="", file=self._out, flush=True)

    def _draw(self) -> None:
        width = shutil.get_terminal_size().columns - 1
        settled, opened = visible(self._settled), visible(self._open)
        opened = fitting_end(opened, width)
        settled = fitting_end(settled, width - max(0, wcswidth(opened)))
        grey = f"{_GREY}{opened}{_PLAIN}" if opened else ""
        print(f"{_CLEAR}{settled}{grey}", end="", file=self._out, flush=True)


def printable(event: Event) -> str:
    """The transcript of a turn that is complete, in one line."""
    return visible(str(event["transcript"])).strip()


def visible(text: str) -> str:
    """The text without characters that would steer a terminal."""
    return "".join(letter if letter.isprintable() or letter in _JOINERS else " " for letter in text)


def fitting_end(text: str, columns: int) -> str:
    """The end of a text that so many columns of a terminal have room for."""
    begin = max(0, len(text) - max(0, columns))
    while begin < len(text) and wcswidth(text[begin:]) > columns:
        begin += 1
    return text[begin:]
