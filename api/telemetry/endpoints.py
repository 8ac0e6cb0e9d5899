"""Endpoint names for logs and metrics: any path is one of a few."""

from __future__ import annotations

# Asked by monitors, which have no key.
PROBES = frozenset({"/livez", "/readyz", "/healthz"})
# Asked by them as well: programs that speak to other servers, too, look there.
HEALTH = "/health"
OTHER = "other"
ENDPOINTS = frozenset(
    {
        "/v1/audio/transcriptions",
        "/v1/audio/translations",
        "/v1/audio/detect-language",
        "/v1/audio/subtitles",
        "/v1/models",
        "/v1/realtime",
        "/v1/realtime/client_secrets",
        "/v1/realtime/transcription_sessions",
        "/transcribe",
        "/translate",
        HEALTH,
        "/metrics",
        "/openapi.json",
        "/schema.json",
        "/docs.json",
        "/docs",
        "/",
        *PROBES,
    }
)
# One and the same: without OpenAI's prefix, and as Azure's clients have it.
SOCKETS = frozenset({"/v1/realtime", "/realtime", "/openai/realtime", "/openai/v1/realtime"})
_MODEL = "/v1/models/{model}"
_JOB = "/v1/audio/transcriptions/{job}"


def endpoint_of(path: str) -> str:
    """The endpoint that a path means, or `other`; OpenAI's count as with `/v1` without it, too."""
    if path in ENDPOINTS:
        return path
    versioned = path if path.startswith("/v1/") else f"/v1{path}"
    if versioned in ENDPOINTS:
        return versioned
    if versioned.startswith("/v1/audio/transcriptions/"):
        return _JOB
    return _MODEL if versioned.startswith("/v1/models/") else OTHER
