"""Multipart parser of request bodies, with its limits."""

from __future__ import annotations

import re
import reprlib
from collections.abc import AsyncGenerator
from typing import cast

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from api.errors import ApiError
from api.forms.preamble import NO_BOUNDARY, BehindPreamble, Preamble

MAX_FILES = 4
MAX_FIELDS = 128
_BROKEN_OFF = "it breaks off before its end."

# What clients name, if any. Python knows others that give text which no JSON can hold, and keeps
# the name of each that it does not know.
CHARSETS = ("utf-8", "utf8", "us-ascii", "iso-8859-1")

_QUOTED = re.compile(rb'"(?:\\.|[^"\\])*"')
# Also as RFC 8187 writes it (`filename*`), and RFC 2231 in parts (`filename*0`, `filename*0*`).
_FILE_NAME = re.compile(rb";\s*filename(?:\*(?:[0-9]+\*?)?)?\s*=", re.IGNORECASE)


class PartsParser(MultiPartParser):
    """Starlette's parser, which passes over a preamble, and knows a file by each kind of file name.

    Clients write names that are not ASCII as `filename*` alone, against RFC 7578, 4.2.
    """

    def __init__(
        self, headers: Headers, stream: AsyncGenerator[bytes, None], **limits: int
    ) -> None:
        _, parameters = parse_options_header(headers["content-type"])
        self.preamble = Preamble(parameters.get(b"boundary", b""))
        pieces = BehindPreamble(stream, self.preamble)
        super().__init__(headers, cast("AsyncGenerator[bytes, None]", pieces), **limits)

    def on_headers_finished(self) -> None:
        """Give a part whose file name Starlette does not read one that it does.

        The name itself does not matter: the format of a file is found by its content.
        """
        disposition = bytes(self._current_part.content_disposition or b"")
        if _FILE_NAME.search(_QUOTED.sub(b"", disposition)):
            _, options = parse_options_header(disposition)
            if b"filename" not in options:
                self._current_part.content_disposition = disposition + b'; filename=""'
        super().on_headers_finished()


class BodyParser(PartsParser):
    """Bounds the text as a whole, and knows whether the closing boundary came."""

    def __init__(
        self, headers: Headers, stream: AsyncGenerator[bytes, None], max_text: int
    ) -> None:
        super().__init__(
            headers,
            stream,
            max_files=MAX_FILES,
            max_fields=MAX_FIELDS,
            max_part_size=max_text,
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

    def check_whole(self) -> None:
        """Raise an `ApiError` if a body that is over has not come to its end."""
        if not self.ended:
            begun = self.preamble.has_ended or self.preamble.is_empty
            raise unreadable(_BROKEN_OFF if begun else NO_BOUNDARY)


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
