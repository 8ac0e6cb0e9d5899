"""The backend that is a server."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import httpx

from client.backend.errors import TryAgainError, UsageError
from client.backend.events import Event, Finished, Progress
from client.backend.request import SUBTITLES, Format, Recording, Request
from client.backend.transcript import Transcript
from client.remote.abilities import Abilities
from client.remote.description import described
from client.remote.form import form_of, path_of, upload_name
from client.remote.model import ask_for_model
from client.remote.plain_formats import plain_format
from client.remote.problems import problem_of_stream
from client.remote.requests import Requests
from client.remote.retry_policy import retried
from client.remote.server import STREAMED, WHOLE
from client.remote.server_sent_events import data_of
from client.remote.subtitles import PATH, subtitles_body

_STREAM = "text/event-stream"
_DONE = "[DONE]"


class Remote:
    """A server of OpenAI's API; each recording is sent once, whatever the number of formats.

    `check` reads the server's own description of its API. Where it has them, transcriptions are
    streams that tell how far they are, and subtitles are made by the server. Otherwise verbose_json
    is asked for, as OpenAI's API has it, and a file has a cue for each segment.

    `tell` is called with what a user should know while `check` waits.
    """

    def __init__(self, requests: Requests, tell: Callable[[str], None]) -> None:
        self._requests, self._tell = requests, tell
        self._server = requests.server
        self._abilities = Abilities()

    async def check(self, request: Request) -> None:
        """Ask for the model, with the key, and for the description of the API."""
        await ask_for_model(self._requests, request.model, self._tell)
        self._abilities = await described(self._requests)
        for name, _ in request.layout:
            if not self._abilities.writes_subtitles:
                raise UsageError(f"{self._server} writes no subtitles, and so has no --{name}")
            if name == "highlight_words" and not self._abilities.highlights:
                raise UsageError(f"{self._server} has no --{name}: it is of an older version")

    async def transcribe(
        self, recording: Recording, request: Request
    ) -> AsyncGenerator[Event, None]:
        """The events of a recording, which is sent again where that may help."""
        attempt = partial(self._attempt, recording, request)
        async with aclosing(retried(attempt, self._requests.retry_policy())) as events:
            async for event in events:
                yield event

    async def written(self, transcript: Transcript, name: Format, request: Request) -> str:
        """The file of this format; subtitles are cut by the server, where it does that."""
        if name not in SUBTITLES or not self._abilities.writes_subtitles:
            return plain_format(transcript, name)
        body = subtitles_body(transcript, name, request)
        url = self._server.endpoint(PATH)
        return (await self._requests.persistently("POST", url, json=body)).text

    async def _attempt(self, recording: Recording, request: Request) -> AsyncGenerator[Event, None]:
        url = self._server.endpoint(path_of(request))
        with recording.path.open("rb") as file:
            sent = self._requests.answer(
                "POST",
                url,
                data=(form := form_of(request, self._abilities)),
                timeout=STREAMED if "stream" in form else WHOLE,
                files={"file": (upload_name(recording.path), file)},
            )
            async with sent as response:
                if not response.headers.get("content-type", "").startswith(_STREAM):
                    await response.aread()
                    yield Finished(Transcript(response.text))
                    return
                async with aclosing(self._streamed(response)) as events:
                    async for event in events:
                        yield event

    async def _streamed(self, response: httpx.Response) -> AsyncGenerator[Event, None]:
        """The events of a stream that ends with all of verbose_json."""
        transcript: Transcript | None = None
        async for data in data_of(response.aiter_bytes()):
            if data == _DONE:
                break
            event = _members(data)
            if isinstance(error := event.get("error"), dict):
                raise problem_of_stream(self._server, error)
            match event.get("type"):
                case "transcription.progress":
                    yield _progress(event)
                case "transcription.verbose_json":
                    transcript = Transcript(_member_as_sent(data, "transcript"))
        if transcript is None:
            raise TryAgainError("the server's stream ended before the transcript")
        yield Finished(transcript)


def _members(data: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise TryAgainError("the server's stream has an event that is no JSON object")
    return found


def _progress(event: dict[str, Any]) -> Progress:
    return Progress(
        position=event["position"],
        done=event["audio_seconds_done"],
        total=event["audio_seconds"],
        seconds_left=event["seconds_left"],
    )


def _member_as_sent(data: str, name: str) -> str:
    """The last member of an object, to the byte: numbers are not written anew."""
    start = data.index(f'"{name}":') + len(name) + 3
    return data[start : data.rindex("}")].strip()
