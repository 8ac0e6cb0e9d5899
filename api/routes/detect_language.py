"""POST /v1/audio/detect-language."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request

from api.forms.audio_fields import AudioParameters
from api.forms.fields import FormRequest, Languages, codes_of
from api.forms.read_form import read_form
from api.openapi.examples import DETECTION
from api.openapi.openapi import errors, form_body, shown
from api.request_context import context_of
from api.requests.admitted import admit
from api.requests.model_registry import registry_of
from api.schemas import DetectedLanguage, LanguageDetection
from models.capacity.admission import SHORT_SECONDS
from models.language.languages import LANGUAGES


class DetectionRequest(AudioParameters, FormRequest):
    """What a detection may be asked with; other fields are ignored."""

    languages: Languages = Field([])


router = APIRouter(tags=["audio"])


@router.post(
    "/audio/detect-language",
    responses={**shown(DETECTION), **errors(400, 403, 404, 503)},
    openapi_extra={"requestBody": form_body(DetectionRequest)},
)
async def detect_language(request: Request) -> LanguageDetection:
    """The language of a recording, heard at up to four places where somebody speaks."""
    async with read_form(request) as form:
        parameters = DetectionRequest.from_form(form)
        admission = admit(
            registry_of(request),
            context_of(request),
            parameters.model,
            form.file,
            # However long it is, a few windows are read, and not to their end.
            max_seconds=SHORT_SECONDS,
        )
        async with admission as admitted:
            among = codes_of(parameters.languages)
            return _answer(await admitted.detect_language(form.file, among, parameters.reading()))


def _answer(probabilities: dict[str, float]) -> LanguageDetection:
    ranked = [
        DetectedLanguage(code=code, language=LANGUAGES[code], probability=probability)
        for code, probability in probabilities.items()
    ]
    if not ranked:
        return LanguageDetection(code=None, language=None, probability=0.0, languages=[])
    best = ranked[0]
    return LanguageDetection(
        code=best.code, language=best.language, probability=best.probability, languages=ranked
    )
