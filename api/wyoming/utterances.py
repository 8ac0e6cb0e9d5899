"""Utterances as requests of the server: the same queue, deadline, drain, log and metrics as HTTP's.

The models are used in one event loop, Wyoming's clients are in another: they may stream, and ask
what there is, while models are loaded in the first one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers

from api.errors import CLIENT_CLOSED_REQUEST, ApiError, known_or_internal
from api.forms.parameters import TranscriptionRequest
from api.middleware.draining import Drain, shutting_down
from api.middleware.time_limits import too_late
from api.request_context import RequestContext
from api.requests.admitted import admit
from api.requests.model_registry import DEFAULT_ID, ModelRegistry
from api.telemetry.observe import Observed, Observer
from api.wyoming.recording import Recording
from models.text.transcript import OnSegment, Transcript

# Wyoming has no keys. Its clients together have one client's share of the queue, so that those
# with keys have theirs.
KEY_NAME = DIALECT = "wyoming"


def parameters_of(data: Mapping[str, Any]) -> TranscriptionRequest:
    """What `transcribe` asks for; names come before terms, where not all of them fit.

    Raises:
        ApiError: a value cannot be served.
    """
    lists = [data.get(name) or [] for name in ("transcript_names", "transcript_terms")]
    if not all(isinstance(each, list) for each in lists):
        message = "transcript_names and transcript_terms must be lists of text."
        raise ApiError(message, code="invalid_value")
    values = {
        "model": data.get("name") or DEFAULT_ID,
        "language": data.get("language") or None,
        "keywords": [word for each in lists for word in each],
    }
    return TranscriptionRequest.from_values(values)


@dataclass(frozen=True)
class Utterance:
    """What was said, whole, and how it is to be transcribed."""

    recording: Recording
    parameters: TranscriptionRequest


def discard(spoken: Future[Utterance]) -> None:
    """Close the recording of an utterance that is whole; of another, its hearer still has it."""
    if not spoken.cancel() and not spoken.exception():
        spoken.result().recording.close()


class Utterances:
    """Takes utterances from other threads; made in the models' event loop, where it works.

    `seconds` is what a request may take, from the first of its audio to the transcript.
    """

    def __init__(
        self,
        registry: ModelRegistry,
        drain: Drain,
        seconds: float,
        observers: Sequence[Observer],
    ) -> None:
        self._registry, self._drain, self._seconds = registry, drain, seconds
        self._observers = tuple(observers)
        self._loop = asyncio.get_running_loop()

    def submit(self, spoken: Future[Utterance], on_segment: OnSegment) -> Future[Transcript]:
        """The transcript of an utterance that has begun, and is `spoken` when it is whole.

        An error in its place is that of the request. `on_segment` is called in this loop. To cancel
        it stops the work. Of an utterance that was handed over the recording is closed; otherwise
        `spoken` is cancelled.
        """
        return asyncio.run_coroutine_threadsafe(self._answer(spoken, on_segment), self._loop)

    async def _answer(self, spoken: Future[Utterance], on_segment: OnSegment) -> Transcript:
        context, status = RequestContext(key_name=KEY_NAME), CLIENT_CLOSED_REQUEST
        try:
            transcript = await self._in_time(self._transcribe(spoken, context, on_segment))
            status = int(HTTPStatus.OK)
        except Exception as error:  # noqa: BLE001 - of whatever kind, the client hears of it
            context.failure = known_or_internal(error, f"Request {context.id} ({DIALECT})")
            status = context.failure.status
            raise context.failure from None
        finally:
            discard(spoken)
            self._observe(context, status)
        return transcript

    async def _in_time(self, work: Coroutine[None, None, Transcript]) -> Transcript:
        """The work's result, by the deadline and by the end of serving."""
        with closing(work):
            if self._drain.has_begun:
                raise shutting_down()
            try:
                async with self._drain.running() as end, asyncio.timeout(self._seconds) as deadline:
                    return await work
            except TimeoutError:
                if end.expired():
                    raise shutting_down() from None
                if deadline.expired():
                    raise too_late(self._seconds) from None
                raise

    async def _transcribe(
        self, spoken: Future[Utterance], context: RequestContext, on_segment: OnSegment
    ) -> Transcript:
        utterance = await asyncio.wrap_future(spoken)
        # To speak takes as long as it takes, and says nothing of the server.
        context.stats.began = time.monotonic()
        recording, parameters = utterance.recording, utterance.parameters
        options = replace(parameters.options(), trim_keywords=True)
        if not recording.size:
            self._registry.find(parameters.model)
            return Transcript(options.task, options.language or "", 0.0, ())
        audio, model = recording.file, parameters.model
        async with admit(self._registry, context, model, audio) as admitted:
            return await admitted.transcribe(audio, options, on_segment)

    def _observe(self, context: RequestContext, status: int) -> None:
        observed = Observed(
            request_id=context.id,
            method="TCP",
            endpoint="transcribe",
            status=status,
            model=context.model,
            key_name=context.key_name,
            seconds=time.monotonic() - context.stats.began,
            stats=context.stats,
            headers=Headers(),
            is_fault=context.failure is not None and context.failure.is_fault,
            dialect=DIALECT,
        )
        for observer in self._observers:
            observer(observed)
