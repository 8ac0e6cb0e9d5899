"""Outputs of whisper-asr-webservice: a transcript as txt, vtt, srt, tsv or json."""

from __future__ import annotations

import json
from typing import Any, Literal
from urllib.parse import quote

from starlette.responses import PlainTextResponse, Response

from api.responses.formats import flags_of, verbose
from api.schemas import Segment as SegmentShown
from models.text.subtitles import subtitle_files
from models.text.subtitles.cues import cues
from models.text.transcript import Segment, Transcript

Output = Literal["txt", "vtt", "srt", "tsv", "json"]
_ENGINE = "whisper-bento"
_MAX_NAME = 200
# Of a segment, in the order in which they are there.
_MEMBERS = (
    *("id", "seek", "start", "end", "text", "tokens", "temperature"),
    *("avg_logprob", "compression_ratio", "no_speech_prob"),
)


def asr_answer(transcript: Transcript, output: Output, file_name: str) -> Response:
    """The response: a text to be saved, whatever the output."""
    name = quote(file_name[:_MAX_NAME], errors="replace")
    headers = {
        "asr-engine": _ENGINE,
        "content-disposition": f'attachment; filename="{name}.{output}"',
    }
    if flags := flags_of(transcript):
        headers["x-whisper-flags"] = ", ".join(flags)
    return PlainTextResponse(_written(transcript, output), headers=headers)


def _written(transcript: Transcript, output: Output) -> str:
    match output:
        case "txt":
            return subtitle_files.txt(transcript.segments)
        case "srt":
            return subtitle_files.srt(cues(transcript.segments, transcript.duration))
        case "vtt":
            return subtitle_files.vtt(cues(transcript.segments, transcript.duration), hours=False)
        case "tsv":
            return subtitle_files.tsv(cues(transcript.segments, transcript.duration))
        case "json":
            return json.dumps(_as_json(transcript), ensure_ascii=False)


def _as_json(transcript: Transcript) -> dict[str, Any]:
    shown = verbose(transcript).segments or []
    pairs = zip(shown, transcript.segments, strict=True)
    return {
        "language": transcript.language,
        "text": transcript.text,
        "segments": [_segment(one, other, transcript.duration) for one, other in pairs],
    }


def _segment(shown: SegmentShown, segment: Segment, duration: float) -> dict[str, Any]:
    words = [
        {
            "word": word.text,
            "start": min(word.start, duration),
            "end": min(word.end, duration),
            "probability": word.probability,
        }
        for word in segment.words
    ]
    return {**{name: getattr(shown, name) for name in _MEMBERS}, "words": words or None}
