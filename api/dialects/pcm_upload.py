"""Upload of samples without a header: as they come they get one, and are a WAV file."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import BinaryIO

from starlette.datastructures import Headers

from api.forms.multipart import BodyParser
from models.audio.container.headerless import (
    HEAD_BYTES,
    WAV_HEADER_BYTES,
    is_headerless,
    wav_header,
)

FIELD = "audio_file"
_NO_LENGTH = wav_header(0)


class PcmParser(BodyParser):
    """Writes a WAV header before the samples of `audio_file`, unless that is a file by its content.

    The length is not known by then: `complete` fills it in.
    """

    def __init__(
        self, headers: Headers, stream: AsyncGenerator[bytes, None], max_text: int
    ) -> None:
        super().__init__(headers, stream, max_text)
        self._head: bytearray | None = None

    def on_headers_finished(self) -> None:
        """Wait for the beginning of the file's content."""
        super().on_headers_finished()
        part = self._current_part
        self._head = bytearray() if part.file and part.field_name == FIELD else None

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Keep the beginning back until it tells what it is."""
        if self._head is None:
            super().on_part_data(data, start, end)
            return
        self._head += data[start:end]
        if len(self._head) >= HEAD_BYTES:
            self._write_head()

    def on_part_end(self) -> None:
        """Write what is shorter than a beginning."""
        self._write_head()
        super().on_part_end()

    def _write_head(self) -> None:
        if self._head is None:
            return
        head, self._head = bytes(self._head), None
        whole = _NO_LENGTH + head if is_headerless(head) else head
        super().on_part_data(whole, 0, len(whole))


def complete(file: BinaryIO) -> int | None:
    """The bytes of samples in a file that the parser has made, with its header's length filled in.

    None: it is a file of its own. It is left at its start.
    """
    file.seek(0)
    is_ours = file.read(WAV_HEADER_BYTES) == _NO_LENGTH
    size = file.seek(0, 2) - WAV_HEADER_BYTES
    file.seek(0)
    if not is_ours:
        return None
    file.write(wav_header(size))
    file.seek(0)
    return size
