"""Answers of whisper.cpp's `/inference`: json, text, verbose_json, srt and vtt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from api.dialects.inference_fields import InferenceFields
from api.responses.formats import flags_of, verbose
from models.language.languages import LANGUAGES
from models.text.subtitles import subtitle_files
from models.text.subtitles.cue import Cue
from models.text.subtitles.cues import cues
from models.text.transcript import Segment, Transcript

Languages = Mapping[str, float]
# Those less probable are not shown.
_MIN_PROBABILITY = 0.001


def inference_answer(
    transcript: Transcript, fields: InferenceFields, languages: Languages
) -> Response:
    """The response, with whisper.cpp's content types."""
    response = _answer(transcript, fields, languages)
    if flags := flags_of(transcript):
        response.headers["x-whisper-flags"] = ", ".join(flags)
    return response


def _answer(transcript: Transcript, fields: InferenceFields, languages: Languages) -> Response:
    match fields.response_format:
        case "json":
            return JSONResponse({"text": _text(transcript)})
        case "verbose_json":
            return JSONResponse(_verbose(transcript, fields, languages))
        case "text":
            return HTMLResponse(_text(transcript))
        case "srt":
            body = subtitle_files.srt(_cues(transcript, fields))
            return Response(body, media_type="application/x-subrip")
        case "vtt":
            body = subtitle_files.vtt(_cues(transcript, fields))
            return Response(body, media_type="text/vtt")


def _cues(transcript: Transcript, fields: InferenceFields) -> list[Cue]:
    return cues(transcript.segments, transcript.duration, fields.subtitles())


def _text(transcript: Transcript) -> str:
    """Each segment in a line of its own."""
    return "".join(f"{segment.text}\n" for segment in transcript.segments)


def _verbose(
    transcript: Transcript, fields: InferenceFields, languages: Languages
) -> dict[str, Any]:
    return {
        "task": transcript.task,
        "language": LANGUAGES[transcript.language],
        "duration": transcript.duration,
        "text": _text(transcript),
        "segments": list(_segments(transcript, fields)),
        **_probabilities(languages),
    }


def _probabilities(languages: Languages) -> dict[str, Any]:
    if not languages:
        return {}
    code, probability = max(languages.items(), key=lambda pair: pair[1])
    return {
        "detected_language": LANGUAGES[code],
        "detected_language_probability": probability,
        "language_probabilities": {
            code: value for code, value in languages.items() if value > _MIN_PROBABILITY
        },
    }


def _segments(transcript: Transcript, fields: InferenceFields) -> Iterator[dict[str, Any]]:
    pairs = zip(verbose(transcript).segments or [], transcript.segments, strict=True)
    for shown, segment in pairs:
        times = {} if fields.no_timestamps else {"start": shown.start, "end": shown.end}
        words = {"words": _words(segment, transcript.duration)} if fields.has_words else {}
        yield {
            "id": shown.id,
            "text": shown.text,
            **times,
            "tokens": shown.tokens,
            **words,
            "temperature": shown.temperature,
            "avg_logprob": shown.avg_logprob,
            "no_speech_prob": shown.no_speech_prob,
        }


def _words(segment: Segment, duration: float) -> list[dict[str, Any]]:
    return [
        {
            "word": word.text,
            "start": min(word.start, duration),
            "end": min(word.end, duration),
            "probability": word.probability,
        }
        for word in segment.words
    ]
