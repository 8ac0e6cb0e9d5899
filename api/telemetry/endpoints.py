"""Endpoint names for logs and metrics: any path is one of a few."""

from __future__ import annotations

# Asked by monitors, which have no key.
PROBES = frozenset({"/livez", "/readyz", "/healthz"})
OTHER = "other"
ENDPOINTS = frozenset(
    {
        "/v1/audio/transcriptions",
        "/v1/audio/translations",
        "/v1/audio/detect-language",
        "/v1/models",
        "/transcribe",
        "/translate",
        "/health",
        "/metrics",
        "/openapi.json",
        "/schema.json",
        "/docs.json",
        "/docs",
        "/",
        *PROBES,
    }
)
_MODEL = "/v1/models/{model}"


def endpoint_of(path: str) -> str:
    """The endpoint that a path means, or `other`; OpenAI's count as with `/v1` without it, too."""
    if path in ENDPOINTS:
        return path
    versioned = path if path.startswith("/v1/") else f"/v1{path}"
    if versioned in ENDPOINTS:
        return versioned
    return _MODEL if versioned.startswith("/v1/models/") else OTHER
