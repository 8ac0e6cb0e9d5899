"""POST /v1/audio/transcriptions and /v1/audio/translations."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.disconnect import until_disconnected
from api.formats import answer
from api.forms import read_form
from api.openapi import transcript_answers
from api.parameters import TranscriptionRequest, TranslationRequest
from api.schemas import Transcription, TranscriptionVerbose
from api.served import served_models

router = APIRouter(tags=["audio"])


@router.post(
    "/audio/transcriptions",
    response_model=TranscriptionVerbose | Transcription,
    responses=transcript_answers(),
    openapi_extra={"requestBody": TranscriptionRequest.openapi_body()},
)
async def transcriptions(request: Request) -> Response:
    """The text of a recording, in the language spoken."""
    return await _transcribe(request, TranscriptionRequest)


@router.post(
    "/audio/translations",
    response_model=TranscriptionVerbose | Transcription,
    responses=transcript_answers(),
    openapi_extra={"requestBody": TranslationRequest.openapi_body()},
)
async def translations(request: Request) -> Response:
    """The text of a recording, in English."""
    return await _transcribe(request, TranslationRequest)


async def _transcribe(request: Request, wanted_type: type[TranslationRequest]) -> Response:
    async with read_form(request) as form:
        wanted = wanted_type.from_form(form)
        model = served_models(request).find(wanted.model)
        work = model.transcriber.transcribe(form.file, wanted.options())
        transcript = await until_disconnected(request, work)
    return answer(transcript, wanted.response_format)
