"""A transcript in each of the response formats."""

from __future__ import annotations

import math
import sys

from pydantic import BaseModel
from starlette.responses import PlainTextResponse, Response

from api.logprobs import logprobs
from api.parameters import ResponseFormat
from api.schemas import Segment, Transcription, TranscriptionVerbose, UsageDuration
from models.languages import LANGUAGES
from models.subtitle_options import AS_SEGMENTS, SubtitleOptions
from models.text import subtitles
from models.text.cues import Cue, cues
from models.text.transcript import Segment as TranscriptSegment
from models.text.transcript import Transcript


def answer(
    transcript: Transcript,
    response_format: ResponseFormat,
    subtitle_options: SubtitleOptions = AS_SEGMENTS,
    *,
    with_logprobs: bool = False,
) -> Response:
    """The response with the transcript; the content types are OpenAI's."""
    match response_format:
        case "json":
            tokens = logprobs(transcript.segments) if with_logprobs else None
            usage = _usage(transcript)
            return _json(Transcription(text=transcript.text, logprobs=tokens, usage=usage))
        case "verbose_json":
            return _json(verbose(transcript))
        case "text":
            return PlainTextResponse(transcript.text + "\n")
        case "srt":
            return PlainTextResponse(subtitles.srt(_cues(transcript, subtitle_options)))
        case "vtt":
            return PlainTextResponse(subtitles.vtt(_cues(transcript, subtitle_options)))


def _cues(transcript: Transcript, options: SubtitleOptions) -> list[Cue]:
    return cues(transcript.segments, transcript.duration, options)


def _json(body: BaseModel) -> Response:
    # Absent rather than null: that is how OpenAI leaves out what was not asked for.
    content = body.model_dump_json(exclude_none=True)
    return Response(content, media_type="application/json")


def _usage(transcript: Transcript) -> UsageDuration | None:
    if transcript.task == "translate":
        return None
    return UsageDuration(seconds=math.ceil(transcript.duration))


def verbose(transcript: Transcript) -> TranscriptionVerbose:
    """The transcript with all that is known of it."""
    translated = transcript.task == "translate"
    return TranscriptionVerbose(
        task=transcript.task,
        language="english" if translated else LANGUAGES[transcript.language],
        duration=transcript.duration,
        text=transcript.text,
        segments=[_segment(segment, transcript.duration) for segment in transcript.segments],
        usage=_usage(transcript),
    )


def _segment(segment: TranscriptSegment, duration: float) -> Segment:
    # Whisper's last end may lie beyond the recording.
    return Segment(
        id=segment.id,
        seek=segment.seek,
        start=min(segment.start, duration),
        end=min(segment.end, duration),
        text=segment.text,
        tokens=list(segment.tokens),
        temperature=segment.temperature,
        avg_logprob=_finite(segment.avg_logprob),
        compression_ratio=_finite(segment.compression_ratio),
        no_speech_prob=_finite(segment.no_speech_prob),
    )


def _finite(value: float) -> float:
    """JSON has no NaN and no infinity; NaN is a score that could not be taken: 0."""
    if math.isnan(value):
        return 0.0
    return max(-sys.float_info.max, min(value, sys.float_info.max))
