"""whisper-asr-webservice: `/asr` and `/detect-language`, as Bazarr and others ask for them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar

from starlette.datastructures import QueryParams, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from api.dialect import Dialect
from api.dialects.asr_fields import AsrFields, EncodeField
from api.dialects.asr_outputs import asr_answer
from api.dialects.model_choice import served_or_default
from api.dialects.pcm_upload import FIELD, PcmParser, complete
from api.errors import ApiError
from api.forms.multipart import BodyParser
from api.forms.read_form import parse_body, upload_of
from api.request_context import context_of
from api.requests.admitted import admit
from api.requests.model_registry import registry_of
from api.settings import Settings
from models.audio.container.headerless import BYTES_PER_SECOND
from models.capacity.admission import SHORT_SECONDS
from models.language.languages import LANGUAGES
from models.units import MIB

PATHS = frozenset({"/asr", "/detect-language"})
# The multipart body around the samples.
_AROUND = 64 * 1024
_FALSE = frozenset({"false", "f", "0", "no", "n", "off"})


class AsrWebservice(Dialect):
    """Samples without a header are limited by their seconds; everything else by its bytes.

    Errors are `{"detail": ...}`, as FastAPI's are.
    """

    name: ClassVar[str] = "asr-webservice"

    def __init__(self, settings: Settings) -> None:
        self._max_bytes = settings.max_upload_mib * MIB
        self._max_seconds = settings.max_pcm_seconds

    def endpoint(self, scope: Scope) -> str | None:
        """One of its two paths."""
        return scope["path"] if scope["path"] in PATHS else None

    def routes(self) -> Sequence[BaseRoute]:
        """Both of them."""
        return (
            Route("/asr", self.asr, methods=["POST"]),
            Route("/detect-language", self.detect_language, methods=["POST"]),
        )

    def body_limit(self, scope: Scope, general: int) -> int:
        """Room for the longest samples, where the body may be samples."""
        if not _may_be_samples(scope):
            return general
        samples = self._max_seconds * BYTES_PER_SECOND
        return max(general, samples + _AROUND) if general and samples else 0

    def error_answer(self, error: ApiError, scope: Scope) -> Response:
        """JSON in which no reader of subtitles finds a time."""
        return Response(
            without_times(json.dumps({"detail": error.message})),
            status_code=error.status,
            headers=error.headers,
            media_type="application/json",
        )

    async def asr(self, request: Request) -> Response:
        """POST /asr: the text of a recording, or its translation."""
        fields = AsrFields.of_query(request.query_params)
        registry, context = registry_of(request), context_of(request)
        async with self._upload(request, encode=fields.encode) as upload:
            model = served_or_default(registry, fields.model)
            async with admit(registry, context, model, upload.file) as admitted:
                transcript = await admitted.transcribe(upload.file, fields.options())
            name = upload.filename or FIELD
        return await asyncio.to_thread(asr_answer, transcript, fields.output, name)

    async def detect_language(self, request: Request) -> Response:
        """POST /detect-language: the language of a recording; `und` where nobody speaks."""
        fields = EncodeField.of_query(request.query_params)
        registry, context = registry_of(request), context_of(request)
        async with self._upload(request, encode=fields.encode) as upload:
            admission = admit(
                registry,
                context,
                served_or_default(registry, fields.model),
                upload.file,
                max_seconds=SHORT_SECONDS,
            )
            async with admission as admitted:
                found = await admitted.detect_language(upload.file)
        code, confidence = next(iter(found.items()), ("und", 0.0))
        name = LANGUAGES.get(code, "undetermined")
        answer = {"detected_language": name, "language_code": code, "confidence": confidence}
        return JSONResponse(answer)

    @asynccontextmanager
    async def _upload(self, request: Request, *, encode: bool) -> AsyncIterator[UploadFile]:
        """The part `audio_file`; samples without a header have got one."""
        data = await parse_body(request, BodyParser if encode else PcmParser)
        try:
            upload = upload_of(data, FIELD)
            if not encode:
                self._check(upload)
            yield upload
        finally:
            await data.close()

    def _check(self, upload: UploadFile) -> None:
        """Fill in the samples' length; an `ApiError` if they, or another file, are too long."""
        size = complete(upload.file)
        if size is None and self._max_bytes and (upload.size or 0) > self._max_bytes:
            message = f"The file is too large: its limit is {self._max_bytes} bytes."
            raise ApiError(message, status=413, param=FIELD)
        if size is not None and 0 < self._max_seconds * BYTES_PER_SECOND < size:
            message = (
                f"The recording is too long: samples without a header may last {self._max_seconds} "
                f"seconds, and these do {size / BYTES_PER_SECOND:.1f}."
            )
            raise ApiError(message, status=413, param=FIELD)


def _may_be_samples(scope: Scope) -> bool:
    encode: str = QueryParams(scope["query_string"]).get("encode", "")
    return encode.strip().lower() in _FALSE


def without_times(body: str) -> str:
    """The same JSON, without an arrow or a time of day as subtitles have them.

    Bazarr keeps whatever is answered as a subtitle, and a message may repeat what a client sent.
    """
    return re.sub(r"(?<=\d):(?=\d)", r"\\u003a", body.replace(">", "\\u003e"))
