"""Transcripts as files: gzip of JSON, with all that any response format needs."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models.errors import JobStoreError
from models.text.transcript import Segment, TokenScore, Transcript, Word

_VERSION = 1


def transcript_bytes(transcript: Transcript) -> bytes:
    """The file of a transcript; floats come back exactly as they were."""
    body = {
        "version": _VERSION,
        "task": transcript.task,
        "language": transcript.language,
        "duration": transcript.duration,
        "segments": [_told(segment) for segment in transcript.segments],
    }
    return gzip.compress(json.dumps(body, separators=(",", ":")).encode(), mtime=0)


def read_transcript(path: Path) -> Transcript:
    """The transcript of a file.

    Raises:
        JobStoreError: it is not there, damaged, or of a newer version.
    """
    try:
        return _transcript(json.loads(gzip.decompress(path.read_bytes())))
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise JobStoreError("The result of the job cannot be read.") from error


def _transcript(body: Mapping[str, Any]) -> Transcript:
    if body["version"] != _VERSION:
        raise JobStoreError("The result of the job was written by a newer version of the server.")
    segments = tuple(_segment(each) for each in body["segments"])
    return Transcript(body["task"], body["language"], body["duration"], segments)


def _told(segment: Segment) -> dict[str, Any]:
    # A token may be a part of a character: it is bytes, and no text.
    scores = [[base64.b64encode(score.data).decode(), score.logprob] for score in segment.scores]
    return {**asdict(segment), "scores": scores}


def _segment(told: Mapping[str, Any]) -> Segment:
    lists = {
        "tokens": tuple(told["tokens"]),
        "scores": tuple(
            TokenScore(base64.b64decode(data), score) for data, score in told["scores"]
        ),
        "words": tuple(Word(**word) for word in told["words"]),
        "flags": tuple(told["flags"]),
    }
    return Segment(**{**told, **lists})
