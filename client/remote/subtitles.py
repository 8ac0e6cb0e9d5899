"""Subtitles that the server makes of a transcript: the body that it is asked with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from client.backend.request import Format, Request
from client.backend.transcript import Transcript

PATH = "audio/subtitles"
_OF_A_SEGMENT = ("start", "end", "text")
_OF_A_WORD = ("word", "start", "end")


def subtitles_body(transcript: Transcript, name: Format, request: Request) -> dict[str, Any]:
    """The JSON of the request: what is needed of the transcript, and the layout."""
    members = transcript.members
    sent = {
        "duration": transcript.duration,
        "segments": [_only(each, _OF_A_SEGMENT) for each in members.get("segments") or ()],
    }
    layout = dict(request.layout)
    if layout and (words := members.get("words")) is not None:
        sent["words"] = [_only(each, _OF_A_WORD) for each in words]
    return {"transcript": sent, "response_format": name, **layout}


def _only(members: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: members[name] for name in names}
