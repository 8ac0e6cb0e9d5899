"""Response formats: a transcript as json, text, verbose_json, srt or vtt."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence

from pydantic import BaseModel
from starlette.responses import PlainTextResponse, Response

from api.forms.parameters import Granularity, Include, ResponseFormat
from api.responses.logprobs import logprobs
from api.responses.usage import duration_usage
from api.schemas import Segment, Transcription, TranscriptionVerbose, Word
from models.language.languages import LANGUAGES
from models.options import Flag
from models.subtitle_options import AS_SEGMENTS, SubtitleOptions
from models.text.subtitles import subtitle_files
from models.text.subtitles.cue import Cue
from models.text.subtitles.cues import cues
from models.text.transcript import Segment as TranscriptSegment
from models.text.transcript import Transcript
from models.text.words import bare


def answer(
    transcript: Transcript,
    response_format: ResponseFormat,
    subtitle_options: SubtitleOptions = AS_SEGMENTS,
    *,
    granularities: Sequence[Granularity] = (),
    include: Collection[Include] = (),
) -> Response:
    """The response with the transcript; the content types are OpenAI's.

    Whatever the format, a header says why text is in doubt where any is.
    """
    response = _answer(
        transcript,
        response_format,
        subtitle_options,
        granularities=granularities,
        include=include,
    )
    if flags := flags_of(transcript):
        response.headers["x-whisper-flags"] = ", ".join(flags)
    return response


def flags_of(transcript: Transcript) -> list[Flag]:
    """The flags that any segment has, in alphabetical order."""
    return sorted({flag for segment in transcript.segments for flag in segment.flags})


def _answer(
    transcript: Transcript,
    response_format: ResponseFormat,
    subtitle_options: SubtitleOptions,
    *,
    granularities: Sequence[Granularity],
    include: Collection[Include],
) -> Response:
    match response_format:
        case "json":
            tokens = logprobs(transcript.segments) if "logprobs" in include else None
            usage = duration_usage(transcript)
            return _json(Transcription(text=transcript.text, logprobs=tokens, usage=usage))
        case "verbose_json":
            return _json(verbose(transcript, granularities, include))
        case "text":
            return PlainTextResponse(transcript.text + "\n")
        case "srt":
            return PlainTextResponse(subtitle_files.srt(_cues(transcript, subtitle_options)))
        case "vtt":
            return PlainTextResponse(subtitle_files.vtt(_cues(transcript, subtitle_options)))


def _cues(transcript: Transcript, options: SubtitleOptions) -> list[Cue]:
    return cues(transcript.segments, transcript.duration, options)


def _json(body: BaseModel) -> Response:
    return Response(body.model_dump_json(), media_type="application/json")


def verbose(
    transcript: Transcript,
    granularities: Sequence[Granularity] = (),
    include: Collection[Include] = (),
) -> TranscriptionVerbose:
    """The transcript with all that is known of it, in segments if nothing else is asked for."""
    translated = transcript.task == "translate"
    segments = transcript.segments
    shown, is_scored = granularities or ("segment",), "word_probability" in include
    words = words_of(segments, transcript.duration, is_scored=is_scored)
    return TranscriptionVerbose(
        task=transcript.task,
        language="english" if translated else LANGUAGES[transcript.language],
        duration=transcript.duration,
        text=transcript.text,
        segments=[_segment(s, transcript) for s in segments] if "segment" in shown else None,
        words=list(words) if "word" in shown else None,
        usage=duration_usage(transcript),
    )


def words_of(
    segments: Iterable[TranscriptSegment], duration: float, *, is_scored: bool
) -> Iterator[Word]:
    """The segments' words within the recording's `duration`, with probabilities if `is_scored`."""
    for segment in segments:
        for word in segment.words:
            if text := bare(word.text):
                yield Word(
                    word=text,
                    start=min(word.start, duration),
                    end=min(word.end, duration),
                    probability=finite(word.probability) if is_scored else None,
                )


def _segment(segment: TranscriptSegment, transcript: Transcript) -> Segment:
    differs = segment.language not in (None, transcript.language)
    # Whisper's last end may lie beyond the recording.
    return Segment(
        id=segment.id,
        seek=segment.seek,
        start=min(segment.start, transcript.duration),
        end=min(segment.end, transcript.duration),
        text=segment.text,
        tokens=list(segment.tokens),
        temperature=segment.temperature,
        avg_logprob=finite(segment.avg_logprob),
        compression_ratio=finite(segment.compression_ratio),
        no_speech_prob=finite(segment.no_speech_prob),
        language=LANGUAGES[segment.language] if segment.language and differs else None,
        flags=list(segment.flags) or None,
    )


def finite(value: float) -> float:
    """JSON has no NaN and no infinity; NaN is a score that could not be taken: 0."""
    if math.isnan(value):
        return 0.0
    return max(-sys.float_info.max, min(value, sys.float_info.max))
