"""Requests of the tests to a server, and waiting for what shows later."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.server import Server
from tests.speech_clips import jfk

T = TypeVar("T")
TRANSCRIPTIONS = "/v1/audio/transcriptions"
PATIENCE_SECONDS = 300


def post(
    server: Server, path: str = TRANSCRIPTIONS, headers: dict[str, str] | None = None, **form: str
) -> httpx.Response:
    """Eleven seconds of speech, sent as a form."""
    with jfk().path.open("rb") as file:
        files = {"file": ("a secret name.flac", file)}
        data = {"model": "whisper-1", **form}
        return httpx.post(
            f"{server.url}{path}", files=files, data=data, headers=headers, timeout=PATIENCE_SECONDS
        )


def samples(server: Server) -> dict[tuple[str, ...], float]:
    """What /metrics says: name and label values, in their order, of every sample."""
    text = httpx.get(f"{server.url}/metrics", timeout=PATIENCE_SECONDS).text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def eventually(look: Callable[[], T | None]) -> T:
    """What `look` finds, asked again until it finds something; no answer is nothing found."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if found := look():
                return found
        time.sleep(0.1)
    raise AssertionError(f"not within {PATIENCE_SECONDS} s")
