"""JSON body to a form: its recording on the disk, its members as the fields that a form has."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from starlette.datastructures import UploadFile
from starlette.requests import Request

from api.dialects.json_audio import AudioScanner, bad_json
from api.errors import ApiError
from api.forms.read_form import Form, not_kept

# As much as of a multipart body.
_IN_MEMORY = 1024 * 1024
# What is in them shows by their content; others, as headerless samples, would be guessed at.
FORMATS = (
    *("wav", "mp3", "ogg", "webm", "m4a", "flac"),
    *("mp4", "mpeg", "mpga", "oga", "opus", "aac", "aiff", "wave", "x-wav", "x-m4a"),
)
_AUDIO = "input_audio"


@asynccontextmanager
async def read_json(request: Request) -> AsyncIterator[Form]:
    """The request's body as a form; its file is deleted at the end of the block.

    Raises:
        ApiError: the body is no such JSON, too large in its fields, or has no recording.
        ApiError: the recording cannot be kept (503).
        ClientDisconnect: the client went away before the end of the body.
    """
    scanner = AudioScanner()
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        upload = UploadFile(cast("BinaryIO", file), size=0)
        async with aclosing(request.stream()) as stream:
            async for piece in stream:
                await _keep(upload, scanner.feed(piece))
        members = _members(bytes(scanner.rest))
        _check_audio(members.pop(_AUDIO, None), has_data=scanner.found, size=upload.size or 0)
        await upload.seek(0)
        yield Form(upload.file, _fields(members))


async def _keep(upload: UploadFile, audio: bytes) -> None:
    if not audio:
        return
    try:
        await upload.write(audio)
    except OSError as error:
        raise not_kept(error) from error


def _members(body: bytes) -> dict[str, Any]:
    try:
        members = json.loads(body)
        # Half a pair of surrogates is no text that could be answered or decoded.
        json.dumps(members, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise bad_json(f"{error}.") from error
    except (ValueError, RecursionError) as error:
        raise bad_json("it has a text or a number that cannot be taken.") from error
    if not isinstance(members, dict):
        raise bad_json("it must be an object.")
    return members


def _check_audio(audio: object, *, has_data: bool, size: int) -> None:
    if audio is None:
        raise _problem("is missing: it must hold the audio", "missing_required_parameter")
    if not isinstance(audio, dict):
        raise _problem('must be an object such as {"data": BASE64, "format": "wav"}')
    data, kind = audio.get("data"), audio.get("format")
    if data is None:
        raise _problem("has no 'data', the audio in base64", "missing_required_parameter")
    if not has_data or not isinstance(data, str):
        raise _problem("must have 'data' as a string of base64")
    if not size:
        raise _problem("has no audio: its 'data' is empty")
    if kind is not None and not (isinstance(kind, str) and kind.strip().lower() in FORMATS):
        shown = repr(kind)[:40]
        raise _problem(f"has the unknown format {shown}: give one of {', '.join(FORMATS[:6])}")


def _problem(what: str, code: str = "invalid_value") -> ApiError:
    return ApiError(f"The field '{_AUDIO}' {what}.", param=_AUDIO, code=code)


def _fields(members: dict[str, Any]) -> dict[str, list[str]]:
    """The members as the values of a form's fields; null and nothing count as not given."""
    fields: dict[str, list[str]] = {}
    for name, value in members.items():
        values = value if isinstance(value, list) else [value]
        texts = [text for text in map(_as_text, values) if text]
        if texts:
            fields[name] = texts
    return fields


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value)
