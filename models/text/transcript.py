"""Transcript: segments with times, their words and tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.options import Flag, Task


@dataclass(frozen=True)
class TokenScore:
    """A token of the text: its bytes, which may be a part of a character, and log-probability."""

    data: bytes
    logprob: float


@dataclass(frozen=True)
class Word:
    """A word, `start` and `end` in seconds of the recording.

    `text` keeps its leading space and the punctuation beside it: the words of a segment join to
    its text. `probability` is the mean of its tokens'.
    """

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True)
class Segment:
    """A stretch of text between two timestamps; fields as in openai-whisper's segments.

    `seek` is the start of the segment's window in frames of 10 ms, `start` and `end` are seconds
    in the recording, `text` keeps its leading space, `tokens` include the timestamp tokens,
    `scores` do not: their bytes join to the text. `words` are there only where they were asked for.
    `language` is the one the window was decoded in, `flags` say why the text is in doubt.
    """

    id: int
    seek: int
    start: float
    end: float
    text: str
    tokens: tuple[int, ...]
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float
    scores: tuple[TokenScore, ...] = ()
    words: tuple[Word, ...] = ()
    language: str | None = None
    flags: tuple[Flag, ...] = ()


# Called with each segment once it and all before it are final.
OnSegment = Callable[[Segment], None]


@dataclass(frozen=True)
class Transcript:
    """Everything known of a recording; `duration` in seconds, `language` an ISO-639-1 code."""

    task: Task
    language: str
    duration: float
    segments: tuple[Segment, ...]

    @property
    def text(self) -> str:
        """The segments' texts joined, without the outer spaces."""
        return "".join(segment.text for segment in self.segments).strip()
