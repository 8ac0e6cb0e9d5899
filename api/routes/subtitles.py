"""POST /v1/audio/subtitles."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api.errors import ApiError
from api.forms.subtitles_request import SubtitlesRequest
from api.openapi.openapi import errors, file_answers, json_body
from api.responses.subtitle_file import subtitle_file

# A transcript of twelve hours, with words, tokens and all, has less.
MAX_BYTES = 16 * 1024 * 1024

router = APIRouter(tags=["audio"])


@router.post(
    "/audio/subtitles",
    responses={**file_answers(), **errors(400)},
    openapi_extra={"requestBody": {**json_body(SubtitlesRequest), "required": True}},
)
async def subtitles(request: Request) -> Response:
    """Subtitles of a transcript, cut as those of a recording are."""
    body = await _body(request)
    # In threads: hours of speech take a second, in which others must not wait.
    asked = await asyncio.to_thread(SubtitlesRequest.from_body, body)
    return PlainTextResponse(await asyncio.to_thread(subtitle_file, asked))


async def _body(request: Request) -> bytes:
    body = bytearray()
    async with aclosing(request.stream()) as stream:
        async for piece in stream:
            body += piece
            if len(body) > MAX_BYTES:
                message = f"The transcript is too large: its limit is {MAX_BYTES} bytes."
                raise ApiError(message, status=413)
    return bytes(body)
