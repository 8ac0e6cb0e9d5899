"""Form of a request: the text fields and the one audio file of its multipart body."""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from api.errors import MAX_RETRY_AFTER, ApiError, retry_after
from api.forms.field_limits import check_count, check_size
from api.forms.multipart import BodyParser, check_media_type, unreadable
from api.server_log import logger

# All text fields together: four `known_speaker_references` of ten seconds are 10 MiB.
MAX_TEXT_BYTES = 16 * 1024 * 1024

_INDEX = re.compile(r"\[[0-9]*\]$")
# Only here is a pair of quotes a part of the value.
_QUOTABLE = frozenset({"prompt", "keywords", "hotwords", "known_speaker_names"})


@dataclass(frozen=True)
class Form:
    """A parsed body: the file, and every text field's values without the empty ones.

    `name`, `name[]` and `name[0]` are the same field. The file lies in memory or, above 1 MiB, on
    disk.
    """

    file: BinaryIO
    fields: dict[str, list[str]]

    def last(self, name: str) -> str | None:
        """The last value of a field."""
        return self.fields[name][-1] if name in self.fields else None

    def every(self, name: str) -> list[str]:
        """All values of a field: repeated, with commas between, or as a JSON list.

        Raises:
            ApiError: they are too large together, or too many.
        """
        check_size(name, self.fields)
        values = self.fields.get(name, [])
        check_count(name, values)
        return [each for value in values for each in _listed(value)]

    def of(self, name: str) -> object:
        """The last value of a field, or its sub-fields where they came as `name[sub]`.

        Raises:
            ApiError: they are too large together.
        """
        check_size(name, self.fields)
        start = f"{name}["
        parts = {
            key.removeprefix(start).removesuffix("]"): values[-1]
            for key, values in self.fields.items()
            if key.startswith(start)
        }
        return parts or self.last(name)

    def names(self) -> set[str]:
        """The fields that came, without their sub-fields."""
        return {name.partition("[")[0] for name in self.fields}

    def log_unknown(self, known: set[str]) -> None:
        """Say which fields are ignored; never their values."""
        if unknown := sorted(self.names() - known):
            logger.info("Ignored fields: %s", reprlib.repr(unknown))


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _listed(value: str) -> Iterator[str]:
    if value.startswith("["):
        with suppress(ValueError, RecursionError):
            yield from map(_as_text, json.loads(value))
            return
    # A data URL has a comma of its own.
    parts = [value] if value.startswith("data:") else value.split(",")
    yield from (part.strip() for part in parts if part.strip())


@asynccontextmanager
async def read_form(request: Request) -> AsyncIterator[Form]:
    """The request's body, parsed; its file is deleted at the end of the block.

    Raises:
        ApiError: the body is not multipart, is broken, too large in a field, or has no file.
        ApiError: the file cannot be kept (503).
        ClientDisconnect: the client went away before the end of the body.
    """
    data = await parse_body(request)
    try:
        yield Form(file_of(data), text_fields(data))
    finally:
        await data.close()


async def parse_body(request: Request, kind: type[BodyParser] = BodyParser) -> FormData:
    """The parts of the request's body, to be closed.

    Raises:
        ApiError, ClientDisconnect: as for `read_form`, but for the file.
    """
    check_media_type(request.headers)
    async with aclosing(request.stream()) as stream:
        parser = kind(request.headers, stream, MAX_TEXT_BYTES)
        try:
            data = await parser.parse()
        except MultiPartException as error:
            raise unreadable(error.message) from error
        except OSError as error:
            raise not_kept(error) from error
    try:
        parser.check_whole()
    except ApiError:
        await data.close()
        raise
    return data


def not_kept(error: OSError) -> ApiError:
    """The answer to this error; it is logged."""
    logger.error("An upload could not be kept: %s", error)
    return no_room()


def no_room() -> ApiError:
    """The answer where an upload cannot be kept."""
    message = "The server has no room for the upload at present. Send it again later."
    return ApiError(message, status=503, code="no_room", headers=retry_after(MAX_RETRY_AFTER))


def file_of(data: FormData) -> BinaryIO:
    """The file; an `ApiError` says why there is none."""
    return upload_of(data, "file").file


def upload_of(data: FormData, field: str) -> UploadFile:
    """The file part of this name; an `ApiError` says why there is none."""
    parts = data.getlist(field)
    if not parts and "url" in data:
        message = f"This server fetches no recordings: send it as {field!r}, not as 'url'."
        raise ApiError(message, param="url", code="unsupported_value")
    if not parts:
        raise ApiError(
            f"The field {field!r} is missing: it must hold the audio.",
            param=field,
            code="missing_required_parameter",
        )
    if len(parts) > 1:
        raise ApiError(f"There must be one {field!r}, not several.", param=field)
    if not isinstance(parts[0], UploadFile):
        raise ApiError(f"The field {field!r} must be a file part with a file name.", param=field)
    return parts[0]


def text_fields(data: FormData) -> dict[str, list[str]]:
    """The values of every field but the file; an `ApiError` names one that is a file as well."""
    fields: dict[str, list[str]] = {}
    for key, value in data.multi_items():
        name = _INDEX.sub("", key)
        if name == "file":
            continue
        if isinstance(value, UploadFile):
            raise ApiError(f"The field {name!r} must be text, not a file.", param=name)
        if text := _unquoted(name, value.strip()):
            fields.setdefault(name, []).append(text)
    return fields


def _unquoted(name: str, value: str) -> str:
    """A value without the quotes of a client that writes each as JSON, such as `"whisper-1"`."""
    inner = value[1:-1]
    is_quoted = value == f'"{inner}"' and '"' not in inner
    return inner.strip() if is_quoted and name not in _QUOTABLE else value
