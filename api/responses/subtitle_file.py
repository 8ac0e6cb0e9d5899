"""Subtitle file of a transcript that was sent: srt, vtt, txt or tsv."""

from __future__ import annotations

from api.forms.subtitles_request import SubtitlesRequest
from models.text.subtitles import subtitle_files
from models.text.subtitles.cues import cues


def subtitle_file(asked: SubtitlesRequest) -> str:
    """The file's text; of hours of speech it takes a second."""
    segments = asked.segments()
    if asked.response_format == "txt":
        return subtitle_files.txt(segments)
    write = {"srt": subtitle_files.srt, "vtt": subtitle_files.vtt, "tsv": subtitle_files.tsv}
    return write[asked.response_format](cues(segments, asked.duration, asked.subtitles()))
