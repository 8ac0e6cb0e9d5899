"""Segment events of a stream, in the shape of OpenAI's diarized streams."""

from __future__ import annotations

from api.responses.formats import finite, words_of
from api.stream_schemas import TranscriptTextSegment
from models.language.languages import LANGUAGES
from models.text.transcript import Segment


def segment_event(segment: Segment, read_seconds: float) -> TranscriptTextSegment:
    """The event of a segment of a recording that has been read up to `read_seconds`.

    All of its window has been read by then, so that times behind it are Whisper's guess.
    """
    words = list(words_of([segment], read_seconds, is_scored=True))
    return TranscriptTextSegment(
        id=str(segment.id),
        start=min(segment.start, read_seconds),
        end=min(segment.end, read_seconds),
        text=segment.text,
        language=LANGUAGES[segment.language] if segment.language else None,
        avg_logprob=finite(segment.avg_logprob),
        flags=list(segment.flags) or None,
        words=words if segment.words else None,
    )
