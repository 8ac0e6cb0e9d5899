"""Output files that no server is needed for: a line, a row or a cue for each segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from client.backend.errors import RecordingError
from client.backend.request import Format
from client.backend.transcript import Transcript


@dataclass(frozen=True)
class _Cue:
    start: int
    end: int
    text: str


def plain_format(transcript: Transcript, name: Format) -> str:
    """The file of this format: txt and tsv to the byte as openai-whisper's writers have them.

    Times of srt and vtt have hours, as in OpenAI's hosted API.

    Raises:
        RecordingError: it needs segments, and there are none.
    """
    match name:
        case "json":
            return transcript.body
        case "txt" if "segments" not in transcript.members:
            return f"{transcript.text.strip()}\n"
        case "txt":
            return "".join(f"{cue.text}\n" for cue in _segments(transcript))
        case "tsv":
            rows = (f"{cue.start}\t{cue.end}\t{_cell(cue.text)}\n" for cue in _segments(transcript))
            return "start\tend\ttext\n" + "".join(rows)
        case "srt":
            numbered = enumerate(_cues(transcript), start=1)
            return "".join(f"{number}\n{_block(cue, ',')}" for number, cue in numbered)
        case "vtt":
            return "WEBVTT\n\n" + "".join(_block(cue, ".") for cue in _cues(transcript))


def _cues(transcript: Transcript) -> Iterator[_Cue]:
    """Those that say something."""
    return (cue for cue in _segments(transcript) if cue.text)


def _segments(transcript: Transcript) -> Iterator[_Cue]:
    segments = transcript.members.get("segments")
    if not isinstance(segments, list):
        raise RecordingError("the server's answer has no segments, which this format is made of")
    for segment in segments:
        text = " ".join(str(segment.get("text", "")).split("\n")).strip()
        yield _Cue(_milliseconds(segment, "start"), _milliseconds(segment, "end"), text)


def _milliseconds(segment: Mapping[str, Any], name: str) -> int:
    value = segment.get(name)
    if not isinstance(value, int | float):
        raise RecordingError("the server's answer has a segment without times")
    return round(1000 * value)


def _cell(text: str) -> str:
    return text.replace("\t", " ")


def _block(cue: _Cue, mark: str) -> str:
    times = f"{_timestamp(cue.start, mark)} --> {_timestamp(cue.end, mark)}"
    return f"{times}\n{cue.text.replace('-->', '->')}\n\n"


def _timestamp(milliseconds: int, mark: str) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}{mark}{milliseconds:03d}"
