"""Requests that are over, made up."""

from __future__ import annotations

from starlette.datastructures import Headers

from api.telemetry.observe import Observed
from models.request_stats import RequestStats


def observed(
    *, endpoint: str = "/v1/audio/transcriptions", status: int = 200, model: str = "base"
) -> Observed:
    """A request for 30 s of audio that took 2 s, of which it waited half a second."""
    stats = RequestStats(audio_seconds=30.0, first_segment_seconds=0.75)
    for name, seconds in (("load", 0.25), ("queue", 0.5), ("encode", 0.5), ("decode", 0.7)):
        stats.stages[name].seconds = seconds  # type: ignore[index]
    return Observed(
        request_id="req_1",
        method="POST",
        endpoint=endpoint,
        status=status,
        model=model,
        key_name="ci",
        seconds=2.0,
        stats=stats,
        headers=Headers(),
    )
