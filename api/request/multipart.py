"""How multipart bodies are read, and within which limits."""

from __future__ import annotations

import reprlib
from collections.abc import AsyncGenerator

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from api.errors import ApiError

MAX_FILES = 4
MAX_FIELDS = 128
BROKEN_OFF = "it breaks off before its end."

# What clients name, if any. Python knows others that give text which no JSON can hold, and keeps
# the name of each that it does not know.
CHARSETS = ("utf-8", "utf8", "us-ascii", "iso-8859-1")


class BodyParser(MultiPartParser):
    """Starlette's parser, which bounds the text and knows whether the closing boundary came."""

    def __init__(
        self, headers: Headers, stream: AsyncGenerator[bytes, None], most_text: int
    ) -> None:
        super().__init__(
            headers,
            stream,
            max_files=MAX_FILES,
            max_fields=MAX_FIELDS,
            max_part_size=most_text,
        )
        self.ended = False
        self.text_bytes = 0

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Count the text."""
        if self._current_part.file is None:
            self.text_bytes += end - start
        if self.text_bytes > self.max_part_size:
            raise MultiPartException(f"its fields have more than {self.max_part_size} bytes.")
        super().on_part_data(data, start, end)

    def on_end(self) -> None:
        """Note the closing boundary."""
        self.ended = True


def check_media_type(headers: Headers) -> None:
    """Raise an `ApiError` unless the body is to be multipart, in a charset that is known."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        raise ApiError(f"The body must be multipart/form-data, not {media_type!r}.")
    _, parameters = parse_options_header(headers["content-type"])
    charset = parameters.get(b"charset", b"utf-8").decode("latin-1")
    if charset.lower() not in CHARSETS:
        raise ApiError(f"The multipart body must be in utf-8, not {reprlib.repr(charset)}.")


def unreadable(reason: str) -> ApiError:
    """The error of a body that is no form."""
    return ApiError(f"The multipart body cannot be read: {reason}")
