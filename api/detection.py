"""POST /v1/audio/detect-language."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request

from api.disconnect import until_disconnected
from api.examples import DETECTION
from api.fields import FormRequest, Languages
from api.forms import Form, read_form
from api.openapi import errors, form_body, shown
from api.schemas import DetectedLanguage, LanguageDetection
from api.served import served_models
from models.languages import LANGUAGES


class DetectionRequest(FormRequest):
    """What a detection may be asked with; other fields are ignored."""

    languages: Languages = Field([])


router = APIRouter(tags=["audio"])


@router.post(
    "/audio/detect-language",
    responses={**shown(DETECTION), **errors(400, 404, 503)},
    openapi_extra={"requestBody": form_body(DetectionRequest)},
)
async def detect_language(request: Request) -> LanguageDetection:
    """The language of a recording, heard at up to four places where somebody speaks."""
    async with read_form(request) as form:
        wanted = DetectionRequest.from_form(form)
        return _answer(await until_disconnected(request, _detect(request, form, wanted)))


async def _detect(request: Request, form: Form, wanted: DetectionRequest) -> dict[str, float]:
    async with served_models(request).use(wanted.model) as transcriber:
        return await transcriber.detect_language(form.file, wanted.languages)


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
