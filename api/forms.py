"""The multipart body of a request: text fields and one audio file."""

from __future__ import annotations

import json
import logging
import re
import reprlib
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from api.errors import MAX_RETRY_AFTER, ApiError, retry_after

MAX_FILES = 4
MAX_FIELDS = 128
# All text fields together: four `known_speaker_references` of ten seconds are 10 MiB.
MAX_TEXT_BYTES = 16 * 1024 * 1024

# What clients name, if any. Python knows others that give text which no JSON can hold, and keeps
# the name of each that it does not know.
CHARSETS = ("utf-8", "utf8", "us-ascii", "iso-8859-1")

_INDEX = re.compile(r"\[[0-9]*\]$")

# BentoML drops what other loggers say below WARNING.
logger = logging.getLogger("bentoml.whisper")


class _BodyParser(MultiPartParser):
    """Starlette's parser, which bounds the text and knows whether the closing boundary came."""

    ended = False
    text_bytes = 0

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._current_part.file is None:
            self.text_bytes += end - start
        if self.text_bytes > MAX_TEXT_BYTES:
            raise MultiPartException(f"its fields have more than {MAX_TEXT_BYTES} bytes.")
        super().on_part_data(data, start, end)

    def on_end(self) -> None:
        self.ended = True


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
        """All values of a field: repeated, with commas between, or as a JSON list."""
        return [each for value in self.fields.get(name, []) for each in _listed(value)]

    def of(self, name: str) -> object:
        """The last value of a field, or its sub-fields where they came as `name[sub]`."""
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
    data = await _parse(request)
    try:
        yield Form(_file(data), _text_fields(data))
    finally:
        await data.close()


async def _parse(request: Request) -> FormData:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        raise ApiError(f"The body must be multipart/form-data, not {media_type!r}.")
    _, parameters = parse_options_header(request.headers["content-type"])
    charset = parameters.get(b"charset", b"utf-8").decode("latin-1")
    if charset.lower() not in CHARSETS:
        raise ApiError(f"The multipart body must be in utf-8, not {reprlib.repr(charset)}.")
    async with aclosing(request.stream()) as stream:
        parser = _BodyParser(
            request.headers,
            stream,
            max_files=MAX_FILES,
            max_fields=MAX_FIELDS,
            max_part_size=MAX_TEXT_BYTES,
        )
        try:
            data = await parser.parse()
        except MultiPartException as error:
            raise ApiError(f"The multipart body cannot be read: {error.message}") from error
        except OSError as error:
            raise _no_room(error) from error
    if not parser.ended:
        await data.close()
        raise ApiError("The multipart body cannot be read: it breaks off before its end.")
    return data


def _no_room(error: OSError) -> ApiError:
    logger.error("An upload could not be kept: %s", error)
    message = "The server has no room for the upload at present. Send it again later."
    return ApiError(message, status=503, code="no_room", headers=retry_after(MAX_RETRY_AFTER))


def _file(data: FormData) -> BinaryIO:
    parts = data.getlist("file")
    if not parts:
        raise ApiError(
            "The field 'file' is missing: it must hold the audio.",
            param="file",
            code="missing_required_parameter",
        )
    if len(parts) > 1:
        raise ApiError("There must be one 'file', not several.", param="file")
    if not isinstance(parts[0], UploadFile):
        raise ApiError("The field 'file' must be a file part with a file name.", param="file")
    return parts[0].file


def _text_fields(data: FormData) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for key, value in data.multi_items():
        name = _INDEX.sub("", key)
        if name == "file":
            continue
        if isinstance(value, UploadFile):
            raise ApiError(f"The field {name!r} must be text, not a file.", param=name)
        if value.strip():
            fields.setdefault(name, []).append(value.strip())
    return fields
