"""Example answers in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from api.version import project_version

_TEXT = "The quick brown fox jumps over the lazy dog."

_USAGE = (
    '{"type":"tokens","total_tokens":40,"input_tokens":27,'
    '"input_token_details":{"text_tokens":0,"audio_tokens":27},"output_tokens":13}'
)

# What `stream=true` sends.
EVENTS = (
    'data: {"type":"transcript.text.delta","delta":"The quick brown fox"}\n\n'
    'data: {"type":"transcript.text.delta","delta":" jumps over the lazy dog."}\n\n'
    f'data: {{"type":"transcript.text.done","text":"{_TEXT}","usage":{_USAGE}}}\n\n'
    "data: [DONE]\n\n"
)

# What is sent as text/plain.
FORMATS = {
    "text": f"{_TEXT}\n",
    "srt": f"1\n00:00:00,000 --> 00:00:02,600\n{_TEXT}\n\n",
    "vtt": f"WEBVTT\n\n00:00:00.000 --> 00:00:02.600\n{_TEXT}\n\n",
}

JSON_ANSWER: dict[str, Any] = {"text": _TEXT, "usage": {"type": "duration", "seconds": 3}}

VERBOSE: dict[str, Any] = {
    "task": "transcribe",
    "language": "english",
    "duration": 2.65,
    "text": _TEXT,
    "segments": [
        {
            "id": 0,
            "seek": 0,
            "start": 0.0,
            "end": 2.6,
            "text": f" {_TEXT}",
            "tokens": [50364, 440, 1702, 3699, 21831, 16704, 670, 264, 14847, 3000, 13, 50494],
            "temperature": 0.0,
            "avg_logprob": -0.21,
            "compression_ratio": 0.92,
            "no_speech_prob": 0.01,
        }
    ],
    "usage": {"type": "duration", "seconds": 3},
}

DETECTION: dict[str, Any] = {
    "code": "en",
    "language": "english",
    "probability": 0.96,
    "languages": [
        {"code": "en", "language": "english", "probability": 0.96},
        {"code": "de", "language": "german", "probability": 0.04},
    ],
}

MODEL: dict[str, Any] = {
    "id": "whisper-1",
    "object": "model",
    "created": 1764000000,
    "owned_by": "whisper-bento",
    "shutdown_date": None,
}

MODEL_LIST: dict[str, Any] = {"object": "list", "data": [MODEL, {**MODEL, "id": "base"}]}

JOB_ID = "transcription_0a1b2c3d4e5f60718293a4b5c6d7e8f9"
JOB: dict[str, Any] = {
    "id": JOB_ID,
    "object": "transcription.job",
    "status": "in_progress",
    "progress": 42,
    "task": "transcribe",
    "model": "base",
    "created_at": 1764000000,
    "completed_at": None,
    "expires_at": None,
    "audio_seconds": 3600.0,
    "metadata": {"episode": "42"},
    "error": None,
}
EVENT: dict[str, Any] = {
    "id": JOB_ID.replace("transcription_", "evt_"),
    "object": "event",
    "type": "transcription.completed",
    "created_at": 1764003600,
    "data": {
        **JOB,
        "status": "completed",
        "progress": 100,
        "completed_at": 1764003600,
        "expires_at": 1764090000,
        "usage": {"type": "duration", "seconds": 3600},
    },
}
JOBS: dict[str, Any] = {
    "object": "list",
    "data": [JOB],
    "first_id": JOB_ID,
    "last_id": JOB_ID,
    "has_more": False,
}
DELETED_JOB: dict[str, Any] = {"id": JOB_ID, "object": "transcription.job.deleted", "deleted": True}
NEW_JOB: dict[str, Any] = {
    **JOB,
    "status": "queued",
    "progress": 0,
    "position": 3,
}

HEALTH: dict[str, Any] = {
    "status": "ok",
    "default_model": "base",
    "models": ["base", "tiny.en"],
    "device": "cpu",
    "dtype": "int8",
    "version": project_version(),
    "queue": {"running": 2, "waiting": 0, "seconds": 74},
    "cancelled": {"requests": 1, "windows": 16},
    "limits": {"upload_bytes": 26214400, "audio_seconds": 43200},
    "jobs": {"queued": 3, "in_progress": 1, "queued_seconds": 5400},
    "loaded": [
        {"name": "base", "device": "cpu", "dtype": "int8", "slots": 16, "running": 5, "waiting": 0},
    ],
}
