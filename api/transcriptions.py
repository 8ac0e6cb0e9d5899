"""POST /v1/audio/transcriptions and /v1/audio/translations."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.disconnect import until_disconnected
from api.formats import answer
from api.forms import Form, read_form
from api.openapi import form_body, transcript_answers
from api.parameters import Granularity, TranscriptionRequest, TranslationRequest
from api.schemas import Transcription, TranscriptionVerbose
from api.served import served_models
from api.streaming import EventStream, Progress
from models.text.transcript import Transcript

router = APIRouter(tags=["audio"])


@router.post(
    "/audio/transcriptions",
    response_model=TranscriptionVerbose | Transcription,
    responses=transcript_answers(streams=True),
    openapi_extra={"requestBody": form_body(TranscriptionRequest)},
)
async def transcriptions(request: Request) -> Response:
    """The text of a recording, in the language spoken."""
    async with AsyncExitStack() as stack:
        form = await stack.enter_async_context(read_form(request))
        wanted = TranscriptionRequest.from_form(form)
        if not wanted.stream:
            return await _transcribe(
                request,
                form,
                wanted,
                granularities=wanted.timestamp_granularities,
                with_logprobs=bool(wanted.include),
            )
        return await _stream(request, form, wanted, stack.pop_all())


@router.post(
    "/audio/translations",
    response_model=TranscriptionVerbose | Transcription,
    responses=transcript_answers(),
    openapi_extra={"requestBody": form_body(TranslationRequest)},
)
async def translations(request: Request) -> Response:
    """The text of a recording, in English."""
    async with read_form(request) as form:
        return await _transcribe(request, form, TranslationRequest.from_form(form))


async def _transcribe(
    request: Request,
    form: Form,
    wanted: TranslationRequest,
    *,
    granularities: Sequence[Granularity] = (),
    with_logprobs: bool = False,
) -> Response:
    transcript = await until_disconnected(request, _transcript(request, form, wanted))
    # In a thread: the cues of hours of speech take a second, in which others must not wait.
    return await asyncio.to_thread(
        answer,
        transcript,
        wanted.response_format,
        wanted.subtitles(),
        granularities=granularities,
        with_logprobs=with_logprobs,
    )


async def _transcript(request: Request, form: Form, wanted: TranslationRequest) -> Transcript:
    async with served_models(request).use(wanted.model) as transcriber:
        return await transcriber.transcribe(form.file, wanted.options())


async def _stream(
    request: Request, form: Form, wanted: TranscriptionRequest, held: AsyncExitStack
) -> Response:
    """A stream that is under way; what fails at once raises, and `held` is closed."""
    async with held:
        use = served_models(request).use(wanted.model)
        transcriber = await held.enter_async_context(use)
        progress = Progress()
        coroutine = transcriber.transcribe(form.file, wanted.options(), progress.add)
        work = asyncio.create_task(coroutine)
        held.push_async_callback(_cancelled, work)
        work.add_done_callback(progress.end)
        await progress.begun()
        if work.done():
            work.result()
        return EventStream(work, progress, held.pop_all(), with_logprobs=bool(wanted.include))


async def _cancelled(work: asyncio.Task[Transcript]) -> None:
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
