"""POST /v1/audio/transcriptions and /v1/audio/translations."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.forms.parameters import (
    Granularity,
    Include,
    TranscriptionRequest,
    TranslationRequest,
)
from api.forms.read_form import Form, read_form
from api.jobs.submission import submit
from api.openapi.openapi import form_body, job_answers, transcript_answers
from api.request_context import context_of
from api.requests.admitted import admit
from api.requests.model_registry import registry_of
from api.responses.formats import answer
from api.responses.progress_events import WorkProgress
from api.responses.streaming import PROGRESS_SECONDS, EventStream, Progress, Shown, ShownWhole
from api.schemas import Transcription, TranscriptionVerbose
from models.audio.peaks import Peaks
from models.text.transcript import Transcript

router = APIRouter(tags=["audio"])


@router.post(
    "/audio/transcriptions",
    response_model=TranscriptionVerbose | Transcription,
    responses={**transcript_answers(streams=True), **job_answers()},
    openapi_extra={"requestBody": form_body(TranscriptionRequest)},
)
async def transcriptions(request: Request) -> Response:
    """The text of a recording, in the language spoken."""
    return await transcribe(request, read_form(request))


async def transcribe(request: Request, opened: AbstractAsyncContextManager[Form]) -> Response:
    """The answer to a transcription's form, which is open until the answer is sent."""
    async with AsyncExitStack() as stack:
        form = await stack.enter_async_context(opened)
        parameters = TranscriptionRequest.from_form(form)
        if parameters.background:
            return await submit(request, form, parameters)
        if not parameters.stream:
            return await _transcribe(
                request,
                form,
                parameters,
                granularities=parameters.timestamp_granularities,
                include=parameters.include,
            )
        return await _stream(request, form, parameters, stack.pop_all())


@router.post(
    "/audio/translations",
    response_model=TranscriptionVerbose | Transcription,
    responses={**transcript_answers(), **job_answers()},
    openapi_extra={"requestBody": form_body(TranslationRequest)},
)
async def translations(request: Request) -> Response:
    """The text of a recording, in English."""
    return await translate(request, read_form(request))


async def translate(request: Request, opened: AbstractAsyncContextManager[Form]) -> Response:
    """The answer to a translation's form."""
    async with opened as form:
        parameters = TranslationRequest.from_form(form)
        if parameters.background:
            return await submit(request, form, parameters)
        return await _transcribe(request, form, parameters)


async def _transcribe(
    request: Request,
    form: Form,
    parameters: TranslationRequest,
    *,
    granularities: Sequence[Granularity] = (),
    include: Collection[Include] = (),
) -> Response:
    registry, context = registry_of(request), context_of(request)
    async with admit(registry, context, parameters.model, form.file) as admitted:
        transcript = await admitted.transcribe(form.file, parameters.options())
    # In a thread: the cues of hours of speech take a second, in which others must not wait.
    return await asyncio.to_thread(
        answer,
        transcript,
        parameters.response_format,
        parameters.subtitles(),
        granularities=granularities,
        include=include,
    )


async def _stream(
    request: Request, form: Form, parameters: TranscriptionRequest, held: AsyncExitStack
) -> Response:
    """A stream that is under way; what fails at once raises, and `held` is closed."""
    async with held:
        registry, context = registry_of(request), context_of(request)
        taken = await held.enter_async_context(AsyncExitStack())
        admission = admit(registry, context, parameters.model, form.file)
        admitted = await taken.enter_async_context(admission)
        is_told = "progress" in parameters.stream_events
        progress, options = Progress(PROGRESS_SECONDS if is_told else None), parameters.options()

        peaks = Peaks() if "peaks" in parameters.stream_events else None
        context.stats.on_samples = peaks.add if peaks else None

        async def transcribed() -> Transcript:
            # Ticket and model go back with the end of the work, however slowly the client reads.
            async with taken:
                return await admitted.transcribe(form.file, options, progress.add)

        work = asyncio.create_task(transcribed())
        held.push_async_callback(_cancelled, work)
        work.add_done_callback(progress.end)
        await progress.begun()
        if work.done():
            work.result()
        is_whole = "verbose_json" in parameters.stream_events
        shown = Shown(
            "logprobs" in parameters.include,
            "segment" in parameters.stream_events,
            _whole(parameters) if is_whole else None,
            WorkProgress(admitted.ticket, admitted.estimate, context.stats) if is_told else None,
            peaks,
        )
        return EventStream(work, progress, held.pop_all(), context.stats, shown)


def _whole(parameters: TranscriptionRequest) -> ShownWhole:
    return ShownWhole(parameters.timestamp_granularities, parameters.include)


async def _cancelled(work: asyncio.Task[Transcript]) -> None:
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
