"""Middleware that validates the multipart bodies of BentoML's endpoints as they stream past."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.error_response import ErrorResponse
from api.errors import ApiError
from api.forms.multipart import BodyParser, check_media_type, unreadable
from api.forms.read_form import file_of, text_fields
from api.middleware.guard import pass_checked
from api.native.disk_full import DiskFull

PATHS = frozenset({"/transcribe", "/translate"})
# All text fields together; BentoML takes that much of each.
MAX_TEXT_BYTES = 1024 * 1024

_CALLBACKS = (
    "on_part_begin",
    "on_part_data",
    "on_part_end",
    "on_header_field",
    "on_header_value",
    "on_header_end",
    "on_headers_finished",
    "on_end",
)


class NativeBody:
    """Middleware: 400 for a body that is no form with one file and a few text fields.

    BentoML would read JSON too, keep a thousand parts in memory and, where a URL is in the place of
    the file, fetch that.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.native = app, DiskFull(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["method"] != "POST" or scope["path"] not in PATHS:
            await self.app(scope, receive, send)
            return
        try:
            follower = _Follower(Headers(scope=scope))
        except ApiError as error:
            await ErrorResponse(error)(scope, receive, send)
        else:
            scope = {**scope, "headers": list(map(_with_media_type, scope["headers"]))}
            await pass_checked(self.native, scope, receive, send, follower.follow)


def _with_media_type(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """The header with its media type in small letters: BentoML takes no others."""
    name, value = header
    if name != b"content-type":
        return header
    media_type, semicolon, parameters = value.partition(b";")
    return name, media_type.strip().lower() + semicolon + parameters


async def _nothing() -> AsyncGenerator[bytes, None]:
    return
    yield b""


class _Follower(BodyParser):
    """Takes a body in pieces instead of a stream, and keeps its text fields alone."""

    def __init__(self, headers: Headers) -> None:
        check_media_type(headers)
        super().__init__(headers, _nothing(), MAX_TEXT_BYTES)
        _, parameters = parse_options_header(headers["content-type"])
        callbacks: Any = {name: getattr(self, name) for name in _CALLBACKS}
        try:
            self.pieces = MultipartParser(parameters[b"boundary"], callbacks)
        except (KeyError, FormParserError) as error:
            raise unreadable("its boundary is missing or too long.") from error

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Keep none of the file."""
        if self._current_part.file is None:
            super().on_part_data(data, start, end)

    def follow(self, message: Message) -> None:
        """The next piece; an `ApiError` says what is wrong with it, or with all of them."""
        if message["type"] != "http.request":
            return
        try:
            self.pieces.write(self.preamble.without(message.get("body", b"")))
        except MultiPartException as error:
            raise unreadable(error.message) from error
        except FormParserError as error:
            raise unreadable("Invalid multipart data.") from error
        if not message.get("more_body", False):
            self._check_whole()

    def _check_whole(self) -> None:
        self.check_whole()
        data = FormData(self.items)
        file_of(data)
        for name, values in text_fields(data).items():
            for value in values:
                _check_as_json(name, value)


def _check_as_json(name: str, value: str) -> None:
    """Refuse what BentoML, which tries to read text as JSON, would fail at."""
    try:
        json.loads(value)
    except json.JSONDecodeError:
        return
    except (ValueError, RecursionError) as error:
        message = f"The field {name!r} has a number or brackets beyond all bounds."
        raise ApiError(message, param=name, code="invalid_value") from error
