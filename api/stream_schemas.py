"""Schemas of a stream's events: OpenAI's, and those beside them that `stream_events` asks for."""

from __future__ import annotations

from typing import Literal

from api.schemas import Absent, Answer, Logprob, TranscriptionVerbose, UsageTokens, Word
from models.options import Flag


class TranscriptTextDelta(Answer):
    """With `stream=true`: more text, which will not change."""

    type: Literal["transcript.text.delta"] = "transcript.text.delta"
    """The kind of event."""
    delta: str
    """The text; all deltas join to the whole."""
    logprobs: Absent[list[Logprob]] = None
    """The tokens of the delta, where `include` asks for them."""


class TranscriptTextSegment(Answer):
    """With `stream_events[]=segment`: a segment, behind the delta with its text."""

    type: Literal["transcript.text.segment"] = "transcript.text.segment"
    """The kind of event."""
    id: str
    """Its number, from 0 on."""
    start: float
    """Where it starts, in seconds."""
    end: float
    """Where it ends, in seconds."""
    text: str
    """Its text, with the space before it."""
    speaker: Literal[""] = ""
    """Empty: this server does not tell speakers apart."""
    language: Absent[str] = None
    """Its language by name."""
    avg_logprob: float
    """The mean log-probability of its window's tokens."""
    flags: Absent[list[Flag]] = None
    """Why its text is in doubt, where it is."""
    words: Absent[list[Word]] = None
    """Its words with probabilities, where `timestamp_granularities` asks for them."""


class TranscriptionProgress(Answer):
    """With `stream_events[]=progress`: how far the work is, every second."""

    type: Literal["transcription.progress"] = "transcription.progress"
    """The kind of event."""
    phase: Literal["queued", "loading", "working"]
    """It waits for its turn; the recording is being read, and nothing with the model yet; else."""
    position: int
    """Its place in the queue: 1 is the next one, 0 does not wait."""
    audio_seconds_done: float
    """Seconds of the recording that are done, though their text may wait for what is before it."""
    audio_seconds: float
    """Seconds of the recording: as it is said to have, until it has been read to its end."""
    seconds_left: float | None
    """Seconds until its turn, or then until the end, by the speed so far; null: not known yet."""


class TranscriptionPeaks(Answer):
    """With `stream_events[]=peaks`: the waveform, before the end of the text."""

    type: Literal["transcription.peaks"] = "transcription.peaks"
    """The kind of event."""
    per_second: int
    """Pairs in a second."""
    data: str
    """Pairs of int8 in base64, the least and the greatest sample of each; 127 is full scale."""


class TranscriptionVerboseJson(Answer):
    """With `stream_events[]=verbose_json`: the whole transcript, before the end of the text."""

    type: Literal["transcription.verbose_json"] = "transcription.verbose_json"
    """The kind of event."""
    transcript: TranscriptionVerbose
    """What `response_format=verbose_json` answers, with words where they are asked for."""


class TranscriptTextDone(Answer):
    """With `stream=true`: the end of the text."""

    type: Literal["transcript.text.done"] = "transcript.text.done"
    """The kind of event."""
    text: str
    """The whole text."""
    logprobs: Absent[list[Logprob]] = None
    """The tokens of the text, where `include` asks for them."""
    usage: UsageTokens
    """What the request is billed by."""
    flags: Absent[list[Flag]] = None
    """Why parts of the text are in doubt, where any are."""
