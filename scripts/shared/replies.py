"""Reader of a server's answer to one request: a text, events, subtitles or an error."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import httpx

from scripts.shared.manifest import Clip

_REFUSALS = ("429", "503")
_LONGEST_WAIT = 60
_ENVELOPE = {"message", "type", "param", "code"}


@dataclass(frozen=True)
class Answer:
    """Outcome of one request; `seconds` since it was due, `ended` by `time.perf_counter`.

    `status` is the HTTP status, or what kept the answer from coming. `text` is the transcript, the
    subtitles as they came, or the message of an error. `first_segment` is there only where the
    answer was streamed; `has_envelope` says whether an error is shaped as OpenAI's.
    """

    clip: Clip
    status: str
    seconds: float
    ended: float
    text: str = ""
    first_segment: float | None = None
    retry_after: str = ""
    has_envelope: bool = False

    @property
    def is_good(self) -> bool:
        """True if it has a transcript."""
        return self.status == "200"

    @property
    def wait(self) -> int | None:
        """Seconds after which to come again, from 1 to 60, where it is a 429 or 503 that says so.

        None for any other answer, a refusal that leaves its clients to guess among them.
        """
        if self.status not in _REFUSALS or not self.retry_after.isdecimal():
            return None
        seconds = int(self.retry_after)
        return seconds if 1 <= seconds <= _LONGEST_WAIT else None


def failed(clip: Clip, reason: str, due: float) -> Answer:
    """Instead of an answer, what kept it from coming."""
    now = time.perf_counter()
    return Answer(clip, reason, now - due, now)


async def read(reply: httpx.Response, clip: Clip, due: float) -> Answer:
    """Read a reply to its end."""
    if reply.headers.get("content-type", "").startswith("text/event-stream"):
        return await _read_events(reply, clip, due)
    body = await reply.aread()
    now = time.perf_counter()
    return Answer(
        clip,
        str(reply.status_code),
        now - due,
        now,
        text=_text(body, good=reply.is_success),
        retry_after=reply.headers.get("retry-after", ""),
        has_envelope=_error(body).keys() == _ENVELOPE,
    )


async def _read_events(reply: httpx.Response, clip: Clip, due: float) -> Answer:
    text, first, ended = "", None, False
    async for event in _events(reply):
        if event.get("type") == "transcript.text.delta" and first is None:
            first = time.perf_counter() - due
        if event.get("type") == "transcript.text.done":
            text, ended = str(event.get("text", "")), True
    now = time.perf_counter()
    status = str(reply.status_code) if ended else "stream broke off"
    return Answer(clip, status, now - due, now, text, first)


async def _events(reply: httpx.Response) -> AsyncIterator[dict[str, object]]:
    async for line in reply.aiter_lines():
        with suppress(ValueError):  # comments, and OpenAI's older `[DONE]`
            if line.startswith("data:"):
                event = json.loads(line.removeprefix("data:"))
                if isinstance(event, dict):
                    yield event


def _text(body: bytes, *, good: bool) -> str:
    """The transcript in an answer, or the message in an error."""
    whole = body.decode(errors="replace").strip()
    if not good:
        return str(_error(body).get("message", whole[:200]))
    with suppress(ValueError):
        content = json.loads(whole)
        if isinstance(content, dict):
            return str(content.get("text", ""))
    return whole


def _error(body: bytes) -> dict[str, object]:
    """Content of an error's envelope; empty where there is none."""
    with suppress(ValueError):
        content = json.loads(body)
        if isinstance(content, dict) and isinstance(content.get("error"), dict):
            return dict(content["error"])
    return {}
