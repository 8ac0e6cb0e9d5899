"""A recording, and what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Task = Literal["transcribe", "translate"]
Format = Literal["txt", "srt", "vtt", "tsv", "json"]

FORMATS: tuple[Format, ...] = ("txt", "srt", "vtt", "tsv", "json")
# Those that are written in cues, and so have limits of lines and cues.
SUBTITLES: tuple[Format, ...] = ("srt", "vtt")
STDIN = "-"
# The default model of whatever transcribes.
DEFAULT_MODEL = "whisper-1"


@dataclass(frozen=True)
class Recording:
    """A file to read, what the user calls it, and its place below an output folder.

    `job`: it is the result of the background job of this id. Then `path` is only the name that it
    was handed in with: no file, and not to be looked at.
    """

    path: Path
    name: str
    below: Path
    job: str | None = None

    @property
    def is_stdin(self) -> bool:
        """Whether it came on standard input, and `path` is a copy."""
        return self.name == STDIN


@dataclass(frozen=True)
class Request:
    """What is asked of each recording.

    `fields` are form fields in the words of OpenAI's API and openai-whisper; `layout` is that of
    subtitles: limits of lines and cues, highlighted words.
    """

    task: Task = "transcribe"
    model: str = DEFAULT_MODEL
    fields: tuple[tuple[str, str], ...] = ()
    formats: tuple[Format, ...] = ()
    has_words: bool = False
    layout: tuple[tuple[str, float], ...] = ()

    @property
    def needs_words(self) -> bool:
        """Whether times of words are needed: they are asked for, or subtitles are made by them."""
        return self.has_words or bool(self.layout)
